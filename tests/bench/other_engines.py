#!/usr/bin/env python3
r"""What a user would pick instead hears our test set: PocketSphinx and Moonshine, on one core.

It needs neither torch nor lhotse, so that an engine may live in an environment of its own:

    python -m venv engines && engines/bin/pip install pocketsphinx==5.1.1 moonshine-voice==0.0.49 soundfile
    engines/bin/python tests/bench/other_engines.py pocketsphinx data/feats/test.jsonl.gz exp/pocketsphinx.jsonl
    engines/bin/python tests/bench/other_engines.py pocketsphinx data/feats/test.jsonl.gz exp/sphinx-lm.jsonl \
        3-gram.arpa.gz lexicon.txt        its acoustic model, with another language model and lexicon
    engines/bin/python tests/bench/other_engines.py moonshine data/feats/test.jsonl.gz exp/moonshine.jsonl

steps/score_transcripts.py scores the text; steps/transcribe_whisper.py runs a Whisper. A killed run goes on.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

Engine = Callable[[np.ndarray], str]


def pocketsphinx(language_model: str = "", lexicon: str = "") -> Engine:
    """With its own acoustic model of US English, and its own words or those of a lexicon and an ARPA."""
    from pocketsphinx import Decoder

    given: dict[str, str] = {}
    if language_model:
        folder = Path(tempfile.mkdtemp())
        given = {"lm": str(_lower_arpa(Path(language_model), folder)), "dict": str(_dictionary(Path(lexicon), folder))}
    decoder = Decoder(samprate=16000, loglevel="FATAL", **given)

    def hear(samples: np.ndarray) -> str:
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
        return decoder.hyp().hypstr if decoder.hyp() else ""

    return hear


def moonshine() -> Engine:
    """Moonshine tiny for English; it cuts what it hears at pauses."""
    from moonshine_voice import ModelArch, get_assets_path
    from moonshine_voice.transcriber import Transcriber

    network = Transcriber(os.path.join(get_assets_path(), "tiny-en"), ModelArch.TINY)

    def hear(samples: np.ndarray) -> str:
        return " ".join(line.text for line in network.transcribe_without_streaming(samples.tolist(), 16000).lines)

    return hear


ENGINES = {"pocketsphinx": pocketsphinx, "moonshine": moonshine}


def main(name: str, cuts: str, out: str, *more: str) -> None:
    """Write a JSON line for each cut, and print what all of them took."""
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    known, hear = {line["id"] for line in done}, ENGINES[name](*more)
    with path.open("a", encoding="utf-8") as file:
        for key, samples in _utterances(Path(cuts)):
            if key in known:
                continue
            begun = time.process_time(), time.monotonic()
            text = hear(samples)
            took = [round(now - then, 4) for now, then in zip((time.process_time(), time.monotonic()), begun)]
            line = {"id": key, "text": text, "seconds": len(samples) / 16000, "cpu_s": took[0], "wall_s": took[1]}
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            file.flush()
            done.append(line)
    hours = sum(line["seconds"] for line in done) / 3600
    cpu = sum(line["cpu_s"] for line in done) / hours
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {len(done)} utterances, {hours:.2f} h, {cpu:.1f} CPU s an hour ({cpu / 3600:.4f} of real time), "
          f"at most {megabytes:.0f} MB")  # fmt: skip


def _utterances(cuts: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Names and samples (length,) in ±1 of a manifest's cuts."""
    with gzip.open(cuts, "rt", encoding="utf-8") as lines:
        for cut in map(json.loads, lines):
            rate = cut["recording"]["sampling_rate"]
            begin, length = round(cut["start"] * rate), round(cut["duration"] * rate)
            samples, found = soundfile.read(
                cut["recording"]["sources"][0]["source"], length, begin, dtype="float32", always_2d=True
            )
            if found != 16000:
                raise SystemExit(f"{cut['id']}: must be of 16000 Hz, is of {found}. Resample it first.")
            yield cut["id"], samples[:, cut["channel"]]


def _lower_arpa(path: Path, folder: Path) -> Path:
    """The words of an ARPA in lower case, as its phones' dictionary has them; its tags stay."""
    target = folder / "lm.arpa"
    with gzip.open(path, "rt", encoding="utf-8") as lines, target.open("w", encoding="utf-8") as file:
        file.writelines(line.lower() if "\t" in line else line for line in lines)
    return target


def _dictionary(path: Path, folder: Path) -> Path:
    """A lexicon without stress, in lower case; further pronunciations are numbered."""
    target, seen = folder / "words.dict", dict[str, set[str]]()
    with path.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as file:
        for word, *phones in map(str.split, lines):
            said = re.sub(r"\d", "", " ".join(phones))
            variants = seen.setdefault(word.lower(), set())
            if said not in variants:
                variants.add(said)
                number = f"({len(variants)})" if len(variants) > 1 else ""
                file.write(f"{word.lower()}{number} {said}\n")
    return target


if __name__ == "__main__":
    main(*sys.argv[1:])
