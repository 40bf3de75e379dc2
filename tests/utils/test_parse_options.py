"""utils/parse_options.sh, sourced by a script as a recipe would."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PARSE = Path(__file__).resolve().parents[2] / "utils" / "parse_options.sh"

SCRIPT = f"""#!/usr/bin/env bash
# Make a thing.
#
# Usage: thing.sh [options] <in>
set -euo pipefail

# not part of the help
stage=0
stop_stage=13
use_lm=true
student=
. {PARSE}
echo "$stage|$stop_stage|$use_lm|$student|$*"
"""


@pytest.fixture
def run(tmp_path: Path):
    """Run the script with these arguments and, on top of PATH, this environment."""
    script = tmp_path / "thing.sh"
    script.write_text(SCRIPT)

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(script), *arguments],
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", **environment},
        )

    return call


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "0|13|true||"),
        (["--stage", "3", "--stop-stage", "4"], "3|4|true||"),
        (["--use-lm", "false", "in"], "0|13|false||in"),
        (["--student", "a b  c"], "0|13|true|a b  c|"),
        (["--student", ""], "0|13|true||"),
        (["in", "--stage", "3"], "0|13|true||in --stage 3"),
        (["--stage", "-1", "--", "--stage"], "-1|13|true||--stage"),
    ],
)
def test_sets_variables_and_leaves_the_rest(run, arguments, expected):
    result = run(*arguments)
    assert (result.returncode, result.stdout.rstrip("\n"), result.stderr) == (0, expected, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stop-stge", "3"], "unknown option --stop-stge; the nearest is --stop-stage"),
        (["-stage", "3"], "unknown option -stage; the nearest is --stage"),
        (["--stage=3"], "write '--stage 3', with a space"),
        (["--use-lm", "yes"], "--use-lm takes true or false, not 'yes'"),
        (["--stage"], "--stage needs a value"),
        (["--student", "--stage", "3"], "--student needs a value, but the option --stage follows it"),
        (["--PATH", "x"], "unknown option --PATH"),
        (["--a[$(touch x)]", "x"], "unknown option --a["),
    ],
)
def test_rejects(run, arguments, message):
    result = run(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_a_variable_of_the_environment_is_no_option(run):
    result = run("--http-proxy", "x", http_proxy="y")
    assert result.returncode == 1
    assert "unknown option --http-proxy" in result.stderr


def test_a_default_that_the_environment_also_has_is_an_option(run):
    assert run("--stage", "5", stage="9").stdout.startswith("5|")


def test_help_begins_with_the_header(run):
    result = run("--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Make a thing.\n\nUsage: thing.sh [options] <in>\n\nOptions, with")


def test_help_lists_options_also_when_the_script_has_changed_folder(tmp_path: Path) -> None:
    (tmp_path / "recipe").mkdir()
    moving = SCRIPT.replace("set -euo pipefail", 'set -euo pipefail\ncd -- "$(dirname -- "$0")"')
    (tmp_path / "recipe/thing.sh").write_text(moving.replace("stage=0", "stage=0   # where to begin", 1))
    done = subprocess.run(
        ["bash", "recipe/thing.sh", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Make a thing.\n") and "not part of the help" not in done.stdout
    options = [line.split(maxsplit=2) for line in done.stdout.splitlines() if line.startswith("  --")]
    assert [option[0] for option in options] == ["--stage", "--stop-stage", "--use-lm", "--student"]
    assert options[0] == ["--stage", "0", "where to begin"]
