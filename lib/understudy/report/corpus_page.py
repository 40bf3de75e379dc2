"""The page of a corpus: what its sets hold, seen and counted, for people who have not heard it."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from understudy.corpus.facts import TENTH, copies_between
from understudy.corpus.validate import Report
from understudy.lang.lexicon import read_entries
from understudy.report.page import render
from understudy.report.pictures import svg
from understudy.score.pictures import COLOURS
from understudy.step import atomic_path
from understudy.step.log import commit

NAME = "corpus.html"
"""of its file, in the folder of a validation"""
_FREQUENT = 15  # words of a kind
_SPEAKERS = 500
_EXAMPLES = 3
_MANY = 100  # speakers, from which on their axis is logarithmic

Sets = Mapping[str, Report]


def write_corpus_page(out: Path, sets: Sets, warnings: Sequence[str], lexicon: Path | None = None) -> None:
    """Write the page beside a validation's report.

    Args:
        out: folder of the validation.
        sets: what it has found in each.
        warnings: what it has warned of.
        lexicon: words that are not in it are unknown; None: that is not told.

    Raises:
        UserError: the lexicon is none.
    """
    known = None if lexicon is None else {word for word, _ in read_entries(lexicon)}
    heard = any(report.levels.utterances for report in sets.values())
    spoken = any(report.facts.words for report in sets.values())
    speakers, left = _speakers(sets)
    names = {"warnings": "To be looked at", "sets": "Sets", "pictures": "Pictures", "speakers": "Speakers",
             "faulty": "Clipping, silence, copies", "words": "Words", "characters": "Characters"}  # fmt: skip
    shown = {"warnings": bool(warnings), "faulty": heard, "words": spoken, "characters": spoken}
    page = render(
        "corpus.html", title=f"Corpus: {', '.join(sets)}",
        about=f"Made {time.strftime('%Y-%m-%d %H:%M')} by steps/validate_corpus.py, commit {commit()}.",
        sections=[(key, name) for key, name in names.items() if shown.get(key, True)],
        absent=[] if heard else ["The audio was not read, so that nothing is told of levels, clipping and copies."],
        warnings=warnings, sets=[_row(name, report, known) for name, report in sets.items()], lexicon=lexicon,
        heard=heard, svg=svg(pictures(sets)), speakers=speakers, speakers_left=left, between=_between(sets),
        frequent=[_words(name, report, known) for name, report in sets.items()] if spoken else [],
        repeated=_repeated(sets), names=list(sets), characters=_characters(sets),
    )  # fmt: skip
    with atomic_path(out / NAME) as partial:
        partial.write_text(page, encoding="utf-8")


def _row(name: str, report: Report, known: set[str] | None) -> dict[str, Any]:
    facts, excluded = report.facts, report.excluded
    unknown = _unknown(report, known)
    examples = [*report.levels.clipped.first[:_EXAMPLES], *report.levels.silent.first[:_EXAMPLES],
                *(f"{one} = {first}" for one, first in facts.copies[:_EXAMPLES])]  # fmt: skip
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(excluded.items()))
    return {
        "name": name, "utterances": report.cuts, "hours": report.seconds / 3600, "speakers": len(report.speakers),
        "median": facts.quantiles((0.5,))[0], "words": facts.words.total(), "different": len(facts.words),
        "unknown": None if unknown is None or not facts.words else len(unknown),
        "unknown_share": 100 * unknown.total() / facts.words.total() if unknown and facts.words else 0.0,
        "characters": len(facts.characters), "left_out": excluded.total(), "left_out_told": told or "0",
        "clipped": report.levels.clipped.utterances, "silent": report.levels.silent.utterances,
        "copies": len(facts.copies), "examples": ", ".join(examples),
    }  # fmt: skip


def _unknown(report: Report, known: set[str] | None) -> Counter[str] | None:
    if known is None:
        return None
    return Counter({word: times for word, times in report.facts.words.items() if word not in known})


def _words(name: str, report: Report, known: set[str] | None) -> dict[str, Any]:
    """The most frequent ones, those of one alphabet in its order where they are as frequent."""
    kinds = {"frequent": report.facts.words, "unknown": _unknown(report, known) or Counter()}
    lists = [(kind, sorted(of.items(), key=lambda one: (-one[1], one[0]))[:_FREQUENT]) for kind, of in kinds.items()]
    return {"name": name, "lists": lists}


def _repeated(sets: Sets) -> str:
    told = [f"{report.facts.repeated} of {report.facts.words_each.total()} in {name}" for name, report in sets.items()
            if report.facts.words_each]  # fmt: skip
    return f"Utterances that say what another one of their set says: {', '.join(told)}."


def _between(sets: Sets) -> str:
    found = copies_between({name: report.facts for name, report in sets.items()})
    if not found:
        return "No utterance has the samples of one of another set."
    some = ", ".join(f"{one} ({name}) = {first} ({other})" for name, one, other, first in found[:_EXAMPLES])
    return f"Between sets there are {len(found)}: {some}{', …' if len(found) > _EXAMPLES else ''}."


def _speakers(sets: Sets) -> tuple[list[dict[str, Any]], int]:
    """Rows of those with the most speech, and how many have less."""
    rows: list[tuple[float, dict[str, Any]]] = []
    for name, report in sets.items():
        for speaker, seconds in report.facts.seconds.items():
            spread = report.levels.speakers.get(speaker)
            values = (spread.mean, spread.softest, spread.loudest) if spread else ()
            levels = [f"{value:.1f}" for value in values] or ["–"] * 3
            rows.append((seconds, {"name": speaker, "set": name, "minutes": seconds / 60, "levels": levels}))
    rows.sort(key=lambda row: (-row[0], row[1]["name"]))
    return [row for _, row in rows[:_SPEAKERS]], max(0, len(rows) - _SPEAKERS)


def _characters(sets: Sets) -> list[dict[str, Any]]:
    """All of them: an odd one is seen by its code and its count."""
    every: Counter[str] = Counter()
    for report in sets.values():
        every.update(report.facts.characters)
    return [
        {"shown": one if one.isprintable() and not unicodedata.combining(one) else "–", "code": f"U+{ord(one):04X}",
         "name": unicodedata.name(one, "without a name").lower(),
         "counts": [report.facts.characters[one] for report in sets.values()]}
        for one, _ in sorted(every.items(), key=lambda item: (-item[1], item[0]))
    ]  # fmt: skip


def pictures(sets: Sets) -> Figure:
    """A curve for each set: lengths, speech of each speaker, and, where audio was read, levels and pauses."""
    heard = any(report.facts.levels for report in sets.values())
    figure = Figure(figsize=(9, 6.4 if heard else 3.4), layout="constrained")
    axes = figure.subplots(2 if heard else 1, 2).ravel()
    for (name, report), colour in zip(sets.items(), COLOURS * len(sets)):
        facts = report.facts
        width = _bin(facts.quantiles()[-1])
        _shares(axes[0], Counter(_binned(facts.lengths, width)), width * TENTH, colour, name)
        minutes = sorted((seconds / 60 for seconds in facts.seconds.values()), reverse=True)
        axes[1].plot(
            np.arange(1, len(minutes) + 1), minutes, color=colour, marker="." if len(minutes) < _MANY else None
        )
        if heard and facts.levels:
            _shares(axes[2], facts.levels, 1, colour)
            _shares(axes[3], Counter(_binned(facts.pauses, 5)), 5, colour)
    axes[0].set(xlabel="length of an utterance, s", ylabel="utterances, %")
    many = max(len(report.facts.seconds) for report in sets.values()) > _MANY
    axes[1].set(xlabel="speakers of a set, by their speech", ylabel="minutes of a speaker", ylim=(0, None),
                xscale="log" if many else "linear")  # fmt: skip
    axes[1].xaxis.set_major_locator(LogLocator() if many else MaxNLocator(integer=True))
    axes[1].xaxis.set_major_formatter("{x:g}")
    if heard:
        axes[2].set(xlabel="level of an utterance, dBFS", ylabel="utterances, %")
        axes[3].set(xlabel="pauses in an utterance, %", ylabel="utterances, %")
    for one in axes:
        one.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _bin(most: float) -> int:
    """Tenths of a second of a bar, of which there are about 40."""
    return max(1, round(most / TENTH / 40))


def _binned(counts: Counter[int], width: int) -> Counter[int]:
    """Counts by multiples of a width, each called by its number."""
    binned: Counter[int] = Counter()
    for value, number in counts.items():
        binned[value // width] += number
    return binned


def _shares(axes: Axes, counts: Counter[int], width: float, colour: str, label: str | None = None) -> None:
    """Steps: the share of all that are in each of the bins, which are so wide."""
    first, last = min(counts), max(counts)
    values = np.array([counts[value] for value in range(first, last + 1)]) * 100 / counts.total()
    axes.stairs(values, np.arange(first, last + 2) * width, color=colour, linewidth=1.4, label=label)
