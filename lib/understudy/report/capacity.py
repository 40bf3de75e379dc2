"""What the method takes at a scale: disk, cores and GPUs, computed from named figures."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from understudy import models
from understudy.features import STACKED_SHIFT
from understudy.features.logmel import NUM_MELS
from understudy.models.options import ModelOptions
from understudy.ship.footprint import multiply_adds
from understudy.step import UserError

FRAMES_PER_HOUR = 3600 / STACKED_SHIFT
_MEASURED = (
    "features_cpu_s", "features_mb", "target_bytes", "plain_bytes", "dense_bytes", "forward_gmac_s",
    "training_gmac_s", "loading_cpu_us", "decoding_cpu_s", "lattice_cpu_s",
)  # fmt: skip
_ASSUMED = (
    "audio_mb", "senones", "gpu_tflops", "forward_share", "training_share", "gpu_waits", "teacher_passes",
    "first_passes", "speeds", "passes", "sequence_passes", "sequence_times", "trials", "decoded_hours", "days",
)  # fmt: skip
_MAY_BE_0 = ("gpu_waits", "first_passes")
Case = Literal["best", "worst"]


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
    """The figures, checked, of the best case or of the worst."""

    figures: dict[str, float]
    scales: list[Scale]
    teacher: Network
    students: list[Network]
    """small to large"""

    @classmethod
    def of(cls, told: dict[str, Any], source: str, case: Case) -> Capacity:
        """From the layout of docs/capacity.yaml.

        Raises:
            UserError: a figure is missing, unknown, or not above 0 where it has to be.
        """
        figures: dict[str, float] = {}
        for kind, names in (("measured", _MEASURED), ("assumed", _ASSUMED)):
            given = told.get(kind) or {}
            if strange := sorted(given.keys() ^ set(names)):
                raise UserError(
                    f"{source}: {kind}: {', '.join(strange)}: missing or unknown. Needed: {', '.join(names)}"
                )
            figures |= {name: _figure(given[name], case, name, f"{source}: {kind}") for name in names}
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
        """What each piece of work takes, in the order of the stages; a model with all that is made of it."""
        f, unlabelled = self.figures, scale.unlabelled_hours
        # A student hears the labelled speech after each sub-epoch.
        labelled = scale.labelled_hours * f["speeds"]
        heard = f["first_passes"] * labelled + f["passes"] * (unlabelled + scale.sub_epochs * labelled)
        return [
            Need("audio", disk_tb=(unlabelled + scale.labelled_hours) * f["audio_mb"] / 1e6),
            Need("features", (unlabelled + labelled) * f["features_mb"] / 1e6,
                 (unlabelled + labelled) * f["features_cpu_s"] / 3600),
            self._model(f"teacher, {self.teacher.name}", self.teacher, f["teacher_passes"] * labelled, labelled),
            self._targets("its soft targets", self.teacher, unlabelled),
            *(self._model(f"student, {one.name}", one, heard, labelled) for one in self.students),
            self._targets(f"step-wise: soft targets of {self.students[-1].name}", self.students[-1], unlabelled),
        ]  # fmt: skip

    def _model(self, work: str, network: Network, hours: float, labelled: float) -> Need:
        """Its training on so many hours, its sequence training on the labelled ones, loading, decoding; all trials."""
        f = self.figures
        sequences = f["sequence_passes"] * labelled
        # The way back takes twice what the way there does; a multiply-add is two operations.
        products = 3 * network.multiply_adds * (hours + f["sequence_times"] * sequences) * FRAMES_PER_HOUR
        gpu = 2 * products / (f["gpu_tflops"] * 1e12 * f["training_share"]) / (1 - f["gpu_waits"])
        loading = (hours + sequences) * FRAMES_PER_HOUR * f["loading_cpu_us"] / 1e6
        decoding = f["decoded_hours"] * f["decoding_cpu_s"]
        instead = products / (f["training_gmac_s"] * 1e9)
        return Need(work, 0.0, *(f["trials"] * seconds / 3600 for seconds in (loading + decoding, gpu, instead)))

    def frames_per_gpu_s(self, network: Network) -> float:
        """Frames that a GPU learns from in a second."""
        return self.figures["gpu_tflops"] * 1e12 * self.figures["training_share"] / (6 * network.multiply_adds)

    def _targets(self, work: str, network: Network, hours: float) -> Need:
        f, frames = self.figures, hours * FRAMES_PER_HOUR
        products = network.multiply_adds * frames
        gpu = 2 * products / (f["gpu_tflops"] * 1e12 * f["forward_share"]) / 3600
        instead = products / (f["forward_gmac_s"] * 1e9) / 3600
        return Need(work, frames * f["target_bytes"] / 1e12, 0.0, gpu, instead)


def _figure(told: Any, case: Case, name: str, where: str) -> float:
    """The value of a figure, or of two the one of this case.

    Raises:
        UserError: there is none, or it is no number that it can be.
    """
    value = told.get("value", told.get(case)) if isinstance(told, dict) else None
    least = 0 if name in _MAY_BE_0 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value > 0 or value == least):
        raise UserError(f"{where}: {name}: its value is {value!r}, not a number above 0")
    if name == "gpu_waits" and value >= 1:
        raise UserError(f"{where}: {name}: its value is {value!r}, not a part below 1")
    return float(value)


def _network(shape: dict[str, Any], senones: int) -> Network:
    model = models.build(ModelOptions(**shape), 3 * NUM_MELS, senones)
    way = "BLSTM" if model.options.bidirectional else {"lstm": "LSTM", "tdnnf": "TDNN-F"}[model.options.kind]
    name = f"{model.options.layers}×{model.options.cells} {way}, {model.num_parameters / 1e6:.1f} M"
    return Network(name, model.num_parameters, multiply_adds(model) * STACKED_SHIFT)


_INTRODUCTION = """# What it takes

Made from `{source}` by `steps/report_capacity.py`; do not edit. For figures of your own:

```bash
steps/report_capacity.py --figures my-capacity.yaml --out my-capacity.md
```

All is computed from what was measured (below; {machine}) and from assumptions; no row was
run at its size. Where a figure is not well known there are two of it, and all is told as least – most: with the best of
all figures, and with the worst. A frame is 30 ms; a network's work is its multiply-adds, three times as many in
training. A model's row has its training, sequence training, loading and decoding, and as often all that is trained and
thrown away while it is tuned (`trials`). GPU hours are proportional to 1 / (`gpu_tflops` × `forward_share`), or
`training_share`, none of which was measured: measure one on your GPU first. The paper reports more than 3 000 GPU hours
for all of its experiments."""


def capacity_report(told: dict[str, Any], source: str, name: str) -> str:
    """Markdown: a table for each scale, and the figures.

    Args:
        source: of the figures, in errors.
        name: of it, on the page.

    Raises:
        UserError: as `Capacity.of`.
    """
    best, worst = (Capacity.of(told, source, case) for case in ("best", "worst"))
    text = [_INTRODUCTION.format(source=name, machine=told.get("machine", "one machine"))]
    for scale in best.scales:
        text += _scale((best, worst), scale)
    for kind in ("measured", "assumed"):
        text += ["", f"## What was {kind}", "", "| | value | of | from |", "| --- | --- | --- | --- |"]
        for figure, one in told[kind].items():
            value = one.get("value", f"{one.get('best')}; {one.get('worst')}")
            text.append(f"| `{figure}` | {value} | {one.get('unit', '')} | {one.get('source', '')} |")
    return "\n".join(text) + "\n"


Cases = tuple[Capacity, Capacity]
"""of the best figures, and of the worst"""


def _scale(cases: Cases, scale: Scale) -> list[str]:
    hours = f"{_count(scale.unlabelled_hours)} hours without transcripts, {_count(scale.labelled_hours)} with"
    heads = ("disk TB", "CPU core hours", "GPU hours", "without a GPU, core hours")
    text = ["", f"## {hours}", "", f"| | {' | '.join(heads)} |", "| --- " * (len(heads) + 1) + "|"]
    needs = [capacity.needs(scale) for capacity in cases]
    for pair in zip(*needs, strict=True):
        columns = zip(*((n.disk_tb, n.core_hours, n.gpu_hours, n.instead_core_hours) for n in pair))
        text.append(
            f"| {pair[0].work} | {' | '.join(_between(*values) if any(values) else '–' for values in columns)} |"
        )
    small, large = cases[0].students[0].name, cases[0].students[-1].name
    shared = [[n for n in of if not n.work.startswith(("student", "step-wise"))] for of in needs]
    direct = [of + [n for n in all_ if n.work == f"student, {small}"] for of, all_ in zip(shared, needs)]
    stepwise = [of + [n for n in all_ if n.work == f"student, {large}"] + all_[-1:] for of, all_ in zip(direct, needs)]
    days = cases[0].figures["days"]
    return [
        *text, "", f"- Directly to the smallest student: {_sum(direct, days)}",
        f"- Step-wise through the largest: {_sum(stepwise, days)}", *_beside(cases, scale),
    ]  # fmt: skip


def _sum(needs: list[list[Need]], days: float) -> str:
    """Of the best case and of the worst."""
    disk, gpu, cores = (
        [sum(getattr(need, key) for need in of) for of in needs] for key in ("disk_tb", "gpu_hours", "core_hours")
    )
    gpus, machines = (_between(*(ceil(hours / (24 * days)) for hours in of)) for of in (gpu, cores))
    costs = f"{_between(*disk)} TB, {_between(*gpu)} GPU hours, {_between(*cores)} core hours"
    return f"{costs}. To be done in {days:g} days: GPUs: {gpus}, cores: {machines}."


def _beside(cases: Cases, scale: Scale) -> list[str]:
    """What reading takes, and what other ways would."""
    f, frames = cases[0].figures, scale.unlabelled_hours * FRAMES_PER_HOUR
    rates = sorted(capacity.frames_per_gpu_s(capacity.students[0]) for capacity in cases)
    megabytes = [rate * (f["features_mb"] * 1e6 / FRAMES_PER_HOUR + f["target_bytes"]) / 1e6 for rate in rates]
    ways = {"target_bytes": "as they are stored", "plain_bytes": "as plain senones and values", "dense_bytes": "dense"}
    stored = ", ".join(f"{_count(frames * f[name] / 1e12)} TB {how}" for name, how in ways.items())
    decoding = scale.unlabelled_hours * f["lattice_cpu_s"] / 3600
    return [
        f"- A GPU that trains the smallest student reads {_between(*megabytes)} MB/s ({_between(*rates)} frames).",
        f"- Soft targets: {stored}.",
        f"- A decoder's lattices instead: {_count(decoding)} core hours more, with a graph as small as `assistant`'s.",
    ]


def _between(least: float, most: float) -> str:
    low, high = _count(least), _count(most)
    return low if low == high else f"{low} – {high}"


def _count(value: float) -> str:
    """Two digits that mean something: 0.012, 3.4, 120, 12 000."""
    if value < 10:
        return f"{value:.2g}"
    return f"{float(f'{value:.2g}'):,.0f}".replace(",", " ")
