"""Each distortion against its definition: powers and spectra computed anew, and other implementations of the codecs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from understudy.features import distortions
from understudy.features.rooms import make_room, reverberate

RATE = 16000


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """Four seconds of white noise, soft enough not to clip, of an odd length."""
    return np.random.default_rng(1).normal(0, 0.05, 4 * RATE + 1).astype(np.float32)


def level(samples: np.ndarray) -> float:
    return 10 * np.log10(np.mean(samples.astype(np.float64) ** 2))


def response(change: Callable[[np.ndarray], np.ndarray], hz: float) -> float:
    """What becomes of a tone's amplitude, in dB, measured away from the ends."""
    time = np.arange(2 * RATE) / RATE
    tone = (0.1 * np.sin(2 * np.pi * hz * time)).astype(np.float32)
    middle = slice(RATE // 2, RATE // 2 + RATE)
    found = 2 * abs(np.mean(change(tone)[middle] * np.exp(-2j * np.pi * hz * time[middle])))
    return 20 * np.log10(max(found, 1e-9) / 0.1)


@pytest.mark.parametrize(
    "change",
    [
        distortions.quantised, distortions.low_passed, distortions.telephone, partial(distortions.tilted, db=6),
        distortions.differenced, distortions.opus,
        lambda x: distortions.in_noise(x, x[::-1].copy(), 5), lambda x: distortions.in_room(x, make_room(3)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("length", [1, 999, RATE, RATE + 7])
def test_length_and_kind_stay_and_it_is_the_same_again(
    change: Callable[[np.ndarray], np.ndarray], length: int, noise: np.ndarray
) -> None:
    first, again = change(noise[:length].copy()), change(noise[:length].copy())
    assert first.shape == (length,) and first.dtype == np.float32 and np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)


def test_a_microphone_rounds_and_clips() -> None:
    samples = np.array([0.4, 0.6, -0.6, 32767.4, 1e6, -32768.2, -1e6], np.float32) / 32768
    expected = np.array([0, 1, -1, 32767, 32767, -32768, -32768]) / 32768
    np.testing.assert_array_equal(distortions.quantised(samples), expected.astype(np.float32))
    recorded = np.arange(-32768, 32768, 7).astype(np.float32) / 32768
    np.testing.assert_array_equal(distortions.quantised(recorded), recorded)  # what was recorded stays


@pytest.mark.parametrize("db", [-30, -20, -10, 10])
def test_a_gain_is_what_it_says(db: int, noise: np.ndarray) -> None:
    assert level(noise * distortions.decibels(db)) - level(noise) == pytest.approx(db, abs=1e-3)


@pytest.mark.parametrize("snr", [20, 10, 5, -3])
def test_noise_has_the_ratio_and_speech_its_level(snr: int, noise: np.ndarray) -> None:
    speech = noise * np.linspace(0, 2, len(noise), dtype=np.float32)  # louder at the end: all of it counts
    other = 7 * np.random.default_rng(2).normal(size=len(noise)).astype(np.float32)
    added = distortions.in_noise(speech, other, snr) - speech
    assert level(speech) - level(added) == pytest.approx(snr, abs=0.01)
    assert abs(np.corrcoef(added, other)[0, 1]) > 0.9999
    silence = np.zeros(100, np.float32)
    np.testing.assert_array_equal(distortions.in_noise(silence, other[:100], snr), silence)


def test_a_room_keeps_the_level(noise: np.ndarray) -> None:
    room = make_room(5)
    heard = distortions.in_room(noise, room)
    assert level(heard) == pytest.approx(level(noise), abs=1e-3)
    assert np.corrcoef(heard, np.convolve(noise, room)[: len(noise)])[0, 1] > 0.9999
    assert np.corrcoef(heard, reverberate(noise, room))[0, 1] > 0.9999


@pytest.mark.parametrize("db", [6, -6])
def test_a_tilt_is_a_line_over_the_logarithm_of_the_frequency(db: int) -> None:
    tilted = partial(distortions.tilted, db=db)
    assert response(tilted, 3000) - response(tilted, 300) == pytest.approx(db, abs=0.02)
    assert response(tilted, 1000) == pytest.approx(0, abs=0.02)
    assert response(tilted, 2000) - response(tilted, 1000) == pytest.approx(db * np.log10(2), abs=0.02)
    assert response(tilted, 40) == pytest.approx(-db, abs=0.1)  # as at 100 Hz


def test_differences_tilt_as_told() -> None:
    for hz in (50, 1000, 7000):
        expected = 20 * np.log10(abs(1 - 0.5 * np.exp(-2j * np.pi * hz / RATE)))
        assert response(distortions.differenced, hz) == pytest.approx(expected, abs=0.02)
    np.testing.assert_array_equal(distortions.differenced(np.array([4, 2, 6], np.float32)), [4, 0, 5])


def test_low_pass_takes_what_is_above_alone() -> None:
    for hz in (100, 1000, 3600):
        assert response(distortions.low_passed, hz) == pytest.approx(0, abs=0.05)
    assert response(distortions.low_passed, 3800) == pytest.approx(-6.02, abs=0.1)
    for hz in (3950, 5000, 7500):
        assert response(distortions.low_passed, hz) < -60


def test_a_telephone_passes_its_band_alone(noise: np.ndarray) -> None:
    for hz in (400, 1000, 2000):
        assert response(distortions.telephone, hz) == pytest.approx(0, abs=0.3)
    for hz in (60, 150, 5000, 7000):
        assert response(distortions.telephone, hz) < -30
    spectrum = np.abs(np.fft.rfft(distortions.telephone(noise))) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / RATE)
    assert spectrum[hz > 4300].sum() < 1e-3 * spectrum.sum()


def test_the_telephone_is_no_better_than_its_8_bits(noise: np.ndarray) -> None:
    """A tone within the band comes with the noise of µ-law, some 38 dB below, whatever its level."""
    tone = np.sin(2 * np.pi * 1037.3 * np.arange(RATE) / RATE).astype(np.float32)
    for loud in (0.5, 0.05):
        heard = distortions.telephone(loud * tone)[2000:-2000]
        place = tone[2000:-2000]
        rest = heard - place * (heard @ place) / (place @ place)
        assert 28 < level(heard) - level(rest) < 48


@pytest.mark.skipif(distortions.no_opus() is not None, reason=str(distortions.no_opus()))
def test_opus_is_lossy_of_its_rate_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import lhotse.augmentation.compress  # noqa: F401 (it imports soundfile itself)
    import soundfile

    time = np.arange(4 * RATE) / RATE  # a voice: harmonics that rise and fall, so that a shift would show
    pitch = 2 * np.pi * np.cumsum(120 + 20 * np.sin(3 * time)) / RATE
    voice = 0.05 * sum(np.sin(k * pitch) / k for k in range(1, 30)) * (1.2 + np.sin(9 * time))
    written, write = [], soundfile.write

    def counted(file: object, *arguments: object, **options: object) -> None:
        write(file, *arguments, **options)
        written.append(len(file.getvalue()))

    monkeypatch.setattr(soundfile, "write", counted)
    heard = distortions.opus(voice.astype(np.float32))
    assert 8 < 8 * written[0] / 4 / 1000 < 24  # kbit/s, of a variable rate, with its container
    found = np.correlate(heard[RATE : 2 * RATE], voice[RATE - 200 : 2 * RATE + 200].astype(np.float32), "full")
    assert abs(int(np.argmax(found)) - (RATE + 200 - 1)) <= 2
    assert 0.7 < np.corrcoef(heard, voice)[0, 1] < 0.9999


def test_where_there_is_no_opus_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distortions.soundfile, "available_subtypes", lambda kind: {"VORBIS": "Vorbis"})
    assert "writes no Opus" in distortions.no_opus()
