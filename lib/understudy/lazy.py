"""Names of a package that are imported when somebody first asks for them (PEP 562).

A module's package is imported before it: where that imported all that it offers, nobody could have a module that is
light, such as the options of a step, without torch and Lhotse.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy(package: str, where: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], list[str]]:
    """`__getattr__` and `__all__` of a package.

    Args:
        package: its name.
        where: names by the module of the package that has them. No name may be that of a module of the package
            too: which of the two it meant would hang on what was imported first.
    """
    module_of = {name: module for module, names in where.items() for name in names}

    def find(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return find, sorted(module_of)
