"""Scoring of another recogniser's transcripts of a test set in the same way as our systems, for a common table."""

from __future__ import annotations

import os
from typing import Any

from lhotse.cut import Cut

from understudy.corpus import read_cuts
from understudy.corpus.names import set_name
from understudy.pseudo.options import ScoreTranscriptsOptions
from understudy.pseudo.spoken import Spoken
from understudy.pseudo.transcripts import Heard, read_transcripts
from understudy.score.outcome import Outcome, check_words, told, write_outcome
from understudy.score.results import append_result, of_now
from understudy.score.tested import of_manifest
from understudy.step import Step, UserError, log


def score_transcripts(options: ScoreTranscriptsOptions, step: Step) -> dict[str, Any]:
    """Score transcripts, write the files of a decoded set and a results line. Returns the line.

    Numbers in both texts are written in words (`understudy.pseudo.spoken`), then both are normalised as `--normalise`
    says. The words of an utterance without recognised words are all deletions, and it counts as empty.

    Raises:
        UserError: a cut has no reference transcript, or none of the cuts was transcribed.
    """
    heard, cuts = read_transcripts(options.transcripts), list(read_cuts(options.cuts))
    _check(options, cuts, heard)
    spoken, name = Spoken(options.language), set_name(options.cuts)
    outcomes = [_outcome(cut, heard.get(cut.id), spoken, options) for cut in cuts]
    spoken.say()
    check_words(outcomes, str(options.cuts))
    score = write_outcome(step.out / name, outcomes, {"normalise": options.normalise})
    line = {
        "recipe": options.recipe, "system": options.system, "test_set": name, "config": step.digest,
        "tested_on": of_manifest(options.cuts), "parameters": options.parameters, "teacher": None,
        "labelled_hours": None, "unlabelled_hours": None, "updates": None, **of_now(), **score,
        "rtf": None if options.cpu_s_per_hour is None else round(options.cpu_s_per_hour / 3600, 5),
        "scored": os.path.relpath(step.out / name, options.results.parent),
    }  # fmt: skip
    append_result(options.results, line)
    log.info("%s, %s: %s", options.system, name, told(score))
    return line


def _outcome(cut: Cut, heard: Heard | None, spoken: Spoken, options: ScoreTranscriptsOptions) -> Outcome:
    said = cut.supervisions[0]
    reference, words = spoken(said.text or "").split(), spoken(heard.text if heard else "").split()
    return Outcome.of(cut.id, said.speaker or "", reference, words, options.normalise, empty=not words)


def _check(options: ScoreTranscriptsOptions, cuts: list[Cut], heard: dict[str, Heard]) -> None:
    for cut in cuts:
        if len(cut.supervisions) != 1 or cut.supervisions[0].text is None:
            raise UserError(f"{options.cuts}: cut {cut.id} has no transcript to score against. Use a transcribed set.")
    missing = [cut.id for cut in cuts if cut.id not in heard]
    if len(missing) == len(cuts):
        raise UserError(
            f"{options.transcripts}: has none of the {len(cuts)} cuts of {options.cuts}, such as {missing[0]}; it has "
            f"{next(iter(heard))}. Are they of one set, and are ids the cuts'?"
        )
    if missing:
        log.warning(
            "%s: %d of %d cuts, such as %s, are not in it: all of their words are deletions",
            options.transcripts, len(missing), len(cuts), missing[0],
        )  # fmt: skip
    if others := len(heard.keys() - {cut.id for cut in cuts}):
        log.warning("%s: %d transcripts are of no cut of %s, and left out", options.transcripts, others, options.cuts)
