"""H∘C∘L∘G built with OpenFst, to a graph's arrays (`decoding_graph`).

The recipe builds its graph of an n-gram with it, and a device one of a few commands.

Source: Mohri, Pereira, Riley, "Speech recognition with weighted finite-state transducers", 2008; the
order of operations is Kaldi's.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# It brings OpenFst along, and waits for ever where it is imported after some other packages (soundfile, kaldi_decoder):
# only what builds graphs imports it.
import kaldifst

from . import topology
from .decoding_graph import Arc, DecodingGraph, Finals
from .places import ENTER, LEAVE, THROUGH, Alike, Mark, Places, split
from .vocabulary import ContextTree, Lexicon

SILENCE_PROBABILITY = 0.5


def compile_graph(
    lexicon: Lexicon,
    grammar: Any,
    tree: ContextTree,
    *,
    silence_probability: float = SILENCE_PROBABILITY,
    loop_probability: float = topology.LOOP_PROBABILITY,
) -> DecodingGraph | None:
    """The decoding graph of a grammar.

    Args:
        grammar: G, a kaldifst.StdVectorFst of word ids, sorted by its input; back-off is the lexicon's last word.

    Returns:
        It, as a search wants it; None: the grammar has no sentence of words in the lexicon.
    """
    found = _compiled(lexicon, grammar, tree, _Pairs(), silence_probability, loop_probability, ())
    return DecodingGraph.of(*found, len(lexicon.words)) if found else None


def compile_with_places(
    lexicon: Lexicon,
    grammar: Any,
    tree: ContextTree,
    classes: Sequence[str],
    *,
    silence_probability: float = SILENCE_PROBABILITY,
    loop_probability: float = topology.LOOP_PROBABILITY,
) -> tuple[DecodingGraph | None, Places]:
    """The same of a grammar with classes: the graph, and the places in it.

    Args:
        grammar: ids of classes are those that follow the lexicon's, as inputs; they have no output.
    """
    words = len(lexicon.words)
    pairs = _Pairs([phone for phone in range(1, len(lexicon.phones)) if phone != lexicon.silence])
    ids = range(words, words + len(classes))
    found = _compiled(lexicon, grammar, tree, pairs, silence_probability, loop_probability, ids)
    return split(*(found or ([], {}, [])), words, pairs.marks, list(classes))


def _compiled(
    lexicon: Lexicon, grammar: Any, tree: ContextTree, pairs: _Pairs, silence_probability: float,
    loop_probability: float, classes: Sequence[int],
) -> tuple[list[Arc], Finals, list[tuple[int, ...]]] | None:  # fmt: skip
    """Arcs, ends and sequences; `classes`: id of each."""
    symbols = _Symbols.of(lexicon, len(classes))
    lg = kaldifst.compose(_lexicon_fst(lexicon, symbols, silence_probability, classes), grammar)
    if lg.num_states == 0:
        return None
    kaldifst.determinize_star(lg)
    kaldifst.minimize_encoded(lg)
    kaldifst.arcsort(lg, "ilabel")
    clg, contexts = kaldifst.compose_context(symbols.phones, 3, 1, lg)
    hclg = _apply_h(clg, contexts, tree, pairs, symbols.marks)
    arcs, finals = _read_fst(hclg)
    arcs, finals, sequences = remove_input_epsilons(arcs, finals, len(lexicon.words))
    arcs, finals = _minimize(arcs, finals)
    arcs, finals = add_loops(arcs, finals, pairs.entry, pairs.loop, loop_probability)
    return arcs, finals, sequences


# --- L and G -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Symbols:
    """Phone-side ids: of disambiguation, #0 (back-off), #1.. (homophones), last for silence; and of marks."""

    phones: list[int]
    marks: list[int]
    """of each class"""

    @classmethod
    def of(cls, lexicon: Lexicon, classes: int) -> _Symbols:
        most = max(_homophones(lexicon).values(), default=0)
        first, marks = len(lexicon.phones), len(lexicon.phones) + most + 2
        return cls(list(range(first, marks)), list(range(marks, marks + classes)))

    @property
    def backoff(self) -> int:
        return self.phones[0]

    @property
    def silence(self) -> int:
        return self.phones[-1]


def _homophones(lexicon: Lexicon) -> dict[tuple[int, ...], int]:
    """How many disambiguation symbols each pronunciation needs: those that several words share or begin."""
    counts: dict[tuple[int, ...], int] = {}
    prefixes: set[tuple[int, ...]] = set()
    for prons in lexicon.pronunciations.values():
        for pron in prons:
            counts[pron] = counts.get(pron, 0) + 1
            prefixes.update(pron[:i] for i in range(1, len(pron)))
    return {pron: n for pron, n in counts.items() if n > 1 or pron in prefixes}


def _lexicon_fst(
    lexicon: Lexicon, disambig: _Symbols, silence_probability: float, classes: Sequence[int]
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
    lexicon: Lexicon, marks: list[int], classes: Sequence[int], state: int, after: tuple[int, int, float, float]
) -> list[str]:  # fmt: skip
    """A class is said as any phone, its mark and any phone (see `places`); states from `state` on are free."""
    loop, silence, nosil, sil = after
    phones = [phone for phone in range(1, len(lexicon.phones)) if phone != lexicon.silence]
    lines = []
    for word, mark in zip(classes, marks):
        # Its word is on the first arc: there back-off may come before it, and its cost is paid as other words' are.
        first, marked, state = state, state + 1, state + 2
        lines += [f"{loop} {first} {phone} {word}" for phone in phones]
        lines.append(f"{first} {marked} {mark} 0")
        lines += [f"{marked} {loop} {phone} 0 {nosil}" for phone in phones]
        lines += [f"{marked} {silence} {phone} 0 {sil}" for phone in phones]
    return lines


# --- H -----------------------------------------------------------------------------------------


class _Pairs:
    """Numbers (entry senone, loop senone) pairs from 1, so that determinisation keeps them together; and marks."""

    def __init__(self, phones: Sequence[int] = ()) -> None:
        """`phones`: that words in places are made of."""
        self.ids: dict[tuple, int] = {}
        self.entry = [-1]
        self.loop = [-1]
        self.marks: list[Mark] = []
        self._phones = phones
        self._alike: Alike | None = None

    def id(self, window: Sequence[int], tree: ContextTree, marks: Sequence[int]) -> int:
        """Of a phone between two others, of which one may be a mark."""
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


def _apply_h(clg, contexts: Sequence[Sequence[int]], tree: ContextTree, pairs: _Pairs, marks: Sequence[int]):
    """det(H∘CLG) without disambiguation symbols; input labels are pair ids.

    Each phone is one arc of H here (its loop comes later), so that H only relabels.
    """
    labels: list[int | None] = []
    disambig: list[int] = []
    for window in contexts:
        if len(window) == 3:
            labels.append(pairs.id(window, tree, marks))
        else:  # nothing, or a disambiguation symbol
            labels.append(0 if not window else None)
    for index, label in enumerate(labels):
        if label is None:
            labels[index] = number = len(pairs.entry) + len(disambig)
            disambig.append(number)
    relabel = "".join(f"0 0 {new} {old}\n" for old, new in enumerate(labels) if old)
    h = kaldifst.compile(relabel + "0\n")
    kaldifst.arcsort(h, "olabel")
    kaldifst.arcsort(clg, "ilabel")
    hclg = kaldifst.compose(h, clg)
    kaldifst.determinize_star(hclg)
    kaldifst.arcsort(hclg, "ilabel")
    keep = "".join(f"0 0 {p} {p}\n" for p in range(1, len(pairs.entry)))
    drop = kaldifst.compile(keep + "".join(f"0 0 0 {d}\n" for d in disambig) + "0\n")
    kaldifst.arcsort(drop, "olabel")
    hclg = kaldifst.compose(drop, hclg)
    kaldifst.minimize_encoded(hclg)
    return hclg


# --- arrays ------------------------------------------------------------------------------------


def _read_fst(fst) -> tuple[list[Arc], Finals]:
    arcs: list[Arc] = []
    finals: Finals = {}
    number: dict[str, int] = {}
    for line in fst.to_str().splitlines():
        fields = line.split()
        source = number.setdefault(fields[0], len(number))  # the first state printed is the start
        if len(fields) <= 2:
            finals[source] = (0, float(fields[1]) if len(fields) == 2 else 0.0)
        else:
            destination = number.setdefault(fields[1], len(number))
            cost = float(fields[4]) if len(fields) == 5 else 0.0
            arcs.append((source, destination, int(fields[2]), int(fields[3]), cost))
    return arcs, finals


def _write_fst(arcs: Iterable[Arc], finals: dict[int, float]):
    lines = [f"{s} {d} {i} {o} {c!r}" for s, d, i, o, c in sorted(arcs)]  # the start comes first
    lines += [f"{s} {c!r}" for s, c in finals.items()]
    return kaldifst.compile("\n".join(lines) + "\n")


def remove_input_epsilons(
    arcs: Iterable[Arc], finals: Finals, base: int
) -> tuple[list[Arc], Finals, list[tuple[int, ...]]]:
    """An equivalent graph (best costs) without epsilon input.

    Words on the way through epsilons move to the next arc; several words on one arc get a number from
    `base` on.

    Returns:
        The arcs, the finals, and the word tuples that the numbers `base`, `base + 1`, ... stand for.
    """
    out: dict[int, list[Arc]] = {}
    for arc in arcs:
        out.setdefault(arc[0], []).append(arc)
    sequences: dict[tuple[int, ...], int] = {}

    def label(words: tuple[int, ...]) -> int:
        if len(words) < 2:
            return words[0] if words else 0
        return sequences.setdefault(words, base + len(sequences))

    new_arcs: list[Arc] = []
    new_finals: Finals = {}
    seen, stack = {0}, [0]
    while stack:  # only states that a label enters are kept
        state = stack.pop()
        best: dict[tuple[int, int, int], float] = {}
        for (reached, words), cost in _closure(out, state).items():
            if reached in finals:
                last, final_cost = finals[reached]
                total = cost + final_cost
                if state not in new_finals or total < new_finals[state][1]:
                    new_finals[state] = (label(words + ((last,) if last else ())), total)
            for _, destination, symbol, word, weight in out.get(reached, ()):
                if symbol:
                    key = (destination, symbol, label(words + ((word,) if word else ())))
                    best[key] = min(cost + weight, best.get(key, math.inf))
        for (destination, symbol, word), weight in best.items():
            new_arcs.append((state, destination, symbol, word, weight))
            if destination not in seen:
                seen.add(destination)
                stack.append(destination)
    return new_arcs, new_finals, list(sequences)


def _closure(out: dict[int, list[Arc]], state: int) -> dict[tuple[int, tuple[int, ...]], float]:
    """Least cost to each (state, words) that epsilon input reaches."""
    best: dict[tuple[int, tuple[int, ...]], float] = {}
    queue: list[tuple[float, int, tuple[int, ...]]] = [(0.0, state, ())]
    while queue:
        cost, here, words = heapq.heappop(queue)
        if (here, words) in best:
            continue
        best[here, words] = cost
        for _, destination, symbol, word, weight in out.get(here, ()):
            if not symbol:
                said = (*words, word) if word else words
                if (destination, said) not in best:
                    heapq.heappush(queue, (cost + weight, destination, said))
    return best


def _minimize(arcs: list[Arc], finals: Finals) -> tuple[list[Arc], Finals]:
    """Minimise with finals turned into arcs (label above all others), as they may carry words."""
    end = 1 + max(max(s, d) for s, d, *_ in arcs)
    marker = 1 + max(i for _, _, i, _, _ in arcs)
    fst = _write_fst([*arcs, *((s, end, marker, o, c) for s, (o, c) in finals.items())], {end: 0.0})
    kaldifst.connect(fst)
    kaldifst.minimize_encoded(fst)
    arcs, _ = _read_fst(fst)
    finals = {}
    for s, _, i, o, c in arcs:
        if i == marker:
            finals[s] = (o, c)
    return [arc for arc in arcs if arc[2] != marker], finals


def add_loops(
    arcs: list[Arc], finals: Finals, entry: Sequence[int], loop: Sequence[int], loop_probability: float
) -> tuple[list[Arc], Finals]:
    """Replace pair ids by senones + 1 and give each state the self-loop of the pair that enters it.

    Of the mark n the label is −1 − n, and there is no loop. A state entered with several loop senones is split into one
    copy for each.
    """
    enter_cost, loop_cost = topology.costs(loop_probability)
    copies: dict[int, dict[int, int]] = {0: {-1: 0}}  # state -> loop senone -> new state; the start has none
    total = 1
    for _, destination, pair, _, _ in arcs:
        of = copies.setdefault(destination, {})
        if loop[pair] not in of:
            of[loop[pair]] = total
            total += 1
    new_arcs: list[Arc] = []
    for of in copies.values():
        new_arcs += [(s, s, senone + 1, 0, loop_cost) for senone, s in of.items() if senone >= 0]
    for source, destination, pair, word, cost in arcs:
        target = copies[destination][loop[pair]]
        for new in copies[source].values():
            new_arcs.append((new, target, entry[pair] + 1, word, cost + (enter_cost if entry[pair] >= 0 else 0.0)))
    new_finals = {new: finals[s] for s, of in copies.items() if s in finals for new in of.values()}
    return new_arcs, new_finals
