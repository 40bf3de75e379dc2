"""Every run.sh finds what it calls, and is read as a whole before it runs: bash goes on at the same byte of a file that
was edited meanwhile."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(ROOT.glob("egs/*/s1/run*.sh"))
STAGED = [script for script in SCRIPTS if script.name != "run_table.sh"]  # that has jobs in place of stages


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_but_its_head_is_one_block(script: Path):
    lines = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail" and lines[1].startswith("{ #") and lines[-2:] == ["exit 0", "}"]


def test_such_a_script_is_not_changed_while_it_runs(tmp_path: Path):
    script = tmp_path / "run.sh"
    whole = [line for line in SCRIPTS[0].read_text().splitlines() if line.startswith(("#!", "set", "{ #"))]
    script.write_text("\n".join([*whole, "echo begun; sleep 1", "echo first", "exit 0", "}", ""]))
    process = subprocess.Popen(["bash", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout.readline() == "begun\n"
    with script.open("r+") as file:  # in place, as some editors write
        text = file.read().replace("echo begun", "echo something longer than before")
        file.seek(0)
        file.write(text.replace("first", "second"))
    time.sleep(0.1)
    assert process.communicate(timeout=60)[0] == "first\n" and process.returncode == 0


@pytest.mark.parametrize("script", STAGED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_recipe_without_a_stage_to_do_ends_well(script: Path):
    links = [
        script.parent / name for name in ("steps", "utils", *(["local"] if (script.parent / "conf").exists() else []))
    ]
    assert [link for link in links if not (link.is_symlink() and link.is_dir())] == []
    environment = {**os.environ, "UNDERSTUDY_VENV": os.environ.get("UNDERSTUDY_VENV", sys.prefix)}
    command = [script, "--stage", "1", "--stop-stage", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "stage" not in done.stderr, done.stderr
