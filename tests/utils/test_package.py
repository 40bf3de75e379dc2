"""pyproject.toml: the library as a package, whose dependencies both lanes satisfy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(*files: str) -> dict[str, Version]:
    lines = (line for file in files for line in (ROOT / "utils/requirements" / file).read_text().splitlines())
    found = (re.match(r"([\w.-]+)==([\w.+]+)", line) for line in lines)
    return {canonical(match[1]): Version(match[2]) for match in found if match}


LANES = {
    "registry": pinned("base.txt", "k2.txt"),
    "current": pinned("current/base.txt", "current/torch.txt", "current/data.txt"),
}


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_has_what_the_package_needs(lane: str) -> None:
    for requirement in map(Requirement, PROJECT["dependencies"]):
        version = LANES[lane].get(canonical(requirement.name))
        assert version is not None and requirement.specifier.contains(version), f"{requirement}: {version}"


def test_the_package_names_what_the_environment_is_checked_for() -> None:
    """utils/check_env.py looks for what is imported; none of it is missing among the dependencies."""
    text = (ROOT / "utils/check_env.py").read_text()
    named = " ".join(re.search(rf"{name} = \(?\s*(.*?)\.split", text, re.S)[1] for name in ("TOGETHER", "APART"))
    modules = set(re.findall(r"\w+", named)) - {"espeakng_loader"}
    known = {canonical(Requirement(line).name) for line in PROJECT["dependencies"]} | {"yaml"}
    assert {canonical(module) for module in modules} <= known


def test_the_page_goes_with_the_package() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for package, files in data.items():
        folder = ROOT / "lib" / Path(*package.split("."))
        there = {path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
        found = [set(folder.glob(pattern)) for pattern in files]
        assert all(found) and set.union(*found) == there
