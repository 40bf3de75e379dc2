#!/usr/bin/env python3
r"""Decode the development set with a grid of scales, the test sets with the best of them, and score all.

e.g.: steps/decode.py --model exp/student --graph exp/graph --dev data/feats/dev.jsonl.gz \
    --test '[data/feats/test.jsonl.gz]' --system student --out exp/student/decode
"""

from __future__ import annotations

import itertools
import os
import resource
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from understudy.decode.pool import Decoded, Decoder, decode
from understudy.decode.search import Beams, Found, Scales
from understudy.lang.lexicon import Lexicon
from understudy.models import load
from understudy.score import errors, interval, utterances
from understudy.score.results import append_result
from understudy.stage import Step, UserError, atomic_path, log, main, write_json
from understudy.stage.log import commit, machine
from understudy.stage.step import peak_memory_mb


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
    beams: Beams = field(default_factory=Beams)
    """how far the search looks"""
    jobs: int = 2
    """processes"""
    seed: int = 42
    """of the bootstrap"""


def run(options: Options, step: Step) -> None:
    """Tune on the development set, decode the test sets, write a results line for each."""
    names = [path.name.split(".")[0] for path in options.test]
    if len({*names, "dev"}) <= len(names):
        raise UserError(f"--test {options.test}: results go by the manifests' names; give each its own, and none dev")
    start, cpu = time.monotonic(), _cpu_seconds()
    best, dev_wer = _tune(options, step.out / "dev")
    for name, path in zip(names, options.test, strict=True):
        said, (hyps,) = _decode(options, path, [best])
        score = _score(step.out / name, said, hyps, best, options.seed)
        score["scored"] = os.path.relpath(step.out / name, options.results.parent)
        # The first line counts the tuning too.
        used = {"wall_s": round(time.monotonic() - start, 1), "cpu_s": round(_cpu_seconds() - cpu, 1)}
        line = {**_description(options, step, name), **score, "dev_wer": round(dev_wer, 3), **used}
        append_result(options.results, {**line, "peak_memory_mb": round(peak_memory_mb())})
        wer = (score[key] for key in ("wer", "wer_low", "wer_high"))
        log.info("%s, %s: WER %.2f %% [%.2f, %.2f]", options.system, name, *wer)
        start, cpu = time.monotonic(), _cpu_seconds()


def _tune(options: Options, out: Path) -> tuple[Scales, float]:
    """The scales with the fewest errors on the development set, and their WER."""
    grid = [Scales(*pair) for pair in itertools.product(options.acoustic_scales, options.prior_scales)]
    if not grid or min(options.acoustic_scales) <= 0:
        raise UserError("give --acoustic-scales and --prior-scales at least one value each, acoustic ones above 0.")
    said, systems = _decode(options, options.dev, grid)
    counts = [errors.count([d.reference for d in said], _words(hyps)) for hyps in systems]
    best = min(range(len(grid)), key=lambda i: counts[i].errors)
    for scales, found in zip(grid, counts, strict=True):
        log.info("dev: acoustic scale %g, prior scale %g: WER %.2f %%", *scales, found.wer)
    for name, tried, chosen in zip(Scales._fields, (options.acoustic_scales, options.prior_scales), grid[best]):
        if len(tried) > 1 and chosen in (min(tried), max(tried)):
            log.warning("dev: the best %s scale, %g, is the last that was tried: try beyond it", name, chosen)
    _score(out, said, systems[best], grid[best], options.seed)
    return grid[best], counts[best].wer


def _cpu_seconds() -> float:
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usages)


Hyps = list[tuple[list[str], Found]]
"""Words of each utterance, and how the search went"""


def _decode(options: Options, manifest: Path, grid: list[Scales]) -> tuple[list[Decoded], list[Hyps]]:
    """The utterances; and for each pair of scales what was found."""
    words = Lexicon.read(options.graph).words
    graph, normaliser = options.graph / "HCLG.safetensors", manifest.parent / "normaliser.json"
    decoder = Decoder(options.model, graph, normaliser, options.beams)
    said = list(decode(decoder, manifest, grid, options.jobs))
    return said, [[([words[i] for i in d.found[n].words], d.found[n]) for d in said] for n in range(len(grid))]


def _words(hyps: Hyps) -> list[list[str]]:
    return [words for words, _ in hyps]


def _score(out: Path, said: list[Decoded], hyps: Hyps, scales: Scales, seed: int) -> dict[str, Any]:
    """Write hyp.txt, errs.txt, utterances.tsv, speakers.tsv and wer.json; returns what is in the last."""
    refs = [d.reference for d in said]
    counts = errors.count(refs, _words(hyps))
    low, high = interval.wer_interval(refs, _words(hyps), seed)
    scored = [utterances.score(d.id, d.speaker, d.reference, words) for d, (words, _) in zip(said, hyps, strict=True)]
    score = {
        **asdict(counts), "errors": counts.errors, "wer": round(counts.wer, 3), "wer_low": round(low, 3),
        "wer_high": round(high, 3), **{k: round(v, 3) for k, v in utterances.rates(scored).items()},
        "empty": sum(f.empty for _, f in hyps), "retried": sum(f.retried for _, f in hyps), "utterances": len(hyps),
        "acoustic_scale": scales.acoustic, "prior_scale": scales.prior,
    }  # fmt: skip
    if score["empty"]:
        log.warning("%s: %d utterances have an empty lattice after retries: all deletions", out.name, score["empty"])
    with atomic_path(out / "hyp.txt") as partial:
        partial.write_text("".join(" ".join([d.id, *words]) + "\n" for d, (words, _) in zip(said, hyps)))
    with atomic_path(out / "errs.txt") as partial:
        sides = (f"{d.id}\n{errors.side_by_side(d.reference, words)}\n\n" for d, (words, _) in zip(said, hyps))
        partial.write_text("".join(sides))
    utterances.write(out / "utterances.tsv", scored)
    utterances.write(out / "speakers.tsv", utterances.by_speaker(scored).values())
    write_json(out / "wer.json", score)
    return score


def _description(options: Options, step: Step, test_set: str) -> dict[str, Any]:
    model = load(options.model)
    known = (
        "labelled_hours", "unlabelled_hours", "updates", "teacher", "supervision", "target_cpu_s_per_hour"
    )  # fmt: skip
    return {
        "recipe": options.recipe, "system": options.system, "test_set": test_set,
        "config": step.digest, "parameters": model.num_parameters, **{k: model.meta.get(k) for k in known},
        "commit": commit(), "machine": machine(), "seed": model.meta.get("seed"),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }  # fmt: skip


if __name__ == "__main__":
    main(Options, run, inputs=("model", "graph", "dev", "test"), unfingerprinted=("jobs", "results"))
