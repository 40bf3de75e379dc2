"""Alignment graphs: every way to pronounce one transcript, as HMM states with their predecessors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from understudy.lang.phone_graph import phone_graph

Labeller = Callable[[int, int, int, int], int]
"""(left phone, phone, right phone, pdf-class) to the column of the score matrix; 0 is no phone."""


@dataclass
class Topology:
    """States of one phone, left to right.

    `loops[s]` says whether state s may be repeated; every state is visited, `skippable` ones may be passed over.
    """

    loops: tuple[bool, ...]
    skippable: tuple[bool, ...]


THREE_STATE = Topology((True, True, True), (False, False, False))
"""10 ms frames: three states, each at least one frame (Kaldi's monophone topology)."""
ENTRY_LOOP = Topology((False, True), (False, True))
"""30 ms frames: the first frame of a phone, then any number of others (Kaldi's chain topology)."""


@dataclass
class AlignmentGraph:
    """States of one utterance; the self-loop is among the predecessors."""

    labels: np.ndarray
    """(states,) column of the score matrix that a state emits."""
    phones: np.ndarray
    """(states,) phone of a state."""
    instances: np.ndarray
    """(states,) the phone in the transcript's graph that a state belongs to, to tell repeated phones apart."""
    predecessors: list[list[int]]
    starts: np.ndarray
    """(states,) bool."""
    ends: np.ndarray
    """(states,) bool."""
    contexts: np.ndarray
    """(states, 4): left phone, phone, right phone, pdf-class."""


def alignment_graph(
    pronunciations: list[list[list[int]]], silence: int, topology: Topology, label: Labeller, context: bool = True
) -> AlignmentGraph:
    """Expand a transcript to HMM states, context-dependent across words and silence.

    Args:
        pronunciations: per word its alternatives, each a list of phone ids.
        silence: phone id of the optional silence.
        context: False gives one copy of each phone, with 0 for its neighbours (monophones).
    """
    phones, before, starts, ends = phone_graph(pronunciations, silence)
    # A unit is a phone between two given neighbours (-1: the utterance's edge).
    units, into = _triples(before, starts, ends) if context else _singles(before)
    number = {unit: i for i, unit in enumerate(units)}
    size = len(topology.loops)
    exits = [s for s in range(size) if all(topology.skippable[s + 1 :])]
    total = len(units) * size
    graph = AlignmentGraph(
        np.zeros(total, np.int64), np.zeros(total, np.int64), np.zeros(total, np.int64), [[] for _ in range(total)],
        np.zeros(total, bool), np.zeros(total, bool), np.zeros((total, 4), np.int64),
    )  # fmt: skip
    for (a, b, c), i in number.items():
        neighbours = [phones[n] if n >= 0 else 0 for n in (a, c)]
        for s in range(size):
            state = i * size + s
            graph.contexts[state] = (neighbours[0], phones[b], neighbours[1], s)
            graph.labels[state] = label(*graph.contexts[state].tolist())
            graph.phones[state], graph.instances[state] = phones[b], b
            if s == 0:
                graph.starts[state] = b in starts and a == -1
                graph.predecessors[state] += [number[unit] * size + e for unit in into(a, b) for e in exits]
            else:
                graph.predecessors[state].append(state - 1)
            if topology.loops[s]:
                graph.predecessors[state].append(state)
            graph.ends[state] = b in ends and c == -1 and s in exits
    return graph


def _triples(before: list[set[int]], starts: set[int], ends: set[int]):
    after: list[set[int]] = [set() for _ in before]
    for node, preceding in enumerate(before):
        for p in preceding:
            after[p].add(node)
    units = [
        (a, b, c)
        for b in range(len(before))
        for a in [*sorted(before[b]), *([-1] if b in starts else [])]
        for c in [*sorted(after[b]), *([-1] if b in ends else [])]
    ]
    into: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for a, b, c in units:
        into.setdefault((b, c), []).append((a, b, c))
    return units, lambda a, b: into.get((a, b), []) if a >= 0 else []


def _singles(before: list[set[int]]):
    units = [(-1, b, -1) for b in range(len(before))]
    return units, lambda _a, b: [(-1, p, -1) for p in sorted(before[b])]
