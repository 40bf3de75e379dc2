"""Progress of a training: the plain values that a checkpoint holds besides tensors."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from understudy.step import ranks


@dataclass
class Progress:
    """Updates and passes made so far, and their evaluations on dev."""

    update: int = 0
    """updates made so far"""
    number: int = 0
    """number of the pass to continue with"""
    batch: int = 0
    """updates of this pass that were made"""
    best_loss: float = math.inf
    """best loss of all evaluations on dev, nats a frame"""
    stale: int = 0
    """evaluations since the best one"""
    history: list[dict[str, Any]] = field(default_factory=list)
    """one entry for each evaluation"""
    sums: tuple[float, int] = (0.0, 0)
    """loss and frames of this pass so far, at this rank"""

    def judge(self, loss: float) -> bool:
        """Record the loss of an evaluation on dev. Returns whether it is the best so far."""
        better = loss < self.best_loss
        self.stale = 0 if better else self.stale + 1
        if better:
            self.best_loss = loss
        return better

    def learnt(self, loss: float, frames: int) -> None:
        """Add Σ loss over frames, and their number, to the sums of the pass."""
        self.sums = self.sums[0] + loss, self.sums[1] + frames

    def state(self, number: int, batch: int) -> dict[str, Any]:
        """Return the values for a checkpoint, from which training resumes at this batch of this pass.

        The sums are left out: each rank has its own.
        """
        best = self.best_loss if self.best_loss < math.inf else None  # JSON has no infinities
        known = {**asdict(self), "pass": number, "batch": batch, "best_loss": best}
        return {name: value for name, value in known.items() if name not in ("number", "sums")}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Progress:
        """Restore the progress from what `state` returned."""
        known = {name: state[name] for name in ("update", "batch", "stale", "history")}
        best = math.inf if state["best_loss"] is None else state["best_loss"]
        return cls(number=state["pass"], best_loss=best, **known)

    def take_sums(self, saved: list[dict[str, Any]]) -> None:
        """Restore the ranks' sums; if the number of ranks has changed, rank 0 takes the total."""
        if len(saved) == ranks.world_size():
            loss, frames = saved[ranks.rank()]["sums"]
            self.sums = loss, frames
        elif ranks.rank() == 0:
            losses, frames = zip(*(one["sums"] for one in saved), strict=True)
            self.sums = sum(losses), sum(frames)
