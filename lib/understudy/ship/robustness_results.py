"""Recognition of a test set by a student in several conditions, with a line of results for each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from understudy.corpus import read_cuts, write_cuts
from understudy.corpus.names import set_name
from understudy.corpus.subset import evenly
from understudy.features.rooms import make_rooms
from understudy.score.normalise import Way
from understudy.score.outcome import Outcome, write_outcome
from understudy.score.outcome import told as rate_told
from understudy.score.paired import difference, ratio
from understudy.score.results import append_result, of_now
from understudy.score.tested import of_manifest
from understudy.score.utterances import score
from understudy.ship.footprint import Footprint
from understudy.ship.options import RobustnessOptions
from understudy.ship.robustness import RECORDED, Talkers, conditions, left_out, nothings, slug
from understudy.step import Step, log, read_json

_ROOMS = 20
_ROOM_SEED = 1_000_000  # seeds from here on: training and the recipes' corpora draw their rooms with small ones


def hear_all(options: RobustnessOptions, step: Step) -> None:
    """Recognise, score, write a results line for each condition."""
    manifest = step.out / f"{set_name(options.test)}.jsonl.gz"
    write_cuts(manifest, evenly(read_cuts(options.test), options.utterances))
    talkers = Talkers(read_cuts(options.talkers or options.test), options.seed)
    _speech(options, step, manifest, talkers)
    for name, why in left_out().items():
        _tell(options, step, {"condition": name, "group": "channel", "left_out": why})
        log.warning("%s: left out, since %s", name, why)
    for sound in nothings(talkers, options.minutes, options.nonspeech_audio, options.seed):
        heard = sound.hear(options.device, step.out / "heard")
        told = {"false_words": heard.words, "false_words_a_minute": round(heard.a_minute, 3), "empty": heard.lost}
        _tell(options, step, {"condition": sound.name, "group": "nothing said", "seconds": heard.seconds, **told})
        log.info("%s: %.1f false words a minute", sound.name, heard.a_minute)


def _speech(options: RobustnessOptions, step: Step, manifest: Path, talkers: Talkers) -> None:
    ways = _ways(options)
    recorded: list[Outcome] = []
    for condition in conditions(talkers, make_rooms(_ROOMS, _ROOM_SEED + options.seed), options.seed):
        found = condition.hear(options.device, manifest, step.out / "heard", options.shard_size, ways)
        recorded = found.outcomes if condition.name == RECORDED else recorded
        folder = step.out / slug(condition.name)
        rates = write_outcome(folder, found.outcomes, {"normalise": ways})
        told = {"condition": condition.name, "group": condition.group, **rates, **_clipped(found)}
        told |= _against(recorded, found.outcomes)
        _tell(options, step, told | {"scored": os.path.relpath(folder, options.results.parent)})
        log.info("%s: %s", condition.name, rate_told(rates))


def _ways(options: RobustnessOptions) -> list[Way]:
    if options.normalise is not None:
        return options.normalise
    scored = options.device / set_name(options.test) / "wer.json"
    return read_json(scored)["normalise"] if scored.exists() else []


def _clipped(found: Footprint) -> dict[str, int]:
    return {"clipped_samples": sum(found.clipped), "clipped_utterances": sum(n > 0 for n in found.clipped)}


def _against(recorded: list[Outcome], heard: list[Outcome]) -> dict[str, Any]:
    """Compare the errors with those as recorded, paired by speaker, or by utterance where there is only one speaker."""
    speakers, words = [one.speaker for one in heard], [len(one.reference) for one in heard]
    before, now = ([score(o.id, o.speaker, o.reference, o.words).errors for o in of] for of in (recorded, heard))
    try:
        change = difference(words, before, now, speakers)
    except ValueError:  # with one utterance, or without words, significance is not known
        return {}
    known = {"paired_by": change.by, "change": change.wer, "change_low": change.low, "change_high": change.high}
    if times := ratio(before, now, speakers):
        known |= dict(zip(("ratio", "ratio_low", "ratio_high"), times))
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in known.items()}


def _tell(options: RobustnessOptions, step: Step, told: dict[str, Any]) -> None:
    name = set_name(options.test)
    line = {"recipe": options.recipe, "system": options.system, "test_set": name,
            "tested_on": of_manifest(step.out / f"{name}.jsonl.gz")}  # fmt: skip
    append_result(options.results, line | {"config": step.digest, **told, **of_now()})
