"""Stretched log-mels are those of sounds whose frequencies are stretched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.data.test_channel import voice
from tests.train.toy_speech import make_speech

from understudy.data.batches import Span
from understudy.data.manifests import ManifestSpeech
from understudy.data.vocal_tract import VocalTractOptions, stretched
from understudy.features.logmel import NUM_MELS, centres, logmel
from understudy.step import UserError


def tones(*frequencies: float) -> np.ndarray:
    """Mean log-mels of tones at once."""
    t = np.arange(16_000) / 16_000
    samples = sum(0.05 * np.sin(2 * np.pi * f * t) for f in frequencies)
    return logmel(np.asarray(samples, np.float32))[20:80].mean(0, keepdims=True)


@pytest.mark.parametrize("factor", [0.9, 1.08])
@pytest.mark.parametrize("frequency", [300, 1000, 3500])
def test_a_tone_below_the_knee_is_heard_at_its_frequency_times_the_factor(factor: float, frequency: float) -> None:
    moved = int(stretched(tones(frequency), factor).argmax())
    assert abs(moved - int(tones(factor * frequency).argmax())) <= 1


def test_above_the_knee_frequencies_come_closer_and_the_last_stays() -> None:
    at = centres()
    ramp = at[None].astype(np.float32)  # each channel holds its own frequency: what is read is where it was
    for factor in (0.9, 1.1):
        before = stretched(ramp, factor)[0]
        knee = 4800 * min(factor, 1)
        true = np.where(at <= knee, at / factor, 8000 - (8000 - at) * (8000 - knee / factor) / (8000 - knee))
        inside = (true > at[0]) & (true < at[-1])
        assert np.allclose(before[inside], true[inside], rtol=1e-5) and (np.diff(before) >= 0).all()
    assert np.array_equal(stretched(ramp, 1.0), ramp)


def test_a_voice_stretched_is_near_that_of_its_samples_played_faster() -> None:
    """A steady voice played faster has all frequencies higher, and no other tempo to speak of."""
    t = np.arange(32_000) / 16_000

    def buzz(pitch: float) -> np.ndarray:
        # formants move with the pitch
        weights = [
            1 / (1 + ((h * 120 - 700) / 300) ** 2) + 0.3 / (1 + ((h * 120 - 1800) / 300) ** 2) for h in range(1, 60)
        ]
        waves = (w * np.sin(2 * np.pi * pitch * h * t) for h, w in enumerate(weights, 1) if pitch * h < 7500)
        return (0.02 * sum(waves)).astype(np.float32)

    slow, fast = (logmel(buzz(pitch))[50:150].mean(0) for pitch in (120, 132))
    near = stretched(slow[None], 1.1)[0]
    below = centres() < 4500
    assert np.abs(near - fast)[below].mean() < 0.5 * np.abs(slow - fast)[below].mean()


def test_the_share_says_how_many_are_stretched_and_the_seed_how() -> None:
    speech, options = logmel(voice()), VocalTractOptions(share=0.5, most=0.1)
    heard = [options.heard(speech, np.random.default_rng(seed)) for seed in range(200)]
    changed = [not np.array_equal(one, speech) for one in heard]
    assert 70 < sum(changed) < 130 and all(one.shape == speech.shape and one.dtype == np.float32 for one in heard)
    assert np.array_equal(heard[7], options.heard(speech, np.random.default_rng(7)))
    assert VocalTractOptions().heard(speech, np.random.default_rng(0)) is speech
    assert heard[0].shape[1] == NUM_MELS


@pytest.mark.parametrize(
    ("wrong", "told"), [({"share": 1.5}, "from 0 to 1, got 1.5"), ({"most": -0.1}, "from 0 to 0.5")]
)
def test_numbers_without_sense_are_refused(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(UserError, match=told):
        VocalTractOptions(**wrong)


def test_a_batch_hears_other_speakers_by_the_seed_and_the_span_alone(tmp_path: Path) -> None:
    data = ManifestSpeech.labelled(make_speech(tmp_path) / "labelled.jsonl.gz", tmp_path / "labels")
    spans, voices = [Span(0, 0, 5), Span(3, 1, 6), Span(7, 0, 4)], VocalTractOptions(share=1.0)
    together = data.batch(spans, None, [1, 2], voice=voices).features
    for row, span in zip(together, spans, strict=True):
        alone = data.batch([span], None, [1, 2], voice=voices).features[0]
        assert np.array_equal(alone, row[: span.stop - span.start])
    for other in (data.batch(spans, None, [1, 3], voice=voices), data.batch(spans, None, [1, 2])):
        assert not np.array_equal(together, other.features)
