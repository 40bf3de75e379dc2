"""A validation as a step asks for it: set by set, and how sets and speakers differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from understudy.corpus import facts, validate_sets, write_cuts
from understudy.corpus.levels import warnings
from understudy.corpus.names import set_name
from understudy.corpus.options import ValidationOptions
from understudy.corpus.validate import TIME_MASK, Report
from understudy.step import counted, log, write_json


def validate_corpus(options: ValidationOptions, out: Path) -> tuple[dict[str, Report], list[str]]:
    """Validate set by set and say what was kept; then how sets and speakers differ, and what is there twice.

    Returns:
        What was found in each set, and what was warned of.
    """
    manifests = {set_name(path): path for path in options.cuts}
    found: dict[str, Report] = {}
    for name, cuts, report in validate_sets(manifests, options.check_audio, options.bad):
        if options.bad == "exclude":
            write_cuts(options.out / f"{name}.jsonl.gz", cuts)
        else:
            for _ in cuts:
                pass
        _say(name, report)
        found[name] = report
    if "labelled" not in manifests:
        log.warning("none of the sets is called labelled: a recipe begins with transcribed speech of this name")
    told = warnings({name: report.levels for name, report in found.items()})
    told += facts.warnings({name: report.facts for name, report in found.items()})
    for warning in told:
        log.warning("%s", warning)
    write_json(options.out / "report.json", {name: _summary(report) for name, report in found.items()})
    return found, told


def _say(name: str, report: Report) -> None:
    out = f"; {sum(report.excluded.values())} left out: {dict(report.excluded)}" if report.excluded else ""
    log.info("%s: %s, %.2f h, %s%s", name, counted(report.cuts, "utterance"), report.seconds / 3600,
             counted(len(report.speakers), "speaker"), out)  # fmt: skip
    if report.short:
        share, speech = (100 * part for part in (report.short / report.cuts, report.short_seconds / report.seconds))
        log.info(
            "%s: %d utterances (%.1f %%, with %.1f %% of the speech) are shorter than the longest mask of time that "
            "training has (%.2f s); all masks together take a fifth of what is heard at most "
            "(--train.augment.time_share)", name, report.short, share, speech, TIME_MASK,
        )  # fmt: skip
    if levels := report.levels.in_words():
        log.info("%s: %s", name, levels)


def _summary(report: Report) -> dict[str, Any]:
    short = {"utterances": report.short, "hours": report.short_seconds / 3600}
    return {"utterances": report.cuts, "hours": report.seconds / 3600, "speakers": len(report.speakers),
            "excluded": dict(report.excluded), "shorter_than_a_time_mask": short,
            "levels": report.levels.told(), **report.facts.told()}  # fmt: skip
