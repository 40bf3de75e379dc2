"""Rescoring of word lattices with another language model, whose weight is tuned on the development set."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from understudy.corpus import read_cuts
from understudy.corpus.names import set_name
from understudy.decode.lattice import Rescoring, WordLattice, load_lattices
from understudy.decode.options import RescoreOptions
from understudy.lang.lexicon import Lexicon
from understudy.lang.ngram import BackoffModel
from understudy.score import errors
from understudy.score.interval import rounded
from understudy.score.outcome import Outcome, check_words, told, write_outcome
from understudy.score.results import append_result, of_now, read_results
from understudy.score.tested import of_manifest
from understudy.step import Step, UserError, log


def rescore(options: RescoreOptions, step: Step) -> None:
    """Tune the weight on dev, rescore the test sets, write a results line for each.

    Raises:
        UserError: the results file has no result of the decoding, or lattices are missing.
    """
    known = {line["test_set"]: line for line in read_results(options.results) if line["system"] == options.system}
    names = [set_name(path) for path in options.test]
    if missing := [name for name in names if name not in known]:
        raise UserError(
            f"{options.results}: has no result of {options.system} on {', '.join(missing)}. Decode it first."
        )
    words = Lexicon.read(options.lang).words
    models = BackoffModel.read(options.lang / "lm.arpa"), BackoffModel.read(options.arpa)
    dev = load_lattices(options.decoded / "dev/lattices.safetensors")
    weights = [0.0, *options.weights]
    tried = {w: _rescored(options, options.dev, dev, Rescoring(*models, words, w)) for w in weights}
    counts = {w: errors.count([o.reference for o in of], [o.words for o in of]) for w, of in tried.items()}
    check_words(tried[0.0], str(options.dev))
    for weight, found in counts.items():
        log.info("dev: weight %g: %s", weight, found.told())
    best = min(counts, key=lambda w: counts[w].errors)
    how = {"lm_weight": best, "normalise": options.normalise}
    write_outcome(step.out / "dev", tried[best], how)
    for name, path in zip(names, options.test, strict=True):
        start = time.monotonic()
        lattices = load_lattices(options.decoded / name / "lattices.safetensors")
        outcomes = _rescored(options, path, lattices, Rescoring(*models, words, best))
        score = write_outcome(step.out / name, outcomes, how)
        line = _line(known[name], options, score, rounded(counts[best].wer), step, path)
        append_result(options.results, {**line, "rescoring_s": round(time.monotonic() - start, 1)})
        log.info("%s, %s: %s; it was %s", line["system"], name, told(score), told(known[name]))


def _rescored(
    options: RescoreOptions, manifest: Path, lattices: dict[str, WordLattice | None], rescoring: Rescoring
) -> list[Outcome]:
    """Return each utterance's best words under the other model, scored."""
    outcomes = []
    for cut in read_cuts(manifest):
        if cut.id not in lattices:
            raise UserError(f"{manifest}: cut {cut.id} has no lattice. Were these lattices made of this manifest?")
        lattice, said = lattices[cut.id], cut.supervisions[0]
        found = rescoring.best(lattice, options.nbest) if lattice else []
        text = [rescoring.words[word] for word in found]
        texts = said.text.split(), text
        outcomes.append(Outcome.of(cut.id, said.speaker or "", *texts, options.normalise, empty=lattice is None))
    return outcomes


def _line(
    decoded: dict[str, Any],
    options: RescoreOptions,
    score: dict[str, Any],
    dev_wer: float | None,
    step: Step,
    manifest: Path,
) -> dict[str, Any]:
    """Return the results line of the decoding, with what rescoring changed."""
    return {
        **decoded, **score, "tested_on": of_manifest(manifest), "system": f"{options.system}-rescored",
        "config": step.digest, "dev_wer": dev_wer,
        "scored": os.path.relpath(step.out / set_name(manifest), options.results.parent), **of_now(),
    }  # fmt: skip
