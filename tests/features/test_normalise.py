"""The normaliser of a recipe, as it is kept; with it the library hears what a device does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from understudy.device.features import FrontEnd
from understudy.device.normalise import OnlineMean
from understudy.features import Normaliser, stack
from understudy.features.logmel import NUM_MELS, logmel
from understudy.features.stream import FeatureStream
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.ship.export import metadata
from understudy.step import UserError

MEAN, STD = np.linspace(8, 14, NUM_MELS, dtype=np.float32), np.linspace(2, 3, NUM_MELS, dtype=np.float32)


def speech_like(samples: int, level: float = 1.0) -> np.ndarray:
    rng, t = np.random.default_rng(samples), np.arange(samples) / 16000
    return (level * (0.2 * np.sin(2 * np.pi * (150 + 90 * t) * t) + 0.05 * rng.standard_normal(samples))).astype(
        np.float32
    )


@pytest.mark.parametrize("online", [None, OnlineMean(), OnlineMean(20, 100, -3.0)])
def test_it_is_read_as_it_was_written(tmp_path: Path, online: OnlineMean | None) -> None:
    Normaliser(MEAN, STD, online).save(tmp_path / "normaliser.json")
    read = Normaliser.load(tmp_path / "normaliser.json")
    assert read.online == online and np.array_equal(read.mean, MEAN) and np.array_equal(read.std, STD)


@pytest.mark.parametrize("online", [OnlineMean(prior=0), OnlineMean(window=-1)])
def test_what_makes_no_sense_is_refused(online: OnlineMean) -> None:
    with pytest.raises(UserError, match=r"prior must be more than 0 .* got"):
        Normaliser(MEAN, STD, online)


@pytest.mark.parametrize("online", [None, OnlineMean(), OnlineMean(20, 100)])
@pytest.mark.parametrize("piece", [97, 1600])
def test_a_stream_and_a_device_hear_what_the_whole_is(online: OnlineMean | None, piece: int) -> None:
    samples, normaliser = speech_like(40_000), Normaliser(MEAN, STD, online)
    whole = stack(normaliser(logmel(samples, "kaldi-native-fbank")))
    model = LstmModel(ModelOptions(1, 8, delay=1), 3 * NUM_MELS, 5)
    device = FrontEnd(metadata(model, normaliser, "a tree"), Path("network.onnx")).utterance()
    stream = FeatureStream(normaliser)
    for one, tolerance in ((device, 0.0), (stream, 1e-4)):  # the stream has another back end
        pieces = [one(samples[i : i + piece]) for i in range(0, len(samples), piece)]
        heard = np.concatenate([*pieces, one.finish()])
        assert heard.shape == whole.shape and np.abs(heard - whole).max() <= tolerance


def test_thirty_decibels_less_are_nearly_the_same_after_a_second() -> None:
    far, near = (Normaliser(MEAN, STD, OnlineMean())(logmel(speech_like(48_000, level))) for level in (0.0316, 1.0))
    fixed = [Normaliser(MEAN, STD)(logmel(speech_like(48_000, level))) for level in (0.0316, 1.0)]
    assert np.abs(far - near)[200:].max() < 0.5 < 2.0 < np.abs(fixed[0] - fixed[1])[200:].min()
