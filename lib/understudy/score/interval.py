"""Confidence intervals of word error rates over speakers (`spread` describes the method and its sources)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from understudy.score.spread import Groups, counted, ratio_of_sums
from understudy.score.utterances import Scored


def wer_interval(scored: Sequence[Scored]) -> dict[str, Any]:
    """Return the interval's entries of a result: `wer_low` and `wer_high`, the 95 % bounds in %, and its units.

    `interval_by` is speaker, or utterance where fewer than two speakers are named: such an interval does not cover
    other speakers. `speakers` is the number of speakers, 0 if not all are named. Where the spread is unknown, e.g. from
    one utterance, the interval spans all possible WERs; where the references have no words, the bounds are None.
    """
    groups = Groups.of([one.speaker for one in scored])
    found = ratio_of_sums(*groups.sums([one.errors for one in scored], [one.words for one in scored]))
    if found is None:
        wrong, words = (sum(getattr(one, key) for one in scored) for key in ("errors", "words"))
        low, high = (0.0, 100 * max(1.0, wrong / words)) if words else (None, None)
    else:
        low, high = 100 * max(0.0, found.low), 100 * found.high
    return {
        "wer_low": rounded(low), "wer_high": rounded(high), "interval_by": groups.by, "speakers": groups.speakers,
    }  # fmt: skip


def rounded(rate: float | None) -> float | None:
    """Round a rate in % to three decimals, as in results; None stays None."""
    return None if rate is None else round(rate, 3)


def told(line: dict[str, Any]) -> str:
    """Return the rate of a result as a readable text, e.g. `12.34 [10.00, 14.68]`; a dash if there is no rate."""
    return "–" if line["wer"] is None else f"{line['wer']:.2f} [{line['wer_low']:.2f}, {line['wer_high']:.2f}]"


def over(line: dict[str, Any]) -> str:
    """Return the units of a result's interval as a readable text, also for lines of older versions."""
    if "interval_by" not in line:
        return "utterances (computed by an older version)"
    number = line["speakers"] if line["interval_by"] == "speaker" else line["utterances"]
    return counted(number, line["interval_by"], line["speakers"])


def said(lines: Sequence[dict[str, Any]]) -> str:
    """Return a sentence on the intervals of some results."""
    kinds = list(dict.fromkeys(map(over, lines)))
    text = f"Intervals are of 95 %, over {'; or '.join(kinds)}."
    if any(line.get("interval_by") == "utterance" and line["speakers"] == 1 for line in lines):
        text += " One speaker is tested: they say nothing of other speakers."
    return text
