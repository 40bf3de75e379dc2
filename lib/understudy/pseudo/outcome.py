"""A record of each utterance: kept, or left out and why; and the texts' word errors, where these are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from understudy.pseudo.doubt import REASONS
from understudy.score.errors import WordErrors, count
from understudy.step import log

_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75)


@dataclass
class _Utterance:
    seconds: float
    errors: WordErrors | None
    """word errors against the manifest's own transcript; None: it has none"""
    reason: str | None
    ratio: float | None = None


class Outcome:
    """The record of all utterances of a set, in their order."""

    def __init__(self) -> None:
        self._of: dict[str, _Utterance] = {}

    def add(self, cut_id: str, seconds: float, own: list[str] | None, words: list[str], reason: str | None) -> None:
        """Add an utterance: words of its own transcript, the recogniser's, and the reason for which it is left out."""
        self._of[cut_id] = _Utterance(seconds, None if own is None else count([own], [words]), reason)

    def drop(self, cut_id: str, reason: str) -> None:
        """Leave out an utterance that was added before."""
        self._of[cut_id].reason = reason

    def aligned(self, cut_id: str, ratio: float) -> None:
        """Record the ratio of an utterance's alignment, see `understudy.align.shards.Aligned`."""
        self._of[cut_id].ratio = ratio

    def is_kept(self, cut_id: str) -> bool:
        """Whether an utterance is kept."""
        return self._of[cut_id].reason is None

    @property
    def waiting(self) -> int:
        """Number of utterances that are kept so far."""
        return sum(one.reason is None for one in self._of.values())

    def dropped(self) -> dict[str, list[str]]:
        """Return the ids of utterances that are left out, by reason."""
        return {r: ids for r in REASONS if (ids := [i for i, one in self._of.items() if one.reason == r])}

    def say(self, where: Path) -> None:
        """Log the record as a table."""
        rows = [("all", list(self._of.values())), ("kept", self._kept())]
        rows += [(f"left out: {reason}", [self._of[i] for i in ids]) for reason, ids in self.dropped().items()]
        width = max(len(name) for name, _ in rows)
        log.info("%s: what became of its utterances (WER against its own transcripts is for information)", where)
        log.info("%-*s %10s %7s %7s %8s", width, "", "utterances", "hours", "WER %", "errors %")
        everything = _sum(self._of.values())
        for name, of in rows:
            errors, share = _sum(of), None
            if errors and everything and everything.errors:
                share = 100 * errors.errors / everything.errors
            cells = [_cell(None if errors is None else errors.wer), _cell(share)]
            log.info("%-*s %10d %7.2f %7s %8s", width, name, len(of), sum(one.seconds for one in of) / 3600, *cells)

    def report(self) -> dict[str, Any]:
        """Return the content of report.json; error rates are for information, and null where they are unknown."""
        everything, kept = list(self._of.values()), self._kept()
        ratios = [one.ratio for one in everything if one.ratio is not None]
        return {
            "utterances": len(everything),
            "hours": _hours(everything),
            "kept": len(kept),
            "kept_hours": _hours(kept),
            "left_out": self.dropped(),
            "ratio_quantiles": {
                f"{q:g}": round(float(np.quantile(ratios, q)), 3) for q in (_QUANTILES if ratios else ())
            },
            "for_information": self._rates(),
        }

    def _rates(self) -> dict[str, float | None]:
        groups = {"all": self._of.values(), "kept": self._kept(), "left_out": self._left_out()}
        errors = {name: _sum(of) for name, of in groups.items()}
        rates = {f"wer_{name}": None if one is None or one.wer is None else round(one.wer, 2)
                 for name, one in errors.items()}  # fmt: skip
        whole, lost = errors["all"], errors["left_out"]
        share = round(lost.errors / whole.errors, 4) if lost and whole and whole.errors else None
        return {**rates, "left_out_share_of_errors": share}

    def _kept(self) -> list[_Utterance]:
        return [one for one in self._of.values() if one.reason is None]

    def _left_out(self) -> list[_Utterance]:
        return [one for one in self._of.values() if one.reason is not None]


def _sum(of: Iterable[_Utterance]) -> WordErrors | None:
    """Return the total word errors of the utterances that have their own transcript; None: none has."""
    known = [one.errors for one in of if one.errors is not None]
    if not known:
        return None
    parts = ("words", "substitutions", "deletions", "insertions")
    return WordErrors(*(sum(getattr(one, part) for one in known) for part in parts))


def _hours(of: Iterable[_Utterance]) -> float:
    return round(sum(one.seconds for one in of) / 3600, 4)


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
