"""What every test needs: the library on the path, for this process and for those that it starts."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

# All bring OpenFst along: in this order they get on, in others, and after some packages, one never returns.
import kaldifst  # noqa: F401
import pytest

import kaldi_hmm_gmm  # noqa: F401  # isort: skip
import kaldilm  # noqa: F401

LIB = str(Path(__file__).resolve().parents[1] / "lib")

if LIB not in sys.path:
    sys.path.insert(0, LIB)
if LIB not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [LIB, os.environ.get("PYTHONPATH")]))


TIERS = {
    "unit": "within pytest's own process",
    "integration": "starts other processes: steps, scripts, set-ups",
    "recipes": "runs whole recipes in small",
}
"""What a test is, which follows from its file: `tests/run.sh --tier unit`"""


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in TIERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "k2: needs k2; skipped, and counted, where it is not installed")


def tier(path: Path, module: ModuleType) -> str:
    """That of a file's tests: whoever has `subprocess` at hand, or a helper of ours that has, starts processes."""
    if "egs" in path.relative_to(Path(__file__).parent).parts:
        return "recipes"
    helpers = {getattr(value, "__module__", getattr(value, "__name__", None)) for value in vars(module).values()}
    ours = [sys.modules[name] for name in helpers if str(name).startswith("tests.") and name in sys.modules]
    return "integration" if any("subprocess" in vars(one) for one in (module, *ours)) else "unit"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function):
            item.add_marker(tier(item.path, item.module))
    if find_spec("k2") is None:
        for item in items:
            if item.get_closest_marker("k2") is not None:
                item.add_marker(pytest.mark.skip(reason="needs k2, which this environment does without"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    python = ".".join(map(str, sys.version_info[:3]))
    terminalreporter.write_line(f"environment: Python {python}, {_version('torch')}, {_version('k2')}, {sys.prefix}")


def _version(name: str) -> str:
    """e.g. `torch 2.13.0+cpu`, `no k2`; a package that was built by hand may have no metadata."""
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} of unknown version" if find_spec(name) else f"no {name}"
