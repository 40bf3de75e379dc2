"""The training loop: one for teachers and students, for labels and soft targets."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from understudy import models
from understudy.data.batches import Batch
from understudy.data.speech import Speech
from understudy.features.kind import LOGMELS
from understudy.models import AcousticModel
from understudy.models.acoustic import log_shares
from understudy.parallel.prefetch import Prefetcher
from understudy.step import UserError, log, ranks
from understudy.train import checkpoint
from understudy.train.chance import ADVICE, Chance
from understudy.train.checkpoint_timer import CheckpointTimer
from understudy.train.criteria import Criterion, Hard, Soft
from understudy.train.curves import Curves
from understudy.train.evaluation import Evaluation
from understudy.train.fake_quantisation import FakeQuantisation
from understudy.train.options import TrainOptions
from understudy.train.precision import check_precision, loss_scaler
from understudy.train.progress import Progress
from understudy.train.schedule import Pass, learning_rate
from understudy.train.strategy import device, strategy
from understudy.train.weight_average import WeightAverage, Weights, copy_of, put_into
from understudy.train.work_split import MicroBatch, Update, micro_batches, updates


@dataclass
class Sets:
    """The speech of one training."""

    labelled: Speech
    dev: Speech
    unlabelled: Speech | None = None

    def __post_init__(self) -> None:
        """Raise UserError where one of the sets has features of another kind."""
        for speech, name in ((self.dev, "dev"), (self.unlabelled, "unlabelled")):
            if speech is not None and speech.kind != self.labelled.kind:
                raise UserError(
                    f"the labelled speech has features of {self.labelled.kind.name}, the {name} speech of "
                    f"{speech.kind.name}. Give manifests whose features were made alike."
                )


Parts = list[tuple[MicroBatch, Batch]]

_DROPOUT = 1  # in a seed, so that it differs from the seed of the utterance's augmentation


class Trainer:
    """Training of a model through a plan of passes; its state after any update can be saved and restored."""

    def __init__(
        self, model: AcousticModel, sets: Sets, plan: list[Pass], options: TrainOptions, folder: Path, seed: int,
        threads: int = 1, criteria: dict[str, Criterion] | None = None, trained: bool = False,
    ) -> None:  # fmt: skip
        """Set up, and resume from the folder's checkpoint where there is one.

        Args:
            criteria: further criteria by kind of pass, besides `hard` and `soft`. The dev set is evaluated with the
                criterion of the plan's last pass.
            trained: whether the model is trained already: then its loss on dev before the first update is the first
                to beat.

        Raises:
            UserError: there is no pass, or an option makes no sense.
        """
        if not plan:
            raise UserError("there is nothing to do: --epochs is at least 1")
        for name, share in (("channel", options.channel.share), ("vocal_tract", options.vocal_tract.share)):
            if share and sets.labelled.kind != LOGMELS:
                raise UserError(
                    f"--train.{name}.share {share:g}: other channels and speakers are made on log-mels, and these are "
                    f"features of {sets.labelled.kind.name}. Set it to 0."
                )
        if threads < 1 or seed < 0:
            raise UserError(f"--threads {threads}, --seed {seed}: threads are at least 1, a seed is at least 0")
        self.model, self.sets, self.plan, self.options = model, sets, plan, options
        self.folder, self.seed, self.trained, self.device = folder, seed, trained, device()
        check_precision(options.precision, self.device, options.parallel.method)
        self.model.to(self.device)
        self.quantised = FakeQuantisation(model).weights if options.quantisation_aware else nullcontext
        self.strategy, self.prefetch = strategy(options.parallel, model, threads), Prefetcher()
        self.criteria = _criteria(options) | (criteria or {})
        judge = Hard() if plan[-1].kind in ("hard", "soft") else self.criteria[plan[-1].kind]
        self.evaluation = Evaluation(model, sets.dev, judge, 2 * options.max_frames, self.device, self.strategy.threads)
        self.scaler = loss_scaler(options.precision)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        self.average, self.progress, self.in_sync = WeightAverage(model, options.ema_decay), Progress(), True
        self.updates = sum(1 for i in range(len(plan)) for _ in self._order(i))
        self._restore()
        self.checkpoint_timer = CheckpointTimer(options.checkpoint_seconds, self.progress.update)
        self.curves = Curves(folder, self.progress.update) if ranks.rank() == 0 else None

    def run(self) -> AcousticModel:
        """Train to the end of the plan. Returns the model with the averaged weights that the option `keep` selects.

        Raises:
            UserError: a loss or gradient is not finite.
        """
        if self.trained and self.progress.update == 0:
            self._validate(0, math.nan, 0.0)
        for number in range(self.progress.number, len(self.plan)):
            if self.options.patience and self.progress.stale >= self.options.patience:
                log.info("no better dev loss in %d passes: stopped", self.progress.stale)
                break
            self._pass(number)
        if self.curves:
            self.curves.close()
        put_into(self.model, self.average.best if self.options.keep == "best" else self._averaged())
        return self.model

    def _pass(self, number: int) -> None:
        """Run the rest of this pass, an evaluation on dev where one is due, and write a checkpoint."""
        order, skip, begun = self._order(number), self.progress.batch, time.monotonic()
        before, self.progress.batch = self.progress.sums[1], 0
        for index, parts in enumerate(self._parts(self._data(number), islice(order, skip, None)), skip):
            self._step(parts, self.plan[number].kind)
            if self.in_sync and self.checkpoint_timer.due(self.progress.update):
                self._save(number, index + 1)
        loss, frames = self.progress.sums
        total, count, heard = ranks.all_reduce([loss, frames, frames - before])
        self.progress.sums = 0.0, 0
        if self._due(number):
            self._validate(number + 1, total / max(count, 1), heard / max(time.monotonic() - begun, 1e-3))
        if self.in_sync:
            self._save(number + 1, 0)
        else:
            self.checkpoint_timer.hasten()

    def _due(self, number: int) -> bool:
        """Whether dev is evaluated after this pass: `validate_every` counts labelled passes (they end sub-epochs), or
        all passes if none is labelled; dev is always evaluated after the last.
        """
        only_soft = all(one.kind == "soft" for one in self.plan)
        looked = [only_soft or one.kind != "soft" for one in self.plan]
        every = looked[number] and sum(looked[: number + 1]) % self.options.validate_every == 0
        return every or number + 1 == len(self.plan)

    def _data(self, number: int) -> Speech:
        if self.plan[number].kind != "soft":
            return self.sets.labelled
        if self.sets.unlabelled is None:
            raise ValueError("a pass of soft targets needs speech that has some")
        return self.sets.unlabelled

    def _order(self, number: int) -> Iterator[Update]:
        one = self.plan[number]
        chunk, frames = self.options.chunk, self.options.max_frames
        if chunk and number >= (1 - self.options.full_utterance_share) * len(self.plan):
            chunk, frames = 0, self.options.whole_frames or frames
        order = self._data(number).order(frames, self.seed * 1000 + number, one.part, one.parts, chunk)
        return updates(order, self.options.accumulate, self.strategy.splits_batches)

    def _parts(self, data: Speech, order: Iterable[Update]) -> Iterator[Parts]:
        """Yield this rank's part of each update; the next update's data are loaded while this one is computed."""

        options, around = self.options, self.model.hears_around(self.options.context)
        voice = options.vocal_tract if options.vocal_tract.share else None

        def load(numbered: tuple[int, Update]) -> Parts:
            # Every update seeds its own random numbers, so that a resumed run needs no generator's state.
            number, update = numbered
            mine = micro_batches(update, self.strategy.threads.count, self.strategy.splits_batches)
            return [
                (share, data.batch(share.spans, options.augment, [self.seed, number], options.channel, around, voice))
                for share in mine
            ]

        return self.prefetch(load, enumerate(order, self.progress.update))

    def _step(self, parts: Parts, kind: str) -> None:
        """Make one update; its loss and frames are added to the sums of the pass."""
        weights = [share.weight for share, _ in parts]
        with self.quantised():
            loss, gradients = self.strategy.gradients(lambda part: self._loss(part[0], part[1], kind), parts, weights)
        for parameter, gradient in zip(self.strategy.parameters, gradients, strict=True):
            parameter.grad = gradient
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        loss /= self.scaler.get_scale()
        self._count(loss, parts)
        self.scaler.unscale_(self.optimizer)
        norm = float(torch.nn.utils.clip_grad_norm_(self.strategy.parameters, self.options.clip))
        # Checked before the weights change, so that no checkpoint holds NaN. The scaler skips updates that overflow.
        self._check_finite("loss", loss)
        self._check_finite("gradient's norm", 0.0 if self.scaler.is_enabled() else norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.progress.update += 1
        self.model.constrain(self.progress.update)
        self.average.follow(self.progress.update)
        self.in_sync = self.strategy.synchronise(self.progress.update, self.optimizer, self.average.running)

    def _check_finite(self, what: str, value: float) -> None:
        """Raise UserError where a value is NaN or infinite."""
        if not math.isfinite(value):
            raise UserError(
                f"update {self.progress.update}: the {what} is {value}. Try a smaller --train.learning_rate (it is "
                f"{self.options.learning_rate:g}) or a longer --train.warm_up. What was checkpointed before is kept."
            )

    def _count(self, loss: float, parts: Parts) -> None:
        """Add Σ weight · loss of these parts, as a sum over their frames, to the sums of the pass."""
        frames = sum(batch.frames for share, batch in parts if share.weight)
        if frames:
            self.progress.learnt(loss * frames / sum(share.weight for share, _ in parts), frames)

    def _learning_rate(self) -> float:
        options, update = self.options, self.progress.update
        return learning_rate(update, self.updates, options.learning_rate, options.warm_up, options.final_rate)

    def _loss(self, share: MicroBatch, batch: Batch, kind: str) -> torch.Tensor:
        seeds = [[self.seed, self.progress.update, number, start, _DROPOUT] for number, start, _ in share.spans]
        dropout = self.model.dropout_masks(seeds)
        with self._autocast():
            logits = self.strategy.network(batch.features.to(self.device), batch.lengths, dropout)
        return self.scaler.scale(self.criteria[kind](logits.float(), batch))

    def _autocast(self) -> AbstractContextManager:
        if self.options.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.options.precision))

    def _averaged(self) -> Weights:
        """Return the running average of weights, averaged over all ranks."""
        return self.strategy.mean(self.average.running)

    def _validate(self, passes: int, train_loss: float, speed: float) -> None:
        """Evaluate the averaged weights on the dev set, after so many passes."""
        average, current = self._averaged(), copy_of(dict(self.model.named_parameters()))
        put_into(self.model, average)
        with self.quantised():
            look, progress = self.evaluation.look(), self.progress
        put_into(self.model, current)
        self._check_finite("dev loss", look.loss)
        better = progress.judge(look.loss)
        if better:
            self.average.best = copy_of(average)
        kind = self.plan[passes - 1].kind if passes else "start"
        progress.history.append({"pass": passes, "kind": kind, "updates": progress.update,
                                 "train": train_loss if passes else None, "dev": look.loss,
                                 "dev_accuracy": look.accuracy})  # fmt: skip
        if self.curves:
            self.curves.add(progress.update, {
                "train loss": train_loss, "dev loss": look.loss, "dev accuracy": look.accuracy,
                "learning rate": self._learning_rate(), "frames per s": speed,
            })  # fmt: skip
        log.info(
            "pass %d of %d (%s): update %d of %d, train %.3f, dev %.3f nats, %.1f %% frames right%s, %.0f frames/s",
            passes, len(self.plan), kind, progress.update, self.updates, train_loss, look.loss, 100 * look.accuracy,
            " (best)" if better else "", speed,
        )  # fmt: skip

    def _save(self, number: int, index: int) -> None:
        """Write a checkpoint: the state that all ranks share, and each rank's own. All ranks call it together."""
        progress = self.progress
        own = ranks.gather((self.strategy.state(), {"sums": progress.sums, "scaler": self.scaler.state_dict()}))
        if ranks.rank() == 0:
            tensors = {f"rank {rank}": state for rank, (state, _) in enumerate(own)}
            tensors |= {"model": {k: v.detach() for k, v in self.model.named_parameters()},
                        "average": self.average.running, "best": self.average.best,
                        "optimizer": checkpoint.optimizer_tensors(self.optimizer)}  # fmt: skip
            state = {**progress.state(number, index), "ranks": [values for _, values in own]}
            checkpoint.save(self.folder, tensors, state)
        self.checkpoint_timer.written(progress.update)

    def _restore(self) -> None:
        found = checkpoint.load(self.folder)
        if len(set(ranks.gather(found and found[1]["update"]))) > 1:
            raise UserError(f"{self.folder}: not the same at each rank. It must be on a disk that all machines share.")
        if found is None:
            return
        tensors, state = found
        put_into(self.model, tensors["model"])
        self.average.restore(tensors["average"], tensors["best"], self.device)
        checkpoint.restore_optimizer(self.optimizer, tensors["optimizer"])
        self.progress = Progress.of(state)
        # State that all ranks share is kept by rank 0 alone.
        if own := tensors.get(f"rank {ranks.rank()}", tensors.get("rank 0")):
            self.strategy.restore({k: v.to(self.device) for k, v in own.items()})
        saved = state["ranks"]
        self.progress.take_sums(saved)
        self.scaler.load_state_dict(saved[min(ranks.rank(), len(saved) - 1)]["scaler"])
        log.info("resumed at update %d of %d", self.progress.update, self.updates)


def _criteria(options: TrainOptions) -> dict[str, Criterion]:
    """Return the criteria of labels and of soft targets."""
    soft = Soft(options.temperature, options.residual == "spread")
    return {"hard": Hard(options.soft_weight, soft), "soft": soft}


def log_priors(data: Speech, senones: int) -> torch.Tensor:
    """Return (senones,) log priors from the counts of senones in the labels: see `log_shares`."""
    counts = torch.zeros(senones, dtype=torch.double)
    for rows in data.labels_of_all():
        counts += torch.bincount(torch.from_numpy(rows.astype("int64")), minlength=senones)
    return log_shares(counts)


def finish(trainer: Trainer, priors: torch.Tensor, meta: dict) -> None:
    """Train; then, at rank 0, write the model folder and remove the checkpoint.

    A model that is no better than chance on dev is kept, with a warning in the log and, for the results, in its meta.
    """
    model = trainer.run()
    if ranks.rank() > 0:
        return
    model.log_priors.copy_(priors)
    model.meta = {
        **meta,
        "updates": meta.get("updates", 0) + trainer.progress.update,
        "best_dev": trainer.progress.best_loss,
        "history": trainer.progress.history,
        "ranks": ranks.world_size(),
        "warnings": _warn_of_chance(trainer),
    }
    models.save(model.cpu(), trainer.folder)
    for path in trainer.folder.glob("checkpoint*"):
        path.unlink()


def _warn_of_chance(trainer: Trainer) -> list[str]:
    """Log a warning where the kept weights are no better than chance on dev. Returns the failures."""
    history, options = trainer.progress.history, trainer.options
    look = min(history, key=lambda one: one["dev"]) if options.keep == "best" else history[-1]
    chance = Chance.of(trainer.sets.dev.labels_of_all(), trainer.model.senones)
    found = chance.failures(look, cross_entropy=isinstance(trainer.evaluation.criterion, Hard))
    if found:
        last = history[-1]
        train = "–" if last["train"] is None else f"{last['train']:.3f}"
        advice = ADVICE.format(
            rate=options.learning_rate,
            updates=trainer.progress.update,
            folder=trainer.folder,
            train=train,
            dev=last["dev"],
        )
        log.warning("the training failed: %s (the %s weights are kept). %s", "; ".join(found), options.keep, advice)
    return found
