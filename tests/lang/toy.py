"""A toy language: four words (two homophones), a bigram with back-offs, a tree that shares senones."""

from pathlib import Path

import k2
import numpy as np

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
    """Every context its own senone (distinct), or few senones that many contexts share."""

    def __init__(self, shared: bool) -> None:
        self.shared = shared
        self.num_senones = 7 if shared else 6 * 6 * 6 * 2

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
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

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        return 2 * centre + pdf_class - 2


def as_k2(graph: StateGraph) -> k2.Fsa:
    """Start state, the graph's states, end state; labels are senone + 1."""
    end, arcs = len(graph.entry) + 1, []
    for s in range(len(graph.entry)):
        if graph.start[s] > -np.inf:
            arcs.append((0, s + 1, graph.entry[s] + 1, graph.start[s]))
        arcs.append((s + 1, s + 1, graph.loop[s] + 1, graph.stay))
        if graph.final[s] > -np.inf:
            arcs.append((s + 1, end, -1, graph.final[s]))
    arcs += zip(graph.sources + 1, graph.targets + 1, graph.entry[graph.targets] + 1, graph.weights)
    text = "".join(f"{a} {b} {label} {weight}\n" for a, b, label, weight in sorted(arcs))
    return k2.arc_sort(k2.Fsa.from_str(f"{text}{end}\n"))
