"""Speech that a tiny model learns in seconds, as in the tests of training."""

from tests.train.conftest import speech

__all__ = ["speech"]
