#!/usr/bin/env python3
r"""Decode the development set with a grid of scales, the test sets with the best of them, and score all.

e.g.: steps/decode.py --model exp/student --graph exp/graph --dev data/feats/dev.jsonl.gz \
    --test '[data/feats/test.jsonl.gz]' --system student --out exp/student/decode
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonargparse.typing import PositiveInt
from lhotse import CutSet

from understudy.corpus import check_names, set_name
from understudy.decode.lattice import oracle, save_lattices
from understudy.decode.pool import Decoder, decode, outcome
from understudy.decode.search import Beams, Scales
from understudy.lang.lexicon import Lexicon
from understudy.models import load_any, weights_fingerprint
from understudy.score import errors
from understudy.score.normalise import Way
from understudy.score.outcome import write_outcome
from understudy.score.results import append_result, of_model, of_now, read_results
from understudy.stage import Step, UserError, log, main, read_json, write_json
from understudy.stage.workers import ClusterOptions, Workers


@dataclass
class Options:
    """Stage 11: decode and score."""

    model: Path
    """folder of the acoustic model"""
    graph: Path
    """folder of the decoding graph (steps/make_graph.py)"""
    dev: Path
    """manifest with features: the scales are tuned on it"""
    test: list[Path]
    """manifests with features: decoded once, with the tuned scales"""
    out: Path
    """folder of hypotheses and scores"""
    system: str
    """name of the system in the results"""
    recipe: str = "s1"
    """name of the recipe in the results"""
    results: Path = Path("exp/results.jsonl")
    """the results file, one line for each system and test set"""
    acoustic_scales: list[float] = field(default_factory=lambda: [0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7])
    """to try on the development set, rising"""
    prior_scales: list[float] = field(default_factory=lambda: [0.4, 0.6, 0.8])
    """to try on the development set, rising"""
    word_penalties: list[float] = field(default_factory=lambda: [0.0])
    """costs of a word, nats, to try on the development set, rising: above 0 where words are inserted"""
    beams: Beams = field(default_factory=Beams)
    """how far the search looks"""
    lattices: bool = False
    """keep word lattices of dev and test sets for steps/rescore.py, and count their oracle, of texts as they are"""
    normalise: list[Way] = field(default_factory=list)
    """ways to make both texts alike before they are compared: case, hyphens, punctuation, fillers"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""
    seed: int = 42
    """of the bootstrap"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.test, ("dev",))


def run(options: Options, step: Step) -> None:
    """Tune on the development set, decode the test sets, write a results line for each."""
    with Workers(options.jobs, options.cluster, out=step.out) as workers:
        _run(options, step, workers)


def _names(options: Options) -> list[str]:
    return [set_name(path) for path in options.test]


def _run(options: Options, step: Step, workers: Workers) -> None:
    tuned, done = _tuned(options, step.out / "tuned.json", workers), _decoded(options, step)
    tuning = tuned["wall_s"], tuned["cpu_s"]  # the first set's line counts it too
    for name, path in zip(_names(options), options.test, strict=True):
        (wall, cpu), tuning = tuning, (0.0, 0.0)
        if name in done:
            log.info("%s, %s: decoded before", options.system, name)
            continue
        start, before = time.monotonic(), workers.cpu_seconds()
        score = _decode_best(options, path, Scales.of(tuned), step.out / name, workers)
        wall, used = wall + time.monotonic() - start, workers.cpu_seconds() - before
        score["rtf"] = round(used / sum(cut.duration for cut in CutSet.from_jsonl_lazy(path)), 5)
        score["scored"] = os.path.relpath(step.out / name, options.results.parent)
        line = {**_description(options, step, name), **score, "dev_wer": round(tuned["wer"], 3)}
        line |= {"wall_s": round(wall, 1), "cpu_s": round(cpu + used, 1)}
        append_result(options.results, {**line, "peak_memory_mb": round(workers.peak_memory_mb())})
        wer = (score[key] for key in ("wer", "wer_low", "wer_high"))
        log.info("%s, %s: WER %.2f %% [%.2f, %.2f]", options.system, name, *wer)


def _decoded(options: Options, step: Step) -> set[str]:
    """Test sets that a killed run has decoded: their files are here, and their lines among the results."""
    lines = read_results(options.results) if options.results.exists() else []
    ours = {"system": options.system, "config": step.digest}
    named = {line["test_set"] for line in lines if ours.items() <= line.items()}
    return {name for name in named if (step.out / name / "wer.json").exists()}


def _tuned(options: Options, file: Path, workers: Workers) -> dict[str, float]:
    """The scales that are best on dev, their WER and what finding them took: those that are kept, if there are some."""
    if file.exists():
        return read_json(file)
    start, cpu = time.monotonic(), workers.cpu_seconds()
    best, wer = _tune(options, file.parent / "dev", workers)
    took = {"wall_s": time.monotonic() - start, "cpu_s": workers.cpu_seconds() - cpu}
    write_json(file, {**best.told(), "wer": wer, **took})
    return read_json(file)


def _tune(options: Options, out: Path, workers: Workers) -> tuple[Scales, float]:
    """The scales with the fewest errors on the development set, and their WER."""
    tried_on_dev = options.acoustic_scales, options.prior_scales, options.word_penalties
    grid = [Scales(*values) for values in itertools.product(*tried_on_dev)]
    if not grid or min(options.acoustic_scales) <= 0:
        raise UserError(
            "give --acoustic-scales, --prior-scales and --word-penalties a value each at least, acoustic ones above 0."
        )
    words = Lexicon.read(options.graph).words
    said = list(decode(_decoder(options, options.dev), options.dev, grid, workers))
    tried = [[outcome(one, words, n, options.normalise) for one in said] for n in range(len(grid))]
    counts = [errors.count([o.reference for o in one], [o.words for o in one]) for one in tried]
    best = min(range(len(grid)), key=lambda i: counts[i].errors)
    for scales, found in zip(grid, counts, strict=True):
        log.info("dev: acoustic scale %g, prior scale %g, word penalty %g: WER %.2f %%", *scales, found.wer)
    for name, values, chosen in zip(grid[best].told(), tried_on_dev, grid[best]):
        if len(values) > 1 and chosen in (min(values), max(values)):
            log.warning("dev: the best %s, %g, is the last that was tried: try beyond it", name, chosen)
    if options.lattices:  # of the best scales: one more search
        _decode_best(options, options.dev, grid[best], out, workers)
    else:
        write_outcome(out, tried[best], _how(options, grid[best]), options.seed)
    return grid[best], counts[best].wer


def _decode_best(options: Options, manifest: Path, scales: Scales, out: Path, workers: Workers) -> dict[str, Any]:
    """Decode with these scales and score; with lattices, keep them and count their fewest errors."""
    lexicon, about = Lexicon.read(options.graph), _how(options, scales)
    outcomes, said, kept = [], {}, {}
    # One by one: only what is scored stays in memory.
    for one in decode(_decoder(options, manifest), manifest, [scales], workers, options.lattices):
        outcomes.append(outcome(one, lexicon.words, 0, options.normalise))
        if options.lattices:
            said[one.id], kept[one.id] = one.reference, one.found[0].lattice
    if options.lattices:
        save_lattices(out / "lattices.safetensors", kept)
        about |= oracle(kept, said, lexicon.word_ids)
    return write_outcome(out, outcomes, about, options.seed)


def _decoder(options: Options, manifest: Path) -> Decoder:
    graph, normaliser = options.graph / "HCLG.safetensors", manifest.parent / "normaliser.json"
    return Decoder(options.model, graph, normaliser, options.beams)


def _how(options: Options, scales: Scales) -> dict[str, Any]:
    return {**scales.told(), "normalise": options.normalise, "model": weights_fingerprint(options.model)}


def _description(options: Options, step: Step, test_set: str) -> dict[str, Any]:
    return {
        "recipe": options.recipe, "system": options.system, "test_set": test_set, "config": step.digest,
        **of_model(load_any(options.model)), **of_now(),
    }  # fmt: skip


if __name__ == "__main__":
    main(Options, run, inputs=("model", "graph", "dev", "test"), unfingerprinted=("jobs", "cluster", "results"))
