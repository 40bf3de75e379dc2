"""Rooms: against Lhotse's own generator, and against the physics that they claim."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from understudy.features import rooms
from understudy.features.impulse_response import SOUND_SPEED, _high_passed, random_response

RATE = 16000
SEEDS = [0, 1, 7, 1234, 2**31 - 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_responses_are_those_of_lhotse(seed: int) -> None:
    try:
        import torchaudio.functional  # noqa: F401 (Lhotse's generator takes its filter)
    except (ImportError, OSError) as error:
        pytest.skip(f"torchaudio does not load: {error}")
    from lhotse.augmentation.utils import FastRandomRIRGenerator

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        theirs = FastRandomRIRGenerator(sr=RATE, max_T60=0.6, room_seed=seed, source_seed=seed)(1)[0]
    ours, _ = random_response(seed)
    assert len(ours) == len(theirs)
    assert np.linalg.norm(ours - theirs) < 3e-3 * np.linalg.norm(theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_heard_before_the_direct_sound(seed: int) -> None:
    response, distance = random_response(seed)
    assert 0.2 <= distance <= 12
    direct = distance / SOUND_SPEED * RATE
    early = np.abs(response[: max(0, int(direct) - 8)])
    assert early.max(initial=0) < 0.05 * np.abs(response).max()
    assert abs(response[round(direct) : round(direct) + 2]).max() > 0.2 / 64 / distance


def test_a_room_dies_away_and_has_unit_energy() -> None:
    for seed in SEEDS:
        room = rooms.make_room(seed)
        assert room.dtype == np.float32 and np.sum(room.astype(np.float64) ** 2) == pytest.approx(1, abs=1e-5)
        left = np.cumsum(room[::-1].astype(np.float64) ** 2)[::-1]  # Schroeder's integral
        assert left[len(left) // 2] < 0.1


def test_rooms_differ_by_seed_and_are_padded_to_the_longest() -> None:
    made = rooms.make_rooms(3, 5)
    np.testing.assert_array_equal(made, rooms.make_rooms(3, 5))
    singles = [rooms.make_room(5000 + index) for index in range(3)]
    assert made.shape == (3, max(map(len, singles)))
    for row, room in zip(made, singles, strict=True):
        np.testing.assert_array_equal(row[: len(room)], room)
        assert not row[len(room) :].any()


def test_other_chance_is_left_alone() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    rooms.make_room(1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_high_pass_is_a_butterworth() -> None:
    """Its difference equation, sample by sample, from the textbook's coefficients; and -3 dB at 80 Hz."""
    rate = 8000
    samples = np.random.default_rng(1).normal(size=2000)
    omega = 2 * np.pi * 80 / rate
    alpha, cosine = np.sin(omega) / (2 * np.sqrt(0.5)), np.cos(omega)
    b, a = np.array([1 + cosine, -2 * (1 + cosine), 1 + cosine]) / 2, np.array([1 + alpha, -2 * cosine, 1 - alpha])
    expected = np.zeros(len(samples) + 2)
    padded = np.concatenate([[0.0, 0.0], samples])
    for t in range(2, len(padded)):
        past = b @ padded[t - 2 : t + 1][::-1] - a[1] * expected[t - 1] - a[2] * expected[t - 2]
        expected[t] = past / a[0]
    np.testing.assert_allclose(_high_passed(samples, rate), expected[2:], atol=1e-9)


def test_reverberation_is_a_convolution_of_the_same_length() -> None:
    speech = np.random.default_rng(2).normal(size=3001).astype(np.float32)
    room = rooms.make_room(9)
    heard = rooms.reverberate(speech, room)
    np.testing.assert_allclose(heard, np.convolve(speech, room)[: len(speech)], atol=1e-4)
