"""Figures of the simulation, from its cells alone: bands and bars are 95 % intervals over seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from understudy.step import atomic_path
from understudy.theory.predictions import ROUNDING
from understudy.theory.simulate import Cell
from understudy.theory.statistics import mean, ratio

BLACK, ORANGE, SKY, GREEN, BLUE, RED, PINK = "#000000 #E69F00 #56B4E9 #009E73 #0072B2 #D55E00 #CC79A7".split()
"""Okabe and Ito's colours, which colour-blind readers can distinguish"""
TEACHERS = {"exact": "least-squares teacher", "ridge": "teacher with ridge", "weak": "teacher with hardly a penalty"}
SHOWN_NOISE = 0.5
SHOWN_WIDTH = 33


def draw(cells: list[Cell], folder: Path) -> list[tuple[str, str]]:
    """Draw all figures as PNG files. Returns file names and captions."""
    cells = list({cell.key: cell for cell in cells}.values())
    made = []
    for name, caption, picture in PICTURES:
        figure = picture(cells)
        with atomic_path(folder / f"{name}.png") as partial:
            figure.savefig(partial, dpi=110, metadata={"Software": None})
        made.append((f"{name}.png", caption))
    return made


def _panels(count: int, height: float = 4.4, width: float = 5.6, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, sharey=sharey, squeeze=False)[0])


def _shown(cells: list[Cell], task: str, noise: float, width: int, rule: str) -> list[Cell]:
    """Return the cells with all inputs of one world and one teacher, by labels."""
    kept = [c for c in cells if c.unlabelled is None and (c.world.task, c.world.noise) == (task, noise)]
    kept = [c for c in kept if (c.teacher.width, c.teacher.rule) == (width, rule)]
    return sorted(kept, key=lambda c: c.labels)


def _curve(axes: Axes, cells: list[Cell], name: str, label: str, colour: str, style: str = "-") -> None:
    """Draw an error against n, with its band."""
    if not cells:
        return
    n, found = [c.labels for c in cells], [mean(c[name]) for c in cells]
    floor = [max(f.low, f.value / 20) for f in found]  # the axis is logarithmic, and a band may reach below zero
    axes.fill_between(n, floor, [f.high for f in found], color=colour, alpha=0.18, linewidth=0)
    axes.plot(n, [f.value for f in found], style, color=colour, marker="o", markersize=3.5, linewidth=1.6, label=label)


def _log_labels(axes: Axes, cells: list[Cell]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({c.labels for c in cells}), [str(n) for n in sorted({c.labels for c in cells})])
    axes.set_xlabel("labels n")
    axes.set_yscale("log")
    axes.grid(alpha=0.25, which="major")


def when_it_passes(cells: list[Cell]) -> Figure:
    """Draw the map of students against n: the gain as a share of the teacher's error."""
    figure, panels = _panels(2, height=4.6, width=6.4)
    for axes, rule in zip(panels, ("exact", "ridge")):
        _map(axes, _shown(cells, "values", SHOWN_NOISE, SHOWN_WIDTH, rule), f"{TEACHERS[rule]}, width {SHOWN_WIDTH}")
    colours = panels[0].images[0] if panels[0].images else None
    if colours is not None:
        figure.colorbar(colours, ax=panels, label="gain, % of the teacher's error (blue: the student passes)")
    return figure


def _map(axes: Axes, cells: list[Cell], title: str) -> None:
    students, labels = list(dict.fromkeys(c.student for c in cells)), sorted({c.labels for c in cells})
    shares = np.full((len(students), len(labels)), np.nan)
    for c in cells:
        place = students.index(c.student), labels.index(c.labels)
        shares[place] = 100 * c["gain"].mean() / c["teacher"].mean()
        gain = mean(c["gain"])
        nothing = abs(gain.value) < ROUNDING
        sure = gain.low > 0 or gain.high < 0 or nothing
        text = "0" if nothing else f"{shares[place]:.0f}" if shares[place] > -1000 else "≪"
        axes.text(
            place[1], place[0], text if sure else f"({text})", ha="center", va="center", fontsize=8,
            color="white" if abs(shares[place]) > 65 else "black",
        )  # fmt: skip
    axes.imshow(shares, cmap="RdBu", vmin=-100, vmax=100, aspect="auto")
    axes.set_xticks(range(len(labels)), [str(n) for n in labels])
    axes.set_yticks(range(len(students)), [f"{s.rule}, width {s.width}" for s in students])
    axes.set(xlabel="labels n", ylabel="student", title=title)


def learning_curves(cells: list[Cell]) -> Figure:
    """Draw errors of teacher and students against n."""
    figure, panels = _panels(2, sharey=True)
    lines = [(5, "exact", ORANGE), (9, "exact", BLUE), (17, "exact", SKY), (33, "stopped", GREEN)]
    for axes, rule in zip(panels, ("exact", "ridge")):
        shown = _shown(cells, "values", SHOWN_NOISE, SHOWN_WIDTH, rule)
        for width, how, colour in lines:
            chosen = [c for c in shown if (c.student.width, c.student.rule) == (width, how)]
            where = ", f* outside" if chosen and not chosen[0].contains_truth else ""
            _curve(axes, chosen, "student", f"student, width {width}, {how}{where}", colour)
            if width == 9:
                _curve(axes, chosen, "alone", "width 9 on the labels alone", PINK, "--")
                _curve(axes, chosen, "teacher", "teacher, width 33", BLACK)
        _log_labels(axes, shown)
        axes.set_title(TEACHERS[rule])
    panels[0].set_ylabel("squared distance to the truth (truth's norm 1)")
    panels[0].legend(fontsize=8)
    return figure


def _scatter(axes: Axes, groups: list[tuple[str, str, list[Cell]]], unit: str, small: float) -> None:
    """Draw gain against divergence with intervals of the gain, and the line gain = divergence."""
    axes.axhline(0, color="#888888", linewidth=0.8)
    for label, colour, cells in groups:
        if not cells:
            continue
        x, y = [mean(c["divergence"]) for c in cells], [mean(c["gain"]) for c in cells]
        bars = [[f.value - f.low for f in y], [f.high - f.value for f in y]]
        axes.errorbar(
            [f.value for f in x], [f.value for f in y], yerr=bars, fmt="o", markersize=3.5, color=colour, alpha=0.65,
            elinewidth=0.8, label=f"{label} ({len(cells)} cells)",
        )  # fmt: skip
    line = np.geomspace(small / 10, 2, 100)
    axes.plot(line, line, color=BLACK, linewidth=1.2, label="the bound: gain = divergence")
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=small)
    axes.set(xlabel=f"divergence of teacher and student, {unit}", xlim=(small / 10, 2))
    axes.grid(alpha=0.2)
    axes.legend(fontsize=8, loc="lower left")


def gain_and_divergence(cells: list[Cell]) -> Figure:
    """Draw gain against divergence in all cells of squared loss with all inputs, in three groups."""
    chosen = [c for c in cells if c.world.task == "values" and c.unlabelled is None]
    small = [c for c in chosen if c.student.rule in ("exact", "ball") and not c.contains_teacher]
    groups = {
        "projections, f* in F": [c for c in small if c.contains_truth],
        "projections, f* outside F": [c for c in small if not c.contains_truth],
        "stopped or with ridge": [c for c in chosen if c.student.rule in ("stopped", "ridge")],
    }
    figure, panels = _panels(3, width=4.8, sharey=True)
    for axes, (title, group) in zip(panels, groups.items()):
        split = [
            (TEACHERS[r], k, [c for c in group if c.teacher.rule == r]) for r, k in (("exact", BLUE), ("ridge", ORANGE))
        ]
        _scatter(axes, split, "‖f_S − f_T‖²", 1e-3)
        axes.set_title(title)
    panels[0].set_ylabel("gain, ‖f_T − f*‖² − ‖f_S − f*‖²")
    return figure


def gain_and_inputs(cells: list[Cell]) -> Figure:
    """Draw the gain with N unlabelled inputs as a share of that with all inputs, by N/n and by N/width."""
    limits = {c.key[:4]: c for c in cells if c.unlabelled is None}
    finite = sorted((c for c in cells if c.unlabelled is not None), key=lambda c: c.unlabelled or 0)
    figure, panels = _panels(2, sharey=True)
    ways: list[tuple[str, Callable[[Cell], float]]] = [
        ("unlabelled inputs to a label, N/n", lambda c: (c.unlabelled or 0) / c.labels),
        ("unlabelled inputs to a feature of the student, N/width", lambda c: (c.unlabelled or 0) / c.student.width),
    ]
    colours = dict(zip(dict.fromkeys(c.student for c in finite), (BLUE, ORANGE, GREEN)))
    for axes, (text, scale) in zip(panels, ways):
        for student, n in dict.fromkeys((c.student, c.labels) for c in finite):
            row = [c for c in finite if (c.student, c.labels) == (student, n)]
            found = [ratio(c["gain"], limits[c.key[:4]]["gain"]) for c in row]
            x, style = [scale(c) for c in row], "-" if n == min(c.labels for c in finite) else "--"
            axes.fill_between(
                x, [f.low for f in found], [f.high for f in found], color=colours[student], alpha=0.15, lw=0
            )
            label = f"width {student.width}, {student.rule}, n = {n}"
            axes.plot(
                x, [f.value for f in found], style, marker="o", markersize=3.5, color=colours[student], label=label
            )
        axes.axhline(1, color=BLACK, linewidth=1)
        axes.axhline(0, color="#888888", linewidth=0.8)
        axes.set_xscale("log", base=2)
        axes.set(xlabel=text, ylim=(-0.6, 1.15))
        axes.grid(alpha=0.25)
    line = np.geomspace(1.5, 4000, 200)
    panels[1].plot(
        line, 1 - 1 / (line - 1), ":", color=RED, linewidth=2, label="1 − width / (N − width), exact students"
    )
    panels[0].set_ylabel("gain / gain of N → ∞")
    panels[1].legend(fontsize=8, loc="lower right")
    return figure


def posterior_curves(cells: list[Cell]) -> Figure:
    """Draw learning curves, and gain against divergence, under cross-entropy, in nats."""
    figure, panels = _panels(3, width=4.9)
    for axes, rule in zip(panels, ("weak", "ridge")):
        shown = _shown(cells, "posteriors", 1.0, 17, rule)
        for width, colour in ((5, ORANGE), (9, BLUE), (13, SKY)):
            chosen = [c for c in shown if (c.student.width, c.student.rule) == (width, "exact")]
            where = ", f* outside" if chosen and not chosen[0].contains_truth else ""
            _curve(axes, chosen, "student", f"student, width {width}{where}", colour)
            if width == 9:
                _curve(axes, chosen, "alone", "width 9 on the labels alone", PINK, "--")
                _curve(axes, chosen, "teacher", "teacher, width 17", BLACK)
        _log_labels(axes, shown)
        axes.set(title=TEACHERS[rule], ylim=(1e-3, 1))
    panels[0].set_ylabel("KL(truth ‖ model), nats")
    panels[0].legend(fontsize=8)
    small = [c for c in cells if c.world.task == "posteriors" and c.student.rule == "exact" and not c.contains_teacher]
    inside, outside = [c for c in small if c.contains_truth], [c for c in small if not c.contains_truth]
    _scatter(panels[2], [("f* in F", BLUE, inside), ("f* outside F", ORANGE, outside)], "KL(T ‖ S), nats", 1e-3)
    panels[2].set(title="students fitted exactly", ylabel="gain in KL(truth ‖ ·), nats")
    return figure


PICTURES: list[tuple[str, str, Callable[[list[Cell]], Figure]]] = [
    ("map", "When a student beats its teacher: gain in % of the teacher's error, squared loss, noise 0.5, N → ∞. In "
     "brackets where the 95 % interval contains zero; ≪ is below −1000. The truth has width 9.", when_it_passes),
    ("learning_curves", "Errors against n (squared loss, noise 0.5, N → ∞).", learning_curves),
    ("gain_divergence", "Gain against divergence, each dot a cell (squared loss, N → ∞).", gain_and_divergence),
    ("gain_inputs", "How the gain approaches that of N → ∞ (squared loss, noise 0.5, least-squares teacher).",
     gain_and_inputs),
    ("posteriors", "The same under cross-entropy (N → ∞): learning curves with logits of size 1, and gain against "
     "divergence in all cells.", posterior_curves),
]  # fmt: skip
