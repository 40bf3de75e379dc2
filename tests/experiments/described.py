"""The experiments of a recipe, with other options."""

from __future__ import annotations

from pathlib import Path

from understudy.experiments import Experiments, full_names
from understudy.step.options import parse

ROOT = Path(__file__).parents[2]
BLOCKS = "A B C stepwise rivals sequence smaller device"


def described(recipe: str, *options: str) -> Experiments:
    """As run_table.sh has them with these options."""
    config = ROOT / "egs" / recipe / "s1/conf/table.yaml"
    return parse(Experiments, None, full_names(["--config", str(config), "--jobs", "2", *options], Experiments))
