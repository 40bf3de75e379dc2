"""Tuning of scales on a development set, and decoding of test sets with them."""

from __future__ import annotations

import itertools
import logging
import os
import time
from pathlib import Path
from typing import Any

from lhotse import CutSet

from understudy.corpus.names import set_name
from understudy.decode.batch import Decoder, decode, outcome
from understudy.decode.lattice import oracle, save_lattices
from understudy.decode.options import DecodeOptions
from understudy.decode.search import Scales
from understudy.lang.lexicon import Lexicon
from understudy.models import load_any, weights_fingerprint
from understudy.parallel.workers import Workers
from understudy.score import errors
from understudy.score.edge import edges
from understudy.score.outcome import check_words, told, write_outcome
from understudy.score.results import append_result, of_model, of_now, read_results
from understudy.score.tested import of_manifest
from understudy.step import Step, UserError, log, read_json, write_json


def tune_and_decode(options: DecodeOptions, step: Step) -> None:
    """Tune the scales on the development set, decode the test sets, write a results line for each.

    Raises:
        UserError: a list of scales is empty, or an acoustic scale is not above 0.
    """
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        _decode_all(options, step, workers)


def _names(options: DecodeOptions) -> list[str]:
    return [set_name(path) for path in options.test]


def _decode_all(options: DecodeOptions, step: Step, workers: Workers) -> None:
    """Tune, and decode the test sets, except what a killed run has already done."""
    tuned, done = _tuned(options, step.out / "tuned.json", workers), _decoded(options, step)
    tuning = tuned["wall_s"], tuned["cpu_s"]  # counted in the first set's line too
    for name, path in zip(_names(options), options.test, strict=True):
        (wall, cpu), tuning = tuning, (0.0, 0.0)
        if name in done:
            log.info("%s, %s: decoded before", options.system, name)
            continue
        start, before = time.monotonic(), workers.cpu_seconds()
        score = _decode_best(options, path, Scales.from_dict(tuned), step.out / name, workers)
        wall, used = wall + time.monotonic() - start, workers.cpu_seconds() - before
        score["rtf"] = round(used / sum(cut.duration for cut in CutSet.from_jsonl_lazy(path)), 5)
        score["scored"] = os.path.relpath(step.out / name, options.results.parent)
        line = {**_description(options, step, name, path), **score, "dev_wer": round(tuned["wer"], 3)}
        line |= {"wall_s": round(wall, 1), "cpu_s": round(cpu + used, 1)}
        append_result(options.results, {**line, "peak_memory_mb": round(workers.peak_memory_mb())})
        log.info("%s, %s: %s", options.system, name, told(score))


def _decoded(options: DecodeOptions, step: Step) -> set[str]:
    """Return the test sets that a killed run has decoded: their files exist, and their lines are in the results."""
    lines = read_results(options.results) if options.results.exists() else []
    ours = {"system": options.system, "config": step.digest}
    named = {line["test_set"] for line in lines if ours.items() <= line.items()}
    return {name for name in named if (step.out / name / "wer.json").exists()}


def _tuned(options: DecodeOptions, file: Path, workers: Workers) -> dict[str, float]:
    """Return the best scales on dev, their WER and the time that tuning took; read from `file` where it exists."""
    if file.exists():
        return read_json(file)
    start, cpu = time.monotonic(), workers.cpu_seconds()
    best, wer = _tune(options, file.parent / "dev", workers)
    took = {"wall_s": time.monotonic() - start, "cpu_s": workers.cpu_seconds() - cpu}
    write_json(file, {**best.to_dict(), "wer": wer, **took})
    return read_json(file)


def _tune(options: DecodeOptions, out: Path, workers: Workers) -> tuple[Scales, float]:
    """Return the scales with the fewest errors on the development set, and their WER in %."""
    tried_on_dev = options.acoustic_scales, options.prior_scales, options.word_penalties
    grid = [Scales(*values) for values in itertools.product(*tried_on_dev)]
    if not grid or min(options.acoustic_scales) <= 0:
        raise UserError(
            "give --acoustic-scales, --prior-scales and --word-penalties a value each at least, acoustic ones above 0."
        )
    words = Lexicon.read(options.graph).words
    said = list(decode(_decoder(options, options.dev), options.dev, grid, workers))
    tried = [[outcome(one, words, n, options.normalise) for one in said] for n in range(len(grid))]
    check_words(tried[0], str(options.dev))
    counts = [errors.count([o.reference for o in one], [o.words for o in one]) for one in tried]
    best = min(range(len(grid)), key=lambda i: counts[i].errors)
    for scales, found in zip(grid, counts, strict=True):
        log.info("dev: acoustic scale %g, prior scale %g, word penalty %g: %s", *scales, found.told())
    names = [name.replace("_", " ") for name in grid[best].to_dict()]
    for matters, sentence in edges(names, tuple(grid[best]), dict(zip(map(tuple, grid), tried))):
        log.log(logging.WARNING if matters else logging.INFO, "dev: %s", sentence)
    if options.lattices:  # with the best scales: one more search
        _decode_best(options, options.dev, grid[best], out, workers)
    else:
        write_outcome(out, tried[best], _how(options, grid[best]))
    return grid[best], 100 * counts[best].errors / counts[best].words


def _decode_best(options: DecodeOptions, manifest: Path, scales: Scales, out: Path, workers: Workers) -> dict[str, Any]:
    """Decode with these scales and score; if lattices are wanted, save them and compute their oracle WER."""
    lexicon, about = Lexicon.read(options.graph), _how(options, scales)
    outcomes, said, kept = [], {}, {}
    # One by one: only what is scored is kept in memory.
    for one in decode(_decoder(options, manifest), manifest, [scales], workers, options.lattices):
        outcomes.append(outcome(one, lexicon.words, 0, options.normalise))
        if options.lattices:
            said[one.id], kept[one.id] = one.reference, one.found[0].lattice
    if options.lattices:
        save_lattices(out / "lattices.safetensors", kept)
        about |= oracle(kept, said, lexicon.word_ids)
    return write_outcome(out, outcomes, about)


def _decoder(options: DecodeOptions, manifest: Path) -> Decoder:
    return Decoder(options.model, options.graph, manifest.parent / "normaliser.json", options.beams, options.search)


def _how(options: DecodeOptions, scales: Scales) -> dict[str, Any]:
    return {**scales.to_dict(), "normalise": options.normalise, "model": weights_fingerprint(options.model)}


def _description(options: DecodeOptions, step: Step, test_set: str, manifest: Path) -> dict[str, Any]:
    return {
        "recipe": options.recipe, "system": options.system, "test_set": test_set, "config": step.digest,
        "tested_on": of_manifest(manifest),
        **of_model(load_any(options.model)), **of_now(),
    }  # fmt: skip
