"""Student's law against printed tables and against its density, summed."""

import math

import numpy as np
import pytest

from understudy.score import student


@pytest.mark.parametrize(
    ("freedom", "share", "expected"),  # Abramowitz and Stegun, table 26.10
    [(1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.99, 5.841), (7, 0.95, 2.365), (15, 0.99, 2.947), (39, 0.95, 2.0227),
     (120, 0.95, 1.980), (5000, 0.99, 2.5768)],
)  # fmt: skip
def test_bounds_are_those_of_the_tables(freedom, share, expected):
    assert student.bound(share, freedom) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("freedom", [1, 2, 5, 8, 16, 333])
@pytest.mark.parametrize("t", [0.0, 0.3, -2.0, 6.0])
def test_probabilities_are_those_of_the_density(freedom, t):
    x = np.linspace(0, abs(t), 20001)
    height = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    density = height * (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    within = 2 * ((density[1:] + density[:-1]) / 2 * np.diff(x)).sum()
    assert student.within(t, freedom) == pytest.approx(within, abs=1e-7)
    assert student.outside(t, freedom) == pytest.approx(1 - within, abs=1e-7)


def test_no_freedom_is_refused():
    with pytest.raises(ValueError, match="0 degrees of freedom"):
        student.outside(1.0, 0)
