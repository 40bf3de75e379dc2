"""Bootstrap confidence intervals of the word error rate, over utterances.

Source: Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation",
ICASSP 2004; computed by kaldialign.
"""

from __future__ import annotations

from collections.abc import Sequence

import kaldialign

Transcripts = Sequence[Sequence[str]]
REPLICATIONS = 1000


def wer_interval(refs: Transcripts, hyps: Transcripts, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the WER, in %."""
    found = kaldialign.bootstrap_wer_ci(refs, hyps, replications=REPLICATIONS, seed=seed)
    return 100 * found["ci95min"], 100 * found["ci95max"]


def probability_of_improvement(refs: Transcripts, first: Transcripts, second: Transcripts, seed: int = 0) -> float:
    """Share of the paired bootstrap samples in which `second` has fewer errors than `first`."""
    found = kaldialign.bootstrap_wer_ci(refs, first, second, replications=REPLICATIONS, seed=seed)
    return found["p_s2_improv_over_s1"]
