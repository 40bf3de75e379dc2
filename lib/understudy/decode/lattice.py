"""Word lattices: the alternatives that a search kept, as an acyclic acceptor of word sequences with their costs.

They are deterministic: a word sequence has one path, whose cost is that of its best path through the search's lattice.
So n-best lists, oracle errors and rescoring are exact on what the search kept. Where that is too large, the beam around
the best path is narrowed until it fits, and this is logged.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import kaldifst
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from understudy.lang.graph_costs import GraphCosts, Ways
from understudy.lang.ngram import BEGIN, END, BackoffModel
from understudy.step import UserError, atomic_path, log

_DELTA = 1e-4  # nats; determinisation takes weights that differ by less for equal
# Limits, because the lattices of a poor model can be too large to determinise:
_MOST_ARCS = 30_000  # in the search's lattice, for one utterance
_MOST_STATES = 5000  # in the word lattice


@dataclass(frozen=True)
class WordLattice:
    """A word lattice: state 0 is the start; arcs lead to higher states and are sorted by their source."""

    arcs: np.ndarray
    """(arcs, 3) int32: source, target, word id"""
    costs: np.ndarray
    """(arcs,) float32, nats"""
    finals: Mapping[int, float]
    """final cost of each final state, nats"""

    @property
    def states(self) -> int:
        """Number of states."""
        return 1 + max([*self.finals, *self.arcs[:, 1].tolist()])

    def outgoing(self) -> list[list[tuple[int, int, float]]]:
        """Return (target, word, cost) of the arcs that leave each state."""
        out: list[list[tuple[int, int, float]]] = [[] for _ in range(self.states)]
        for (source, target, word), cost in zip(self.arcs.tolist(), self.costs.tolist(), strict=True):
            out[source].append((target, word, cost))
        return out


def determinised(table: list[list[int]], words: list[list[int]], costs: list[float], states: int) -> WordLattice:
    """Determinise a search's lattice: all of it, or the part within a beam that leaves few enough arcs and states.

    Args:
        table: source and target of each arc, in topological order, from state 0 to the highest, the only final one.
        words: word ids on each arc.
        costs: cost of each arc, nats.
        states: number of states.
    """
    behind = np.array(_behind_best(table, costs))
    beam = math.inf if len(behind) <= _MOST_ARCS else float(np.partition(behind, _MOST_ARCS)[_MOST_ARCS])
    while True:
        kept = np.flatnonzero(behind <= beam).tolist()
        fst = _acceptor([table[i] for i in kept], [words[i] for i in kept], [costs[i] for i in kept], states)
        try:
            kaldifst.determinize_star(fst, delta=_DELTA, max_states=_MOST_STATES)
        except RuntimeError:  # it gives up beyond max_states
            if beam == 0:
                raise
            beam = 0.75 * min(beam, 8.0) if beam > 0.01 else 0.0
            continue
        if len(kept) < len(behind):
            log.info(
                "a word lattice is too large: %d of %d arcs are kept, within %g nats", len(kept), len(behind), beam
            )
        return _read(fst)


def _behind_best(table: list[list[int]], costs: list[float]) -> list[float]:
    """Return, for each arc, the cost of the best path through it less that of the best path of all.

    Arcs are in topological order.
    """
    states = 1 + max(max(row) for row in table)
    before, after = [math.inf] * states, [math.inf] * states
    before[0] = after[-1] = 0.0
    for (source, target), cost in zip(table, costs):
        before[target] = min(before[target], before[source] + cost)
    for (source, target), cost in zip(reversed(table), reversed(costs)):
        after[source] = min(after[source], cost + after[target])
    return [before[s] + cost + after[t] - after[0] for (s, t), cost in zip(table, costs)]


def _acceptor(table: list[list[int]], words: list[list[int]], costs: list[float], states: int) -> kaldifst.StdVectorFst:
    """Return the lattice as an OpenFst acceptor: labels are word ids, 0 (epsilon) on an arc without words."""
    lines = []
    for (source, target), said, cost in zip(table, words, costs, strict=True):
        for word in said[:-1]:  # an arc of several words becomes several
            lines.append(f"{source} {states} {word} {word} {cost!r}")
            source, states, cost = states, states + 1, 0.0
        word = said[-1] if said else 0
        lines.append(f"{source} {target} {word} {word} {cost!r}")
    final = max(target for _, target in table)
    return kaldifst.compile("\n".join([*lines, str(final)]) + "\n")


def _read(fst: kaldifst.StdVectorFst) -> WordLattice:
    arcs, finals = [], {}
    for line in fst.to_str().splitlines():
        fields = line.split()
        cost = float(fields[-1]) if len(fields) in (2, 5) else 0.0
        if len(fields) <= 2:
            finals[int(fields[0])] = cost
        else:
            arcs.append((int(fields[0]), int(fields[1]), int(fields[2]), cost))
    return _in_order(arcs, finals, fst.start)


def _in_order(arcs: list[tuple[int, int, int, float]], finals: dict[int, float], start: int) -> WordLattice:
    """Return the lattice with states renumbered so that arcs lead to higher states."""
    number = _topological(start, arcs)
    rows = sorted((number[a], number[b], word, cost) for a, b, word, cost in arcs)
    return WordLattice(
        np.array([row[:3] for row in rows], np.int32).reshape(-1, 3), np.array([row[3] for row in rows], np.float32),
        {number[state]: cost for state, cost in finals.items()},
    )  # fmt: skip


def _topological(start: int, arcs: list[tuple[int, int, int, float]]) -> dict[int, int]:
    after: dict[int, list[int]] = {}
    waiting: dict[int, int] = {}
    for source, target, *_ in arcs:
        after.setdefault(source, []).append(target)
        waiting[target] = waiting.get(target, 0) + 1
    number: dict[int, int] = {}
    ready = [start]
    while ready:
        state = ready.pop()
        number[state] = len(number)
        for target in after.get(state, ()):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return number


def nbest(lattice: WordLattice, n: int) -> Iterator[tuple[list[int], float]]:
    """Return the n word sequences of least cost, best first, as (word ids, cost).

    Paths are extended in the order of their least total cost (A* search), which is known exactly from the least cost
    from each state to an end.
    """
    out, ahead = lattice.outgoing(), _ahead(lattice)
    queue: list[tuple[float, int, float, int, tuple]] = [(ahead[0], 0, 0.0, 0, ())]
    drawn = 0  # breaks ties by age, so that states are never compared
    while queue and n > 0:
        total, _, cost, state, path = heapq.heappop(queue)
        if state < 0:
            words = []
            while path:
                path, word = path
                words.append(word)
            yield words[::-1], total
            n -= 1
            continue
        steps: list[tuple[int, int | None, float, float]] = [
            (target, word, arc + ahead[target], arc) for target, word, arc in out[state]
        ]
        if state in lattice.finals:
            steps.append((-1, None, lattice.finals[state], lattice.finals[state]))
        for target, word, rest, arc in steps:
            if rest < math.inf:
                drawn += 1
                heapq.heappush(queue, (cost + rest, drawn, cost + arc, target, path if word is None else (path, word)))


def _ahead(lattice: WordLattice) -> list[float]:
    """Return the least cost from each state to an end."""
    ahead = [lattice.finals.get(state, math.inf) for state in range(lattice.states)]
    for (source, target, _), cost in zip(lattice.arcs[::-1].tolist(), lattice.costs[::-1].tolist(), strict=True):
        ahead[source] = min(ahead[source], cost + ahead[target])
    return ahead


def oracle_errors(lattice: WordLattice, reference: Sequence[int]) -> int:
    """Return the fewest word errors among the lattice's word sequences."""
    place, words = np.arange(len(reference) + 1), np.array(reference, np.int64)
    fewest = np.full((lattice.states, len(reference) + 1), np.iinfo(np.int32).max // 2)
    fewest[0] = place
    for source, target, word in lattice.arcs.tolist():
        step = fewest[source] + 1  # inserted
        step[1:] = np.minimum(step[1:], fewest[source, :-1] + (words != word))
        step = np.minimum(fewest[target], step)
        fewest[target] = np.minimum.accumulate(step - place) + place  # reference words left out
    return int(min(fewest[state, -1] for state in lattice.finals))


def oracle(
    lattices: Mapping[str, WordLattice | None], references: Mapping[str, Sequence[str]], word_ids: Mapping[str, int]
) -> dict[str, float]:
    """Return the oracle WER in % and the lattice density, arcs for each reference word, under their result names."""
    wrong = total = arcs = 0
    for name, lattice in lattices.items():
        reference = [word_ids.get(word, -1) for word in references[name]]  # an unknown word matches no other
        total += len(reference)
        wrong += oracle_errors(lattice, reference) if lattice else len(reference)
        arcs += len(lattice.arcs) if lattice else 0
    return {
        "oracle_wer": round(100 * wrong / max(total, 1), 3),
        "lattice_arcs_per_word": round(arcs / max(total, 1), 2),
    }


@dataclass(frozen=True)
class Rescoring:
    """Rescoring with another language model in place of the graph's."""

    old: BackoffModel
    """language model of the graph: what the graph charges for a sequence (`GraphCosts`) is subtracted"""
    new: BackoffModel
    words: Sequence[str]
    """words by id"""
    weight: float = 1.0
    """0 keeps the old model, 1 takes the new one, a value between interpolates them log-linearly"""

    def __call__(self, lattice: WordLattice) -> WordLattice:
        """Return the rescored lattice; states are split by their history, as far as the models look back.

        A word that the new model lacks keeps its cost under the old one.
        """
        out, reach = lattice.outgoing(), max(self.new.order - 1, 0)
        numbers: dict[tuple[int, tuple[str, ...], Ways], int] = {(0, (BEGIN,)[:reach], self._graph.start): 0}
        arcs, finals = [], {}
        for state, history, ways in (todo := list(numbers)):
            here = numbers[state, history, ways]
            if state in lattice.finals:
                finals[here] = lattice.finals[state] + self._change(END, history, self._graph.end(ways))
            for target, word, cost in out[state]:
                text = self.words[word]
                charged, after = self._graph.step(ways, text)
                key = (target, (*history, text)[-reach:] if reach else (), after)
                if key not in numbers:
                    numbers[key] = len(numbers)
                    todo.append(key)
                arcs.append((here, numbers[key], word, cost + self._change(text, history, charged)))
        return _in_order(arcs, finals, 0)

    @cached_property
    def _graph(self) -> GraphCosts:
        return GraphCosts(self.old)

    def best(self, lattice: WordLattice, n: int) -> list[int]:
        """Return the word ids of the best sequence after rescoring, among the lattice's n best or, with n = 0, all."""
        if n < 1:
            return next(nbest(self(lattice), 1))[0]
        return min(nbest(lattice, n), key=lambda found: found[1] + self.change(found[0]))[0]

    def change(self, sequence: Sequence[int]) -> float:
        """Return what rescoring adds to the cost of a whole sequence of word ids, nats."""
        history, ways, total = [BEGIN], self._graph.start, 0.0
        for word in (self.words[word] for word in sequence):
            charged, ways = self._graph.step(ways, word)
            total += self._change(word, history, charged)
            history.append(word)
        return total + self._change(END, history, self._graph.end(ways))

    def _change(self, word: str, history: Sequence[str], charged: float) -> float:
        """Return what rescoring adds to the cost of a word; `charged` is its cost in the graph, nats."""
        new = self.new.log_prob(word, history)
        return 0.0 if new == -math.inf else self.weight * (-charged - new)


def save_lattices(path: Path, lattices: Mapping[str, WordLattice | None]) -> None:
    """Write lattices by utterance, atomically."""
    kept = {name: lattice for name, lattice in lattices.items() if lattice is not None}
    tensors = {
        "arcs": np.concatenate([np.zeros((0, 3), np.int32), *(one.arcs for one in kept.values())]),
        "costs": np.concatenate([np.zeros(0, np.float32), *(one.costs for one in kept.values())]),
        "final_states": np.array([s for one in kept.values() for s in one.finals], np.int32),
        "final_costs": np.array([c for one in kept.values() for c in one.finals.values()], np.float32),
        "sizes": np.array([(len(o.arcs), len(o.finals)) if o else (0, 0) for o in lattices.values()], np.int32),
    }
    with atomic_path(path) as partial:
        names = {"utterances": "\n".join(lattices)}
        save_file({k: torch.from_numpy(v) for k, v in tensors.items()}, str(partial), metadata=names)


def load_lattices(path: Path) -> dict[str, WordLattice | None]:
    """Read what `save_lattices` wrote.

    Raises:
        UserError: the file is missing or not such a file.
    """
    if not path.exists():
        raise UserError(f"{path}: no such lattices. Decode with steps/decode.py --lattices true.")
    try:
        with safe_open(str(path), framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
            names = file.metadata()["utterances"].split("\n")
        arcs, finals, found = 0, 0, {}
        for name, (many, ends) in zip(names, tensors["sizes"].tolist(), strict=True):
            rows, last = slice(arcs, arcs + many), slice(finals, finals + ends)
            states = tensors["final_states"][last].tolist()
            costs = tensors["final_costs"][last].tolist()
            found[name] = (
                WordLattice(tensors["arcs"][rows], tensors["costs"][rows], dict(zip(states, costs))) if ends else None
            )
            arcs, finals = arcs + many, finals + ends
        return found
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise UserError(f"{path}: not lattices of this project ({error}). Decode again.") from error
