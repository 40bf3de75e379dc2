"""The rule of docs/architecture.md: a room of the library imports only rooms that stand above it in the table."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "lib/understudy"
ROOMS = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/architecture.md").read_text(), flags=re.M)
FILES = sorted(LIBRARY.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Modules that a file imports, wherever in it, by their whole names."""
    package = ["understudy", *path.relative_to(LIBRARY).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room(module: str) -> str | None:
    """The room of a module of the library; None: it is another package's."""
    parts = module.split(".")
    return parts[1] if parts[0] == "understudy" and len(parts) > 1 else None


def test_the_table_names_every_room() -> None:
    assert sorted(ROOMS) == sorted(path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists())
    assert all(
        (path / "__init__.py").exists() for path in LIBRARY.iterdir() if path.is_dir() and any(path.glob("*.py"))
    )


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_none_that_stands_below_it(name: str) -> None:
    below = set(ROOMS[ROOMS.index(name) + 1 :])
    found = {
        f"{path.relative_to(LIBRARY)} imports {module}"
        for path in (LIBRARY / name).rglob("*.py")
        for module in imported(path)
        if room(module) in below
    }
    assert not found


def test_every_room_says_what_it_is() -> None:
    for name in ROOMS:
        assert ast.get_docstring(ast.parse((LIBRARY / name / "__init__.py").read_text())), name


def test_the_device_stands_alone() -> None:
    rooms = {room(module) for path in (LIBRARY / "device").rglob("*.py") for module in imported(path)}
    assert rooms <= {"device", None}


def test_k2_is_imported_in_one_file() -> None:
    users = [path for path in FILES if any(module.split(".")[0] == "k2" for module in imported(path))]
    assert [str(path.relative_to(LIBRARY)) for path in users] == ["decode/k2_search.py"]


def test_json_is_written_in_one_place() -> None:
    """Elsewhere nothing keeps NaN and Infinity out, which JSON lacks; digests are of text that nobody reads."""
    digests = {"step/fingerprint.py", "step/owner.py", "step/options.py", "score/tested.py"}
    for path in [
        *FILES,
        *(ROOT / "steps").glob("*.py"),
        *(ROOT / "utils").glob("*.py"),
        *(ROOT / "local").rglob("*.py"),
    ]:
        if str(path).removeprefix(f"{LIBRARY}/") in digests:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.dump", "json.dumps"):
                assert any(one.arg == "allow_nan" for one in node.keywords), f"{path}:{node.lineno}: use to_json"


def test_no_room_imports_a_script() -> None:
    for path in FILES:
        assert not {module.split(".")[0] for module in imported(path)} & {"steps", "local", "utils", "tests"}, path
