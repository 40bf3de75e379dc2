"""Sets and their names: what is made of a set goes by the name of its manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from understudy.step import UserError

SETS = ("labelled", "unlabelled", "dev", "test")


def set_name(manifest: Path) -> str:
    """Of the set whose manifest it is: what stands before the first dot of the file's name."""
    return manifest.name.split(".")[0]


def check_names(manifests: Iterable[Path], taken: tuple[str, ...] = ()) -> None:
    """What is made of a set goes by its name. Raise UserError where two have one, or one has a name that is taken."""
    named: dict[str, Path | str] = {name: f"what is called {name}" for name in taken}
    for path in manifests:
        if other := named.get(name := set_name(path)):
            none = "".join(f", and none {one}" for one in taken)
            raise UserError(f"{other}, {path}: both would be written to one folder, {name}; give each its own{none}")
        named[name] = path
