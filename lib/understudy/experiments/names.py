"""Short names of the options of the experiments."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import yaml

from understudy.experiments.options import Condition, Experiments

_LISTS = ("parts", "sizes", "seeds", "teachers", "blocks")


def full_names(argv: list[str], options: type[Experiments]) -> list[str]:
    """Expand short option names in arguments, and put brackets around lists, whose items spaces or commas separate.

    --senones becomes --n.senones, --seven-senones becomes --seven.senones, and an option of local/prepare.py that a
    configuration has under `prepare` may be given by its own name.
    """
    argv = [part for word in argv for part in (word.split("=", 1) if word.startswith("--") else [word])]
    ours, of_condition = ({one.name for one in fields(kind)} for kind in (options, Condition))
    of_corpus = _of_corpus(argv)
    found: list[str] = []
    for word in argv:
        name = word[2:].replace("-", "_") if word.startswith("--") else ""
        if found and found[-1][2:] in _LISTS and not word.startswith("["):
            word = f"[{', '.join(word.replace(',', ' ').split())}]"
        elif name in ours:
            word = f"--{name}"
        elif name in of_condition:
            word = f"--n.{name}"
        elif name.removeprefix("seven_") in of_condition:
            word = f"--seven.{name.removeprefix('seven_')}"
        elif name in of_corpus:
            word = f"--prepare.{name}"
        found.append(word)
    return found


def _of_corpus(argv: list[str]) -> set[str]:
    """Return the names under `prepare` in the configurations that exist."""
    found: set[str] = set()
    for word, value in pairwise(argv):
        if word == "--config" and Path(value).is_file():
            found |= ((yaml.safe_load(Path(value).read_text(encoding="utf-8")) or {}).get("prepare") or {}).keys()
    return found
