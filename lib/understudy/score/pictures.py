"""Figures of a table: WERs with their intervals, and learning curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from understudy.score.report import count
from understudy.score.table import Row, System
from understudy.step import atomic_path

COLOURS = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000".split()
"""Okabe and Ito's colours, which colour-blind readers can distinguish"""


def logarithmic(axes: Axes, form: Callable[[float], str]) -> None:
    """Make the horizontal axis logarithmic with plain numbers, even if its range has too few round numbers."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    rounded = LogLocator(subs=(1, 2, 5))
    few = sum(low <= tick <= high for tick in rounded.tick_values(low, high)) < 2
    axes.xaxis.set_major_locator(MaxNLocator(4) if few else rounded)
    axes.xaxis.set_major_formatter(lambda value, _: form(value))
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw(rows: list[Row], known: dict[str, System], curves: str, folder: Path) -> list[tuple[str, str]]:
    """Draw all figures for which there are results, as PNG files. Returns file names and captions.

    Args:
        rows: rows of the table.
        known: systems with results, by name.
        curves: blocks whose names begin so are drawn as learning curves, the others as WERs side by side.
        folder: folder of the files.
    """
    rows = [row for row in rows if row.system in known]
    made = []
    blocks = [[r for r in rows if r.block == b] for b in dict.fromkeys(r.block for r in rows)]
    if sides := [block for block in blocks if not block[0].block.startswith(curves)]:
        caption = "WER with 95 % intervals; dots are single seeds, the dashed line is the block's baseline."
        made.append(("wer.png", caption, side_by_side(sides, known)))
    for block in blocks:
        if block[0].block.startswith(curves):
            caption = "WER against unlabelled speech, by size of the student; band and bars are 95 % intervals."
            made.append(("curves.png", caption, learning_curves(block, known)))
    for name, _, figure in made:
        with atomic_path(folder / name) as partial:
            figure.savefig(partial, dpi=110, metadata={"Software": None})
    return [(name, caption) for name, caption, _ in made]


def side_by_side(blocks: list[list[Row]], known: dict[str, System]) -> Figure:
    """Draw WERs with intervals: a panel for each block, a line for each system."""
    figure = Figure(figsize=(9, 0.9 + sum(0.42 * len(b) + 0.6 for b in blocks)), layout="constrained")
    panels = figure.subplots(
        len(blocks), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": [len(b) + 1 for b in blocks]}
    )[:, 0]
    for axes, block, colour in zip(panels, blocks, COLOURS * len(blocks)):
        for at, row in enumerate(reversed(block)):
            system = known[row.system]
            low, high = system.interval
            axes.plot([low, high], [at, at], color=colour, linewidth=2)
            axes.plot(system.mean("wer"), at, "s", color=colour, markersize=6)
            axes.plot(
                [line["wer"] for line in system.lines], [at] * len(system.lines), ".", color="black", markersize=4
            )
        for baseline in {row.baseline for row in block if row.baseline in known}:
            axes.axvline(known[baseline].mean("wer"), linestyle="--", linewidth=1, color="grey")
        axes.set_yticks(range(len(block)), [row.system for row in reversed(block)])
        axes.set_ylim(-0.6, len(block) - 0.4)
        axes.set_title(block[0].block, fontsize=10, loc="left")
        axes.grid(axis="x", alpha=0.25)
    panels[-1].set_xlabel("WER %")
    return figure


def learning_curves(block: list[Row], known: dict[str, System]) -> Figure:
    """Draw a learning curve for each size of student, and their teacher (the block's baseline) as a horizontal line."""
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    sizes = sorted({known[row.system].get("parameters") for row in block})
    amounts = sorted({round(known[row.system].get("unlabelled_hours"), 2) for row in block})
    places = {hours: at for at, hours in enumerate(amounts)}  # evenly spaced: each is double the one before
    for size, colour in zip(sizes, COLOURS):
        points = sorted(
            (places[round(s.get("unlabelled_hours"), 2)], s.mean("wer"), *s.interval)
            for s in (known[row.system] for row in block)
            if s.get("parameters") == size
        )
        x, y, low, high = zip(*points)
        shift = 0.05 * (sizes.index(size) - (len(sizes) - 1) / 2)
        errors = [[a - b for a, b in zip(y, low)], [b - a for a, b in zip(y, high)]]
        axes.errorbar(
            [v + shift for v in x], y, errors, color=colour, marker="o", capsize=2, label=f"student, {count(size)}"
        )
    for name in {row.baseline for row in block if row.baseline in known}:
        teacher = known[name]
        axes.axhline(
            teacher.mean("wer"),
            color="black",
            linestyle="--",
            linewidth=1,
            label=f"{name}, {count(teacher.get('parameters'))}",
        )
        axes.axhspan(*teacher.interval, color="black", alpha=0.08, linewidth=0)
    axes.set_xticks(list(places.values()), [f"{hours:g}" for hours in amounts])
    axes.set_xlabel("unlabelled speech, hours (0: labelled speech alone)")
    axes.set_ylabel("WER %")
    axes.grid(alpha=0.25)
    axes.legend()
    return figure
