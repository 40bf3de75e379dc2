"""Insertion of words into the places of a graph (`places`): the result is the graph that composing them would give.

Each phone of a word is an arc that knows both neighbours; the place gives those of the first and the last phone beside
the word. The words of a place form a prefix tree, and what follows their last phone is shared by all that end alike.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from . import topology
from .decoding_graph import FINAL, DecodingGraph
from .graph_arcs import Sequences, reachable
from .places import ENTER, LEAVE, Mark, Places
from .vocabulary import ContextTree

SHORTEST = 2
"""least number of phones in a word: its first and its last are two"""

Said = tuple[int, ...]


class Spoken(NamedTuple):
    """A pronunciation of a word."""

    word: int
    """word id"""
    phones: tuple[int, ...]
    """phone ids, two or more"""
    cost: float
    """nats: −log of its share in its class"""


class _Arc(NamedTuple):
    target: int
    said: int
    cost: float


class _Into(NamedTuple):
    """An arc to the first phone of a word."""

    source: int
    left: int
    said: Said
    cost: float


@dataclass
class _Branch:
    """The words of a class that begin with the same phone."""

    begins: dict[int, float] = field(default_factory=dict)
    """by second phone, the least cost of its words"""
    inner: list[tuple[int, int, int, float]] = field(default_factory=list)
    """arcs between nodes: source, target, label and cost; a node has the self-loop of the phone that enters it"""
    loops: list[int] = field(default_factory=list)
    """label of each node's self-loop"""
    first: dict[int, list[tuple[int, int, float]]] = field(default_factory=lambda: defaultdict(list))
    """by second phone, arcs to the nodes after it: node, label and cost"""
    leaves: list[tuple[int, tuple[int, int, int], int, int, float]] = field(default_factory=list)
    """arcs of the last phone but one: node or −1 − second phone, (it, last phone, loop label), label, word, cost"""
    pairs: list[tuple[int, int, float]] = field(default_factory=list)
    """words of two phones: second phone, word and cost"""


def splice(
    graph: DecodingGraph, places: Places, words: Mapping[str, Sequence[Spoken]], tree: ContextTree
) -> DecodingGraph:
    """Return the graph with words set into its places.

    Args:
        words: pronunciations of each class's words; a class without words stays closed.
    """
    return _Splicing(graph, places, words, tree).done()


class _Splicing:
    def __init__(
        self, graph: DecodingGraph, places: Places, words: Mapping[str, Sequence[Spoken]], tree: ContextTree
    ) -> None:
        self._graph, self._places, self._tree = graph, places, tree
        self._words = {n: words[name] for n, name in enumerate(places.names) if words.get(name)}
        self._enter_cost, self._loop_cost = topology.costs()
        self._states = max(places.states, int(places.table[:, :2].max(initial=0)) + 1)
        self._sequences = Sequences(graph.sequence_base, graph.word_sequences)
        self._arcs: list[tuple[int, int, int, int, float]] = []
        """source, target, label, output and cost, that of the topology included"""
        self._loops: dict[int, int] = {}
        """label of the self-loop of each new state"""
        self._after: dict[int, dict[int, int]] = defaultdict(dict)
        """for each state of the places after a word: its copies, by the loop label of the word's last phone"""
        self._before: dict[tuple[int, int, int, int], int] = {}
        """state before a last phone, by state of the places, the phone before it, it, and the loop label"""
        self._sort()

    def _sort(self) -> None:
        """Sort the places' arcs by kind."""
        self._into: dict[int, list[_Into]] = defaultdict(list)
        self._through: dict[int, dict[int, _Arc]] = defaultdict(dict)
        self._leave: dict[int, list[tuple[Mark, _Arc]]] = defaultdict(list)
        self._enter: dict[int, tuple[int, int]] = {}
        """class and first phone of the words that a state leads to"""
        marks = [Mark(*row) for row in self._places.marks.tolist()]
        for (source, target, label, said), cost in zip(self._places.table.tolist(), self._places.costs.tolist()):
            if label > 0:
                self._arcs.append((source, target, label, self._sequences.number(self._places.said[said]), cost))
                continue
            mark, arc = marks[-1 - label], _Arc(target, said, cost)
            if mark.kind == ENTER:
                self._enter[target] = mark.place, mark.right
                self._into[target].append(_Into(source, mark.left, self._places.said[said], cost))
            elif mark.kind == LEAVE:
                self._leave[source].append((mark, arc))
            elif self._through[source].setdefault(mark.right, arc) is not arc:
                raise RuntimeError(f"state {source} of the places has two arcs to a word's last phone {mark.right}")

    def done(self) -> DecodingGraph:
        branches = {place: self._branches(words) for place, words in self._words.items()}
        for state in sorted(self._through):
            place, first = self._enter[state]
            if branch := branches.get(place, {}).get(first):
                self._grow(state, first, branch)
        ends = self._go_on()
        self._arcs += [(state, state, label, 0, self._loop_cost) for state, label in self._loops.items()]
        return self._whole(ends)

    # --- words of a class ---

    def _branches(self, words: Sequence[Spoken]) -> dict[int, _Branch]:
        by_first: dict[int, list[Spoken]] = defaultdict(list)
        for one in words:
            by_first[one.phones[0]].append(one)
        return {first: self._branch(of) for first, of in by_first.items()}

    def _branch(self, words: Sequence[Spoken]) -> _Branch:
        least: dict[tuple[int, ...], float] = {}
        for one in words:
            for length in range(2, len(one.phones)):
                here = one.phones[:length]
                least[here] = min(one.cost, least.get(here, math.inf))
            if len(one.phones) == SHORTEST:
                least.setdefault(one.phones, math.inf)
        branch, nodes = _Branch(), {}
        for one in words:
            phones, last = one.phones, len(one.phones) - 1
            if last == 1:
                branch.pairs.append((phones[1], one.word, one.cost))
                continue
            branch.begins[phones[1]] = least[phones[:2]]
            node, cost = -1 - phones[1], least[phones[:2]]
            for at in range(1, last - 1):
                prefix = phones[: at + 2]
                if prefix not in nodes:
                    label, loop = self._labels(phones[at - 1], phones[at], phones[at + 1])
                    nodes[prefix] = len(branch.loops)
                    branch.loops.append(loop)
                    step = (nodes[prefix], label, least[prefix] - cost)
                    if node < 0:
                        branch.first[phones[1]].append(step)
                    else:
                        branch.inner.append((node, *step))
                node, cost = nodes[prefix], least[prefix]
            label, loop = self._labels(phones[last - 2], phones[last - 1], phones[last])
            branch.leaves.append((node, (phones[last - 1], phones[last], loop), label, one.word, one.cost - cost))
        return branch

    # --- words in a place ---

    def _grow(self, state: int, first: int, branch: _Branch) -> None:
        """Set the words of a branch between all phones that may precede and follow them."""
        offset, self._states = self._states, self._states + len(branch.loops)
        self._loops.update(enumerate(branch.loops, offset))
        for source, target, label, cost in branch.inner:
            self._say(source + offset, target + offset, label, (), cost)
        begun: dict[int, dict[int, int]] = defaultdict(dict)  # by second phone and loop
        for into in self._into[state]:
            for second, cost in branch.begins.items():
                label, loop = self._labels(into.left, first, second)
                if loop not in begun[second]:
                    begun[second][loop] = self._new(loop)
                self._say(into.source, begun[second][loop], label, into.said, into.cost + cost)
            for second, word, cost in branch.pairs:
                label, loop = self._labels(into.left, first, second)
                target, said, more = self._ending(state, first, second, loop)
                self._say(into.source, target, label, (*into.said, *said, word), into.cost + cost + more)
        for second, of in begun.items():
            for source in of.values():
                for node, label, cost in branch.first[second]:
                    self._say(source, node + offset, label, (), cost)
        for node, (before, last, loop), label, word, cost in branch.leaves:
            target, said, more = self._ending(state, before, last, loop)
            for source in begun[-1 - node].values() if node < 0 else (node + offset,):
                self._say(source, target, label, (*said, word), cost + more)

    def _ending(self, state: int, before: int, last: int, loop: int) -> tuple[int, Said, float]:
        """Return the state before a word's last phone, what is said on the way there, and the cost of this way."""
        through = self._through[state][last]
        key = (through.target, before, last, loop)
        if key not in self._before:
            self._before[key] = self._new(loop)
            for mark, arc in self._leave[through.target]:
                label, own = self._labels(before, last, mark.right)
                if own not in self._after[arc.target]:
                    self._after[arc.target][own] = self._new(own)
                self._say(self._before[key], self._after[arc.target][own], label, self._places.said[arc.said], arc.cost)
        return self._before[key], self._places.said[through.said], through.cost

    def _go_on(self) -> list[tuple[int, int, float]]:
        """Give all copies of a state after a word its arcs and ends, and return all ends."""
        table, places = self._graph, self._places
        ways, closed = defaultdict(list), defaultdict(list)
        for arc in self._arcs:
            if arc[0] in self._after:
                ways[arc[0]].append(arc[1:])
        ends = [(state, self._sequences.number(places.said[said]) or FINAL, cost)
                for (state, said), cost in zip(places.ends.tolist(), places.end_costs.tolist())]  # fmt: skip
        for state in (state for state in self._after if state < places.states):  # that is, the start
            for n in np.flatnonzero(table.sources == state).tolist():
                target, label, output, score = (
                    column[n].item() for column in (table.targets, table.labels, table.outputs, table.scores)
                )
                if label == FINAL:
                    closed[state].append((output, -score))
                else:
                    ways[state].append((target, label, output, -score))
        for state, output, cost in ends:
            closed[state].append((output, cost))
        for state, copies in self._after.items():
            self._arcs += [(copy, *way) for copy in copies.values() for way in ways[state]]
            ends += [(copy, *end) for copy in copies.values() for end in closed[state]]
        return ends

    # --- states and arcs ---

    def _labels(self, left: int, centre: int, right: int) -> tuple[int, int]:
        """Return the labels (senone + 1) of a phone's first frame and of its others."""
        senone = self._tree.senone
        return senone(left, centre, right, topology.ENTRY) + 1, senone(left, centre, right, topology.LOOP) + 1

    def _new(self, loop: int) -> int:
        self._states += 1
        self._loops[self._states - 1] = loop
        return self._states - 1

    def _say(self, source: int, target: int, label: int, said: Said, cost: float) -> None:
        """Add the arc of a word's phone."""
        self._arcs.append((source, target, label, self._sequences.number(said), cost + self._enter_cost))

    # --- the whole ---

    def _whole(self, ends: list[tuple[int, int, float]]) -> DecodingGraph:
        graph, end = self._graph, self._states
        heads = np.array([arc[:4] for arc in self._arcs], np.int64).reshape(-1, 4)
        useful = self._useful(heads[:, 0], heads[:, 1], [state for state, *_ in ends])
        arcs, costs = heads[useful], np.array([arc[4] for arc in self._arcs])[useful]
        final = graph.labels == FINAL
        closed = np.array([(state, end, FINAL, output) for state, output, _ in ends], np.int64).reshape(-1, 4)
        ours = np.stack([graph.sources, np.where(final, end, graph.targets), graph.labels, graph.outputs], 1)
        scores = [graph.scores, -costs, -np.array([cost for *_, cost in ends])]
        rows, sequences = np.concatenate([ours, arcs, closed]), self._sequences.known
        return DecodingGraph.of_table(rows, np.concatenate(scores), sequences, graph.sequence_base)

    def _useful(self, sources: np.ndarray, targets: np.ndarray, ends: list[int]) -> np.ndarray:
        """Return (arcs,) whether each is on a path from the graph back to it or to an end."""
        graph = np.arange(self._places.states)
        ahead = reachable(sources, targets, graph, self._states)
        behind = reachable(targets, sources, np.append(graph, np.array(ends, np.int64)), self._states)
        return ahead[sources] & behind[targets]
