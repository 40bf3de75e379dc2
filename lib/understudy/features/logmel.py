"""64 log-mel filterbank energies, 25 ms window, 10 ms shift, on Kaldi's scale (samples in ±32768).

Three back ends give the same numbers: torchaudio (five times faster than the next, so the default where it loads),
kaldi-native-fbank (what a device runs, the default elsewhere), and kaldifeat (batched, for GPUs).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from understudy.features.frames import SAMPLE_RATE
from understudy.step import UserError

NUM_MELS = 64
WINDOW = 0.025
"""Seconds."""
LOW_FREQ, HIGH_FREQ = 20.0, 7600.0
BACKENDS = ("torchaudio", "kaldi-native-fbank", "kaldifeat")


@cache
def default_backend() -> str:
    """The first of BACKENDS that loads, of the two that every set-up may have."""
    try:
        import torchaudio.compliance.kaldi  # noqa: F401
    except (ImportError, OSError, RuntimeError):  # it is not there, or its library wants another torch
        return BACKENDS[1]
    return BACKENDS[0]


def logmel(samples: np.ndarray, backend: str | None = None) -> np.ndarray:
    """Log-mel energies of one utterance.

    Args:
        samples: (samples,) float in ±1, 16 kHz.
        backend: one of BACKENDS; None: `default_backend`.

    Returns:
        (frames, 64) float32, natural log; frames = round(samples / 160) (Kaldi's snip_edges=false).

    Raises:
        UserError: unknown back end, or one that is not installed.
    """
    samples = np.ascontiguousarray(samples, dtype=np.float32) * 32768.0
    backend = backend or default_backend()
    if backend == "kaldi-native-fbank":
        return _kaldi_native(samples)
    if backend == "torchaudio":
        return _torchaudio(samples)
    if backend == "kaldifeat":
        return _kaldifeat(samples)
    raise UserError(f"unknown feature back end {backend!r}: choose one of {', '.join(BACKENDS)}")


@cache
def centres() -> np.ndarray:
    """(mels,) Hz, where each channel hears best, on Kaldi's mel scale."""
    low, high = (1127 * np.log1p(f / 700) for f in (LOW_FREQ, HIGH_FREQ))
    return 700 * np.expm1((low + (high - low) * np.arange(1, NUM_MELS + 1) / (NUM_MELS + 1)) / 1127)


def _options(options):
    options.frame_opts.dither = 0.0
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.snip_edges = False
    options.frame_opts.frame_length_ms = 1000 * WINDOW
    options.mel_opts.num_bins = NUM_MELS
    options.mel_opts.low_freq, options.mel_opts.high_freq = LOW_FREQ, HIGH_FREQ
    return options


def _kaldi_native(samples: np.ndarray) -> np.ndarray:
    import kaldi_native_fbank as knf

    fbank = knf.OnlineFbank(_options(knf.FbankOptions()))
    fbank.accept_waveform(SAMPLE_RATE, samples)
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])


def _torchaudio(samples: np.ndarray) -> np.ndarray:
    import torch

    try:
        from torchaudio.compliance.kaldi import fbank
    except (ImportError, OSError, RuntimeError) as error:
        raise UserError(f"torchaudio does not load ({error}): choose the feature back end {BACKENDS[1]}") from None
    return fbank(
        torch.from_numpy(samples)[None], sample_frequency=SAMPLE_RATE, frame_length=1000 * WINDOW, snip_edges=False,
        dither=0.0, num_mel_bins=NUM_MELS, low_freq=LOW_FREQ, high_freq=HIGH_FREQ,
    ).numpy()  # fmt: skip


def _kaldifeat(samples: np.ndarray) -> np.ndarray:
    try:
        import kaldifeat
    except ImportError:
        raise UserError("kaldifeat is not installed: run utils/setup.sh --with kaldifeat") from None
    import torch

    return kaldifeat.Fbank(_options(kaldifeat.FbankOptions()))(torch.from_numpy(samples)).numpy()
