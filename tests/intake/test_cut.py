"""From probabilities of speech to utterances: lengths, pauses, overlap, and what is counted."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from understudy.intake import cut
from understudy.intake.convert import Heard
from understudy.intake.cut import cut_long, divided, padded
from understudy.intake.options import CutOptions
from understudy.intake.piece import Piece, Sound
from understudy.intake.speech import WINDOW
from understudy.parallel.workers import Workers
from understudy.step import UserError

RATE = 16000


def test_padding_takes_half_of_a_short_pause_and_stays_in_the_audio():
    spans = [(1000, 5000), (5600, 9000), (20000, 30000)]
    assert padded(spans, 30500, 1000) == [(0, 5300), (5300, 10000), (19000, 30500)]
    assert padded([], 100, 10) == []


def test_a_long_stretch_is_divided_where_speech_is_least_likely():
    """Of 60 s, in parts of at most 30 s: at the pauses near 20 and 41 s, not at the deeper one at 31 s."""
    probabilities = np.full(60 * RATE // WINDOW + 1, 0.9, np.float32)
    for second, value in ((18.7, 0.3), (31.0, 0.01), (42.0, 0.2)):
        probabilities[int(second * RATE / WINDOW) - 4 : int(second * RATE / WINDOW) + 4] = value
    parts = divided((0, 60 * RATE), probabilities, 30 * RATE, RATE)
    assert len(parts) == 4  # 15 s each, moved by less than 3.75 s
    meet = [(low[1] + high[0]) / 2 / RATE for low, high in pairwise(parts)]
    assert np.abs(np.array(meet) - [18.7, 31.0, 42.0]).max() < 0.2
    assert all(low[1] - high[0] == RATE for low, high in pairwise(parts))


def test_parts_are_never_too_long_and_leave_nothing_out():
    rng = np.random.default_rng(1)
    for _ in range(300):
        longest, overlap = rng.uniform(2.0, 30.0), rng.uniform(0.0, 0.5)
        first = int(rng.integers(0, 5 * RATE))
        span = (first, first + int(rng.uniform(0.1, 100.0) * RATE))
        probabilities = rng.random(span[1] // WINDOW + 2).astype(np.float32)
        limit, shared = round(longest * RATE), round(overlap * RATE)
        parts = divided(span, probabilities, limit, shared)
        assert parts[0][0] == span[0] and parts[-1][1] == span[1]
        assert max(last - first for first, last in parts) <= limit
        assert (len(parts) == 1) == (span[1] - span[0] <= limit)
        for low, high in pairwise(parts):
            assert low[1] - high[0] == shared // 2 * 2 and low[0] < high[0] < low[1] < high[1]


def speech_at(seconds: float, *spans: tuple[float, float]) -> np.ndarray:
    """Probabilities of a detector that is sure."""
    windows = np.arange(int(np.ceil(seconds * RATE / WINDOW))) * WINDOW / RATE
    within = [(windows >= first) & (windows < last) for first, last in spans]
    return np.sum(within or [0 * windows], 0).astype(np.float16)


def cuts_of(found: dict[str, np.ndarray], tmp_path: Path, monkeypatch, options: CutOptions, **pieces) -> tuple:
    """What `cut_long` makes of recordings with such probabilities; `pieces` is what else a piece has."""
    pytest.importorskip("silero_vad", reason="without silero-vad long recordings are not cut")
    files = {}
    for name, heard in found.items():
        np.save(tmp_path / f"{name}.npy", heard)
        files[name] = tmp_path / f"{name}.npy"
    monkeypatch.setattr(cut, "listen", lambda stretches, *_: iter([files[one.name] for one in stretches]))
    read = [
        (Piece(name, name, Sound(name), "s", **pieces), Heard(Path(name), len(heard) * WINDOW, ""))
        for name, heard in found.items()
    ]
    with Workers(1) as workers:
        return cut_long(read, options, tmp_path, workers, lambda *_: None)


def test_what_becomes_of_recordings_is_counted(tmp_path: Path, monkeypatch, caplog):
    found = {
        "short": speech_at(8.0, (0, 8)),
        "long": speech_at(100.0, (2.048, 7.04), (10.048, 10.24), (20.032, 70.016), (90.016, 95.04), (95.2, 98.016)),
        "silent": speech_at(40.0),
    }
    options = CutOptions(longest=20.0, padding=0.32, overlap=0.64)
    with caplog.at_level("INFO"):
        kept, told = cuts_of(found, tmp_path, monkeypatch, options)
    assert kept[0][0].id == "short" and kept[0][0].end is None
    spans = [(round(piece.start, 3), round(piece.end, 3)) for piece, _ in kept[1:]]
    assert spans[0] == (1.728, 7.36) and spans[-1] == (89.696, 98.336)  # a pause of 0.16 s is no end
    assert spans[1][0] == 19.712 and spans[-2][1] == 70.336 and len(spans) == 6
    assert {piece.recording for piece, _ in kept[1:]} == {"long"} and kept[1][0].id == "long-00001728-00007360"
    assert (told.recordings, told.utterances, told.divided, told.too_short, told.silent) == (2, 6, 1, 1, ["silent"])
    in_utterances = 5.632 + 50.624 + 8.64
    assert told.hours * 3600 == pytest.approx(140, abs=0.1)
    assert told.hours_in_utterances * 3600 == pytest.approx(in_utterances, abs=0.01)
    assert told.hours_in_two * 3600 == pytest.approx(3 * 0.64, abs=1e-3)
    assert told.hours_too_short * 3600 == pytest.approx(0.192, abs=1e-3)
    assert sum(b - a for a, b in spans) == pytest.approx(in_utterances + 3 * 0.64, abs=0.01)
    report = told.told()
    assert report["hours_left_out"] == told.hours - told.hours_in_utterances and report["without_speech"] == 1
    assert "2 recordings without transcripts and longer than 20 s, 0.04 h, cut into 6 utterances" in caplog.text
    assert "no speech was found in 1 of them, which are left out: silent" in caplog.text


def test_a_stretch_of_a_recording_is_cut_within_it(tmp_path: Path, monkeypatch):
    piece = {"start": 100.0, "end": 140.0}
    found = {"a": speech_at(300.0, (1.024, 3.008))}
    kept, told = cuts_of(found, tmp_path, monkeypatch, CutOptions(padding=0.0), **piece)
    assert [(one.start, one.end) for one, _ in kept] == [(101.024, 103.008)] and told.hours * 3600 == 40.0


@pytest.mark.parametrize(("pieces", "longest"), [({"text": "its words"}, 30.0), ({}, None), ({"end": 30.0}, 30.0)])
def test_what_is_transcribed_or_short_stays(pieces: dict, longest: float | None, tmp_path: Path, monkeypatch):
    kept, told = cuts_of({"a": speech_at(90.0, (1, 3))}, tmp_path, monkeypatch, CutOptions(longest=longest), **pieces)
    assert [one.id for one, _ in kept] == ["a"] and told.recordings == 0


def test_audio_that_cannot_be_read_is_a_fault(tmp_path: Path, monkeypatch):
    said = []
    monkeypatch.setattr(cut, "listen", lambda *_: iter(["a: cannot be read"]))
    piece = Piece("a", "a", Sound("a"), "s")
    with Workers(1) as workers:
        kept, _ = cut_long([(piece, Heard(Path("a"), 60 * RATE, ""))], CutOptions(), tmp_path, workers,
                           lambda *told: said.append(told))  # fmt: skip
    assert kept == [] and said == [("audio cannot be read", "a: cannot be read")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threshold": 1.5}, r"--cut\.threshold 1\.5: must be a probability between 0 and 1"),
        ({"pause": -1}, "must be no less than 0 seconds"),
        ({"longest": 1.5}, r"--cut\.longest 1\.5: must be at least a second longer than twice"),
    ],
)
def test_options_that_leave_nothing(options: dict, said: str):
    with pytest.raises(UserError, match=said):
        CutOptions(**options)
