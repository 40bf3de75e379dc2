"""utils/new_recipe.sh: from a folder of audio to a recipe that runs, without a line written by hand."""

from __future__ import annotations

import itertools
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.intake.sounds import tone

from understudy.intake import LAYOUTS, Folder, Table, recipe
from understudy.intake.options import CutOptions
from understudy.intake.recipe import make_recipe
from understudy.intake.take_in import take_in
from understudy.parallel.workers import Workers
from understudy.step import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Of the six people of free spoken digits, a 1 and a 2 at 8 kHz, as that has them."""
    for speaker in ("george", "jackson", "nicolas", "yweweler", "lucas", "theo"):
        for number, pitch in ((1, 300.0), (2, 700.0)):
            tone(tmp_path / f"recordings/{number}_{speaker}_0.wav", 0.6, 8000, (pitch,))
    return tmp_path / "recordings"


NAMES = {"pattern": "{text}_{speaker}_{take}", "words": {"1": "one", "2": "two"}}


def test_the_example_of_the_page_runs(recordings: Path, tmp_path: Path):
    """Its own commands, from the folder of audio to the language model; only where the recipe goes is another place."""
    folder = tmp_path / "egs/s1"
    example, *_ = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/new-recipe.md").read_text(), flags=re.DOTALL)
    places = {
        "utils/new_recipe.sh digits": f"{ROOT}/utils/new_recipe.sh digits --folder {folder}",
        "cd egs/digits/s1": f"cd {folder}",
        "./run.sh": "./run.sh --stop-stage 2 --robust false",
    }
    for here, there in places.items():
        assert example.count(here) == 1
        example = example.replace(here, there)
    environment = {**os.environ, "UNDERSTUDY_VENV": os.environ.get("UNDERSTUDY_VENV", sys.prefix)}
    done = subprocess.run(["bash", "-euc", example], cwd=tmp_path, env=environment, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "are labelled" in done.stdout and f"cd {folder}" in done.stdout
    assert "data/corpus is up to date" in done.stderr and "labelled: 4 utterances" in done.stderr
    assert {path.name for path in folder.iterdir()} == {
        "run.sh", "cmd.sh", "path.sh", "conf", "steps", "utils", "data", "exp"}  # fmt: skip
    written = yaml.safe_load((folder / "conf/corpus.yaml").read_text())
    assert written["path"] == str(recordings) and written["dev"] == "lucas" and written["words"]["7"] == "seven"
    assert (folder / "exp/lang/lexicon.txt").read_text() == "one o n e\ntwo t w o\n"


@pytest.fixture
def here(monkeypatch) -> None:
    """The corpus is prepared in this process, which takes no seconds to begin."""

    def prepared(folder: Path, layout: str) -> dict:
        values = yaml.safe_load((folder / "conf/corpus.yaml").read_text())
        paths = {name: Path(value) for name, value in values.items() if name in ("path", "text")}
        values["cut"] = CutOptions(**values.get("cut", {}))
        with Workers(1) as workers:
            return take_in(
                LAYOUTS[layout](**{**values, **paths}), folder / "data/corpus", folder / "data/audio", workers
            )

    monkeypatch.setattr(recipe, "_prepared", prepared)


def made(corpus, layout: str, folder: Path) -> str:
    """The run.sh of a recipe that was made, found in order by bash and shellcheck."""
    make_recipe("mine", layout, corpus, folder)
    if shellcheck := shutil.which("shellcheck"):
        subprocess.run([shellcheck, "-x", "-P", folder, folder / "run.sh"], check=True, cwd=folder)
    text = (folder / "run.sh").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail" and lines[1].startswith("{ #") and lines[-2:] == ["exit 0", "}"]
    assert max(map(len, text.splitlines())) <= 120
    return text


@pytest.mark.usefixtures("here")
def test_options_with_and_without_a_lexicon(recordings: Path, tmp_path: Path):
    plain = made(Folder(path=recordings, **NAMES), "folder", tmp_path / "a")
    assert "oov=" not in plain and "speeds=" in plain
    assert (tmp_path / "a/conf/distil.yaml").read_text() == (
        ROOT / "egs/mini_librispeech/s1/conf/distil.yaml"
    ).read_text()
    (tmp_path / "lexicon.txt").write_text("one w\ntwo t\n")
    (tmp_path / "more.txt").write_text("one two\n")
    rows = "".join(f"{path.name},{path.stem.split('_')[1]},one\n" for path in sorted(recordings.iterdir()))
    (recordings / "t.csv").write_text("path,speaker,text\n" + rows)
    corpus = Table(path=recordings / "t.csv", lexicon=str(tmp_path / "lexicon.txt"), text=tmp_path / "more.txt")
    corpus.cut.longest = 12.0
    told = made(corpus, "table", tmp_path / "b")
    assert yaml.safe_load((tmp_path / "b/conf/corpus.yaml").read_text())["cut"] == {"longest": 12.0}
    assert (tmp_path / "b/conf/realigned.yaml").exists() and (tmp_path / "b/conf/longer.yaml").exists()
    assert "oov=fail" in told and "text=$data/corpus/text.txt" in told and "--from table" in told


@pytest.mark.usefixtures("here")
def test_what_fails_is_gone_on_with(recordings: Path, tmp_path: Path):
    broken = Folder(path=recordings, pattern=NAMES["pattern"], words={"1": "one"})
    with pytest.raises(UserError, match=r"'2' is not among --words \(1\)"):
        make_recipe("mine", "folder", broken, tmp_path / "a")
    assert not (tmp_path / "a/run.sh").exists()
    make_recipe("mine", "folder", Folder(path=recordings, **NAMES), tmp_path / "a")
    with pytest.raises(UserError, match=r"run\.sh is there already"):
        make_recipe("mine", "folder", Folder(path=recordings, **NAMES), tmp_path / "a")
    written = yaml.safe_load((tmp_path / "a/conf/corpus.yaml").read_text())
    assert "cut" not in written
    with pytest.raises(UserError, match="the name of a recipe must be letters"):
        make_recipe("my corpus", "folder", broken, tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 0, "usage: "),
        (["--from", "folder"], 2, "the name of the recipe comes first"),
        (["mine", "--from", "kaldy"], 2, "--from kaldy: must be one of kaldi, table, folder, lhotse"),
        (["mine", "--from", "folder", "--pattern", "{text}"], 1, "error: --pattern {text}: must have {speaker}"),
        (["mine", "--from", "folder", "--cut.threshold", "2"], 1, "error: --cut.threshold 2: must be a probability"),
    ],
)
def test_a_name_and_a_layout_come_first(arguments: list[str], status: int, said: str, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["new_recipe.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "utils/new_recipe.py"), run_name="__main__")
    told = capsys.readouterr()
    assert ended.value.code == status and said in told.out + told.err


def test_a_corpus_that_lhotse_prepares(tmp_path: Path):
    """By the command itself, with options of the preparation; stage 0 finds it prepared."""
    for bits in itertools.islice(itertools.product("01", repeat=8), 60):
        tone(tmp_path / f"waves_yesno/{'_'.join(bits)}.wav", 0.2, 8000)
    folder = tmp_path / "egs/s1"
    options = ["--path", "waves_yesno", "--one-speaker-each", "true", "--option", "{corpus_dir: waves_yesno}"]
    command = [ROOT / "utils/new_recipe.sh", "yesno", "--from", "lhotse:yesno", *options, "--folder", folder]
    environment = {**os.environ, "UNDERSTUDY_VENV": os.environ.get("UNDERSTUDY_VENV", sys.prefix)}
    call = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "check": False}
    done = subprocess.run(command, **call)
    assert done.returncode == 0, done.stderr
    assert "yesno, test: 30 utterances: test" in done.stderr and "labelled: 27 utterances" in done.stderr
    text = (folder / "run.sh").read_text()
    assert "made by utils/new_recipe.sh of yesno, as Lhotse prepares it." in text and "--from lhotse:yesno" in text
    written = yaml.safe_load((folder / "conf/corpus.yaml").read_text())
    assert written["option"] == {"corpus_dir": str(tmp_path / "waves_yesno")} and written["one_speaker_each"] is True
    stage = subprocess.run(["./run.sh", "--stop-stage", "0"], **{**call, "cwd": folder})
    assert stage.returncode == 0 and "data/corpus is up to date" in stage.stderr, stage.stderr
