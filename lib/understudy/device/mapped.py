"""A large decoding graph as two files that are mapped into memory: what no search reaches stays on the disk.

`arcs.npy` and `states.npy` are in numpy's own format, 12 bytes an arc and 8 a state. Costs are rounded to 1/1024 nat,
as OpenFst rounds them when it minimises.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .best_path import Beams, OutputWords
from .decoding_graph import DecodingGraph
from .errors import DeviceError
from .files import ARCS, STATES
from .graph_arcs import FINAL, Arcs, Sequences
from .net import ArrayNet, Taken
from .token_path import TokenPathSearch

_ARC = np.dtype([("target", "<u4"), ("output", "<u4"), ("senone", "<u2"), ("cost", "<i2")])
_STATE = np.dtype([("begin", "<u4"), ("silent", "<u2"), ("final", "<i2")])
"""a state's first arc, its number of epsilons, and its cost of ending; one more record marks where the arcs end"""
_STEPS = 1024  # of a nat
_MOST = 2**15 - 2  # steps: arcs that cost more than 32 nats are on no path that is found
_NO_END = 2**15 - 1
_BLOCK = 1 << 15  # arcs or states checked at a time: the process keeps the memory of larger blocks


class MappedGraph(OutputWords):
    """A mapped graph, and what its output numbers mean."""

    def __init__(self, folder: Path, words: list[str], base: int, sequences: list[list[int]], senones: int) -> None:
        """Map the files of a folder.

        Args:
            words: text of each word id.
            base: numbers from here on stand for `sequences` of words.
            senones: how many the network has.

        Raises:
            DeviceError: the files cannot be read, or refer to states, senones or words that do not exist.
        """
        super().__init__(words, base, sequences)
        arcs, states = _read(folder / ARCS, _ARC), _read(folder / STATES, _STATE)
        if not self.of_real_words():
            raise DeviceError(f"{folder}: has sequences of more than the {len(words)} words. Copy the folder again.")
        _check_states(folder / STATES, len(arcs))
        _check_arcs(folder / ARCS, len(states) - 1, base + len(sequences), senones)
        self.net = MappedNet(arcs, states, self.sequences)

    def search(self, beams: Beams) -> TokenPathSearch:
        """Begin the search of an utterance."""
        return TokenPathSearch(self.net, beams)


def write_mapped(graph: DecodingGraph, folder: Path) -> None:
    """Write a graph to both files.

    Args:
        graph: its final arcs have no words, as in any graph with epsilons.

    Raises:
        ValueError: they have; or a senone, or the number of a state's epsilons, does not fit into 16 bits.
    """
    net = ArrayNet.of(graph)
    every, silent = net.every, np.zeros(graph.states, np.int64) if net.silent is None else net.silent
    if net.final_outputs.any() or max(every.senones.max(initial=0), silent.max(initial=0)) > 0xFFFF:
        raise ValueError("words on final arcs, or numbers beyond 16 bits")
    arcs, states = np.zeros(len(every.targets), _ARC), np.zeros(graph.states + 1, _STATE)
    arcs["target"], arcs["output"], arcs["senone"] = every.targets, every.outputs, every.senones.clip(0)
    arcs["cost"] = _in_steps(every.costs)
    ending = np.isfinite(net.final_costs)
    states["begin"], states["silent"][:-1] = net.begins, silent
    states["final"][:-1] = np.where(ending, _in_steps(np.where(ending, net.final_costs, 0)), _NO_END)
    for name, column in ((ARCS, arcs), (STATES, states)):
        np.save(folder / name, column)


def read_mapped(folder: Path, word_sequences: list[tuple[int, ...]], sequence_base: int) -> DecodingGraph:
    """The graph that `write_mapped` wrote, as arrays.

    Raises:
        DeviceError: the files cannot be read.
    """
    arcs, states = _read(folder / ARCS, _ARC), _read(folder / STATES, _STATE)
    _check_states(folder / STATES, len(arcs))
    net, count = MappedNet(arcs, states, Sequences(sequence_base)), len(states) - 1
    every = np.arange(count)
    begins, spoken = net.epsilons(every)
    sources, (final_costs, _) = np.repeat(every, np.diff(begins, append=len(arcs))), net.ends(every)
    ends = np.flatnonzero(np.isfinite(final_costs))
    labels = np.where(np.arange(len(arcs)) < spoken[sources], 0, arcs["senone"] + np.int32(1))
    inner = Arcs.of(sources, arcs["target"], labels, arcs["output"], _nats(arcs["cost"]))
    final = Arcs.of(ends, 0 * ends, 0 * ends + FINAL, 0 * ends, final_costs[ends])
    return DecodingGraph.of(Arcs.joined([inner, final]), word_sequences, sequence_base)


def _in_steps(costs: np.ndarray) -> np.ndarray:
    return np.rint(costs * _STEPS).clip(-_MOST, _MOST)


class MappedNet:
    """A `Net` whose arrays are mapped."""

    def __init__(self, arcs: np.ndarray, states: np.ndarray, sequences: Sequences) -> None:
        # Plain numbers of the same size: numpy takes parts of these several times as fast as of records or np.memmap.
        self._arcs = np.asarray(arcs).view("<u4").reshape(-1, _ARC.itemsize // 4)
        self._states = np.asarray(states).view("<u8")
        self.sequences = sequences

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self._states) - 1

    def _of(self, states: np.ndarray) -> np.ndarray:
        return self._states[states].view(_STATE)

    def arcs(self, which: np.ndarray) -> Taken:
        """See `Net`."""
        return _TakenOfRecords(self._arcs.take(which, 0).view(_ARC)[:, 0])

    def epsilons(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Net`."""
        found = self._of(states)
        begins = found["begin"].astype(np.int64)
        return begins, begins + found["silent"]

    def with_input(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Net`."""
        return self.epsilons(states)[1], self._of(states + 1)["begin"].astype(np.int64)

    def ends(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Net`."""
        steps = self._of(states)["final"]
        return np.where(steps == _NO_END, np.float32(np.inf), _nats(steps)), np.zeros(len(steps), np.int64)


class _TakenOfRecords:
    def __init__(self, records: np.ndarray) -> None:
        self._records = records

    @property
    def costs(self) -> np.ndarray:
        return _nats(self._records["cost"])

    @property
    def senones(self) -> np.ndarray:
        return self._records["senone"]

    def targets(self, kept: np.ndarray) -> np.ndarray:
        return self._records["target"][kept].astype(np.int64)

    def outputs(self, kept: np.ndarray) -> np.ndarray:
        return self._records["output"][kept]


def _nats(steps: np.ndarray) -> np.ndarray:
    return steps * np.float32(1 / _STEPS)


def _read(path: Path, kind: np.dtype) -> np.ndarray:
    """Map a file. Raises DeviceError if it does not hold such records."""
    try:
        found = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise DeviceError(f"{path}: cannot be read ({error}). Export the graph again.") from None
    if found.dtype != kind or found.ndim != 1 or not len(found):
        raise DeviceError(f"{path}: holds {found.dtype}, which is no part of a graph. Export the graph again.")
    return found


def _blocks(path: Path, kind: np.dtype) -> Iterator[np.ndarray]:
    """Yield the rows of a file, read and not mapped, so that they do not stay in memory."""
    with path.open("rb") as file:
        file.seek(np.load(path, mmap_mode="r").offset)
        while len(block := np.fromfile(file, kind, _BLOCK)):
            yield block


def _check_states(path: Path, arcs: int) -> None:
    """Check that each state's arcs follow those of the state before, and are at least as many as its epsilons."""
    end = silent = 0
    for number, block in enumerate(_blocks(path, _STATE)):
        begins = np.append(end, block["begin"].astype(np.int64))
        if (not number and begins[1]) or (np.diff(begins) < np.append(silent, block["silent"][:-1])).any():
            break
        end, silent = int(begins[-1]), int(block["silent"][-1])
    else:
        if end == arcs:
            return
    raise DeviceError(f"{path}: tells of other arcs than the {arcs} of {ARCS}. Copy the folder again.")


def _check_arcs(path: Path, states: int, outputs: int, senones: int) -> None:
    for block in _blocks(path, _ARC):
        for name, what, count in (("target", "state", states), ("senone", "senone", senones),
                                  ("output", "word", outputs)):  # fmt: skip
            if (largest := int(block[name].max())) >= count:
                raise DeviceError(
                    f"{path}: has arcs of {what} {largest}, and there are {count}. Export network and graph from "
                    "one recipe."
                )
