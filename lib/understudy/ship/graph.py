"""A decoding graph as Kaldi's decoder reads it."""

from __future__ import annotations

from pathlib import Path

import k2
import kaldifst

from understudy.stage import atomic_path


def write_fst(graph: k2.Fsa, path: Path) -> None:
    """Write a graph of `understudy.lang.graph` as an OpenFst VectorFst, atomically: labels are senone + 1."""
    arcs, costs, end = graph.arcs.values()[:, :3].tolist(), (-graph.scores).tolist(), graph.shape[0] - 1
    lines = []
    for (source, target, label), word, cost in zip(arcs, graph.aux_labels.tolist(), costs, strict=True):
        if label > 0:
            lines.append(f"{source} {target} {label} {word} {cost!r}\n")
        else:  # a final arc: with words, or not
            lines.append(f"{source} {end} 0 {word} {cost!r}\n" if word > 0 else f"{source} {cost!r}\n")
    with atomic_path(path) as partial:
        kaldifst.compile("".join([*lines, f"{end}\n"])).write(str(partial))
