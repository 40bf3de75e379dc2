"""utils/setup.sh, with interpreters that only write down what they were asked to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TOOLS = (
    "bash cat command cut dirname readlink realpath sha256sum sed rm mv mkdir cp flock uname sleep chmod env grep head "
    "sort tr"
).split()

# Answers as a Python of its version would; `-m venv` puts a copy of itself into the new environment. FAKE_OFFERS names
# what pip finds, as "k2=1.0 torch=2.0,2.0+cpu".
PYTHON = """#!/usr/bin/env bash
case "$*" in
  "-c import sys;"*) echo "@VERSION@" ;;
  "-c import sysconfig"*) echo "$FAKE_LOG.packages" ;;
  "-c import ensurepip"*) exit "${FAKE_NO_ENSUREPIP:-0}" ;;
  "-m venv "*)
    echo "venv @VERSION@" >>"$FAKE_LOG"
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *" index versions --pre "*)
    for offer in ${FAKE_OFFERS:-}; do
      [[ $offer != "${@: -1}="* ]] || { echo "Available versions: ${offer#*=}"; exit 0; }
    done
    echo "ERROR: No matching distribution found for ${@: -1}" >&2
    exit 1 ;;
  "-m pip "*) echo "pip ${*:4}" >>"$FAKE_LOG"; sleep "${FAKE_SLEEP:-0}"; exit "${FAKE_PIP_STATUS:-0}" ;;
  *check_env.py*) echo "check ${*:2}" >>"$FAKE_LOG"; exit "${FAKE_CHECK_STATUS:-0}" ;;
  "- "*) exec "@REAL@" "$@" ;;
esac
"""


class Tree:
    """A copy of utils/ with a PATH that has the usual tools and Pythons of the given versions."""

    def __init__(self, folder: Path, *versions: str) -> None:
        self.folder = folder
        self.root, self.log, self.bin = folder / "tree", folder / "log", folder / "bin"
        shutil.copytree(ROOT / "utils", self.root / "utils")
        self.bin.mkdir()
        for tool in TOOLS:
            if (found := shutil.which(tool)) is not None:
                (self.bin / tool).symlink_to(found)
        for version in versions:
            self.add_python(self.bin / f"python{version}", version)
        self.environment = {"PATH": str(self.bin), "HOME": str(folder), "FAKE_LOG": str(self.log)}

    def add_python(self, path: Path, version: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.add_tool(path, PYTHON.replace("@VERSION@", version).replace("@REAL@", sys.executable))
        return path

    def add_tool(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def add_wheel(self, torch: str, python: str = "cp311") -> Path:
        """A wheel of k2 with no more than what says what it was built for."""
        path = self.folder / f"k2-1.24.4+cpu.torch{torch}-{python}-{python}-linux_x86_64.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("k2/torch_version.py", f'# k2_torch_version = ""\nk2_torch_version = "{torch}+cpu"\n')
        return path

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
        return len(self.lines("venv"))

    def lines(self, word: str) -> list[str]:
        """What follows a word in the lines of the log that begin with it."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.removeprefix(word).strip() for line in lines if line.split()[0] == word]

    def lane(self, folder: str = ".venv") -> str:
        """The lane of the environment that is ready, and its k2."""
        return " ".join((self.root / folder / ".understudy").read_text().split()[:2])


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A machine with Python 3.10 alone."""
    return machine(tmp_path, "3.10")


def machine(folder: Path, *versions: str) -> Tree:
    if os.uname().sysname != "Linux" or os.uname().machine != "x86_64":
        pytest.skip("the lane registry is for Linux x86_64")
    return Tree(folder, *versions)


def test_makes_the_environment_once(tree):
    assert tree.setup()[0] == 0
    log = tree.log.read_text()
    assert [line.split()[0] for line in log.splitlines()] == ["venv", "pip", "pip", "pip", "pip", "check"]
    assert tree.lines("check") == ["--with-k2"] and tree.lane() == "registry pinned"
    assert tree.setup() == (0, "")
    assert tree.log.read_text() == log


@pytest.mark.parametrize(
    "version, others, own", [("3.10", "current/lock.txt", "base.txt"), ("3.12", "base.txt", "current/lock.txt")]
)
def test_a_changed_requirement_of_its_lane_makes_it_anew(tmp_path, version, others, own):
    tree = machine(tmp_path, version)
    tree.setup()
    for name, made in [(others, 1), (own, 2)]:
        with (tree.root / "utils/requirements" / name).open("a") as file:
            file.write("# changed\n")
        assert tree.setup()[0] == 0
        assert tree.made == made
        assert tree.setup() == (0, "")


def test_an_activated_environment_is_not_made_anew_with_itself(tree):
    tree.setup()
    inside = tree.root / ".venv/bin"
    tree.add_python(inside / "python3.10", "3.10")
    with (tree.root / "utils/requirements/base.txt").open("a") as file:
        file.write("# changed\n")
    status, said = tree.setup(PATH=f"{inside}:{tree.bin}")
    assert status == 0, said
    assert f"with {tree.bin}/python3.10" in said and tree.made == 2


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_a_python_of_today_gets_the_lane_of_today(tmp_path, version):
    tree = machine(tmp_path, version)
    status, said = tree.setup()
    assert status == 0 and "lane current without k2; --k2 FILE.whl brings one" in said
    assert tree.lines("venv") == [version] and tree.lines("check") == [""] and tree.lane() == "current none"
    assert tree.setup() == (0, "")


def test_of_a_python_old_and_new_the_lane_with_k2(tmp_path):
    tree = machine(tmp_path, "3.10", "3.12")
    status, said = tree.setup()
    assert status == 0 and "lane registry: its k2 is the one that can be had here; --lane" in said
    assert tree.lane() == "registry pinned"


def test_k2_that_pip_finds_brings_its_torch(tmp_path):
    tree = machine(tmp_path, "3.10", "3.12")
    offers = "k2=1.24.5+cuda12.8.torch2.11.0,1.24.5+cpu.torch2.8.0,1.24.4+cpu.torch2.11.0,1.23.4"
    status, said = tree.setup(FAKE_OFFERS=offers)
    assert status == 0 and "lane current with k2 1.24.4+cpu.torch2.11.0, which pip finds" in said
    assert any("torch==2.11.0" in line for line in tree.lines("pip"))
    assert any("k2==1.24.4+cpu.torch2.11.0" in line for line in tree.lines("pip"))
    assert tree.lines("check") == ["--with-k2"] and tree.lane() == "current 1.24.4+cpu.torch2.11.0"


def test_options_choose_the_lane(tmp_path):
    tree = machine(tmp_path, "3.10", "3.12")
    for options, lane in [
        (["--lane", "current"], "current none"),
        (["--lane", "registry"], "registry pinned"),
        (["--k2", "none"], "current none"),
    ]:
        assert tree.setup(*options)[0] == 0
        assert tree.lane() == lane
        assert tree.setup() == (0, ""), "what is there is kept"


def test_lanes_stand_side_by_side(tmp_path):
    tree = machine(tmp_path, "3.10", "3.12")
    for lane, folder in [("registry", ".venv-registry"), ("current", ".venv-current")]:
        assert tree.setup(UNDERSTUDY_LANE=lane)[0] == 0
        assert tree.lane(folder).startswith(lane)
    assert tree.made == 2 and not (tree.root / ".venv").exists()
    assert "differ: give one of them" in tree.setup("--lane", "current", UNDERSTUDY_LANE="registry")[1]
    assert "must be current or registry, got 'new'" in tree.setup(UNDERSTUDY_LANE="new")[1]


def test_pythons_path_uses_the_lanes_environment(tmp_path):
    tree = machine(tmp_path, "3.12")
    tree.setup(UNDERSTUDY_LANE="current")
    command = f". {tree.root}/utils/path.sh && command -v python"
    for environment, status, said in [
        ({"UNDERSTUDY_LANE": "current"}, 0, f"{tree.root}/.venv-current/bin/python\n"),
        ({}, 1, ""),
    ]:
        done = subprocess.run(
            [tree.bin / "bash", "-c", command], capture_output=True, text=True, env=tree.environment | environment
        )
        assert (done.returncode, done.stdout) == (status, said), done.stderr


def test_the_interpreter_that_is_named_decides_the_lane(tmp_path):
    tree = machine(tmp_path, "3.10", "3.12")
    elsewhere = tree.add_python(tmp_path / "else/python", "3.13")
    assert tree.setup(PYTHON=str(elsewhere))[0] == 0
    assert tree.lines("venv") == ["3.13"] and tree.lane() == "current none"


def test_a_wheel_of_k2_decides_python_and_torch(tmp_path):
    tree = machine(tmp_path, "3.10", "3.11", "3.12")
    wheel = tree.add_wheel("2.12.0", "cp312")
    status, said = tree.setup("--k2", str(wheel), FAKE_OFFERS="torch=2.12.0,2.12.0+cpu")
    assert status == 0 and "built for torch 2.12.0" in said
    assert tree.lines("venv") == ["3.12"]
    assert any(line.endswith("torch==2.12.0+cpu") for line in tree.lines("pip"))
    assert any(line.endswith(str(wheel)) for line in tree.lines("pip"))
    assert tree.setup(UNDERSTUDY_K2=str(wheel)) == (0, "")
    assert tree.setup("--k2", "none")[0] == 0 and tree.lane() == "current none"


@pytest.mark.parametrize(
    "torch, python, said",
    [
        ("2.4.1", "cp311", "was built for torch 2.4.1: the lane current takes 2.11 or newer"),
        ("2.12.0", "cp313", "is for Python 3.13, and none was found"),
    ],
)
def test_a_wheel_that_does_not_fit_says_why(tmp_path, torch, python, said):
    tree = machine(tmp_path, "3.11")
    status, heard = tree.setup("--k2", str(tree.add_wheel(torch, python)))
    assert status == 1 and said in heard and tree.made == 0


def test_a_file_that_is_no_wheel_of_k2_says_so(tmp_path):
    tree = machine(tmp_path, "3.11")
    (tmp_path / "other.whl").write_bytes(b"")
    assert "must be a wheel of k2" in tree.setup("--k2", str(tmp_path / "other.whl"))[1]
    assert "there is no file" in tree.setup("--k2", str(tmp_path / "gone.whl"))[1]
    assert "must be none or a file that ends in .whl, got 'wheel'" in tree.setup("--k2", "wheel")[1]
    assert "--k2 is for the lane current" in tree.setup("--lane", "registry", "--k2", "none")[1]


@pytest.mark.parametrize(
    "gpu, offers, torch, said",
    [
        (False, "torch=2.13.0,2.13.0+cpu", "torch==2.13.0+cpu", ""),
        (False, "torch=2.13.0", "torch==2.13.0", "PIP_EXTRA_INDEX_URL"),
        (True, "torch=2.13.0,2.13.0+cpu", "torch==2.13.0,!=2.13.0+cpu", ""),
    ],
)
def test_torch_is_built_for_what_the_machine_has(tmp_path, gpu, offers, torch, said):
    tree = machine(tmp_path, "3.11")
    if gpu:
        tree.add_tool(tree.bin / "nvidia-smi", "#!/bin/sh\necho 'GPU 0: One (UUID: GPU-1)'\n")
    status, heard = tree.setup("--lane", "current", FAKE_OFFERS=offers)
    assert status == 0 and said in heard
    assert [line.split()[-1] for line in tree.lines("pip") if "torch==" in line] == [torch]


def test_an_index_that_cannot_be_reached_says_the_ways_round(tmp_path):
    status, said = machine(tmp_path, "3.11").setup(FAKE_PIP_STATUS="1")
    assert status == 1
    assert "PIP_INDEX_URL" in said and "PIP_NO_INDEX=1 PIP_FIND_LINKS=/folder" in said


@pytest.mark.parametrize("version", ["3.9", "3.15"])
def test_a_python_too_old_or_too_new_is_told(tmp_path, version):
    tree = machine(tmp_path)
    tree.add_python(tree.bin / "python3", version)
    status, said = tree.setup()
    assert status == 1
    assert f"no Python from 3.10 to 3.14 was found; python3 is {version}: install one" in said
    assert tree.made == 0
    assert "no Python from 3.11 to 3.14" in tree.setup("--lane", "current")[1]


def test_uv_fetches_a_python_where_there_is_none(tmp_path):
    tree = machine(tmp_path)
    fetched = tree.add_python(tmp_path / "uv/python3.11", "3.11")
    tree.add_tool(
        tree.bin / "uv",
        f'#!/bin/sh\ncase $2 in\n  install) echo >{tmp_path}/fetched ;;\n'
        f'  find) [ ! -e {tmp_path}/fetched ] || echo {fetched} ;;\nesac\n',
    )  # fmt: skip
    status, said = tree.setup()
    assert status == 0 and "uv fetches Python 3.11" in said and tree.lane() == "current none"


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
    tree = machine(tmp_path)
    status, said = tree.setup()
    assert status == 1 and "no Python from 3.10 to 3.14 was found: install one" in said
    status, said = tree.setup("--lane", "registry")
    assert status == 1
    assert "no Python 3.10 was found" in said
    assert "pyenv install 3.10" in said
    assert "uv python install 3.10" in said


def test_another_version_under_the_name_is_not_taken(tree):
    tree.add_python(tree.bin / "python3.10", "3.12")
    status, said = tree.setup("--lane", "registry")
    assert status == 1
    assert "no Python 3.10 was found" in said


@pytest.mark.parametrize("version", ["3.10", "3.12"])
def test_python_without_ensurepip_says_what_to_install(tmp_path, version):
    status, said = machine(tmp_path, version).setup(FAKE_NO_ENSUREPIP="1")
    assert status == 1
    assert f"python{version}-venv" in said


def test_finds_pyenvs_python_that_is_not_selected(tmp_path):
    tree = machine(tmp_path)
    tree.add_python(tmp_path / ".pyenv/versions/3.10.9/bin/python3.10", "3.10")
    assert tree.setup()[0] == 0


def test_an_environment_of_ones_own_is_checked_and_not_changed(tree, tmp_path):
    tree.add_python(tmp_path / "own/bin/python", "3.8")
    assert tree.setup(UNDERSTUDY_VENV=str(tmp_path / "own"))[0] == 0
    assert tree.log.read_text().split() == ["check"]
    assert not (tree.root / ".venv").exists()


def test_rejects_what_it_does_not_know(tree):
    assert "unknown option '--wiht'" in tree.setup("--wiht")[1]
    assert "--with must be kaldifeat or encoders, got 'cuda'" in tree.setup("--with", "cuda")[1]
    assert "--lane must be current or registry, got 'new'" in tree.setup("--lane", "new")[1]
    assert "is for the lane registry" in tree.setup("--lane", "current", "--with", "kaldifeat")[1]


def test_help_needs_no_environment(tree):
    result = subprocess.run([ROOT / "utils/setup.sh", "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout.startswith("Make the Python environment")
    assert "set -euo" not in result.stdout


@pytest.mark.parametrize(("version", "file"), [("3.10", "registry.txt"), ("3.11", "current-lock.txt")])
def test_encoders_are_added_to_the_environment_that_is_there(tmp_path, version, file):
    tree = Tree(tmp_path, version)
    assert tree.setup()[0] == 0
    assert tree.setup("--with", "encoders")[0] == 0
    assert tree.made == 1 and any(line.endswith(f"requirements/encoders/{file}") for line in tree.lines("pip"))
    assert tree.setup()[0] == 0 and tree.made == 1
