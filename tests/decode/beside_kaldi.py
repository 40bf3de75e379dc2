#!/usr/bin/env python3
"""Our searches and Kaldi's on the same graph and scores, each in a process of its own.

Kaldi's packages do not all load beside ours, and peak memory is of a process. `write_case` puts a graph and scores
into a folder; `decoded` runs a decoder on it and says what it found and what it cost.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Limits:
    """How far both search; the names of `understudy.decode.search.Beams`."""

    search: float
    output: float
    """Kaldi's lattice beam"""
    min_active: int
    max_active: int


@dataclass(frozen=True)
class Decoded:
    """What one decoder made of a case."""

    words: dict[str, list[int]]
    """word ids by utterance; none where the search found no way through the graph"""
    costs: dict[str, float]
    """of the best path, nats; infinite where there is none"""
    empty: int
    """utterances without a way through the graph"""
    retried: int
    """utterances that were searched again with wider beams: ours"""
    cpu: float
    """seconds of all threads: searching, best paths and words, not loading"""
    peak_mb: float
    """of the process, while it searches"""
    before_mb: float
    """of the process, with all packages and scores, before the graph is loaded"""


def write_case(folder: Path, graph: Any, scores: Mapping[str, Any]) -> None:
    """The graph for both decoders, and scores.npz.

    Args:
        graph: of `understudy.lang.graph`.
        scores: scaled log-likelihoods (frames, senones) of each utterance, float32 arrays.
    """
    import numpy as np

    from understudy.lang.graph import save_graph

    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "scores.npz", **scores)
    save_graph(graph, folder)


def decoded(decoder: str, folder: Path, limits: Limits, with_costs: bool = True) -> Decoded:
    """Run a decoder, "k2", "numpy" or "kaldi", on a case.

    Args:
        with_costs: ours is searched again for the costs of its paths, which it does not tell (not timed).
    """
    command = [sys.executable, __file__, decoder, str(folder), json.dumps(asdict(limits)), str(int(with_costs))]
    return Decoded(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))


# --- in the process of one decoder -----------------------------------------------------------------------------------


def kaldi(folder: Path, limits: Limits, _with_costs: bool = True) -> Decoded:
    """Kaldi's LatticeFasterDecoder, whose lattice is not determinised."""
    import kaldi_hmm_gmm as khg
    import kaldifst

    scores, before = _scores(folder), _memory_mb("VmRSS")
    fst = kaldifst.StdConstFst(kaldifst.StdVectorFst.read(str(folder / "HCLG.fst")))  # as Kaldi's graphs are
    known = json.loads((folder / "HCLG.json").read_text())
    config = khg.LatticeFasterDecoderConfig(
        beam=limits.search, lattice_beam=limits.output, max_active=limits.max_active, min_active=limits.min_active,
        determinize_lattice=False,
    )  # fmt: skip
    decoder, nothing = khg.LatticeFasterDecoderStdConstFst(fst, config), _transition_model()
    _reset_peak()
    begun = time.process_time()
    words, costs, empty = {}, {}, 0
    for name, frames in scores.items():
        # This "CTC" is nothing but a matrix of scores with labels from 1.
        found, _, said, score = khg.decode_utterance_lattice_faster(
            decoder, khg.DecodableCtc(frames), nothing, name, False
        )
        sequences, base = known["word_sequences"], known["sequence_base"]
        spoken = [sequences[w - base] if w >= base else [w] for w in said] if found else []
        words[name] = [word for each in spoken for word in each]
        costs[name] = -score if found else float("inf")
        empty += not found
    cpu = time.process_time() - begun
    return Decoded(words, costs, empty, 0, cpu, _memory_mb("VmHWM"), before)


def _transition_model() -> Any:
    """Any: our graph's labels are senones, which the decoder has no need to look up."""
    import kaldi_hmm_gmm as khg

    topology = khg.HmmTopology()
    topology.read(
        "<Topology> <TopologyEntry> <ForPhones> 1 </ForPhones> <State> 0 <PdfClass> 0 <Transition> 0 0.5 "
        "<Transition> 1 0.5 </State> <State> 1 </State> </TopologyEntry> </Topology>"
    )
    return khg.TransitionModel(khg.monophone_context_dependency([1], topology.get_phone_to_num_pdf_classes()), topology)


def k2(folder: Path, limits: Limits, with_costs: bool = True) -> Decoded:
    """Ours with k2."""
    return _ours("k2", folder, limits, with_costs)


def numpy(folder: Path, limits: Limits, with_costs: bool = True) -> Decoded:
    """Ours without k2."""
    return _ours("numpy", folder, limits, with_costs)


def _ours(engine: Any, folder: Path, limits: Limits, with_costs: bool) -> Decoded:
    """In the batches of `understudy.decode.batch`."""
    import torch

    from understudy.decode.options import Beams
    from understudy.decode.search import backend, search
    from understudy.lang.graph import load_graph

    torch.set_num_threads(1)
    backend(engine)
    scores = {name: torch.from_numpy(frames) for name, frames in _scores(folder).items()}
    before = _memory_mb("VmRSS")
    graph, beams = load_graph(folder), Beams(**asdict(limits))
    _reset_peak()
    begun = time.process_time()
    names, found = list(scores), []
    for batch in _batches(scores):
        found += search(graph, [scores[name] for name in batch], beams, engine)
    cpu, peak = time.process_time() - begun, _memory_mb("VmHWM")
    costs = {}
    for batch in _batches(scores) if with_costs else ():
        of_best = {"k2": _costs_k2, "numpy": _costs_numpy}[engine]
        costs |= dict(zip(batch, of_best(graph, [scores[name] for name in batch], beams), strict=True))
    words = {name: one.words for name, one in zip(names, found, strict=True)}
    empty, retried = sum(one.empty for one in found), sum(one.retried for one in found)
    return Decoded(words, costs, empty, retried, cpu, peak, before)


def _costs_k2(graph: Any, utterances: list[Any], beams: Any) -> list[float]:
    from understudy.decode.k2_search import lattices

    order = sorted(range(len(utterances)), key=lambda i: -len(utterances[i]))
    totals = lattices(graph, [utterances[i] for i in order], beams).get_tot_scores(True, False)
    costs = dict(zip(order, (-totals).tolist(), strict=True))
    return [costs[i] for i in range(len(utterances))]


def _costs_numpy(graph: Any, utterances: list[Any], beams: Any) -> list[float]:
    from understudy.decode.numpy_search import lattice

    found = [lattice(graph, scores, beams) for scores in utterances]
    return [-next(of.best((of.graph + of.acoustic)[None]))[1] if of else float("inf") for of in found]


def _batches(scores: Mapping[str, Any], frames: int = 6000) -> list[list[str]]:
    """Neighbours, of so many frames with those that fill up the shorter ones."""
    batches: list[list[str]] = []
    longest = 0
    for name, one in scores.items():
        if batches and max(longest, len(one)) * (len(batches[-1]) + 1) <= frames:
            batches[-1].append(name)
            longest = max(longest, len(one))
        else:
            batches.append([name])
            longest = len(one)
    return batches


def _scores(folder: Path) -> dict[str, Any]:
    import numpy as np

    with np.load(folder / "scores.npz") as file:
        return {name: file[name] for name in file.files}


def _memory_mb(field: str) -> float:
    """Of this process alone: what getrusage tells includes the one that started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    name, case, limits, with_costs = sys.argv[1:]
    run = {"k2": k2, "numpy": numpy, "kaldi": kaldi}[name]
    print(json.dumps(asdict(run(Path(case), Limits(**json.loads(limits)), with_costs == "1"))))
