"""Cepstra against the definition of the cosine transform, and against the library that models were trained with."""

import math

import numpy as np
import pytest

from understudy.align.cepstra import cepstra

CEPSTRA, MELS = 13, 64


def logmels() -> np.ndarray:
    return np.random.default_rng(0).normal(10, 3, (50, MELS)).astype(np.float32)


def test_static_ones_are_the_orthonormal_cosine_transform_without_its_mean():
    values, expected = logmels(), np.zeros((50, CEPSTRA))
    for k in range(CEPSTRA):
        wave = [math.cos(math.pi * k * (n + 0.5) / MELS) for n in range(MELS)]
        expected[:, k] = values @ np.array(wave) / np.linalg.norm(wave)
    assert np.allclose(cepstra(values)[:, :CEPSTRA], expected - expected.mean(0), atol=1e-4)


def test_they_are_those_of_torchaudio_to_the_bit():
    try:
        from torchaudio.functional import create_dct
    except (ImportError, OSError) as error:
        pytest.skip(f"torchaudio does not load: {error}")
    static = logmels() @ create_dct(CEPSTRA, MELS, norm="ortho").numpy()
    assert np.array_equal(cepstra(logmels())[:, :CEPSTRA], static - static.mean(0))
