"""Pictures of a recipe's page, as SVG (drawings) or PNG (what has a value at every point)."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from understudy.report.example import Example
from understudy.report.gather import Model
from understudy.score.pictures import COLOURS, logarithmic

Line = dict[str, Any]


def svg(figure: Figure) -> str:
    """As an element of a page."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def png(figure: Figure) -> str:
    """As the address of an image that needs no file."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=120, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def training(models: Sequence[Model]) -> Figure:
    """Dev loss by updates, a line for each model, and where it was best."""
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for model, colour, style in zip(models, COLOURS * len(models), _styles(len(models))):
        x, y = zip(*((h["updates"], h["dev"]) for h in model.history))
        axes.plot(x, y, style, color=colour, linewidth=1.4, label=model.name)
        best = int(np.argmin(y))
        axes.plot(x[best], y[best], "o", color=colour, markersize=4)
    axes.set(xlabel="updates", ylabel="dev loss (nats per frame)")
    axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _styles(count: int) -> list[str]:
    return [style for style in ("-", "--", ":", "-.") for _ in COLOURS][:count] + ["-"] * count


def against(lines: Sequence[Line], key: str, label: str, log: bool) -> Figure | None:
    """WER with its interval against something of the systems; None where they all have the same."""
    points = [line for line in lines if line.get(key) and line["wer"] is not None]
    if len({line[key] for line in points}) < 2:
        return None
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for line, colour, marker in zip(points, COLOURS * len(points), _markers(len(points))):
        low, high = line["wer"] - line["wer_low"], line["wer_high"] - line["wer"]
        axes.errorbar(
            line[key], line["wer"], [[low], [high]], fmt=marker, color=colour, capsize=3, label=line["system"]
        )
    if log:
        logarithmic(axes, lambda value: f"{value / 1e6:g} M")
    axes.set(xlabel=label, ylabel="WER %")
    axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _markers(count: int) -> list[str]:
    return [marker for marker in "osD^v*" for _ in COLOURS][:count] + ["o"] * count


def posteriors(example: Example) -> Figure:
    """What each model hears: log-mels above, then for each model its senones' posteriors; words and phones below."""
    panels = 1 + len(example.posteriors)
    figure = Figure(figsize=(9, 1.4 + 1.9 * panels), layout="constrained")
    rows = figure.subplots(panels, 1, sharex=True, gridspec_kw={"height_ratios": [0.8] + [1] * (panels - 1)})
    top, *others = np.atleast_1d(rows)
    end = example.seconds
    top.imshow(example.logmel.T, origin="lower", aspect="auto", extent=(0, end, 0, example.logmel.shape[1]),
               cmap="gray_r")  # fmt: skip
    top.set_title("log-mel energies", loc="left", fontsize=9)
    top.set_ylabel("mel", fontsize=8)
    for axes, (name, values) in zip(others, example.posteriors.items()):
        shown = values[:, example.senones]
        picture = axes.imshow(
            shown.T, origin="lower", aspect="auto", vmin=0, vmax=1, cmap="viridis", interpolation="nearest",
            extent=(0, end, -0.5, len(example.senones) - 0.5),
        )  # fmt: skip
        axes.set_title(f"senone posteriors: {name}", loc="left", fontsize=9)
        every = max(1, len(example.senones) // 10)
        places = range(0, len(example.senones), every)
        axes.set_yticks(places, [example.labels[i] for i in places], fontsize=7)
    for axes in others:
        for _, start, _ in example.words:
            axes.axvline(start, color="white", linewidth=0.6, alpha=0.7)
    for word, start, stop in example.words:
        top.text((start + stop) / 2, example.logmel.shape[1] * 1.02, word, ha="center", va="bottom", fontsize=7,
                 rotation=30 if len(example.words) > 8 else 0)  # fmt: skip
    top.set_title("log-mel energies", loc="left", fontsize=9, pad=22)
    others[-1].set_xlabel("seconds")
    figure.colorbar(picture, ax=others, label="posterior", shrink=0.6)
    return figure
