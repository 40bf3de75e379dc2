"""What the lane current installs by hash is what its files name, exactly and with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CURRENT = Path(__file__).resolve().parents[2] / "utils/requirements/current"


def lines(name: str) -> list[str]:
    return [line for line in (CURRENT / name).read_text().splitlines() if line and not line.startswith("#")]


def pinned(line: str) -> tuple[str, str]:
    """Name and version of a line such as `PyYAML==6.0.4   # of lhotse`."""
    name, version = re.match(r"([\w.-]+)==([\w.+]+)", line).groups()
    return re.sub(r"[-_.]+", "-", name).lower(), version


def test_the_lock_has_what_the_files_with_reasons_have():
    named = [pinned(line) for name in ("base.txt", "dev.txt") for line in lines(name)]
    locked = [pinned(line) for line in lines("lock.txt") if not line.startswith(" ")]
    assert sorted(locked) == sorted(named)
    assert len(set(named)) == len(named)


def test_the_lock_of_encoders_has_what_the_file_with_reasons_has():
    named = [pinned(line) for line in lines("../encoders/current.txt")]
    assert sorted(pinned(line) for line in lines("../encoders/current-lock.txt") if not line.startswith(" ")) == sorted(
        named
    )
    ours = {name for file in ("base.txt", "dev.txt") for name, _ in map(pinned, lines(file))}
    assert not ours & {name for name, _ in named}  # it adds, and changes nothing


@pytest.mark.parametrize("name", ["lock.txt", "../encoders/current-lock.txt", "bootstrap.txt", "data.txt"])
def test_each_has_a_hash(name):
    for requirement in (CURRENT / name).read_text().replace("\\\n", "").splitlines():
        assert requirement.startswith("#") or not requirement or "--hash=sha256:" in requirement


@pytest.mark.parametrize(
    "name", ["base.txt", "dev.txt", "torch.txt", "../encoders/current.txt", "../encoders/registry.txt"]
)
def test_each_has_a_reason(name):
    for line in lines(name):
        assert re.search(r"\s# \S", line), line
