"""The rule by which an encoder's frames become ours: on times that are known."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.encoders.resample import at_our_frames
from understudy.features.logmel import logmel


@pytest.mark.parametrize(("middle", "hop"), [(200.0, 320), (0.0, 320), (512.5, 640), (200.0, 480)])
def test_what_grows_with_time_has_the_time_of_our_middles(middle: float, hop: int) -> None:
    times = ((middle + hop * np.arange(60)) / 16000).astype(np.float32)[:, None]
    frames = at_our_frames(times, 2, 30, 0, middle, hop)
    # Stacked log-mels 3 m, 3 m + 1 and 3 m + 2 are of windows around 10 ms · (3 m + 0.5, + 1.5, + 2.5).
    assert np.allclose(frames[:, 0], 0.03 * np.arange(2, 30) + 0.015, atol=1e-6)


def test_a_window_in_the_middle_makes_the_frames_of_the_whole() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    whole = at_our_frames(rows, 0, 60, 0, 200.0, 320)
    assert np.allclose(at_our_frames(rows[30:80], 25, 45, 30 * 320, 200.0, 320), whole[25:45], atol=1e-6)


def test_before_the_first_frame_and_after_the_last_these_stand() -> None:
    rows = np.array([[1.0], [2.0]], np.float32)
    assert at_our_frames(rows, 0, 4, 0, 800.0, 320)[:, 0].tolist() == [1.0, 1.0, 2.0, 2.0]


def test_clicks_are_heard_when_log_mels_hear_them() -> None:
    """Over many of them, the middle of what is heard is the time of the click, for both, within a millisecond."""
    off = []
    for at in np.random.default_rng(0).integers(8000, 24000, 60):
        samples = np.zeros(32000, np.float32)
        samples[at] = 0.5
        energy = np.exp(logmel(samples, "kaldi-native-fbank")).sum(1)[:198].reshape(-1, 3).sum(1)
        rows = np.array([[np.square(samples[b : b + 400]).sum()] for b in range(0, 32000 - 399, 320)], np.float32)
        ours = at_our_frames(rows, 0, 66, 0, 200.0, 320)[:, 0]
        off.append([centre(one - one.min()) - at / 16000 for one in (energy, ours)])
    assert np.abs(np.mean(off, 0)).max() < 1e-3


def centre(heard: np.ndarray) -> float:
    """Seconds: the middle of what is heard in (frames,)."""
    return float(((0.03 * np.arange(len(heard)) + 0.015) * heard).sum() / heard.sum())
