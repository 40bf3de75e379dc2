"""The mean that follows what is heard: as it is defined, whatever the pieces, and indifferent to gain."""

from __future__ import annotations

import kaldi_native_fbank as knf
import numpy as np
import pytest

from understudy.device.normalise import NormalisedUtterance, OnlineMean, RunningMean

PRIOR = np.array([9.0, 10.0, 11.0, 12.5], np.float32)
FRAMES = np.random.default_rng(0).normal(10, 3, (700, 4)).astype(np.float32)


@pytest.mark.parametrize("window", [0, 1, 50, 300, 1000])
def test_each_frame_has_the_mean_of_its_past(window: int) -> None:
    found = RunningMean(PRIOR, 30, window)(FRAMES)
    for t in range(len(FRAMES)):
        past = FRAMES[max(0, t + 1 - window) if window else 0 : t + 1].astype(float)
        assert np.allclose(found[t], (30 * PRIOR + past.sum(0)) / (30 + len(past)), atol=1e-9)


@pytest.mark.parametrize("window", [0, 1, 50, 1000])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_pieces_change_no_bit(window: int, size: int) -> None:
    std, online = np.ones(4, np.float32), OnlineMean(30, window)
    whole = NormalisedUtterance(PRIOR, std, online)(FRAMES)
    piecewise = NormalisedUtterance(PRIOR, std, online)
    pieces = [piecewise(FRAMES[i : i + size]) for i in range(0, len(FRAMES), size)]
    assert np.array_equal(np.concatenate([*pieces, piecewise(FRAMES[:0])]), whole) and whole.dtype == np.float32


def test_a_gain_fades_as_the_prior_does() -> None:
    std, gain = np.full(4, 2.0, np.float32), np.float32(4.0)
    soft, loud = (NormalisedUtterance(PRIOR, std, OnlineMean(30, 0, -1e9))(x) for x in (FRAMES, FRAMES + gain))
    heard = np.arange(1, len(FRAMES) + 1)
    assert np.allclose((loud - soft)[:, 0], gain / 2.0 * 30 / (30 + heard), atol=1e-5)


def test_digital_silence_is_at_the_floor() -> None:
    fbank = knf.OnlineFbank(knf.FbankOptions())
    fbank.accept_waveform(16000, np.zeros(16000, np.float32))
    silence = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
    assert silence.max() < -10
    heard = NormalisedUtterance(np.full(23, 9.0, np.float32), np.ones(23, np.float32), OnlineMean(30, 600, 0.0))(
        silence
    )
    assert (
        np.allclose(heard[0], -9 * 30 / 31, atol=1e-5) and (np.abs(heard[-1]) < 9 * 30 / (30 + len(heard)) + 1e-5).all()
    )


def test_without_it_the_mean_is_one_for_all() -> None:
    std = np.full(4, 2.0, np.float32)
    assert np.array_equal(NormalisedUtterance(PRIOR, std, None)(FRAMES), (FRAMES - PRIOR) / std)
