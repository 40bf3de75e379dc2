"""Other channels on log-mels are what they are on samples, and depend on the seed and the utterance alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.train.toy_speech import make_speech

from understudy.data.batches import Span
from understudy.data.channel import ChannelOptions
from understudy.data.manifests import ManifestSpeech
from understudy.features.logmel import NUM_MELS, centres, logmel
from understudy.step import UserError

ONLY = {"share": 1.0, "tilt": 0.0, "equaliser": 0.0, "narrow": 0.0, "babble": 0.0}


def voice(seed: int = 0) -> np.ndarray:
    rng, t = np.random.default_rng(seed), np.arange(32_000) / 16_000
    buzz = sum(np.sin(2 * np.pi * (120 + 20 * seed) * h * t) / h for h in range(1, 40))
    return (0.03 * (1.1 + np.sin(9 * t)) * (buzz + 0.3 * rng.standard_normal(len(t)))).astype(np.float32)


def test_a_gain_is_that_of_samples_down_to_their_rounding() -> None:
    speech = voice()
    options = ChannelOptions(**ONLY | {"gain": (-30.0, -30.0)})
    heard = options.heard(logmel(speech), np.random.default_rng(3))
    rounded = np.rint(speech * 10**-1.5 * 32768) / 32768
    difference = heard - logmel(rounded.astype(np.float32))
    assert np.abs(np.median(difference)) < 0.2 and np.percentile(np.abs(difference), 90) < 1.5


def test_a_narrow_band_leaves_the_middle_as_it_is() -> None:
    options, speech = ChannelOptions(**ONLY | {"gain": (0.0, 0.0), "narrow": 1.0}), logmel(voice())
    heard = options.heard(speech, np.random.default_rng(0))
    within = (centres() > 400) & (centres() < 2800)
    assert np.array_equal(heard[:, within], speech[:, within])
    assert (heard[:, centres() > 5500] < speech[:, centres() > 5500] - 4).all()


def test_centres_are_where_a_tone_is_loudest() -> None:
    t = np.arange(16_000) / 16_000
    for channel in (10, 30, 60):
        tone = 0.1 * np.sin(2 * np.pi * centres()[channel] * t).astype(np.float32)
        assert abs(int(logmel(tone)[20:80].mean(0).argmax()) - channel) <= 1


def test_babble_is_so_much_softer_and_nearly_that_of_samples() -> None:
    speech, talk = voice(), voice(3)
    snr = 10.0
    options = ChannelOptions(**ONLY | {"gain": (0.0, 0.0), "babble": 1.0, "snr": (snr, snr), "talkers": 1})
    rng = np.random.default_rng(0)
    heard = options.heard(logmel(speech), rng, lambda: logmel(talk))
    talk = talk * np.sqrt(np.mean(speech**2) / np.mean(talk**2)) * 10 ** (-snr / 20)
    added = heard - logmel(speech)
    true = logmel(speech + talk) - logmel(speech)
    assert added.min() >= 0 and 0.02 < np.mean(added > 0.5) < 0.6
    assert abs(added.mean() - true.mean()) < 0.35


def test_it_depends_on_the_seed_and_the_span_alone(tmp_path: Path) -> None:
    data = ManifestSpeech.labelled(make_speech(tmp_path) / "labelled.jsonl.gz", tmp_path / "labels")
    options, spans = ChannelOptions(share=1.0, babble=1.0), [Span(0, 0, 5), Span(3, 1, 6), Span(7, 0, 4)]
    together = data.batch(spans, None, [1, 2], options).features
    for row, span in zip(together, spans, strict=True):
        alone = data.batch([span], None, [1, 2], options).features[0]
        assert np.array_equal(alone, row[: span.stop - span.start])
    assert not np.array_equal(together, data.batch(spans, None, [1, 3], options).features)
    assert np.array_equal(
        data.batch(spans, None, [1, 2]).features, data.batch(spans, None, [1, 2], ChannelOptions(share=0.0)).features
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [({"share": 1.5}, "share must be from 0 to 1, got 1.5"), ({"gain": (3.0, -3.0)}, r"gain must be .* got \[3, -3\]"),
     ({"tilt": -1.0}, "0 or more"), ({"talkers": 0}, "1 or more")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(options: dict, told: str) -> None:
    with pytest.raises(UserError, match=told):
        ChannelOptions(**options)


def test_silence_stays_silence() -> None:
    silence = np.full((50, NUM_MELS), -15.94, np.float32)
    heard = ChannelOptions(share=1.0).heard(silence, np.random.default_rng(0), lambda: silence)
    assert heard.shape == silence.shape and np.isfinite(heard).all() and np.ptp(heard, axis=0).max() == 0
