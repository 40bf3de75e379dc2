"""A toy language: four words (two homophones), a bigram with back-offs, a tree that shares senones."""

from pathlib import Path

import numpy as np

from understudy.device.decoding_graph import DecodingGraph
from understudy.device.graph_arcs import FINAL, Arcs
from understudy.lang.lexicon import Lexicon
from understudy.lang.state_graph import StateGraph

ENTRIES = [("A", ("a",)), ("AH", ("a",)), ("AB", ("a", "b")), ("B", ("b",)), ("B", ("c",))]

ARPA = """
\\data\\
ngram 1=6
ngram 2=5

\\1-grams:
-0.60\t</s>
-99\t<s>\t-0.30
-0.80\tA\t-0.25
-0.90\tAH\t-0.10
-0.70\tAB\t-0.40
-0.75\tB

\\2-grams:
-0.40\t<s> A
-0.30\tA B
-0.90\tA </s>
-0.20\tAB AB
-0.50\tAH </s>

\\end\\
"""


class ToyTree:
    """Every context its own senone (distinct), or few senones that many contexts share; of both sides, or the left."""

    def __init__(self, shared: bool, asks_right: bool = True) -> None:
        self.shared, self.asks_right = shared, asks_right
        self.num_senones = 7 if shared else 6 * 6 * 6 * 2

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        right = right if self.asks_right else 0
        if self.shared:
            return (3 * left + 5 * centre + 2 * right + 4 * pdf_class) % 7
        return ((left * 6 + centre) * 6 + right) * 2 + pdf_class


def lexicon() -> Lexicon:
    return Lexicon.from_entries(ENTRIES)


def write_arpa(folder: Path) -> Path:
    path = folder / "lm.arpa"
    path.write_text(ARPA)
    return path


class Monophones:
    """Two senones a phone, whatever its context."""

    num_senones = 8
    asks_right = False

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        return 2 * centre + pdf_class - 2


def as_graph(graph: StateGraph) -> DecodingGraph:
    """Start state, the graph's states, end state; labels are senone + 1, and there are no words."""
    arcs = [
        (0, s + 1, graph.entry[s] + 1, 0, -graph.start[s]) for s in range(len(graph.entry)) if graph.start[s] > -np.inf
    ]
    arcs += [(s + 1, s + 1, graph.loop[s] + 1, 0, -graph.stay) for s in range(len(graph.entry))]
    ways = zip(graph.sources, graph.targets, graph.weights, strict=True)
    arcs += [(a + 1, b + 1, graph.entry[b] + 1, 0, -weight) for a, b, weight in ways]
    finals = {s + 1: (0, -graph.final[s]) for s in range(len(graph.entry)) if graph.final[s] > -np.inf}
    return decoding_graph(arcs, finals, [], 1)


def as_k2(graph: StateGraph):
    """The same for k2."""
    from understudy.decode.k2_search import to_k2

    return to_k2(as_graph(graph))


def decoding_graph(arcs, finals, sequences, base) -> DecodingGraph:
    """Of (source, target, label, output, cost), and of (output, cost) by final state."""
    rows = [*arcs, *((state, 0, FINAL, *end) for state, end in finals.items())]
    return DecodingGraph.of(Arcs.of(*zip(*rows, strict=True)), sequences, base)
