"""The contract of a step: run once, said when up to date, redone when made otherwise, nothing half-written."""

import errno
import gzip
import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from understudy.step import (
    Step,
    UserError,
    atomic_path,
    atomic_paths,
    fingerprint,
    read_json,
    reopen,
    to_json,
    write_json,
)
from understudy.step.options import parse

log_module = importlib.import_module("understudy.step.log")  # the package's own `log` is the logger

STEP = textwrap.dedent('''
    """A step. e.g.: step.py --source a --out b"""
    from __future__ import annotations
    from dataclasses import dataclass, field
    from pathlib import Path
    from understudy.step import Step, UserError, main

    @dataclass
    class Inner:
        rate: float = 1.0

        def __post_init__(self):
            if self.rate < 0:
                raise UserError(f"rate {self.rate}: below 0")

    @dataclass
    class Options:
        source: Path
        out: Path
        times: int = 2
        jobs: int = 1
        inner: Inner = field(default_factory=Inner)

        def __post_init__(self):
            if self.times < 1:
                raise UserError(f"--times {self.times}: at least once")

    def run(options, step):
        print("worked")
        (step.out / "copy.txt").write_text(options.source.read_text() * options.times)

    if __name__ == "__main__":
        main(Options, run, inputs=("source",), unfingerprinted=("jobs",))
''')


@pytest.fixture
def step(tmp_path):
    (tmp_path / "step.py").write_text(STEP)
    (tmp_path / "source").write_text("x")

    def call(*arguments):
        command = [sys.executable, "step.py", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


def test_runs_once_and_again_when_something_changed(step, tmp_path):
    first = step("--source", "source", "--out", "out")
    assert first.returncode == 0 and "worked" in first.stdout, first.stderr
    again = step("--source", "source", "--out", "out", "--jobs", "7")
    assert "worked" not in again.stdout and "up to date" in again.stderr
    other = step("--source", "source", "--out", "out", "--times", "3")
    assert "worked" in other.stdout and "option times: 2 -> 3" in other.stderr
    assert (tmp_path / "out/copy.txt").read_text() == "xxx"
    (tmp_path / "source").write_text("y")
    assert "worked" in step("--source", "source", "--out", "out", "--times", "3").stdout


def test_options_that_make_no_sense_cost_nothing_that_was_made(step, tmp_path):
    step("--source", "source", "--out", "out")
    for wrong, told in (("--times", "--times -1: at least once"), ("--inner.rate", "rate -1.0: below 0")):
        refused = step("--source", "source", "--out", "out", wrong, "-1")
        assert refused.returncode == 1 and told in refused.stderr and "Traceback" not in refused.stderr
    assert (tmp_path / "out/copy.txt").read_text() == "xx"
    assert "up to date" in step("--source", "source", "--out", "out").stderr


def test_a_manifest_with_nothing_in_it_costs_nothing_that_was_made(step, tmp_path):
    manifest = tmp_path / "cuts.jsonl.gz"
    (tmp_path / "step.py").write_text(STEP.replace("options.source.read_text()", "'x'"))
    sound = gzip.compress(b"{}\n")
    manifest.write_bytes(sound)
    assert "worked" in step("--source", "cuts.jsonl.gz", "--out", "out").stdout
    for content, told in (
        (gzip.compress(b""), "cuts.jsonl.gz: no cuts. Make it again"),
        (b"no gzip", "cuts.jsonl.gz: not a manifest of cuts"),
        (sound[:12], "cuts.jsonl.gz: not a manifest of cuts"),
        (b"", "cuts.jsonl.gz: no cuts"),
    ):
        manifest.write_bytes(content)
        refused = step("--source", "cuts.jsonl.gz", "--out", "out")
        assert refused.returncode == 1 and told in refused.stderr and "Traceback" not in refused.stderr
        assert (tmp_path / "out/copy.txt").exists() and (tmp_path / "out/.done.json").exists()
    manifest.write_bytes(sound)
    assert "up to date" in step("--source", "cuts.jsonl.gz", "--out", "out").stderr


def test_another_normaliser_beside_the_manifest_is_another_input(step, tmp_path):
    (tmp_path / "step.py").write_text(STEP.replace("options.source.read_text()", "'x'"))
    (tmp_path / "cuts.jsonl.gz").write_bytes(gzip.compress(b"{}\n"))
    call = ("--source", "cuts.jsonl.gz", "--out", "out")
    assert "worked" in step(*call).stdout
    write_json(tmp_path / "normaliser.json", {"mean": [0.0]})
    assert "up to date" in step(*call).stderr  # made before it was recorded
    assert "worked" in step(*call, "--times", "3").stdout
    write_json(tmp_path / "normaliser.json", {"mean": [1.0]})
    other = step(*call, "--times", "3")
    assert "worked" in other.stdout and "input normaliser.json: " in other.stderr


def test_an_option_that_came_later_counts_as_its_default(step, tmp_path):
    assert "worked" in step("--source", "source", "--out", "out").stdout
    newer = STEP.replace("jobs: int = 1", "jobs: int = 1\n    added: int = 5")
    newer = newer.replace("rate: float = 1.0", "rate: float = 1.0\n    more: str = 'none'")
    (tmp_path / "step.py").write_text(newer)
    assert "up to date" in step("--source", "source", "--out", "out").stderr
    other = step("--source", "source", "--out", "out", "--inner.more", "some")
    assert "worked" in other.stdout and "is removed: option inner.more: none -> some\n" in other.stderr
    # From now on it is recorded: another default is another option.
    (tmp_path / "step.py").write_text(newer.replace("added: int = 5", "added: int = 6"))
    assert "option added: 5 -> 6" in step("--source", "source", "--out", "out", "--inner.more", "some").stderr


def test_changed_code_is_said_and_done_again_on_request(step, tmp_path):
    once = ("--source", "source", "--out", "out")
    step(*once)
    (tmp_path / "step.py").write_text(STEP.replace('print("worked")', 'print("worked")  # well\n'))
    assert "changed since" not in step(*once).stderr
    (tmp_path / "step.py").write_text(STEP.replace("* options.times", "* options.times * 2"))
    told = step(*once)
    assert "up to date" in told.stderr and "out: step.py changed since this was made; --again true" in told.stderr
    again = step(*once, "--again", "true")
    assert "worked" in again.stdout and "is removed: again: asked for" in again.stderr
    assert (tmp_path / "out/copy.txt").read_text() == "xxxx" and "changed since" not in step(*once).stderr


def test_a_recipes_local_code_is_what_its_output_is_made_of(tmp_path):
    local = tmp_path / "local/corpus"
    local.mkdir(parents=True)
    (tmp_path / "source").write_text("x")
    (local / "prepare.py").write_text(
        STEP.replace("@dataclass\nclass Inner", "import beside\n\n@dataclass\nclass Inner")
    )
    (local / "beside.py").write_text("A = 1\n")

    def call() -> subprocess.CompletedProcess:
        command = [sys.executable, "local/corpus/prepare.py", "--source", "source", "--out", "out"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "worked" in call().stdout
    done = read_json(tmp_path / "out/.done.json")
    (local / "beside.py").write_text(
        '"""A description, and another layout."""\nA = (\n1) # one\n'.replace("(\n1)", "1")
    )
    assert "up to date" in call().stderr
    (local / "beside.py").write_text("A = 2\n")
    assert "worked" in (other := call()).stdout and "is removed: code beside.py: " in other.stderr
    old = {**done, "record": {k: v for k, v in done["record"].items() if not k.startswith("code ")}}
    old.pop("code")
    write_json(tmp_path / "out/.done.json", old)  # as it was marked before code counted
    assert "up to date" in call().stderr


def test_a_module_that_gives_a_bare_name_for_its_file_is_no_code_of_the_script(tmp_path, monkeypatch):
    """As torch.classes does."""
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "strange", SimpleNamespace(__file__="_classes.py"))
    assert list(fingerprint.of_code(tmp_path / "a.py")) == ["a.py"]


def test_code_in_a_folder_below_the_script_is_its_own(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    for name in ("a.py", "below/b.py"):
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setitem(sys.modules, "below.b", SimpleNamespace(__file__=str(tmp_path / "below/b.py")))
    before = fingerprint.of_code(tmp_path / "a.py")
    assert list(before) == ["a.py", "below/b.py"]
    (tmp_path / "below/b.py").write_text("x = 2\n")
    assert [name for name, digest in fingerprint.of_code(tmp_path / "a.py").items() if digest != before[name]] == [
        "below/b.py"
    ]


def test_the_code_of_a_script_is_the_same_for_all_pythons(tmp_path):
    """By a source with all that may be taken for a comment."""
    source = (
        'x = f"{1:#x} # {2}"  # y\n"""alone # é"""; z = """a\n  # b"""\n\ndef f():\n    """D."""\n    return "é"  # é\n'
    )
    (tmp_path / "a.py").write_text(source, encoding="utf-8")
    bare = 'x = f"{1:#x} # {2}"\n; z = """a\n  # b"""\ndef f():\n    return "é"\n'
    (tmp_path / "b").mkdir()
    (tmp_path / "b/a.py").write_text(bare, encoding="utf-8")
    expected = hashlib.sha256(json.dumps(" ".join(bare.split())).encode()).hexdigest()[:16]
    assert fingerprint.of_code(tmp_path / "a.py") == {"a.py": expected}


def test_what_was_made_of_an_earlier_state_is_known(tmp_path, monkeypatch):
    """Through a chain: a teacher, targets of it, a student of these; and a manifest that all of them read."""
    monkeypatch.chdir(tmp_path)
    with gzip.open("speech.jsonl.gz", "wt") as file:
        file.write("{}\n")

    def make(name: str, times: int, *inputs: str) -> None:
        step, finished = Step.begin(Path(name), f"{name}.py", {"times": times}, map(Path, inputs), {})
        assert not finished
        step.finish()

    make("teacher", 1, "speech.jsonl.gz")
    make("targets", 1, "teacher")
    make("student", 1, "targets", "speech.jsonl.gz")
    assert fingerprint.made_anew(Path("student")) == []
    make("teacher", 2, "speech.jsonl.gz")
    assert fingerprint.made_anew(Path("student")) == fingerprint.made_anew(Path("targets")) == ["teacher"]
    assert fingerprint.made_anew(Path("teacher")) == []
    reopen(Path("targets"))
    assert fingerprint.made_anew(Path("student")) == ["targets"]
    monkeypatch.chdir("/")
    assert fingerprint.made_anew(tmp_path / "student") == []  # its inputs are not to be found from here


def test_what_a_killed_process_was_writing_is_removed(step, tmp_path):
    step("--source", "source", "--out", "out")
    done = tmp_path / "out/.done.json"
    (tmp_path / "out/.begun.json").write_text(done.read_text())
    done.unlink()
    left = tmp_path / "out/shards/.partial-7-00001.targets"
    left.parent.mkdir()
    left.write_text("half")
    assert "worked" in step("--source", "source", "--out", "out").stdout
    assert not left.exists()


def test_a_folder_in_a_steps_output_is_as_new_as_the_step(tmp_path):
    inside = tmp_path / "targets/unlabelled"
    inside.mkdir(parents=True)
    (inside / "00000.bin").write_text("same size")
    seen = []
    for digest in ("one", "other", "one"):
        (tmp_path / "targets/.done.json").write_text(f'{{"digest": "{digest}"}}')
        seen.append(fingerprint.of_file(inside))
    assert seen[0] != seen[1] and seen[0] == seen[2]
    assert fingerprint.of_file(inside) != fingerprint.of_file(tmp_path / "targets")


def test_what_is_made_of_an_unfinished_input_stays(step, tmp_path):
    """Reopened, running or killed: no digest of it means anything, and nothing is cleared on its account."""
    (tmp_path / "step.py").write_text(STEP.replace("options.source.read_text()", "'x'"))
    (tmp_path / "targets/unlabelled").mkdir(parents=True)
    for source in ("targets", "targets/unlabelled"):
        (tmp_path / "targets/.done.json").write_text('{"digest": "one", "record": {}}')
        assert "worked" in step("--source", source, "--out", "out").stdout
        reopen(tmp_path / "targets")
        refused = step("--source", source, "--out", "out")
        assert refused.returncode == 1
        assert "error: targets: its step is not finished: run it again first" in refused.stderr
        assert (tmp_path / "out/copy.txt").exists() and (tmp_path / "out/.done.json").exists()


def test_what_a_step_does_not_read_of_a_folder_may_change(step, tmp_path):
    text = STEP.replace("options.source.read_text()", "(options.source / 'words').read_text()")
    (tmp_path / "step.py").write_text(text.replace("inputs=", "files_read={'source': ('words',)}, inputs="))
    (tmp_path / "lang").mkdir()
    call = ("--source", "lang", "--out", "out")
    missing = step(*call)
    assert missing.returncode == 1 and "lang/words: no such file" in missing.stderr
    for name, content, works in (("words", "a", True), ("model", "x", False), ("words", "b", True)):
        (tmp_path / "lang" / name).write_text(content)
        (tmp_path / "lang/.done.json").write_text(f'{{"digest": "{name}{content}", "record": {{}}}}')
        assert ("worked" in step(*call).stdout) == works, (name, content)
    reopen(tmp_path / "lang")
    unfinished = step(*call)
    assert unfinished.returncode == 1 and "lang: its step is not finished" in unfinished.stderr
    assert (tmp_path / "out/.done.json").exists()


def test_what_no_step_wrote_is_left_alone(step, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("years of work")
    result = step("--source", "source", "--out", "out")
    assert result.returncode == 1 and "no step wrote" in result.stderr
    assert (tmp_path / "out/thesis.tex").read_text() == "years of work"


def test_what_another_step_wrote_is_left_alone(step, tmp_path):
    assert "worked" in step("--source", "source", "--out", "out").stdout
    told = (tmp_path / "out/log.txt").read_text()
    (tmp_path / "step.py").rename(tmp_path / "other.py")
    command = [sys.executable, "other.py", "--source", "source", "--out", "out"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "error: out: holds what step.py wrote, and this is other.py" in refused.stderr
    assert (tmp_path / "out/copy.txt").exists() and (tmp_path / "out/log.txt").read_text() == told
    # What was made before steps were named is whoever's comes.
    done = read_json(tmp_path / "out/.done.json")
    write_json(tmp_path / "out/.done.json", {name: value for name, value in done.items() if name != "step"})
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "up to date" in again.stderr


def test_a_run_killed_while_clearing_is_cleared_to_the_end(tmp_path, monkeypatch):
    out = tmp_path / "out"
    for name in ("a", "b", "c"):
        write_json(out / name / "file", name)
    Step(out, "step.py", {"option times": "2"}).finish()
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Step.begin(out, "step.py", {"times": 3}, (), {})
    # Another changes his mind: what is left is not what the first options made.
    _, finished = Step.begin(out, "step.py", {"times": 2}, (), {})
    assert not finished and [path.name for path in out.iterdir()] == [".begun.json"]
    begun = read_json(out / ".begun.json")
    assert begun.pop("begun") > 0 and begun == {"step": "step.py", "record": {"option times": "2"}, "code": {}}


def test_missing_input_is_named(step):
    result = step("--source", "nowhere", "--out", "out")
    assert result.returncode == 1 and "nowhere: no such file" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["--tims", "3"], "times"), (["--inner.rat", "3"], "rate"), (["--config", "bad.yaml"], "times")],
)
def test_unknown_option_or_key_names_its_nearest(step, tmp_path, arguments, named):
    (tmp_path / "bad.yaml").write_text("timse: 3\n")
    result = step("--source", "source", "--out", "out", *arguments)
    assert result.returncode == 2 and f"did you mean {named}?" in result.stderr


@dataclass
class Learning:
    """How it learns."""

    soft_weight: float = 0.0
    """λ"""


@dataclass
class Training:
    """Options."""

    train: Learning = field(default_factory=Learning)
    """of the training"""


def test_an_old_spelling_is_understood_and_told(capsys):
    assert parse(Training, "", ["--train.share", "0.3"]).train.soft_weight == 0.3
    assert "--train.share is now called --train.soft_weight" in capsys.readouterr().err


def test_an_old_key_of_a_configuration_names_the_new_one(tmp_path, capsys):
    (tmp_path / "old.yaml").write_text("train: {share: 0.3}\n")
    with pytest.raises(SystemExit):
        parse(Training, "", ["--config", str(tmp_path / "old.yaml")])
    assert "did you mean train.soft_weight?" in capsys.readouterr().err


def test_an_option_that_makes_no_sense_is_one_sentence(step):
    result = step("--source", "source", "--out", "out", "--inner.rate", "-1")
    assert result.returncode == 1 and result.stderr == "error: rate -1.0: below 0\n"


def test_full_disk_leaves_what_was_whole(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(UserError, match=r"file\.txt: no space left"), atomic_path(path) as partial:
        partial.write_text("half of the n")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_belong_together_come_together(tmp_path):
    paths = [tmp_path / "a/1", tmp_path / "b/2"]
    with pytest.raises(UserError, match=r"no space left"), atomic_paths(paths, tmp_path) as folder:
        (folder / "1").touch()
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())
    with atomic_paths(paths, tmp_path) as folder:
        for name in "12":
            (folder / name).write_text(name)
        assert not any(path.exists() for path in paths)
    assert [path.read_text() for path in paths] == ["1", "2"] and len(list(tmp_path.iterdir())) == 2


def test_broken_json_names_file_and_line(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1,\n oops}')
    with pytest.raises(UserError, match=r"a\.json, line 2"):
        read_json(tmp_path / "a.json")


def test_the_commit_is_dirty_by_code_and_not_by_results(tmp_path, monkeypatch):
    log_file = tmp_path / "lib/understudy/step/log.py"
    log_file.parent.mkdir(parents=True)
    (tmp_path / "RESULTS.md").write_text("a")
    log_file.write_text("a")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setattr(log_module, "__file__", str(log_file))
    clean = log_module.commit()
    assert len(clean) == 10
    (tmp_path / "RESULTS.md").write_text("b")
    assert log_module.commit() == clean
    log_file.write_text("b")
    assert log_module.commit() == f"{clean}-dirty"


def test_json_never_holds_what_is_no_number(tmp_path, caplog):
    value = {"a": 1.5, "b": [1, (float("nan"), 2)], "c": {"d": -float("inf")}, "e": Path("x")}
    with caplog.at_level("WARNING", "understudy"):
        write_json(tmp_path / "report.json", value)
    text = (tmp_path / "report.json").read_text()
    assert read_json(tmp_path / "report.json") == {"a": 1.5, "b": [1, [None, 2]], "c": {"d": None}, "e": "x"}
    assert "NaN" not in text and "Infinity" not in text
    assert "report.json: b[1][0] is nan, c.d is -inf, which JSON does not have; null stands there" in caplog.text
    (tmp_path / "old.json").write_text('{"best": Infinity, "last": NaN}')
    assert read_json(tmp_path / "old.json") == {"best": None, "last": None}
    assert to_json(float("inf")) == "null"


@pytest.mark.parametrize(("given", "told"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_of_a_step_sleep_while_they_wait_unless_the_user_says_otherwise(tmp_path, given, told):
    """What OpenMP itself says when torch loads it."""
    source = "from understudy.step.step import let_waiting_threads_sleep as sleep; sleep(); import torch"
    alone = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment = {**alone, "OMP_DISPLAY_ENV": "TRUE", **given}
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True)
    assert re.search(rf"OMP_WAIT_POLICY *= *'{told}'", done.stderr), done.stderr
