"""Windows of long cuts."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.encoders.resample import SHIFT
from understudy.encoders.windows import windows_of


def test_a_cut_that_fits_is_one_window() -> None:
    assert windows_of(480_000, 1000, 480_000, 32_000, 320) == [(0, 480_000, 0, 1000)]


@pytest.mark.parametrize("seed", range(40))
def test_every_frame_is_taken_once_with_its_context(seed: int) -> None:
    rng = np.random.default_rng(seed)
    longest, hop = int(rng.integers(20_000, 500_000)), int(rng.choice([160, 320, 480, 640]))
    context = int(rng.integers(0, longest // 4))
    samples = int(rng.integers(longest, 8 * longest))
    frames = (samples + 80) // 160 // 3
    windows = windows_of(samples, frames, longest, context, hop)
    assert [m for one in windows for m in range(one.first, one.last)] == list(range(frames))
    assert windows[0].begin == 0 and windows[-1].end == samples
    for one in windows:
        assert one.begin % hop == 0 and one.begin % SHIFT == 0 and 0 < one.end - one.begin <= longest
        assert one.begin == 0 or one.first * SHIFT - one.begin >= context
        assert one.end == samples or one.end - one.last * SHIFT >= context


def test_a_window_that_takes_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="take nothing"):
        windows_of(100_000, 208, 10_000, 5_000, 320)
