"""The HMM of a phone at 30 ms frames: one emitting state, two pdf-classes (Kaldi's chain topology).

The first frame of a phone is emitted by pdf-class `ENTRY`, every later frame by `LOOP`, so that a phone
lasts at least one frame. Source: Povey et al., "Purely sequence-trained neural networks for ASR based on
lattice-free MMI", Interspeech 2016, section 2.4.
"""

from __future__ import annotations

import math

ENTRY = 0
LOOP = 1
LOOP_PROBABILITY = 0.5


def costs(loop_probability: float = LOOP_PROBABILITY) -> tuple[float, float]:
    """Costs (nats) of entering a phone and of staying in it for one more frame.

    The cost of leaving is paid on entry: on complete paths that is the same, and no state needs an
    arc of its own for it.

    Raises:
        ValueError: the probability is not strictly between 0 and 1.
    """
    if not 0.0 < loop_probability < 1.0:
        raise ValueError(f"loop probability must be between 0 and 1, not {loop_probability}")
    return -math.log1p(-loop_probability), -math.log(loop_probability)
