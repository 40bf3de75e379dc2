"""The confidence interval of a word error rate, over speakers (`spread` has the method and its sources)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from understudy.score.spread import Groups, counted, ratio_of_sums
from understudy.score.utterances import Scored


def wer_interval(scored: Sequence[Scored]) -> dict[str, Any]:
    """What a result tells of it: `wer_low` and `wer_high`, the bounds of 95 % in %, and over what.

    `interval_by` is speaker, or utterance where fewer than two speakers are named: such an interval says nothing of
    other speakers. `speakers` is how many are named, 0 where not all are. Where nothing is known, as of one utterance,
    it spans all that a WER can be; where the references have no words there is no WER, and the bounds are None.
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
    """A rate as results have it, in thousandths of a per cent; None: there is none."""
    return None if rate is None else round(rate, 3)


def told(line: dict[str, Any]) -> str:
    """The rate of a result, for people, e.g. `12.34 [10.00, 14.68]`; a dash where the references have no words."""
    return "–" if line["wer"] is None else f"{line['wer']:.2f} [{line['wer_low']:.2f}, {line['wer_high']:.2f}]"


def over(line: dict[str, Any]) -> str:
    """What the interval of a result is over, for people; of a line of an older version too."""
    if "interval_by" not in line:
        return "utterances (computed by an older version)"
    number = line["speakers"] if line["interval_by"] == "speaker" else line["utterances"]
    return counted(number, line["interval_by"], line["speakers"])


def said(lines: Sequence[dict[str, Any]]) -> str:
    """A sentence on the intervals of some results."""
    kinds = list(dict.fromkeys(map(over, lines)))
    text = f"Intervals are of 95 %, over {'; or '.join(kinds)}."
    if any(line.get("interval_by") == "utterance" and line["speakers"] == 1 for line in lines):
        text += " One speaker is tested: they say nothing of other speakers."
    return text
