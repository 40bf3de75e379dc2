"""Features of audio that arrives in pieces are those of the whole, but for rounding."""

import numpy as np
import pytest

from understudy.features import Normaliser, stack
from understudy.features.logmel import NUM_MELS, logmel
from understudy.features.stream import SHORTEST, FeatureStream

NORMALISER = Normaliser(np.linspace(-12, -8, NUM_MELS, dtype=np.float32), np.linspace(2, 3, NUM_MELS, dtype=np.float32))


def speechlike(samples: int) -> np.ndarray:
    rng = np.random.default_rng(samples)
    t = np.arange(samples) / 16000
    return (0.2 * np.sin(2 * np.pi * (150 + 900 * t) * t) + 0.01 * rng.standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("length", [SHORTEST, 481, 719, 720, 721, 1000, 4799, 4800, 16001])
@pytest.mark.parametrize("piece", [1, 79, 160, 401, 4800])
def test_any_pieces_give_the_features_of_the_whole(length, piece):
    if piece == 1 and length > 1000:
        piece = 7
    samples, stream = speechlike(length), FeatureStream(NORMALISER)
    got = [stream(samples[i : i + piece]) for i in range(0, length, piece)]
    got = np.concatenate([*got, stream.finish()])
    np.testing.assert_allclose(got, stack(NORMALISER(logmel(samples))), atol=1e-5)


def test_features_come_as_soon_as_their_window_is_heard():
    stream, samples = FeatureStream(NORMALISER), speechlike(16000)
    heard = sum(len(stream(samples[i : i + 160])) for i in range(0, 16000, 160))
    assert heard >= len(stack(logmel(samples))) - 1


@pytest.mark.parametrize("length", [0, 1, SHORTEST - 1])
def test_what_is_too_short_has_no_features(length):
    stream = FeatureStream(NORMALISER)
    assert stream(speechlike(length)).shape == (0, 3 * NUM_MELS) == stream.finish().shape
