"""utils/setup.sh, with an interpreter that only writes down what it was asked to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TOOLS = ("bash cat command dirname readlink realpath sha256sum sed rm mv mkdir cp flock uname sleep chmod env").split()

# Answers as Python 3.10 would; `-m venv` puts a copy of itself into the new environment.
PYTHON = """#!/usr/bin/env bash
case "$1 ${2:-}" in
  "-c import sys"*) echo "${FAKE_VERSION:-3.10}" ;;
  "-c import ensurepip"*) exit "${FAKE_NO_ENSUREPIP:-0}" ;;
  "-m venv")
    echo venv >>"$FAKE_LOG"
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip") echo pip >>"$FAKE_LOG"; sleep "${FAKE_SLEEP:-0}"; exit "${FAKE_PIP_STATUS:-0}" ;;
  *check_env.py*) echo check >>"$FAKE_LOG"; exit "${FAKE_CHECK_STATUS:-0}" ;;
esac
"""


class Tree:
    """A copy of utils/ with a PATH that has the usual tools and, if wanted, Python 3.10."""

    def __init__(self, folder: Path, with_python: bool = True) -> None:
        self.root, self.log, self.bin = folder / "tree", folder / "log", folder / "bin"
        shutil.copytree(ROOT / "utils", self.root / "utils")
        self.bin.mkdir()
        for tool in TOOLS:
            if (found := shutil.which(tool)) is not None:
                (self.bin / tool).symlink_to(found)
        if with_python:
            self.add_python(self.bin / "python3.10")
        self.environment = {"PATH": str(self.bin), "HOME": str(folder), "FAKE_LOG": str(self.log)}

    def add_python(self, path: Path) -> None:
        path.write_text(PYTHON)
        path.chmod(0o755)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "utils" / "setup.sh"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.environment, **environment},
        )

    def setup(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Exit status and what was said."""
        process = self.start(*arguments, **environment)
        _, said = process.communicate(timeout=30)
        return process.returncode, said

    @property
    def made(self) -> int:
        """How many environments have been made."""
        return self.log.read_text().split().count("venv") if self.log.exists() else 0


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    if os.uname().sysname != "Linux" or os.uname().machine != "x86_64":
        pytest.skip("the set-up is for Linux x86_64")
    return Tree(tmp_path)


def test_makes_the_environment_once(tree):
    assert tree.setup()[0] == 0
    log = tree.log.read_text()
    assert log.split() == ["venv", "pip", "pip", "pip", "pip", "check"]
    assert tree.setup() == (0, "")
    assert tree.log.read_text() == log


def test_a_changed_requirement_makes_it_anew(tree):
    tree.setup()
    with (tree.root / "utils/requirements/base.txt").open("a") as file:
        file.write("# changed\n")
    assert tree.setup()[0] == 0
    assert tree.made == 2


def test_an_activated_environment_is_not_made_anew_with_itself(tree):
    tree.setup()
    inside = tree.root / ".venv/bin"
    tree.add_python(inside / "python3.10")
    with (tree.root / "utils/requirements/base.txt").open("a") as file:
        file.write("# changed\n")
    status, said = tree.setup(PATH=f"{inside}:{tree.bin}")
    assert status == 0, said
    assert f"with {tree.bin}/python3.10" in said and tree.made == 2


@pytest.mark.parametrize("failure", ["FAKE_PIP_STATUS", "FAKE_CHECK_STATUS"])
def test_a_failed_set_up_is_not_trusted(tree, failure):
    assert tree.setup(**{failure: "1"})[0] == 1
    assert tree.setup()[0] == 0
    assert tree.made == 2


def test_a_killed_set_up_is_not_trusted(tree):
    process = tree.start(FAKE_SLEEP="2")
    while tree.made == 0:
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert tree.setup()[0] == 0
    assert tree.made == 2
    assert tree.setup() == (0, "")


def test_the_second_of_two_waits_for_the_first(tree):
    both = [tree.start(FAKE_SLEEP="0.3") for _ in range(2)]
    said = [process.communicate(timeout=30)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert tree.made == 1
    assert sum("waiting for another set-up" in text for text in said) == 1


def test_no_python_says_how_to_get_it(tmp_path):
    tree = Tree(tmp_path, with_python=False)
    status, said = tree.setup()
    assert status == 1
    assert "no Python 3.10 was found" in said
    assert "pyenv install 3.10" in said
    assert "uv python install 3.10" in said


def test_another_version_under_the_name_is_not_taken(tree):
    status, said = tree.setup(FAKE_VERSION="3.12")
    assert status == 1
    assert "no Python 3.10 was found" in said


def test_python_without_ensurepip_says_what_to_install(tree):
    status, said = tree.setup(FAKE_NO_ENSUREPIP="1")
    assert status == 1
    assert "python3.10-venv" in said


def test_finds_pyenvs_python_that_is_not_selected(tmp_path):
    tree = Tree(tmp_path, with_python=False)
    folder = tmp_path / ".pyenv/versions/3.10.9/bin"
    folder.mkdir(parents=True)
    tree.add_python(folder / "python3.10")
    assert tree.setup()[0] == 0


def test_an_environment_of_ones_own_is_checked_and_not_changed(tree, tmp_path):
    own = tmp_path / "own/bin"
    own.mkdir(parents=True)
    tree.add_python(own / "python")
    assert tree.setup(UNDERSTUDY_VENV=str(own.parent))[0] == 0
    assert tree.log.read_text().split() == ["check"]
    assert not (tree.root / ".venv").exists()


def test_rejects_what_it_does_not_know(tree):
    assert "unknown option '--wiht'" in tree.setup("--wiht")[1]
    assert "--with knows kaldifeat only" in tree.setup("--with", "cuda")[1]


def test_help_needs_no_environment(tree):
    result = subprocess.run([ROOT / "utils/setup.sh", "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout.startswith("Make the Python environment")
    assert "set -euo" not in result.stdout
