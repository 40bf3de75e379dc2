"""How far a training is: what a checkpoint has to know besides weights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from understudy.step import ranks


@dataclass
class Progress:
    """Updates and passes that lie behind, and what dev said to them."""

    update: int = 0
    """made so far"""
    number: int = 0
    """of the pass to go on with"""
    batch: int = 0
    """updates of this pass that were made"""
    best_loss: float = math.inf
    """of all looks at dev, nats a frame"""
    stale: int = 0
    """looks since the best one"""
    history: list[dict[str, Any]] = field(default_factory=list)
    """a line for each look"""
    sums: tuple[float, int] = (0.0, 0)
    """loss and frames of this pass so far, at this rank"""

    def judge(self, loss: float) -> bool:
        """Note a look at dev. Returns whether it is the best so far."""
        better = loss < self.best_loss
        self.stale = 0 if better else self.stale + 1
        if better:
            self.best_loss = loss
        return better

    def learnt(self, loss: float, frames: int) -> None:
        """Add Σ loss over frames, and their number, to the sums of the pass."""
        self.sums = self.sums[0] + loss, self.sums[1] + frames

    def state(self, number: int, batch: int) -> dict[str, Any]:
        """For a checkpoint, with which a training goes on at a batch of a pass; sums are each rank's own."""
        best = self.best_loss if self.best_loss < math.inf else None  # JSON has no infinity
        known = {**asdict(self), "pass": number, "batch": batch, "best_loss": best}
        return {name: value for name, value in known.items() if name not in ("number", "sums")}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Progress:
        """Of what `state` gave."""
        known = {name: state[name] for name in ("update", "batch", "stale", "history")}
        best = math.inf if state["best_loss"] is None else state["best_loss"]
        return cls(number=state["pass"], best_loss=best, **known)

    def take_sums(self, saved: list[dict[str, Any]]) -> None:
        """Go on with what the ranks had summed up; after a change in their number the first has all of it."""
        if len(saved) == ranks.world_size():
            loss, frames = saved[ranks.rank()]["sums"]
            self.sums = loss, frames
        elif ranks.rank() == 0:
            losses, frames = zip(*(one["sums"] for one in saved), strict=True)
            self.sums = sum(losses), sum(frames)
