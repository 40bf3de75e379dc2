"""Lazy imports: names of a package that are imported when somebody first asks for them (PEP 562).

A package is imported before its modules: if it imported all that it offers, nobody could import a light module, such as
the options of a step, without torch and Lhotse.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy(package: str, where: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], list[str]]:
    """Return `__getattr__` and `__all__` of a package.

    Args:
        package: name of the package.
        where: names by the module of the package that has them. No name may also be that of a module of the package:
            which of the two it meant would depend on what was imported first.
    """
    module_of = {name: module for module, names in where.items() for name in names}

    def find(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return find, sorted(module_of)
