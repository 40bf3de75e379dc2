#!/usr/bin/env python3
"""log Z and occupancies of a denominator: this project's sparse recursion beside k2's exact intersection.

e.g.: tests/bench/denominator.py --exp egs/assistant/s1/exp
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import k2
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a script has no other way to the tests' helpers

from tests.lang.toy import as_k2

from understudy.align.archive import AlignmentReader
from understudy.align.forward_backward import GraphBatch, log_partition
from understudy.lang import phone_lm
from understudy.lang.state_graph import StateGraph, expand
from understudy.lang.tree import Tree
from understudy.step import command


@dataclass
class Options:
    """What is timed."""

    exp: Path
    """exp folder of a recipe, with stage 3 done"""
    batch: int = 15
    """utterances"""
    frames: int = 100
    """of each"""
    rounds: int = 3
    """one of each in turn"""


def run(options: Options) -> None:
    """Print medians and their ratio, and how far the sums are apart."""
    torch.set_num_threads(1)
    tree = Tree.load(options.exp / "tree/tree.json")
    reader = AlignmentReader(options.exp / "mono/labelled")
    sequences = (reader.read(cut, reader.index[cut][3])[:, 0].tolist() for cut in reader.ids())
    graph = expand(phone_lm.estimate(sequences, 4, 500), tree)
    print(f"denominator: {len(graph.entry)} states, {len(graph.sources)} arcs")
    torch.manual_seed(0)
    # Half of a network's log-posteriors, as sure of themselves as a trained one's.
    scores = 0.5 * (4 * torch.randn(options.batch, options.frames, tree.num_senones)).log_softmax(2)
    times: dict[str, list[float]] = {"ours": [], "k2": []}
    sums = {}
    for _ in range(options.rounds):
        for name, partition in (("ours", _ours), ("k2", _k2)):
            values = scores.clone().requires_grad_(True)
            begun = time.perf_counter()
            sums[name] = partition(values, graph)
            torch.autograd.grad(sums[name].sum(), values)
            times[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, seconds in medians.items():
        print(f"{name}: {seconds:.3f} s for {options.batch * options.frames} frames")
    print(f"k2 / ours: {medians['k2'] / medians['ours']:.1f}")
    print(f"largest difference of log Z: {float((sums['ours'] - sums['k2']).abs().max()):.2g} nats")


def _ours(scores: torch.Tensor, graph: StateGraph) -> torch.Tensor:
    batch, frames, _ = scores.shape
    shared = GraphBatch.merged(graph, dtype=scores.dtype).shared(batch)
    return log_partition(scores, torch.full((batch,), frames), shared)


def _k2(scores: torch.Tensor, graph: StateGraph) -> torch.Tensor:
    batch, frames, _ = scores.shape
    segments = torch.tensor([[i, 0, frames] for i in range(batch)], dtype=torch.int32)
    dense = k2.DenseFsaVec(torch.nn.functional.pad(scores, (1, 0), value=-1e30), segments)
    found = k2.intersect_dense(k2.create_fsa_vec([as_k2(graph)] * batch), dense, output_beam=1e6)
    return found.get_tot_scores(log_semiring=True, use_double_scores=True)


if __name__ == "__main__":
    command(Options, run)
