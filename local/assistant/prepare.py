#!/usr/bin/env python3
"""Synthesise the assistant corpus: labelled, unlabelled, dev and test speech of different voices.

e.g.: local/assistant/prepare.py --labelled-hours 0.5 --unlabelled-hours 4 --out data
      local/assistant/prepare.py --language de --out data-de
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

import lexicon as lexicons
import numpy as np
import soundfile
import torch
from acoustics import Bank, add_noise, make_bank, noise, to_16k
from espeak import Engine, Voice
from languages import LANGUAGES, Code
from phones import SILENCE, Segment, segments, spoken_words
from voices import roster

from understudy.corpus.build import Utterance, build_cut, join_manifests, write_cuts
from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import reverberate
from understudy.parallel.workers import Workers
from understudy.step import Step, UserError, atomic_path, log, main, read_json, write_json

_SETS = ("labelled", "unlabelled", "dev", "test")
_SHARD_HOURS = 0.1


@dataclass
class Options:
    """Options of the synthesis."""

    out: Path
    """Folder of the corpus: manifests, lexicon.txt, text.txt, voices.txt and audio/."""
    language: Code = "en"
    """What is spoken: English, German (de) or Greek (el), each with a grammar of its own."""
    labelled_hours: float = 0.5
    """Hours of transcribed speech."""
    unlabelled_hours: float = 4.0
    """Hours of speech of other voices; 0 for none."""
    dev_hours: float = 0.15
    """Hours for tuning."""
    test_hours: float = 0.6
    """Hours for results."""
    voices: int = 80
    """Number of speakers in all sets together."""
    snr_low: float = 8.0
    """Lowest signal-to-noise ratio, in dB."""
    snr_high: float = 25.0
    """Highest signal-to-noise ratio, in dB."""
    dry: float = 0.15
    """Share of utterances without a room."""
    rooms: int = 60
    """Number of rooms in training; the test set has half as many of its own."""
    lexicon_sentences: int = 800
    """Sentences that the lexicon's pronunciations are observed in."""
    text_sentences: int = 5000
    """Sentences of text.txt, for the language model: an assistant's makers have more text than speech."""
    seed: int = 1
    """Seed of everything."""
    jobs: int = 2
    """Processes."""


@dataclass(frozen=True)
class Shard:
    """A piece of one set that one process makes from one seed."""

    name: str
    index: int
    hours: float
    voices: tuple[Voice, ...]
    options: Options

    @property
    def manifest(self) -> Path:
        return self.options.out / ".shards" / f"{self.name}-{self.index:05d}.jsonl.gz"

    @property
    def counts(self) -> Path:
        return self.manifest.with_suffix("").with_suffix(".json")

    @property
    def audio(self) -> Path:
        return self.options.out / "audio" / self.name / f"{self.index:05d}"


def run(options: Options, step: Step) -> None:
    """Synthesise what is missing, shard by shard, and join the manifests."""
    _check(options)
    torch.set_num_threads(1)  # the processes have the cores
    speakers = roster(options.voices, options.seed)
    _write_banks(options, speakers)
    _write_lexicon(options)
    _write_text(options)
    shards = [shard for name in _SETS for shard in _shards(name, speakers[name], options)]
    _synthesise([shard for shard in shards if not shard.counts.exists()], len(shards), options.jobs)
    for name in _SETS:
        _finish_set(name, [shard for shard in shards if shard.name == name], options)
    _write_voices(options.out / "voices.txt", speakers)
    shutil.rmtree(options.out / ".shards")


def _check(options: Options) -> None:
    for name in _SETS:
        hours = getattr(options, f"{name}_hours")
        if hours < 0 or (hours == 0 and name != "unlabelled"):
            raise UserError(f"--{name}-hours {hours}: must be more than 0.")
    if options.snr_low > options.snr_high:
        raise UserError(f"--snr-low {options.snr_low} is above --snr-high {options.snr_high}.")
    if options.rooms < 1:
        raise UserError(f"--rooms {options.rooms}: give at least one (and --dry 1 to use none).")
    if not 0 <= options.dry <= 1:
        raise UserError(f"--dry {options.dry}: a share lies between 0 and 1.")


def _bank_path(options: Options, name: str) -> Path:
    return options.out / ".shards" / f"bank-{'test' if name == 'test' else 'train'}.npz"


def _write_banks(options: Options, speakers: dict[str, list[Voice]]) -> None:
    """Rooms and babble; the test set has its own, and its babble talks in test voices."""
    train, language = speakers["labelled"] + speakers["unlabelled"], LANGUAGES[options.language]
    (options.out / ".shards").mkdir(parents=True, exist_ok=True)
    for name, voices, rooms, offset in (
        ("dev", train, options.rooms, 0),
        ("test", speakers["test"], -(-options.rooms // 2), 1),
    ):
        if not _bank_path(options, name).exists():
            make_bank(language, voices, rooms, 4, 2 * options.seed + offset).save(_bank_path(options, name))


def _write_lexicon(options: Options) -> None:
    path = options.out / "lexicon.txt"
    if not path.exists():
        lexicon = lexicons.build(LANGUAGES[options.language], options.lexicon_sentences, options.seed)
        with atomic_path(path) as tmp:
            tmp.write_text("".join(lexicons.lines(lexicon)), encoding="utf-8")


def _write_text(options: Options) -> None:
    language = LANGUAGES[options.language]
    with atomic_path(options.out / "text.txt") as tmp:
        drawn = islice(language.grammar.sentences([options.seed, 17]), options.text_sentences)
        tmp.write_text("".join(f"{language.written(sentence)}\n" for sentence in drawn), encoding="utf-8")


def _shards(name: str, voices: list[Voice], options: Options) -> Iterator[Shard]:
    left, index = getattr(options, f"{name}_hours"), 0
    while left > 1e-9:
        yield Shard(name, index, min(left, _SHARD_HOURS), tuple(voices), options)
        left, index = left - _SHARD_HOURS, index + 1


def _synthesise(shards: list[Shard], total: int, jobs: int) -> None:
    log.info("%d of %d shards to synthesise", len(shards), total)
    with Workers(jobs) as workers:
        for done, _ in enumerate(workers.map(_make_shard, shards), start=1):
            log.info("shard %d of %d done", done, len(shards))


def _make_shard(shard: Shard) -> None:
    """Write a shard's audio, then its manifest, then its counts: a shard with counts is whole."""
    if shard.audio.exists():
        shutil.rmtree(shard.audio)  # the remains of a killed run
    shard.audio.mkdir(parents=True)
    lexicon = _read_lexicon(shard.options.out / "lexicon.txt")
    counts = {"words": 0, "covered": 0, "seconds": 0.0, "utterances": 0}
    write_cuts(shard.manifest, (build_cut(utterance) for utterance in _utterances(shard, lexicon, counts)))
    write_json(shard.counts, counts)


def _utterances(shard: Shard, lexicon: lexicons.Lexicon, counts: dict[str, float]) -> Iterator[Utterance]:
    language, engine = LANGUAGES[shard.options.language], Engine()
    bank, number = Bank.load(_bank_path(shard.options, shard.name)), 0
    while counts["seconds"] < shard.hours * 3600:
        rng = np.random.default_rng([shard.options.seed, _SETS.index(shard.name), shard.index, number])
        voice = shard.voices[(shard.index * 31 + number) % len(shard.voices)]
        text = language.grammar.sentence(rng)
        samples, marks = engine.say(text, _varied(voice, rng), language.voice)
        parts = segments(marks, len(samples), text, language.phone_set)
        audio, lead = _recorded(to_16k(samples), bank, shard.options, rng)
        name = f"{voice.name}-{shard.name}-{shard.index:05d}-{number:04d}"
        path = shard.audio / f"{name}.flac"
        _write_audio(path, audio)
        number += 1
        counts["seconds"] += len(audio) / SAMPLE_RATE
        counts["utterances"] += 1
        _count_coverage(counts, lexicon, parts, language.written(text))
        yield Utterance(
            name,
            path,
            language.written(text),
            voice.name,
            len(audio),
            SAMPLE_RATE,
            _times(parts, lead, len(audio) / SAMPLE_RATE),
            as_written=True,
        )


def _write_audio(path: Path, audio: np.ndarray) -> None:
    """Write float32 (samples,) as 16-bit FLAC."""
    # By way of memory, since the audio library waits for the disk after every file: a third of the time.
    packed = io.BytesIO()
    soundfile.write(packed, (audio * 32767).astype(np.int16), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    path.write_bytes(packed.getvalue())


def _varied(voice: Voice, rng: np.random.Generator) -> Voice:
    """Nobody speaks every sentence at the same pitch and rate."""
    return replace(
        voice, pitch=voice.pitch + int(rng.integers(-4, 5)), rate=round(voice.rate * rng.uniform(0.93, 1.07))
    )


def _recorded(speech: np.ndarray, bank: Bank, options: Options, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """The sentence as a microphone hears it, and the seconds of silence before it."""
    lead, tail = rng.integers(1600, 6400, size=2)
    speech = np.pad(speech, (int(lead), int(tail)))
    room = bank.rooms[int(rng.integers(len(bank.rooms)))]
    if rng.random() >= options.dry:
        speech = reverberate(speech, room)
    snr, level = rng.uniform(options.snr_low, options.snr_high), rng.uniform(-32, -20)
    return add_noise(speech, noise(bank, len(speech), rng), snr, level), int(lead) / SAMPLE_RATE


def _times(parts: list[Segment], lead: float, end: float) -> tuple[tuple[str, float, float], ...]:
    """Phones with start and duration in seconds of the recording, silence at both edges."""
    kept = [(part.phone, part.start + lead) for part in parts]
    if kept and kept[0][0] == SILENCE:
        kept = kept[1:]
    if kept and kept[-1][0] != SILENCE:
        kept.append((SILENCE, parts[-1].end + lead))
    kept = [(SILENCE, 0.0), *kept]
    ends = [start for _, start in kept[1:]] + [end]
    return tuple((phone, start, stop - start) for (phone, start), stop in zip(kept, ends, strict=True))


def _count_coverage(counts: dict[str, float], lexicon: lexicons.Lexicon, parts: list[Segment], text: str) -> None:
    for words, spoken in spoken_words(parts, text):
        counts["words"] += len(words)
        counts["covered"] += len(words) if lexicons.covers(lexicon, words, spoken) else 0


@lru_cache(maxsize=1)
def _read_lexicon(path: Path) -> lexicons.Lexicon:
    lexicon: lexicons.Lexicon = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *spoken = line.split()
        lexicon.setdefault(word, []).append(tuple(spoken))
    return lexicon


def _finish_set(name: str, shards: list[Shard], options: Options) -> None:
    if not shards:
        return
    join_manifests(options.out / f"{name}.jsonl.gz", [shard.manifest for shard in shards])
    counts = [read_json(shard.counts) for shard in shards]
    total = {key: sum(count[key] for count in counts) for key in counts[0]}
    log.info(
        "%s: %d utterances, %.2f hours, %d voices; the lexicon has the phones of %.1f %% of the words",
        name, total["utterances"], total["seconds"] / 3600, len(shards[0].voices),
        100 * total["covered"] / max(total["words"], 1),
    )  # fmt: skip


def _write_voices(path: Path, speakers: dict[str, list[Voice]]) -> None:
    with atomic_path(path) as tmp:
        rows = [
            f"{voice.name} {name} {voice.variant} {voice.pitch} {voice.pitch_range} {voice.rate}\n"
            for name in _SETS
            for voice in speakers[name]
        ]
        tmp.write_text("# speaker set variant pitch pitch-range words-per-minute\n" + "".join(rows))


if __name__ == "__main__":
    main(Options, run, output="out", unfingerprinted=("jobs",))
