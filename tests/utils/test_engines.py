"""utils/engines.sh, without a network: what it says when an engine cannot be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def call(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    (folder / "utils").mkdir(exist_ok=True)
    script = Path(shutil.copy(ROOT / "utils/engines.sh", folder / "utils/engines.sh"))
    alone = {**os.environ, **environment}
    return subprocess.run([script, *arguments], capture_output=True, text=True, env=alone, check=False)


def python(folder: Path, *lines: str) -> str:
    """An interpreter that writes down what it is asked for."""
    path = folder / "python"
    path.write_text("\n".join(["#!/usr/bin/env bash", f'echo "$*" >>"{folder}/asked"', *lines]) + "\n")
    path.chmod(0o755)
    return str(path)


def test_a_version_has_to_be_one(tmp_path: Path) -> None:
    for arguments in ((), ("latest",), ("--node",), ("1.2", "3.4")):
        done = call(tmp_path, *arguments)
        assert done.returncode == 1 and "give a version of sherpa-onnx" in done.stderr and not done.stdout


def test_what_failed_is_told_and_tried_again(tmp_path: Path) -> None:
    broken = python(tmp_path, "echo nothing", "echo no such release >&2", "exit 1")
    for times in (1, 2):
        done = call(tmp_path, "7.7.7", PYTHON=broken)
        assert done.returncode == 1 and "sherpa-onnx 7.7.7 could not be installed: no such release" in done.stderr
        assert len((tmp_path / "asked").read_text().splitlines()) == times


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    whole = python(tmp_path, '[[ $2 != venv ]] || { mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; }')
    for _ in range(2):
        done = call(tmp_path, "7.7.7", PYTHON=whole)
        assert (done.returncode, done.stdout) == (0, f"{tmp_path}/.venv-engines-7.7.7\n"), done.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 3 and asked[1].endswith("sherpa-onnx==7.7.7 numpy")
