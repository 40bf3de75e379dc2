"""What is written of a teacher: its own posteriors, or what a graph of phone sequences or a decoder makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.decode.options import Beams
from understudy.decode.search import Scales
from understudy.lang.denominator import denominator
from understudy.lang.graph import GRAPH_FILES, load_graph, with_word_cost
from understudy.lang.state_graph import StateGraph
from understudy.lang.tree import Tree
from understudy.models import AcousticModel, Ensemble
from understudy.step import UserError, fingerprint
from understudy.targets.denominator import Occupied
from understudy.targets.lattice import Decoded
from understudy.targets.store import Targets, top_k

Supervision = Callable[[list[torch.Tensor]], list[Targets | None]]
"""Logits (frames, senones) of a batch to what is stored of each; None: there is nothing to learn from it."""


@dataclass(frozen=True)
class TargetSupervision:
    """All that a process needs to write targets: files, not their contents.

    It knows what was in them. Processes may outlive the step (--cluster.scheduler), and keep what they have loaded: a
    teacher that was trained again at the same place is another.
    """

    model: Path
    kind: Literal["soft", "denominator", "lattice", "best-path"]
    k: int
    scales: Scales
    beams: Beams
    labels: Path | None = None
    """folder of the labelled speech's senone labels (denominator)"""
    graph: Path | None = None
    """folder of the decoding graph (lattice, best-path)"""
    made_of: tuple[str, ...] = field(init=False)
    """fingerprints of what is read, that of the teacher's weights first"""

    def __post_init__(self) -> None:
        for name in ("model", "labels", "graph"):
            path = getattr(self, name)
            object.__setattr__(self, name, path and path.absolute())
        object.__setattr__(self, "made_of", self._fingerprints())

    def _fingerprints(self) -> tuple[str, ...]:
        read = [self.model / "model.safetensors", self.model / "model.json"]
        if self.kind == "denominator" and self.labels:
            read += [self.labels / "tree.json", self.labels / "labelled"]
        if self.kind in ("lattice", "best-path") and self.graph:
            read += [self.graph / name for name in GRAPH_FILES]
        return fingerprint.of_files(read)

    def described(self) -> dict[str, Any]:
        """What stands in every shard of the targets."""
        teacher = models.load_any(self.model)
        return {
            "senones": teacher.senones, "tree": teacher.meta.get("tree"), "teacher": self.model.name,
            "teacher_fingerprint": self.made_of[0], "supervision": self.kind,
            "k": 1 if self.kind == "best-path" else self.k,
        }  # fmt: skip

    @lru_cache(1)  # noqa: B019 (one teaching in a process)
    def load(self) -> tuple[AcousticModel | Ensemble, Supervision]:
        """The teacher, on the machine's GPU if it has one, and what is written of it.

        Raises:
            UserError: files are missing, or are others than they were when this was made.
        """
        if self._fingerprints() != self.made_of:
            read = ", ".join(str(path) for path in (self.model, self.labels, self.graph) if path)
            raise UserError(f"{read}: made again while targets are written of it. Run this step again.")
        teacher = models.load_any(self.model)
        supervision = self._supervision(teacher)
        return teacher.to("cuda" if torch.cuda.is_available() else "cpu"), supervision

    def _supervision(self, teacher: AcousticModel | Ensemble) -> Supervision:
        if self.kind == "soft":
            return lambda logits: [top_k(z, self.k) for z in logits]
        priors = teacher.log_priors
        if self.kind == "denominator":
            found: Occupied | Decoded = Occupied(self._denominator(teacher), self.scales, priors, self.k)
        else:
            if self.graph is None:
                raise ValueError(f"supervision {self.kind!r} needs a decoding graph")
            graph = load_graph(self.graph, teacher.meta.get("tree"))
            graph = with_word_cost(graph, self.scales.word)
            found = Decoded(graph, self.scales, priors, self.beams, self.k, self.kind == "lattice")
        return lambda logits: found([z.cpu() for z in logits])

    def _denominator(self, teacher: AcousticModel | Ensemble) -> StateGraph:
        if self.labels is None:
            raise ValueError("supervision 'denominator' needs the labels of the labelled speech")
        tree, aligned = Tree.load(self.labels / "tree.json"), AlignmentReader(self.labels / "labelled")
        models.check_tree(self.model, teacher, tree, self.labels)
        _, graph = denominator((rows[:, 0] for rows in aligned.rows()), tree)
        return graph
