"""Who asks a step for its options, or runs one that is finished, waits for nothing that only its work needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lhotse import CutSet
from lhotse.testing.dummies import dummy_cut

ROOT = Path(__file__).parents[2]
HEAVY = "torch lhotse k2 matplotlib dask distributed onnx onnxruntime scipy".split()

# Each command runs as a script does, all in one process; what it has imported is told behind it.
COMMANDS = """
import contextlib, io, json, runpy, sys
heavy, commands = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for command in commands:
    sys.argv, status, told = command, 0, io.StringIO()
    try:
        with contextlib.redirect_stdout(told):
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        status = end.code
    print(json.dumps([command, status, [name for name in heavy if name in sys.modules], told.getvalue()]))
"""


def told(commands: list[list[str]]) -> tuple[list[list], str]:
    """For each command: itself, its status, what heavy modules are there, its output; and standard error of all."""
    call = [sys.executable, "-c", COMMANDS, json.dumps(HEAVY), json.dumps(commands)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_every_step_tells_its_options_without_what_its_work_needs() -> None:
    found, _ = told([[str(path), "--help"] for path in sorted((ROOT / "steps").glob("*.py"))])
    assert len(found) > 30
    for (script, *_), status, heavy, output in found:
        assert (status, heavy) == (0, []), script
        assert output.startswith("usage: "), script


@pytest.mark.parametrize("layout", ["kaldi", "table", "folder", "lhotse", "lhotse:librispeech"])
def test_a_layout_tells_its_options_alike(layout: str) -> None:
    ((_, status, heavy, output),), _ = told([[str(ROOT / "steps/prepare_corpus.py"), "--from", layout, "--help"]])
    assert (status, heavy) == (0, []) and "--labelled-path" in output.replace("_", "-")


def test_a_finished_step_returns_without_what_its_work_needs(tmp_path: Path) -> None:
    cuts = tmp_path / "set.jsonl.gz"
    CutSet.from_cuts(dummy_cut(number, duration=60.0) for number in range(4)).to_file(cuts)
    command = [str(ROOT / "steps/subset.py"), "--cuts", str(cuts), "--hours", "0.02", "--out", str(tmp_path / "part")]
    ((_, status, heavy, _),), said = told([command])
    assert status == 0 and "torch" in heavy and "2 cuts" in said  # so that what is looked at below can be seen
    ((_, status, heavy, _),), said = told([command])
    assert (status, heavy) == (0, []) and "is up to date" in said
