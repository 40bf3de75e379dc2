"""Composition of H∘C∘L∘G with OpenFst, into the arrays of a decoding graph (`decoding_graph`).

A recipe builds the graph of an n-gram with it; a device, that of a few commands.

Source: Mohri, Pereira, Riley, "Speech recognition with weighted finite-state transducers", 2008; the
order of operations is Kaldi's.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# kaldifst brings OpenFst along, and hangs where it is imported after some other packages (soundfile, kaldi_decoder):
# only modules that build graphs import it.
import kaldifst
import numpy as np

from . import topology
from .decoding_graph import DecodingGraph
from .graph_arcs import FINAL, Arcs, ranges, with_one_end_each, without_input_epsilons
from .openfst import read_fst, to_bytes
from .places import ENTER, LEAVE, THROUGH, Alike, Mark, Places, split
from .vocabulary import ContextTree, Vocabulary

SILENCE_PROBABILITY = 0.5


def compile_graph(
    lexicon: Vocabulary,
    grammar: Any,
    tree: ContextTree,
    *,
    silence_probability: float = SILENCE_PROBABILITY,
    loop_probability: float = topology.LOOP_PROBABILITY,
) -> DecodingGraph | None:
    """Compile the decoding graph of a grammar.

    Args:
        grammar: G, a kaldifst.StdVectorFst of word ids, sorted by input label; the lexicon's word `#0` is back-off.

    Returns:
        The graph, without epsilons; None: the grammar has no sentence of words in the lexicon.
    """
    pairs = _Pairs()
    arcs = _compiled(lexicon, grammar, tree, pairs, silence_probability)
    return None if arcs is None else _without_epsilons(arcs, lexicon, pairs, loop_probability)


def compile_both(
    lexicon: Vocabulary,
    grammar: Any,
    tree: ContextTree,
    *,
    silence_probability: float = SILENCE_PROBABILITY,
    loop_probability: float = topology.LOOP_PROBABILITY,
) -> tuple[DecodingGraph, DecodingGraph] | None:
    """Compile the graph with epsilons, several times smaller for a large vocabulary, and the one of `compile_graph`."""
    pairs = _Pairs()
    arcs = _compiled(lexicon, grammar, tree, pairs, silence_probability)
    if arcs is None:
        return None
    small = DecodingGraph.of(add_loops(arcs, pairs.entry, pairs.loop, loop_probability), [], len(lexicon.words))
    return small, _without_epsilons(arcs, lexicon, pairs, loop_probability)


def _without_epsilons(arcs: Arcs, lexicon: Vocabulary, pairs: _Pairs, loop_probability: float) -> DecodingGraph:
    found, sequences = _spoken(arcs, lexicon, pairs, loop_probability)
    return DecodingGraph.of(found, sequences, len(lexicon.words))


def compile_with_places(
    lexicon: Vocabulary,
    grammar: Any,
    tree: ContextTree,
    classes: Sequence[str],
    *,
    silence_probability: float = SILENCE_PROBABILITY,
    loop_probability: float = topology.LOOP_PROBABILITY,
) -> tuple[DecodingGraph | None, Places]:
    """Compile the graph of a grammar with classes, see `compile_graph`, and the places in it.

    Args:
        grammar: the ids of classes, as input labels, follow those of the lexicon; they have no output.
        classes: names of the classes.
    """
    words = len(lexicon.words)
    pairs = _Pairs([phone for phone in range(1, len(lexicon.phones)) if phone != lexicon.silence])
    ids = range(words, words + len(classes))
    arcs, sequences = _compiled(lexicon, grammar, tree, pairs, silence_probability, ids), list[tuple[int, ...]]()
    if arcs is None:
        arcs = Arcs.of([], [], [], [], [])
    else:
        arcs, sequences = _spoken(arcs, lexicon, pairs, loop_probability)
    return split(arcs, sequences, words, pairs.marks, list(classes))


def _compiled(
    lexicon: Vocabulary, grammar: Any, tree: ContextTree, pairs: _Pairs, silence_probability: float,
    classes: Sequence[int] = (),
) -> Arcs | None:  # fmt: skip
    """Return arcs of pair ids, with epsilons and without self-loops; `classes`: word id of each class.

    One variable holds the automaton at all stages, so that no two are in memory: of 65 000 words, each takes gigabytes.
    """
    symbols = _Symbols.of(lexicon, len(classes))
    fst = kaldifst.compose(_lexicon_fst(lexicon, symbols, silence_probability, classes), grammar)
    if fst.num_states == 0:
        return None
    kaldifst.determinize_star(fst)
    kaldifst.minimize_encoded(fst)
    kaldifst.arcsort(fst, "ilabel")
    # Where senones depend on the left phone alone, the right one is not needed, unless a mark may stand there.
    width = 3 if tree.asks_right or classes else 2
    fst, contexts = kaldifst.compose_context(symbols.phones, width, 1, fst)
    kaldifst.arcsort(fst, "ilabel")
    h, drop = _h(contexts, tree, pairs, symbols.marks)
    fst = kaldifst.compose(h, fst)
    kaldifst.determinize_star(fst)
    kaldifst.arcsort(fst, "ilabel")
    fst = kaldifst.compose(drop, fst)
    kaldifst.minimize_encoded(fst)
    return _arcs(fst)


def _spoken(
    arcs: Arcs, lexicon: Vocabulary, pairs: _Pairs, loop_probability: float
) -> tuple[Arcs, list[tuple[int, ...]]]:
    """Return compiled arcs without epsilons and with self-loops, and their sequences of words."""
    arcs, sequences = without_input_epsilons(arcs, len(lexicon.words))
    return add_loops(with_one_end_each(_minimized(arcs)), pairs.entry, pairs.loop, loop_probability), sequences


# --- L and G -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Symbols:
    """Phone-side ids of disambiguation symbols (#0: back-off, #1..: homophones, the last: silence) and of marks."""

    phones: list[int]
    marks: list[int]
    """mark of each class"""

    @classmethod
    def of(cls, lexicon: Vocabulary, classes: int) -> _Symbols:
        most = max(_homophones(lexicon).values(), default=0)
        first, marks = len(lexicon.phones), len(lexicon.phones) + most + 2
        return cls(list(range(first, marks)), list(range(marks, marks + classes)))

    @property
    def backoff(self) -> int:
        return self.phones[0]

    @property
    def silence(self) -> int:
        return self.phones[-1]


def _homophones(lexicon: Vocabulary) -> dict[tuple[int, ...], int]:
    """Return how many words have each pronunciation that needs a symbol: it is shared, or another begins with it."""
    counts: dict[tuple[int, ...], int] = {}
    prefixes: set[tuple[int, ...]] = set()
    for prons in lexicon.pronunciations.values():
        for pron in prons:
            counts[pron] = counts.get(pron, 0) + 1
            prefixes.update(pron[:i] for i in range(1, len(pron)))
    return {pron: n for pron, n in counts.items() if n > 1 or pron in prefixes}


def _lexicon_fst(
    lexicon: Vocabulary, disambig: _Symbols, silence_probability: float, classes: Sequence[int]
):  # fmt: skip
    """L: phones to words, with optional silence at the beginning and after each word."""
    sil, nosil = -math.log(silence_probability), -math.log1p(-silence_probability)
    start, loop, silence, after = 0, 1, 2, 3
    lines = [
        f"{start} {loop} 0 0 {nosil}",
        f"{start} {silence} 0 0 {sil}",
        f"{silence} {after} {lexicon.silence} 0",
        f"{after} {loop} {disambig.silence} 0",
    ]
    needed, state = _homophones(lexicon), after + 1
    used: dict[tuple[int, ...], int] = {}
    for word in lexicon.vocabulary:
        for pron in lexicon.pronunciations[word]:
            symbols = list(pron)
            if pron in needed:
                used[pron] = used.get(pron, 0) + 1
                symbols.append(disambig.phones[used[pron]])
            here, out = loop, lexicon.word_ids[word]
            for symbol in symbols[:-1]:
                lines.append(f"{here} {state} {symbol} {out}")
                here, out, state = state, 0, state + 1
            lines.append(f"{here} {loop} {symbols[-1]} {out} {nosil}")
            lines.append(f"{here} {silence} {symbols[-1]} {out} {sil}")
    lines += _class_lines(lexicon, disambig.marks, classes, state, (loop, silence, nosil, sil))
    fst = kaldifst.compile("\n".join([*lines, f"{loop} 0"]) + "\n")
    kaldifst.add_self_loops(fst, [disambig.backoff], [lexicon.word_ids["#0"]])
    kaldifst.arcsort(fst, "olabel")
    return fst


def _class_lines(
    lexicon: Vocabulary, marks: list[int], classes: Sequence[int], state: int, after: tuple[int, int, float, float]
) -> list[str]:  # fmt: skip
    """Return lines of L that pronounce a class as any phone, its mark and any phone (see `places`).

    States from `state` on are free.
    """
    loop, silence, nosil, sil = after
    phones = [phone for phone in range(1, len(lexicon.phones)) if phone != lexicon.silence]
    lines = []
    for word, mark in zip(classes, marks):
        # The class is on the first arc: there back-off may precede it, and its cost is paid as other words' are.
        first, marked, state = state, state + 1, state + 2
        lines += [f"{loop} {first} {phone} {word}" for phone in phones]
        lines.append(f"{first} {marked} {mark} 0")
        lines += [f"{marked} {loop} {phone} 0 {nosil}" for phone in phones]
        lines += [f"{marked} {silence} {phone} 0 {sil}" for phone in phones]
    return lines


# --- H -----------------------------------------------------------------------------------------


class _Pairs:
    """Ids, from 1, of marks and of (entry senone, loop senone) pairs, so that determinisation keeps a pair together."""

    def __init__(self, phones: Sequence[int] = ()) -> None:
        """`phones`: those that words in places may have."""
        self.ids: dict[tuple, int] = {}
        self.entry = [-1]
        self.loop = [-1]
        self.marks: list[Mark] = []
        self._phones = phones
        self._alike: Alike | None = None

    def id(self, window: Sequence[int], tree: ContextTree, marks: Sequence[int]) -> int:
        """Return the pair id of a phone between two others, or the id for a mark if one of the three is one."""
        left, centre, right = window
        if not marks or max(window) < marks[0]:
            entry = tree.senone(left, centre, right, topology.ENTRY)
            return self._number((entry, tree.senone(left, centre, right, topology.LOOP)))
        self._alike = self._alike or Alike(tree, self._phones)
        if centre >= marks[0]:
            return self._number(Mark(THROUGH, left, right, marks.index(centre)))
        if right >= marks[0]:
            return self._number(Mark(ENTER, self._alike.before(left, centre), centre, marks.index(right)))
        return self._number(Mark(LEAVE, centre, self._alike.after(centre, right), marks.index(left)))

    def _number(self, what: tuple[int, int] | Mark) -> int:
        if what not in self.ids:
            self.ids[what] = len(self.entry)
            if isinstance(what, Mark):
                self.marks.append(what)
                entry, loop = -1 - len(self.marks), -1
            else:
                entry, loop = what
            self.entry.append(entry)
            self.loop.append(loop)
        return self.ids[what]


def _h(contexts: Sequence[Sequence[int]], tree: ContextTree, pairs: _Pairs, marks: Sequence[int]):
    """Return H, from contexts to pair ids and disambiguation symbols, and an FST to drop the latter from det(H∘CLG).

    Each phone is one arc of H here (its self-loop is added later), so that H only relabels.
    """
    labels: list[int | None] = []
    disambig: list[int] = []
    for window in contexts:
        if len(window) > 1:
            labels.append(pairs.id((*window, 0)[:3], tree, marks))
        else:  # nothing, or a disambiguation symbol
            labels.append(0 if not window else None)
    for index, label in enumerate(labels):
        if label is None:
            labels[index] = number = len(pairs.entry) + len(disambig)
            disambig.append(number)
    h = kaldifst.compile("".join(f"0 0 {new} {old}\n" for old, new in enumerate(labels) if old) + "0\n")
    kept = "".join(f"0 0 {p} {p}\n" for p in range(1, len(pairs.entry)))
    drop = kaldifst.compile(kept + "".join(f"0 0 0 {d}\n" for d in disambig) + "0\n")
    for relabelling in (h, drop):
        kaldifst.arcsort(relabelling, "olabel")
    return h, drop


# --- arrays ------------------------------------------------------------------------------------


def _arcs(fst) -> Arcs:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fst"
        fst.write(str(path))
        return Arcs.of_fst(read_fst(path))


def _minimized(arcs: Arcs) -> Arcs:
    """Connect and minimise the graph; final arcs with different words are kept apart."""
    marker = 1 + int(arcs.labels.max(initial=0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fst"
        path.write_bytes(to_bytes(arcs.to_fst(marker)))
        fst = kaldifst.StdVectorFst.read(str(path))
    kaldifst.connect(fst)
    kaldifst.minimize_encoded(fst)
    found = _arcs(fst)
    found = found.where(found.labels != FINAL)  # the end state has one, too
    return replace(found, labels=np.where(found.labels == marker, FINAL, found.labels).astype(np.int32))


def add_loops(arcs: Arcs, entry: Sequence[int], loop: Sequence[int], loop_probability: float) -> Arcs:
    """Replace pair ids by senones + 1 and give each state the self-loop of the pair that enters it.

    The label of mark n is −2 − n; a state entered by a mark or an epsilon gets no self-loop. A state entered with
    several loop senones is split into one copy for each.
    """
    enter_cost, loop_cost = topology.costs(loop_probability)
    entries, loops = (np.array(senones, np.int64) for senones in (entry, loop))
    inner = arcs.labels != FINAL
    ways = int(loops.max()) + 2  # a copy's key is its state and its loop's senone + 1; the start has none
    into = arcs.targets[inner].astype(np.int64) * ways + loops[arcs.labels[inner]] + 1
    copies = np.unique(np.append(into, 0))
    first, last = (np.searchsorted(copies, (arcs.sources.astype(np.int64) + one) * ways) for one in (0, 1))
    every = np.repeat(np.arange(len(first)), last - first)
    sources = ranges(first, last)
    targets = np.full(len(inner), len(copies))
    targets[inner] = np.searchsorted(copies, into)
    senones = entries[arcs.labels]
    labels = np.where(inner, np.where(arcs.labels == 0, 0, senones + (senones >= 0)), FINAL)
    costs = arcs.costs + np.where(inner & (senones >= 0), np.float32(enter_cost), 0)
    looping = np.flatnonzero(copies % ways)
    return Arcs.joined([
        Arcs.of(sources, targets[every], labels[every], arcs.outputs[every], costs[every]),
        Arcs.of(looping, looping, copies[looping] % ways, 0 * looping, np.full(len(looping), loop_cost)),
    ])  # fmt: skip
