"""A map from shares to chances is the one of least cross entropy, and is learnt where there is something to learn."""

import numpy as np
import pytest

from understudy.decode.calibration import FEWEST, fit, held_out
from understudy.device.word_confidence import Calibration
from understudy.score.confidence import normalised_cross_entropy


def words(number: int, truth: Calibration, seed: int = 1) -> tuple[list[float], list[bool]]:
    rng = np.random.default_rng(seed)
    told = np.round(rng.beta(4, 0.7, number), 2)
    return told.tolist(), [bool(rng.random() < truth(share)) for share in told]


def test_the_map_that_made_the_words_is_found():
    for truth in (Calibration(0.5, -0.4), Calibration(1.5, 0.3)):
        found = fit(*words(30000, truth))
        assert found.slope == pytest.approx(truth.slope, abs=0.05) and found.offset == pytest.approx(
            truth.offset, abs=0.1
        )


def test_no_other_map_nearby_is_better():
    told, right = words(500, Calibration(0.4, -0.5))
    found = fit(told, right)
    best = normalised_cross_entropy([found(share) for share in told], right)
    for slope, offset in ((0.1, 0), (-0.1, 0), (0, 0.2), (0, -0.2), (0.1, -0.2)):
        other = Calibration(found.slope + slope, found.offset + offset)
        assert normalised_cross_entropy([other(share) for share in told], right) < best
    assert best > normalised_cross_entropy(told, right)


def test_others_tell_as_much():
    told, right = words(2000, Calibration(0.4, -0.5))
    found = held_out(told, right, [f"speaker{n % 8}" for n in range(2000)])
    whole = fit(told, right)
    assert found == pytest.approx([whole(share) for share in told], abs=0.05) and found != [whole(s) for s in told]
    assert held_out(told[:20], right[:20], ["one"] * 20) is None


def test_nothing_is_learnt_from_too_little_or_from_what_misleads():
    told, right = words(300, Calibration(0.5, 0.5))
    assert (
        fit(told, [True] * 300) is None and fit(told[: FEWEST - 1], right[: FEWEST - 1]) is None and fit([], []) is None
    )
    assert fit(told, [share < 0.8 for share in told]) is None
