"""What a set holds, counted by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from lhotse import MonoCut, SupervisionSegment
from lhotse.testing.dummies import dummy_recording

from understudy.corpus.facts import Facts, copies_between, warnings
from understudy.corpus.levels import Meter

RATE = 16000


def cut(name: str, seconds: float, text: str | None, speaker: str = "ann") -> MonoCut:
    said = SupervisionSegment(name, name, 0.0, seconds, text=text, speaker=speaker)
    return MonoCut(name, 0.0, seconds, 0, recording=dummy_recording(0, duration=seconds), supervisions=[said])


def heard(samples: np.ndarray, parts: int = 1) -> Meter:
    """In so many blocks."""
    meter = Meter(RATE)
    for block in np.array_split(samples.astype(np.float32), parts):
        meter.add(block)
    return meter


def tone(level: float, pause: float = 0.0) -> np.ndarray:
    """A second at this level, of which a part is nearly silent."""
    samples = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * 10 ** (level / 20) * np.sqrt(2)
    samples[: round(pause * RATE)] *= 1e-3
    return samples


def test_counts_by_hand():
    facts = Facts()
    for number, (seconds, text, speaker) in enumerate(
        [(0.1, "a be", "ann"), (0.3, "be a a", "bob"), (0.3, "a be", "ann"), (1.27, None, "eve")]
    ):
        facts.add(cut(f"u{number}", seconds, text, speaker), None)
    assert facts.lengths == Counter({1: 1, 3: 2, 12: 1}) and facts.seconds == pytest.approx(
        {"ann": 0.4, "bob": 0.3, "eve": 1.27}
    )
    assert facts.words == {"a": 4, "be": 3} and facts.words_each == {2: 2, 3: 1}
    assert facts.characters == {"a": 4, "b": 3, "e": 3} and facts.repeated == 1
    assert facts.quantiles((0.0, 0.25, 0.5, 0.75, 1.0)) == [0.1, 0.1, 0.3, 0.3, 1.2]
    told = facts.told()
    assert told["words"] == {"spoken": 7, "different": 2} and told["seconds_each"]["median"] == 0.3
    assert not facts.levels and not facts.heard


def test_levels_pauses_and_copies():
    first, other = Facts(), Facts()
    loud, soft = tone(-20.5, 0.25), tone(-30.5, 0.5)
    first.add(cut("u1", 1.0, "a"), heard(loud))
    first.add(cut("u2", 1.0, "b"), heard(loud, 7))  # the blocks make no difference
    first.add(cut("u3", 1.0, "c"), heard(soft))
    for name in ("u4", "u5"):
        first.add(cut(name, 1.0, "d"), heard(np.zeros(RATE)))  # silence is told as such
    assert first.levels == {-21: 2, -31: 1} and first.pauses == {24: 2, 50: 1} and first.copies == [("u2", "u1")]
    other.add(cut("v1", 1.0, "a"), heard(tone(-10)))
    other.add(cut("v2", 1.0, "a"), heard(soft))
    sets = {"labelled": first, "test": other}
    assert copies_between(sets) == [("test", "v2", "labelled", "u3")]
    within, between = warnings(sets)
    assert within.startswith(
        "labelled: 1 utterance of 5 with the very samples of another one: u2 = u1. They count twice"
    )
    assert "of another set: v2 (test) = u3 (labelled). What is trained on must not be tested on" in between
    assert warnings({"labelled": other}) == []
