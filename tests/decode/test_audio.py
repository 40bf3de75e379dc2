"""Long audio is cut into pieces."""

import numpy as np
import pytest

from understudy.decode.audio import pieces

RATE = 16000


def tone(seconds: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_long_audio_is_cut_where_it_is_quiet():
    samples = tone(70.0)
    for second in (25.0, 47.5):
        samples[int(second * RATE) : int((second + 0.5) * RATE)] *= 0.01
    found = pieces(samples)
    assert [a for a, _ in found[1:]] == [b for _, b in found[:-1]] and (found[0][0], found[-1][1]) == (0, len(samples))
    assert all(b - a <= 30 * RATE for a, b in found)
    assert [b / RATE for _, b in found[:-1]] == pytest.approx([25.25, 47.75], abs=0.15)
    assert pieces(tone(3.0)) == [(0, 3 * RATE)] and pieces(np.zeros(0, np.float32)) == []
