"""What the method takes at a scale: disk, cores and GPUs, computed from named figures."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from understudy.features import STACKED_SHIFT
from understudy.features.logmel import NUM_MELS
from understudy.models import AcousticModel, ModelOptions
from understudy.ship.footprint import multiply_adds
from understudy.stage import UserError

FRAMES_PER_HOUR = 3600 / STACKED_SHIFT
_MEASURED = (
    "features_cpu_s", "features_mb", "target_bytes", "plain_bytes", "dense_bytes", "forward_gmac_s",
    "training_gmac_s", "lattice_cpu_s",
)  # fmt: skip
_ASSUMED = (
    "audio_mb", "senones", "gpu_tflops", "forward_share", "training_share", "teacher_passes", "speeds", "passes",
    "days",
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """So much speech."""

    unlabelled_hours: float
    labelled_hours: float
    sub_epochs: int
    """parts of a pass over the unlabelled speech, each followed by the labelled speech"""


@dataclass(frozen=True)
class Network:
    """An acoustic model's size."""

    name: str
    parameters: int
    multiply_adds: float
    """of a frame"""


@dataclass(frozen=True)
class Need:
    """What one piece of work takes."""

    work: str
    disk_tb: float = 0.0
    core_hours: float = 0.0
    """on CPUs, whatever else there is"""
    gpu_hours: float = 0.0
    instead_core_hours: float = 0.0
    """of CPUs, if there is no GPU"""


@dataclass(frozen=True)
class Capacity:
    """The figures, checked."""

    figures: dict[str, float]
    scales: list[Scale]
    teacher: Network
    students: list[Network]
    """small to large"""

    @classmethod
    def of(cls, told: dict[str, Any], source: str) -> Capacity:
        """From the layout of docs/capacity.yaml.

        Raises:
            UserError: a figure is missing, not above 0, or unknown.
        """
        figures = {}
        for kind, names in (("measured", _MEASURED), ("assumed", _ASSUMED)):
            given = told.get(kind) or {}
            if strange := sorted(given.keys() ^ set(names)):
                raise UserError(
                    f"{source}: {kind}: {', '.join(strange)}: missing or unknown. Needed: {', '.join(names)}"
                )
            for name in names:
                value = given[name].get("value") if isinstance(given[name], dict) else None
                if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                    raise UserError(f"{source}: {kind}: {name}: its value is {value!r}, not a number above 0")
                figures[name] = float(value)
        senones = int(figures["senones"])
        try:
            scales = [Scale(**one) for one in told["scales"]]
            teacher = _network(told["teacher"], senones)
            students = [_network(one, senones) for one in told["students"]]
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{source}: scales, teacher or students are not as in docs/capacity.yaml: {error}"
            ) from error
        if not scales or not students:
            raise UserError(f"{source}: no scale, or no student")
        return cls(figures, scales, teacher, students)

    def needs(self, scale: Scale) -> list[Need]:
        """What each piece of work takes, in the order of the stages."""
        f, unlabelled = self.figures, scale.unlabelled_hours
        # A student hears the labelled speech after each sub-epoch.
        labelled = scale.labelled_hours * f["speeds"]
        heard = f["passes"] * (unlabelled + scale.sub_epochs * labelled)
        return [
            Need("audio", disk_tb=(unlabelled + scale.labelled_hours) * f["audio_mb"] / 1e6),
            Need("features", (unlabelled + labelled) * f["features_mb"] / 1e6,
                 (unlabelled + labelled) * f["features_cpu_s"] / 3600),
            self._training(f"teacher, {self.teacher.name}", self.teacher, f["teacher_passes"] * labelled),
            self._targets("its soft targets", self.teacher, unlabelled),
            *(self._training(f"student, {one.name}", one, heard) for one in self.students),
            self._targets(f"step-wise: soft targets of {self.students[-1].name}", self.students[-1], unlabelled),
        ]  # fmt: skip

    def frames_per_gpu_s(self, network: Network) -> float:
        """Frames that a GPU learns from in a second."""
        return self.figures["gpu_tflops"] * 1e12 * self.figures["training_share"] / (6 * network.multiply_adds)

    def _training(self, work: str, network: Network, hours: float) -> Need:
        """The way back takes twice what the way there does; a multiply-add is two operations."""
        f, products = self.figures, 3 * network.multiply_adds * hours * FRAMES_PER_HOUR
        gpu = 2 * products / (f["gpu_tflops"] * 1e12 * f["training_share"]) / 3600
        return Need(work, gpu_hours=gpu, instead_core_hours=products / (f["training_gmac_s"] * 1e9) / 3600)

    def _targets(self, work: str, network: Network, hours: float) -> Need:
        f, frames = self.figures, hours * FRAMES_PER_HOUR
        products = network.multiply_adds * frames
        gpu = 2 * products / (f["gpu_tflops"] * 1e12 * f["forward_share"]) / 3600
        instead = products / (f["forward_gmac_s"] * 1e9) / 3600
        return Need(work, frames * f["target_bytes"] / 1e12, 0.0, gpu, instead)


def _network(shape: dict[str, Any], senones: int) -> Network:
    model = AcousticModel(ModelOptions(**shape), 3 * NUM_MELS, senones)
    way = "BLSTM" if model.options.bidirectional else "LSTM"
    name = f"{model.options.layers}×{model.options.cells} {way}, {model.num_parameters / 1e6:.1f} M"
    return Network(name, model.num_parameters, multiply_adds(model) * STACKED_SHIFT)


_INTRODUCTION = """# What it takes

Made from `{source}` by `steps/report_capacity.py`; do not edit. For figures of your own:

```bash
steps/report_capacity.py --figures my-capacity.yaml --out my-capacity.md
```

All is computed from what was measured (below; {machine}) and from assumptions; no row
was run at its size. A frame is 30 ms; a network's work is its multiply-adds, three times as many in training. GPU hours
are proportional to 1 / (`gpu_tflops` × `forward_share`), or `training_share`, none of which was measured: measure one
on your GPU first. The paper reports more than 3 000 GPU hours for all of its experiments."""


def report(capacity: Capacity, told: dict[str, Any], source: str) -> str:
    """Markdown: a table for each scale, and the figures."""
    text = [_INTRODUCTION.format(source=source, machine=told.get("machine", "one machine"))]
    for scale in capacity.scales:
        text += _scale(capacity, scale)
    for kind in ("measured", "assumed"):
        text += ["", f"## What was {kind}", "", "| | value | of | from |", "| --- | --- | --- | --- |"]
        for name, one in told[kind].items():
            text.append(f"| `{name}` | {one['value']} | {one.get('unit', '')} | {one.get('source', '')} |")
    return "\n".join(text) + "\n"


def _scale(capacity: Capacity, scale: Scale) -> list[str]:
    needs = capacity.needs(scale)
    hours = f"{_count(scale.unlabelled_hours)} hours without transcripts, {_count(scale.labelled_hours)} with"
    heads = ("disk TB", "CPU core hours", "GPU hours", "without a GPU, core hours")
    text = ["", f"## {hours}", "", f"| | {' | '.join(heads)} |", "| --- " * (len(heads) + 1) + "|"]
    for need in needs:
        values = (need.disk_tb, need.core_hours, need.gpu_hours, need.instead_core_hours)
        text.append(f"| {need.work} | {' | '.join(_count(v) if v else '–' for v in values)} |")
    small, large, works = capacity.students[0], capacity.students[-1], {need.work: need for need in needs}
    shared = [n for n in needs if not n.work.startswith(("student", "step-wise"))]
    direct = [*shared, works[f"student, {small.name}"]]
    stepwise = [*direct, works[f"student, {large.name}"], needs[-1]]
    return [
        *text, "", f"- Directly to the smallest student: {_sum(direct, capacity.figures['days'])}",
        f"- Step-wise through the largest: {_sum(stepwise, capacity.figures['days'])}", *_beside(capacity, scale),
    ]  # fmt: skip


def _sum(needs: list[Need], days: float) -> str:
    disk, gpu, cores = (sum(column) for column in zip(*((n.disk_tb, n.gpu_hours, n.core_hours) for n in needs)))
    gpus, machines = (_count(ceil(hours / (24 * days))) for hours in (gpu, cores))
    costs = f"{_count(disk)} TB, {_count(gpu)} GPU hours, {_count(cores)} core hours"
    return f"{costs}. To be done in {days:g} days: GPUs: {gpus}, cores: {machines}."


def _beside(capacity: Capacity, scale: Scale) -> list[str]:
    """What reading takes, and what other ways would."""
    f, frames = capacity.figures, scale.unlabelled_hours * FRAMES_PER_HOUR
    rate = capacity.frames_per_gpu_s(capacity.students[0])
    megabytes = rate * (f["features_mb"] * 1e6 / FRAMES_PER_HOUR + f["target_bytes"]) / 1e6
    ways = {"target_bytes": "as they are stored", "plain_bytes": "as plain senones and values", "dense_bytes": "dense"}
    stored = ", ".join(f"{_count(frames * f[name] / 1e12)} TB {how}" for name, how in ways.items())
    decoding = scale.unlabelled_hours * f["lattice_cpu_s"] / 3600
    return [
        f"- A GPU that trains the smallest student reads {_count(megabytes)} MB/s ({_count(rate)} frames).",
        f"- Soft targets: {stored}.",
        f"- A decoder's lattices instead: {_count(decoding)} core hours more, with a graph as small as `assistant`'s.",
    ]


def _count(value: float) -> str:
    """Two digits that mean something: 0.012, 3.4, 120, 12 000."""
    if value < 10:
        return f"{value:.2g}"
    return f"{float(f'{value:.2g}'):,.0f}".replace(",", " ")
