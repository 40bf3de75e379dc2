"""The training loop: one for teachers and students, labelled and distilled."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from understudy import models
from understudy.features import stacked_length
from understudy.models import AcousticModel
from understudy.stage import log
from understudy.train import checkpoint
from understudy.train.criteria import Criterion, Hard, Soft
from understudy.train.curves import Curves
from understudy.train.data import Batch, Span, SpecAugment, SpeechData
from understudy.train.parallel import Ahead, Threads
from understudy.train.schedule import Pass, learning_rate


@dataclass
class TrainOptions:
    """How a model is trained."""

    learning_rate: float = 2e-3
    """peak of the schedule (AdamW)"""
    warm_up: float = 0.05
    """share of the updates in which it rises"""
    final_rate: float = 0.01
    """what it falls to, by a cosine, as a share of the peak"""
    weight_decay: float = 1e-2
    """AdamW's decay"""
    clip: float = 1.0
    """largest norm of a gradient"""
    max_frames: int = 2500
    """stacked frames in a batch"""
    chunk: int = 0
    """frames of the chunks that back-propagation is cut off at; 0: whole utterances"""
    whole: float = 0.3
    """share of the passes, the last ones, that see whole utterances whatever the chunk"""
    average: float = 0.99
    """decay of the running average of the weights, which is what is kept"""
    share: float = 0.0
    """λ: weight of soft targets on labelled speech that has them"""
    temperature: float = 1.0
    """of soft targets"""
    residual: Literal["drop", "spread"] = "drop"
    """the teacher's mass outside of its top k: shared by these, or spread evenly over the other senones"""
    augment: SpecAugment = field(default_factory=SpecAugment)
    """SpecAugment"""
    validate_every: int = 1
    """labelled passes between looks at the dev set"""
    checkpoint_seconds: float = 60.0
    """seconds between checkpoints"""
    keep: Literal["best", "last"] = "best"
    """which averaged weights: of the best dev loss, or of the end of the plan. Dev labels are one-hot: their loss
    favours the weights that are surest, not those that recognise best, so what is distilled keeps its last"""
    patience: int = 0
    """stop after this many passes without a better dev loss; 0: never, the best is kept anyway"""


@dataclass
class Sets:
    """The speech of one training."""

    labelled: SpeechData
    dev: SpeechData
    unlabelled: SpeechData | None = None


class Trainer:
    """Steps through a plan of passes; its state after any update can be saved and restored."""

    def __init__(
        self, model: AcousticModel, sets: Sets, plan: list[Pass], options: TrainOptions, folder: Path, seed: int,
        threads: int = 1, criteria: dict[str, Criterion] | None = None, trained: bool = False,
    ) -> None:  # fmt: skip
        """Set up, and go on from the folder's checkpoint where there is one.

        Args:
            criteria: by kind of pass, besides `hard` and `soft`. That of the plan's last pass looks at the dev set.
            trained: the model has learnt before: what it is worth on dev is the first that later looks have to beat.
        """
        self.trained = trained
        self.model, self.sets, self.plan, self.options = model, sets, plan, options
        soft = Soft(options.temperature, options.residual == "spread")
        self.criteria = {"hard": Hard(options.share, soft), "soft": soft, **(criteria or {})}
        self.dev_criterion = Hard() if plan[-1].kind in ("hard", "soft") else self.criteria[plan[-1].kind]
        self.folder, self.seed = folder, seed
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(self.device)
        self.threads, self.ahead = Threads(threads if self.device.type == "cpu" else 1), Ahead()
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        self.average = {k: v.detach().clone() for k, v in model.named_parameters()}
        self.best = {k: v.clone() for k, v in self.average.items()}
        self.update = self.start_pass = self.start_batch = self.stale = 0
        self.best_loss = math.inf
        self.history: list[dict] = []
        self.updates = sum(len(self._order(i)) for i in range(len(plan)))
        self._restore()
        self.curves = Curves(folder, self.update)

    def run(self) -> AcousticModel:
        """Train to the end of the plan; returns the model with the averaged weights that `keep` says."""
        saved = time.monotonic()
        if self.trained and self.update == 0:
            self._validate(0, math.nan, 0.0)
        for number in range(self.start_pass, len(self.plan)):
            if self.options.patience and self.stale >= self.options.patience:
                log.info("no better dev loss in %d passes: stopped", self.stale)
                break
            order, skip = self._order(number), self.start_batch
            self.start_batch = 0
            total, count, begun = self._restored_sums if skip else (0.0, 0, time.monotonic())
            for index, parts in enumerate(self._parts(self._data(number), order[skip:]), skip):
                loss, frames = self._step(parts, self.plan[number].kind)
                total, count = total + loss * frames, count + frames
                if time.monotonic() - saved > self.options.checkpoint_seconds:
                    self._save(number, index + 1, total, count)
                    saved = time.monotonic()
            if self._due(number):
                self._validate(number + 1, total / max(count, 1), count / max(time.monotonic() - begun, 1e-3))
            self._save(number + 1, 0, 0.0, 0)
        self.curves.close()
        return self._with(self.best if self.options.keep == "best" else self.average)

    def _due(self, number: int) -> bool:
        """Whether dev is looked at after this pass: a labelled one (they end sub-epochs), and surely the last."""
        done = sum(one.kind != "soft" for one in self.plan[: number + 1])
        every = self.plan[number].kind != "soft" and done % self.options.validate_every == 0
        return every or number + 1 == len(self.plan)

    def _data(self, number: int) -> SpeechData:
        return self.sets.unlabelled if self.plan[number].kind == "soft" else self.sets.labelled

    def _order(self, number: int) -> list[list[Span]]:
        one = self.plan[number]
        chunk = self.options.chunk if number < (1 - self.options.whole) * len(self.plan) else 0
        seed = self.seed * 1000 + number
        return self._data(number).order(self.options.max_frames, seed, one.part, one.parts, chunk)

    def _parts(self, data: SpeechData, order: list[list[Span]]) -> Iterator[list[Batch]]:
        """Each batch in one part for each thread; the next is loaded while one is learnt from."""
        first, count = self.update, self.threads.count

        def load(index: int) -> list[Batch]:
            # Every update seeds its own noise, so that a resumed run needs no generator's state.
            seed, spans = [self.seed, first + index], order[index]
            parts = (spans[i::count] for i in range(min(count, len(spans))))
            return [data.batch(part, self.options.augment, seed) for part in parts]

        return self.ahead(load, range(len(order)))

    def _step(self, parts: list[Batch], kind: str) -> tuple[float, int]:
        frames = [int(part.lengths.sum()) for part in parts]
        parameters = list(self.model.parameters())
        loss, gradients = self.threads.gradients(
            parameters, lambda numbered: self._loss(*numbered, kind), list(enumerate(parts)),
            [count / sum(frames) for count in frames],
        )  # fmt: skip
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        torch.nn.utils.clip_grad_norm_(parameters, self.options.clip)
        self.optimizer.step()
        self.update += 1
        decay = min(self.options.average, self.update / (self.update + 10))
        with torch.no_grad():
            for name, weight in self.model.named_parameters():
                self.average[name].lerp_(weight, 1 - decay)
        return loss, sum(frames)

    def _learning_rate(self) -> float:
        options = self.options
        return learning_rate(self.update, self.updates, options.learning_rate, options.warm_up, options.final_rate)

    def _loss(self, number: int, batch: Batch, kind: str) -> torch.Tensor:
        seed = np.random.SeedSequence([self.seed, self.update, number]).generate_state(1)[0]
        dropout = self.model.dropout_masks(len(batch.lengths), int(seed))
        return self.criteria[kind](self.model(batch.features.to(self.device), batch.lengths, dropout), batch)

    @torch.no_grad()
    def _validate(self, passes: int, train_loss: float, speed: float) -> None:
        """Look at the dev set with the averaged weights, after so many passes."""
        current = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        self._with(self.average)
        dev = self.sets.dev
        batches = (dev.batch(spans, None, [0]) for spans in dev.order(2 * self.options.max_frames, None))
        total, right, frames = map(sum, zip(*self.threads.map(self._evaluate, batches)))
        self._with(current)
        loss = total / frames
        better = loss < self.best_loss
        self.stale = 0 if better else self.stale + 1
        if better:
            self.best_loss, self.best = loss, {k: v.clone() for k, v in self.average.items()}
        kind = self.plan[passes - 1].kind if passes else "start"
        self.history.append({"pass": passes, "kind": kind, "updates": self.update,
                             "train": train_loss if passes else None, "dev": loss,
                             "dev_accuracy": right / frames})  # fmt: skip
        self.curves.add(self.update, {"train loss": train_loss, "dev loss": loss, "dev accuracy": right / frames,
                                      "learning rate": self._learning_rate(), "frames per s": speed})  # fmt: skip
        log.info(
            "pass %d of %d (%s): update %d of %d, train %.3f, dev %.3f nats, %.1f %% frames right%s, %.0f frames/s",
            passes, len(self.plan), kind, self.update, self.updates, train_loss, loss, 100 * right / frames,
            " (best)" if better else "", speed,
        )  # fmt: skip

    @torch.no_grad()
    def _evaluate(self, batch: Batch) -> tuple[float, int, int]:
        """Sum of the loss, frames right, frames."""
        logits = self.model(batch.features.to(self.device), batch.lengths)
        right = int((batch.rows(logits).argmax(1).cpu() == batch.labels).sum())
        frames = int(batch.lengths.sum())
        return float(self.dev_criterion(logits, batch)) * frames, right, frames

    def _with(self, weights: dict[str, torch.Tensor]) -> AcousticModel:
        with torch.no_grad():
            for name, weight in self.model.named_parameters():
                weight.copy_(weights[name])
        return self.model

    def _save(self, number: int, index: int, total: float, count: int) -> None:
        weights = {k: v.detach() for k, v in self.model.named_parameters()}
        tensors = {"model": weights, "average": self.average, "best": self.best}
        checkpoint.save(
            self.folder, {**tensors, "optimizer": checkpoint.optimizer_tensors(self.optimizer)},
            {"update": self.update, "pass": number, "batch": index, "total": total, "count": count,
             "best_loss": self.best_loss, "stale": self.stale, "history": self.history},
        )  # fmt: skip

    def _restore(self) -> None:
        if (found := checkpoint.load(self.folder)) is None:
            return
        tensors, state = found
        self._with({k: v.to(self.device) for k, v in tensors["model"].items()})
        self.average, self.best = tensors["average"], tensors["best"]
        checkpoint.restore_optimizer(self.optimizer, tensors["optimizer"])
        self.update, self.start_pass, self.start_batch = state["update"], state["pass"], state["batch"]
        self._restored_sums = (state["total"], state["count"], time.monotonic())
        self.best_loss, self.stale, self.history = state["best_loss"], state["stale"], state["history"]
        log.info("resumed at update %d of %d", self.update, self.updates)


def log_priors(data: SpeechData, senones: int) -> torch.Tensor:
    """(senones,) log share of each senone in the labels; one frame is added to each, so that none is −∞."""
    counts = torch.ones(senones, dtype=torch.double)
    for cut in data.cuts:
        rows = data.labels.read(cut.id, stacked_length(cut.num_frames))[:, 0]
        counts += torch.bincount(torch.from_numpy(rows.astype("int64")), minlength=senones)
    return (counts / counts.sum()).log().float()


def finish(trainer: Trainer, priors: torch.Tensor, meta: dict) -> None:
    """Train, then write the model folder; the checkpoint has served its turn and is removed."""
    model = trainer.run()
    model.log_priors.copy_(priors)
    model.meta = {
        **meta,
        "updates": meta.get("updates", 0) + trainer.update,
        "best_dev": trainer.best_loss,
        "history": trainer.history,
    }
    models.save(model.cpu(), trainer.folder)
    for path in trainer.folder.glob("checkpoint*"):
        path.unlink()
