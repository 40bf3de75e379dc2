"""What an output of other options becomes: nobody's work is deleted unasked."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.step import Step, read_json, write_json
from understudy.step import set_aside as module
from understudy.step.owner import OWNER


def made(out: Path, seconds: float | None, record: dict[str, str]) -> None:
    """A finished output of a step that took so long; None: of a version that did not tell."""
    write_json(out / "model/weights.json", 1)
    facts = {} if seconds is None else {"seconds": seconds}
    Step(out, "train.py", record).finish(**facts)


def begin(out: Path, **asked: bool) -> bool:
    """Whether the step of other options finds nothing to do."""
    return Step.begin(out, "train.py", {"epochs": 3}, (), {}, **asked)[1]


def aside(out: Path) -> list[Path]:
    return sorted((out.parent / "set-aside").glob("*")) if (out.parent / "set-aside").exists() else []


def test_what_took_long_is_kept_under_a_name_that_tells_when_and_why(tmp_path: Path, caplog) -> None:
    out = tmp_path / "teacher"
    made(out, 14 * 3600, {"option epochs": "2"})
    (out / OWNER).write_text("{}")
    with caplog.at_level(logging.WARNING, "understudy"):
        assert not begin(out)
    (kept,) = aside(out)
    assert kept.name.startswith(f"teacher-{time.strftime('%Y')}") and kept.name.endswith("-epochs")
    assert read_json(kept / "model/weights.json") == 1 and read_json(kept / ".done.json")["seconds"] == 14 * 3600
    assert sorted(path.name for path in out.iterdir()) == [".begun.json", OWNER]
    assert f"rm -r {kept}" in caplog.text and "epochs: 2 -> 3" in caplog.text and "--replace true" in caplog.text


@pytest.mark.parametrize(("seconds", "asked"), [(5.0, {}), (14 * 3600, {"replace": True})])
def test_what_was_quick_or_is_to_be_replaced_is_removed(tmp_path: Path, seconds: float, asked: dict) -> None:
    out = tmp_path / "teacher"
    made(out, seconds, {"option epochs": "2"})
    assert not begin(out, **asked)
    assert not aside(out) and [path.name for path in out.iterdir()] == [".begun.json"]


def test_a_killed_training_is_kept_by_how_long_it_has_run(tmp_path: Path) -> None:
    out = tmp_path / "teacher"
    write_json(out / ".begun.json", {"step": "train.py", "record": {"option epochs": "2"}, "begun": time.time() - 7200})
    write_json(out / "checkpoint.json", 1)
    assert not begin(out)
    assert (aside(out)[0] / "checkpoint.json").exists()


def test_an_output_of_a_version_that_told_no_time_is_kept_by_its_files(tmp_path: Path) -> None:
    out = tmp_path / "teacher"
    made(out, None, {"option epochs": "2"})
    os.utime(out / "model/weights.json", (time.time() + 600, time.time() + 600))
    assert not begin(out)
    assert len(aside(out)) == 1


def test_again_does_again_what_is_up_to_date(tmp_path: Path) -> None:
    out = tmp_path / "teacher"
    made(out, 1.0, {"option epochs": "3"})
    assert begin(out)
    assert not begin(out, again=True) and not (out / "model").exists()


def test_an_output_made_under_an_old_name_of_an_option_is_recognised(tmp_path: Path) -> None:
    out = tmp_path / "teacher"
    made(out, 7200, {"option train.share": "0.3", "option surroundings.rooms": "9"})
    options = {"train": {"soft_weight": 0.3}, "room_noise": {"rooms": 9}}
    assert Step.begin(out, "train.py", options, (), {})[1] and not aside(out)


@pytest.mark.parametrize(("answer", "removed"), [("y", True), ("", False), ("no", False)])
def test_on_a_terminal_somebody_is_asked(tmp_path: Path, monkeypatch, answer: str, removed: bool) -> None:
    out = tmp_path / "teacher"
    made(out, 7200, {"option epochs": "2"})
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: answer)
    begin(out)
    assert len(aside(out)) == (0 if removed else 1)


def test_a_kill_between_the_two_names_loses_nothing(tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "teacher"
    made(out, 7200, {"option epochs": "2"})
    (tmp_path / "set-aside").mkdir()
    with monkeypatch.context() as killed:
        killed.setattr(Path, "mkdir", mkdir_killed_at(out, Path.mkdir))
        with pytest.raises(KeyboardInterrupt):
            module.set_aside(out, OWNER, ["option epochs: 2 -> 3"])
    assert json.loads((aside(out)[0] / "model/weights.json").read_text()) == 1
    assert not begin(out)  # begins anew


def mkdir_killed_at(folder: Path, mkdir: Callable[..., None]) -> Callable[..., None]:
    def killed(self: Path, *arguments: object, **options: object) -> None:
        if self == folder:
            raise KeyboardInterrupt
        mkdir(self, *arguments, **options)

    return killed
