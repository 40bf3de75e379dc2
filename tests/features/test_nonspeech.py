"""Sounds without words: of every kind, as loud as they should be, the same by their seed, resumed when killed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import CutSet
from tests.train.toy_speech import kill_when, run

from understudy.corpus import Utterance, build_cut, read_cuts, validate_sets, write_cuts
from understudy.corpus.subset import some
from understudy.features.nonspeech import (
    KINDS,
    LEVELS,
    SECONDS,
    SPEAKER,
    babble,
    clicks,
    hum,
    make_sound,
    melody,
    sweep,
)
from understudy.features.rooms import unit

ROOT = Path(__file__).parents[2]


def speech_set(folder: Path, number: int = 6) -> Path:
    """Utterances that are loud at their beginning and die away, so that what is played backwards shows."""
    cuts = []
    for i in range(number):
        length = 16000 + 3000 * i
        samples = np.random.default_rng(i).normal(0, 0.2, length) * np.exp(-np.arange(length) / 2000)
        soundfile.write(folder / f"u{i}.wav", samples.clip(-1, 1), 16000)
        cuts.append(build_cut(Utterance(f"u{i}", folder / f"u{i}.wav", "A WORD", f"s{i}")))
    write_cuts(folder / "labelled.jsonl.gz", cuts)
    return folder / "labelled.jsonl.gz"


def command(out: Path, *more: object) -> list:
    return [sys.executable, ROOT / "steps/make_nonspeech.py", "--out", out, *more]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_sounds_and_never_twice_alike(kind: str):
    sounds = [make_sound(KINDS, kind, [1, i]) for i in range(8)]
    assert all(SECONDS[0] * 16000 - 1 <= len(s) <= SECONDS[1] * 16000 + 1 for s in sounds)
    assert all(s.dtype == np.float32 and np.isfinite(s).all() and np.abs(s).max() < 1 for s in sounds)
    levels = [20 * np.log10(max(float(np.sqrt(np.mean(s.astype(float) ** 2))), 1e-9)) for s in sounds]
    if kind == "quiet":
        assert max(levels) < LEVELS[0] + 0.1 and -180 in levels  # digital silence among them
    else:  # what would clip is softer than it was drawn
        assert max(levels) < LEVELS[1] + 0.1 and min(levels) > LEVELS[0] - 25 and np.std(levels) > 3
    again = make_sound(KINDS, kind, [1, 3])
    assert np.array_equal(again, sounds[3]) and not np.array_equal(again, make_sound(KINDS, kind, [2, 3]))


def test_sounds_are_what_they_are_called():
    def peaks(sound: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
        return np.sort(power)[::-1].cumsum() / power.sum()

    for seed in range(5):
        length = 4 * 16000
        assert peaks(hum(length, np.random.default_rng(seed)))[400] > 0.6  # lines, not noise
        frames = np.abs(unit(clicks(length, np.random.default_rng(seed)))).reshape(-1, 80).max(1)
        assert frames.max() > 4 * np.median(frames)  # rests between what is hit
        spectra = np.abs(np.fft.rfft(sweep(length, np.random.default_rng(seed)).reshape(-1, 800), axis=1))
        assert len(set(spectra.argmax(1))) > 5  # the pitch moves
        assert np.abs(melody(length, np.random.default_rng(seed))).max() > 0


def test_babble_is_many_voices_backwards(tmp_path):
    cuts = list(read_cuts(speech_set(tmp_path)))
    alone = babble(cuts[:1])(8000, np.random.default_rng(0))
    assert len(alone) == 8000 and np.isfinite(alone).all()
    # Forwards each utterance is loudest at its beginning and dies away; backwards it swells to its end.
    sound = np.abs(babble(cuts[:1])(4 * 16000, np.random.default_rng(0)))
    smooth = np.convolve(sound, np.ones(400) / 400, "valid")[::400]
    assert (np.diff(smooth) > 0).mean() > 0.5 and np.diff(smooth).max() < -np.diff(smooth).min()


def test_some_cuts_are_any_of_all_manifests(tmp_path):
    manifests = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        manifests.append(speech_set(tmp_path / name))
    assert len(some(manifests, 100, 1)) == 12 and some([], 5, 1) == []
    drawn = {cut.recording.sources[0].source for seed in range(20) for cut in some(manifests, 3, seed)}
    assert len(drawn) == 12 and len(some(manifests, 3, 1)) == 3


def test_a_killed_set_ends_as_if_unbroken_and_is_valid(tmp_path):
    speech, options = speech_set(tmp_path), ["--minutes", "1.2", "--seed", "3"]
    options += ["--speech", f"[{speech}]"]
    run(command(tmp_path / "whole", *options))
    files = sorted((tmp_path / "whole/audio").glob("*.flac"))
    assert {path.stem.split("-")[2] for path in files} == {*KINDS, "babble"}
    kill_when(command(tmp_path / "killed", *options), lambda: (tmp_path / "killed/audio" / files[2].name).exists())
    assert not (tmp_path / "killed/nonspeech.jsonl.gz").exists()
    kept = (tmp_path / "killed/audio" / files[0].name).stat().st_mtime_ns
    run(command(tmp_path / "killed", *options))
    assert (tmp_path / "killed/audio" / files[0].name).stat().st_mtime_ns == kept
    assert [p.name for p in sorted((tmp_path / "killed/audio").iterdir())] == [p.name for p in files]
    assert all(p.read_bytes() == (tmp_path / "killed/audio" / p.name).read_bytes() for p in files)
    cuts = list(CutSet.from_file(tmp_path / "killed/nonspeech.jsonl.gz"))
    assert 72 <= sum(cut.duration for cut in cuts) < 72 + SECONDS[1] and len(cuts) == len(files)
    assert {(s.speaker, s.text) for cut in cuts for s in cut.supervisions} == {(SPEAKER, "")}

    sets = {"labelled": speech, "nonspeech": tmp_path / "whole/nonspeech.jsonl.gz"}
    assert [(name, len(list(cuts))) for name, cuts, _ in validate_sets(sets)][1] == ("nonspeech", len(files))
    validate = [sys.executable, ROOT / "steps/validate_corpus.py", "--cuts", f"[{', '.join(map(str, sets.values()))}]"]
    run([*validate, "--out", tmp_path / "valid"])


def test_minutes_that_make_no_sense_are_refused(tmp_path):
    done = subprocess.run(command(tmp_path / "x", "--minutes", "0"), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "--minutes 0: it must be above 0" in done.stderr
