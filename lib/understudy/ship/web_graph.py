"""A shipped decoding graph for the page: arcs sorted by source, in as few bytes as hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from understudy.device.openfst import Fst
from understudy.step import UserError


def as_web(graph: Fst, path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return `graph` of model.json, and its arrays: see `Graph` of page/search.js.

    Args:
        graph: one that `write_graph` wrote.
        path: its file, for error messages.

    Raises:
        UserError: the graph has arcs without input elsewhere than at the end.
    """
    labels, outputs, bits, targets = graph.arcs.T
    counts = np.bincount(graph.sources, minlength=len(graph.finals))
    silent = labels == 0
    if inside := int(counts[targets[silent]].astype(bool).sum()):
        raise UserError(
            f"{path}: must have arcs without input at its end alone, got {inside} others; make it with "
            "steps/make_graph.py"
        )
    ends = np.flatnonzero(np.isfinite(graph.finals))
    arrays = {
        "graph.begin": np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32), "graph.labels": _narrow(labels),
        "graph.outputs": _narrow(outputs), "graph.targets": _narrow(targets),
        "graph.costs": np.ascontiguousarray(bits).view(np.float32), "graph.ends": _narrow(ends),
        "graph.ends.costs": graph.finals[ends],
    }  # fmt: skip
    return {"start": graph.start}, arrays


def _narrow(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers as unsigned integers of as few bytes as hold them."""
    return numbers.astype(np.min_scalar_type(numbers.max(initial=0)))
