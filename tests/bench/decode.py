#!/usr/bin/env python3
r"""Our searches, with k2 and with numpy, beside Kaldi's LatticeFasterDecoder: words, cost and memory, over beams.

On a recipe's graph, and on a larger one, a trigram of 5 000 words and more, made for it. All get the same graph,
the same scores, the same limits and a process each; they take turns, so that a noisy machine is fair to both.

e.g.: . utils/path.sh
      tests/bench/decode.py --exp egs/assistant/s1/exp --data egs/assistant/s1/data --out /tmp/bench-decode
"""

from __future__ import annotations

import math
import os
import statistics
import sys
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import larger_graph  # before lhotse: see understudy.lang.hclg
import torch
from lhotse import CutSet

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a script has no other way to the tests' helpers

from tests.decode.beside_kaldi import Decoded, Limits, decoded, write_case

from understudy.decode.search import Scales
from understudy.features import Normaliser, load_stacked
from understudy.features.frames import STACKED_SHIFT
from understudy.lang.graph import load_graph
from understudy.lang.lexicon import Lexicon
from understudy.models import load
from understudy.score import errors
from understudy.step import UserError, command, read_json, write_json

DECODERS = ("k2", "numpy", "kaldi")
PAIRS = (("numpy", "k2"), ("k2", "kaldi"))
ALIKE = 0.1  # % absolute: word error rates that count as equal


@dataclass
class Options:
    """What is decoded, and how far the search looks."""

    exp: Path
    """exp folder of a recipe, with stage 11 done"""
    data: Path
    """its data folder"""
    out: Path
    """folder of the graphs, scores and result.json"""
    model: str = "student-distilled"
    """model in the exp folder"""
    lang: Path | None = None
    """language folder of the recipe; without it, lang in the exp folder"""
    test: str = "test"
    """test set, of those that were decoded: the scales are theirs"""
    utterances: int = 0
    """only so many, spread over the set; 0: all"""
    larger: bool = True
    """decode with a larger graph too: made once, in some minutes (remove larger/ from out for another one)"""
    text: list[Path] = field(default_factory=list)
    """sentences for its trigram beside the corpus' text.txt; Python's documentation joins if the words are too few"""
    beams: list[float] = field(default_factory=lambda: [8.0, 10.0, 12.0, 15.0])
    """of the search"""
    output: float = 6.0
    """beam of the lattice"""
    min_active: int = 30
    """active states per frame, at least"""
    max_active: int = 5000
    """active states per frame, at most"""
    rounds: int = 3
    """of each, in turn; times are medians"""


def run(options: Options) -> None:
    """Print tables and write result.json."""
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        raise UserError(
            "the recipes' environment is not set, in which k2 takes two thirds of the time: . utils/path.sh"
        )
    scores, references = _scored(options)
    seconds = STACKED_SHIFT * sum(map(len, scores.values()))
    graphs = {"recipe": options.exp / "graph"}
    if options.larger:
        graphs["larger"] = options.out / "larger"
        if not (graphs["larger"] / "HCLG.json").exists():
            own = options.data / "corpus" / "text.txt"
            texts = [*([own] if own.exists() else []), *options.text]
            larger_graph.build(options.lang or options.exp / "lang", options.exp / "tree", texts, graphs["larger"])
    result: dict[str, Any] = {"seconds": seconds, "utterances": len(scores), "model": options.model}
    for name, folder in graphs.items():
        graph, words = load_graph(folder), Lexicon.read(folder).words
        print(f"\n{name} graph: {len(words) - 2} words, {graph.states} states, {len(graph.labels)} arcs; ", end="")
        print(f"{len(scores)} utterances, {seconds / 60:.1f} minutes")
        case = options.out / f"case-{name}"
        write_case(case, graph, scores)
        runs = _runs(options, case)
        rows = [_row(beam, decoder, found, references, words, seconds) for (beam, decoder), found in runs.items()]
        pairs = [
            {"beam": beam, "pair": f"{a}/{b}", **_pair(runs[beam, a], runs[beam, b])}
            for a, b in PAIRS for beam in options.beams
        ]  # fmt: skip
        result[name] = {"states": graph.states, "arcs": len(graph.labels), "rows": rows, "pairs": pairs}
        result[name]["cheapest"] = _print(rows, pairs)
        write_json(options.out / "result.json", result)


def _scored(options: Options) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Scaled log-likelihoods and transcripts of the utterances."""
    manifest = options.data / "feats" / f"{options.test}.jsonl.gz"
    tuned = options.exp / options.model / "decode" / options.test / "wer.json"
    for path in (manifest, tuned):
        if not path.exists():
            raise UserError(f"{path}: no such file. Run the recipe up to stage 11, or name another --model or --test.")
    scales = Scales(*(read_json(tuned)[name] for name in ("acoustic_scale", "prior_scale")))
    model, normaliser = load(options.exp / options.model), Normaliser.load(manifest.parent / "normaliser.json")
    cuts = list(CutSet.from_jsonl_lazy(manifest))
    step = math.ceil(len(cuts) / options.utterances) if options.utterances else 1
    scores, references = {}, {}
    for cut in islice(cuts, 0, None, step):
        (posteriors,) = model.log_posteriors([torch.from_numpy(load_stacked(cut, normaliser))])
        scores[cut.id] = scales.scores(posteriors, model.log_priors).numpy()
        references[cut.id] = cut.supervisions[0].text.split()
    return scores, references


def _runs(options: Options, case: Path) -> dict[tuple[float, str], list[Decoded]]:
    found: dict[tuple[float, str], list[Decoded]] = {(b, d): [] for b in options.beams for d in DECODERS}
    for number in range(options.rounds):
        for beam in options.beams:
            limits = Limits(beam, options.output, options.min_active, options.max_active)
            for decoder in DECODERS if number % 2 else DECODERS[::-1]:
                found[beam, decoder].append(decoded(decoder, case, limits, with_costs=number == 0))
    return found


def _row(beam: float, decoder: str, runs: list[Decoded], references: dict, words: Any, seconds: float) -> dict:
    first = runs[0]
    counts = errors.count(list(references.values()), [[words[i] for i in first.words[name]] for name in references])
    cpu = [run.cpu for run in runs]
    return {
        "beam": beam, "decoder": decoder, **asdict(counts), "errors": counts.errors, "wer": counts.wer,
        "empty": first.empty, "retried": first.retried, "cpu_s": cpu,
        "cpu_s_per_hour": 3600 * statistics.median(cpu) / seconds, "rtf": statistics.median(cpu) / seconds,
        "peak_mb": statistics.median(run.peak_mb for run in runs),
        "search_mb": statistics.median(run.peak_mb - run.before_mb for run in runs),
    }  # fmt: skip


def _pair(ours: list[Decoded], theirs: list[Decoded]) -> dict:
    """How the two differ; a ratio is of medians, its range that of rounds."""
    a, b = ours[0], theirs[0]
    both = [name for name in a.words if max(a.costs[name], b.costs[name]) < math.inf]
    differences = [a.costs[name] - b.costs[name] for name in both]
    ratios = [x.cpu / y.cpu for x, y in zip(ours, theirs, strict=True)]
    return {
        "utterances": len(a.words), "same_words": sum(a.words[name] == b.words[name] for name in a.words),
        "ours_dearer": sum(d > 0.01 for d in differences), "theirs_dearer": sum(d < -0.01 for d in differences),
        "mean_difference": statistics.fmean(differences) if differences else 0.0, "found_by_both": len(both),
        "cpu_ratio": statistics.median(x.cpu for x in ours) / statistics.median(y.cpu for y in theirs),
        "lowest_ratio": min(ratios), "highest_ratio": max(ratios),
    }  # fmt: skip


def _print(rows: list[dict], pairs: list[dict]) -> dict:
    """The tables, and the cheapest beam of each decoder that loses nothing."""
    print("beam decoder   WER %  errors/words  empty retried  CPU s/h     RTF  peak MB  of graph and search")
    for row in rows:
        print("{beam:4g} {decoder:7} {wer:7.2f} {errors:7}/{words:<6}{empty:5} {retried:7}".format(**row), end=" ")
        print("{cpu_s_per_hour:8.1f} {rtf:7.4f} {peak_mb:8.0f} {search_mb:8.0f}".format(**row))
    print("pair     beam  same words  dearer path: 1st     2nd  mean, nats    CPU ratio [of rounds]")
    for pair in pairs:
        print("{pair:8} {beam:4g} {same_words:5}/{utterances:<5} {ours_dearer:17}".format(**pair), end=" ")
        print("{theirs_dearer:7} {mean_difference:11.4f} {cpu_ratio:13.2f}".format(**pair), end=" ")
        print("[{lowest_ratio:.2f}, {highest_ratio:.2f}]".format(**pair))
    least = min(row["wer"] for row in rows)
    cheapest = {}
    for decoder in DECODERS:
        of = [row for row in rows if row["decoder"] == decoder and row["wer"] <= least + ALIKE]
        if of:
            cheapest[decoder] = min(of, key=lambda row: row["cpu_s_per_hour"])
            print(f"cheapest {decoder} within {ALIKE} % of the least WER: beam {cheapest[decoder]['beam']:g}, ", end="")
            print(f"WER {cheapest[decoder]['wer']:.2f} %, {cheapest[decoder]['cpu_s_per_hour']:.1f} CPU s/h")
    return {decoder: row["beam"] for decoder, row in cheapest.items()}


if __name__ == "__main__":
    command(Options, run)
