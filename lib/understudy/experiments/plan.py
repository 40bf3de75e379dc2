"""Building blocks of the experiments: a training, a decoding, soft targets, each as a job with a step's command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.experiments.options import Experiments
from understudy.parallel.job_graph import Job

_K = 20  # senones of a soft target


class Plan:
    """A list of jobs that grows. A condition, c, is n or 7n."""

    def __init__(self, described: Experiments) -> None:
        self.jobs: list[Job] = []
        self.x = described
        self.data, self.dir, self.all = described.data, described.dir, described.part_hours(1)
        self.encoded = f"{self.data}/feats-encoder"
        """folder of the features of a foreign encoder"""
        self.ears = self.encoded if described.teacher_hears == "encoder" else ""
        """folder of the teachers' features; empty: log-mels"""
        self.begins: dict[tuple[str, str], str] = {}
        """the student that a distillation starts from, by condition and size"""

    def add(self, name: str, needs: str, script: str, *configs: str, **options: Any) -> None:
        """Add a job; options that are None are not given, and further configurations come after them."""
        words = [script]
        for option, value in options.items():
            if value is not None:
                words += [f"--{option if '.' in option else option.replace('_', '-')}", str(value)]
        words += [word for config in configs for word in ("--config", config)]
        self.jobs.append(Job(name, tuple(needs.split()), tuple(words)))

    def distilled(
        self, c: str, size: str, name: str, needs: str, *configs: str, seed: int = 1, part: int = 1, **options: Any
    ) -> None:
        """Add a student that is trained on from one with labels, with the settings of distillation.

        Args:
            configs: further configurations.
            part: train on one part in so many of the unlabelled speech, with as many updates as with all.
        """
        distil = f"conf/{self.x.distilling}.yaml"
        if self.x.soft_weight:
            options = {"train.soft_weight": f"{self.x.soft_weight:g}"} | options
        self.goes_on(c, size, name, needs, distil, *configs, seed=seed, part=part, **options)

    def goes_on(
        self, c: str, size: str, name: str, needs: str, *configs: str, seed: int = 1, part: int = 1, **options: Any
    ) -> None:
        """Add a student that is trained on from one with labels, with its own settings and these (see `distilled`)."""
        of, subs = self.x.condition(c), self.x.sub_epochs
        first = seeded(f"{c}/{self.begins.get((c, size), f'{size}-first')}", seed)
        speech, passes = self.feats("unlabelled"), of.labelled_passes
        if part != 1:
            speech, needs = f"{self.data}/part-{part}/unlabelled.jsonl.gz", f"{needs} part-{part}"
        if part > subs:  # as sub-epochs cannot be made longer, each has less labelled speech
            passes = passes * subs / part
        usual = {
            **self.student(size), "unlabelled": f"[{speech}]", "init": f"{self.dir}/{first}",
            "epochs": of.distil_epochs * part, "sub_epochs": max(subs // part, 1), "labelled_passes": f"{passes:g}",
        }  # fmt: skip
        self.model(c, name, f"{first} {needs}", *configs, seed=seed, **usual | options)

    def model(
        self, c: str, name: str, needs: str, *configs: str, seed: int = 1, heard: str = "", **options: Any
    ) -> None:
        """Add a training on the condition's labelled speech, and a decoding with tuned scales.

        Args:
            heard: folder of the model's features; empty: log-mels.
        """
        at = seeded(f"{c}/{name}", seed)
        self.train(c, at, needs, *configs, seed=seed, heard=heard, **options)
        self.decode(c, name, at, heard)

    def train(self, c: str, at: str, needs: str, *configs: str, seed: int = 1, heard: str = "", **options: Any) -> None:
        """Add a training without a decoding (see `model`)."""
        usual = {"labelled": self.labelled(c, heard), "dev": self.feats("dev", heard),
                 "labels": f"{self.dir}/{c}/{self.x.labels}", "seed": seed, "threads": 1,
                 "out": f"{self.dir}/{at}"}  # fmt: skip
        self.add(at, needs, "steps/train.py", *configs, **usual | options)

    def sequence(self, c: str, name: str, criterion: str, seed: int = 1, heard: str = "", **options: Any) -> None:
        """Add a sequence training and a decoding (see `model`)."""
        at, begin = seeded(f"{c}/{name}-{criterion}", seed), seeded(f"{c}/{name}", seed)
        self.add(at, f"{begin} {c}/graph", "steps/train_sequence.py", model=f"{self.dir}/{begin}", criterion=criterion,
                 seed=seed, labelled=self.labelled(c, heard), dev=self.feats("dev", heard),
                 labels=f"{self.dir}/{c}/{self.x.labels}", lang=f"{self.dir}/lang", graph=f"{self.dir}/{c}/graph",
                 epochs=self.x.sequence_epochs, threads=1, out=f"{self.dir}/{at}", **options)  # fmt: skip
        self.decode(c, f"{name}-{criterion}", at, heard)

    def decode(self, c: str, name: str, at: str, heard: str = "") -> None:
        """Add a decoding of dev and test (see `model`); the results' system is NAME-CONDITION, whatever the seed."""
        tests = ",".join(self.feats(test, heard) for test in self.x.tests)
        self.add(f"{at}/decode", f"{at} {c}/graph", "steps/decode.py", model=f"{self.dir}/{at}",
                 graph=f"{self.dir}/{c}/graph", dev=self.feats("dev", heard), test=f"[{tests}]",
                 system=f"{name}-{c}", recipe=self.x.recipe, results=f"{self.dir}/results.jsonl",
                 acoustic_scales=self.x.scales, prior_scales=self.x.prior_scales, **self.beam(),
                 **self.given(self.x.decode), jobs=1, out=f"{self.dir}/{at}/decode")  # fmt: skip

    def targets(self, c: str, name: str, model: str, needs: str, heard: str = "", **options: Any) -> None:
        """Add a model's targets for the unlabelled speech, and for labelled speech if soft_weight is above 0.

        Args:
            heard: see `model`.
        """
        feats = [self.feats("unlabelled", heard), *([self.labelled(c, heard)] if self.x.soft_weight else [])]
        self.add(f"{c}/{name}", needs, "steps/make_targets.py", model=f"{self.dir}/{c}/{model}",
                 feats=f"[{','.join(feats)}]", k=_K, jobs=1, out=f"{self.dir}/{c}/{name}",
                 **options)  # fmt: skip

    def feats(self, name: str, heard: str = "") -> str:
        """Return the manifest of a set's features: log-mels, or those in the folder `heard`."""
        return f"{heard or f'{self.data}/feats'}/{name}.jsonl.gz"

    def labelled(self, c: str, heard: str = "") -> str:
        """Return the manifest of the condition's labelled speech."""
        return f"{self.data}/{c}{'-encoder' if heard else ''}/labelled.jsonl.gz"

    def soft(self, c: str, name: str) -> str:
        """Return the folders of targets, as the option of a training."""
        sets = ("unlabelled", "labelled") if self.x.soft_weight else ("unlabelled",)
        return f"[{','.join(f'{self.dir}/{c}/{name}/{one}' for one in sets)}]"

    def student(self, size: str) -> dict[str, Any]:
        """Return the options that all trainings of students of a size have in common."""
        return {"config": f"conf/{size}.yaml", **self.given(self.x.student)}

    def beam(self) -> dict[str, Any]:
        """Return the option for the beam of a search."""
        return {"beams.search": f"{self.x.beam:g}"}

    def batches(self, c: str) -> dict[str, Any]:
        """Return the option for the size of batches of labelled speech, if the condition has its own."""
        frames = self.x.condition(c).max_frames
        return {} if frames is None else {"train.max_frames": frames}

    def given(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options of the description, with placeholders replaced by its values; None is left out."""
        hours = {"seven_hours": self.x.seven.hours, "unlabelled_hours": self.x.unlabelled_hours}
        known = {name: "" if value is None else f"{value:g}" for name, value in hours.items()}
        known |= {"data": str(self.data), "jobs": str(self.x.jobs)}
        return {name: _in_words(value).format(**known) for name, value in options.items() if value is not None}


def seeded(name: str, seed: int) -> str:
    """Return the folder of a model of that seed; the first seed has no suffix."""
    return name if seed == 1 else f"{name}.{seed}"


def _in_words(value: Any) -> str:
    """Return a value as the command line takes it."""
    return f"[{', '.join(map(_in_words, value))}]" if isinstance(value, list) else str(value)
