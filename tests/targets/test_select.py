"""Choosing speech by its soft targets: what is left out, why, and that all of it is counted."""

import gzip
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lhotse import CutSet, Features, MonoCut

from understudy.corpus import read_cuts
from understudy.lang.tree import Tree
from understudy.step import UserError
from understudy.targets import TargetWriter
from understudy.targets.options import SelectOptions
from understudy.targets.select import TABLE, select
from understudy.targets.store import top_k

ROOT = Path(__file__).parents[2]
SENONES = 40
TREE = Tree(20, SENONES, {f"{phone} {state}": 2 * phone - 2 + state for phone in range(1, 21) for state in (0, 1)})
"""senones 0 and 1 are silence"""


def logits(seed: int, sure: float, frames: int = 60, silent: int = 10) -> torch.Tensor:
    """Of an utterance that begins with silence, of a teacher that is more or less sure; a senone lasts two frames."""
    rng = np.random.default_rng(seed)
    best = np.append(np.zeros(silent, int), np.repeat(rng.integers(2, SENONES, frames), 2)[: frames - silent])
    noise = torch.from_numpy(rng.normal(0, 0.1, (frames, SENONES))).float()
    return noise + sure * torch.nn.functional.one_hot(torch.from_numpy(best), SENONES)


def write_targets(folder: Path, heard: dict[str, torch.Tensor], k: int = 20, **described: Any) -> Path:
    made_by = {"senones": SENONES, "tree": TREE.fingerprint, "teacher": "t", "supervision": "soft", "k": k, **described}
    writer = TargetWriter(folder, made_by)
    writer.write(0, {name: top_k(one, k) for name, one in heard.items()})
    writer.close(1)
    return folder


GOOD = {f"good{n}": logits(n, 8 + n % 5 / 10) for n in range(20)}
BAD = {
    "unsure": logits(100, 3.0), "silent": logits(101, 8.2, silent=50), "copy": GOOD["good7"],
    "unsure copy": GOOD["good8"] / 3,
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    TREE.save(tmp_path / "tree.json")
    cuts = []
    for name in [*GOOD, *BAD, "untaught"]:
        features = Features("x", 180, 64, 0.01, 16000, 0, 1.8, "none", "", "", name, 0)
        cuts.append(MonoCut(name, 0, 1.8, 0, features=features))
    CutSet.from_cuts(cuts).to_file(tmp_path / "unlabelled.jsonl.gz")
    (tmp_path / "normaliser.json").write_text("{}")
    write_targets(tmp_path / "unlabelled", GOOD | BAD)
    write_targets(tmp_path / "dev", {f"dev{n}": logits(200 + n, 8 + n % 5 / 10) for n in range(20)})
    return tmp_path


def options(home: Path, **more: Any) -> SelectOptions:
    paths = {"cuts": home / "unlabelled.jsonl.gz", "targets": [home / "unlabelled"], "labels": home}
    return SelectOptions(**{**paths, "out": home / "out", **more})


def chosen(home: Path, **more: Any) -> tuple[list[str], dict[str, int], dict[str, dict[str, str]]]:
    """Ids that are kept, how many were left out for what, and the table by id."""
    select(options(home, **more), home / "out")
    report = json.loads((home / "out/report.json").read_text())
    head, *rows = gzip.decompress((home / "out" / TABLE).read_bytes()).decode().splitlines()
    table = {row.split("\t")[0]: dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows}
    kept = [cut.id for cut in read_cuts(home / "out/unlabelled.jsonl.gz")]
    left_out = {why: size["cuts"] for why, size in report["left_out"].items() if size["cuts"]}
    assert report["cuts"] == len(table) == len(kept) + sum(left_out.values()) == 25
    assert report["kept"] == {"cuts": len(kept), "hours": round(len(kept) * 1.8 / 3600, 4)}
    assert kept == [name for name, row in table.items() if not row["left_out"]]
    assert (home / "out/normaliser.json").exists()
    return kept, left_out, table


@pytest.mark.parametrize("reference", [[], ["dev"]])
def test_what_is_unlike_the_other_speech_is_left_out_and_counted(home, reference, caplog):
    kept, left_out, table = chosen(home, reference=[home / name for name in reference])
    assert kept == list(GOOD) and left_out == {"targets": 1, "entropy": 2, "silence": 1, "copy": 1}
    assert (table["copy"]["left_out"], table["copy"]["copy_of"]) == ("copy", "good7")
    assert (table["unsure copy"]["left_out"], table["unsure copy"]["copy_of"]) == ("entropy", "good8")
    assert table["untaught"]["left_out"] == "targets" and table["untaught"]["entropy"] == ""
    assert table["silent"]["silence"] == f"{50 / 60:.5g}" and table["good3"]["disagreement"] == ""


def test_limits_that_are_given_take_the_place_of_those_of_the_reference(home, caplog):
    caplog.set_level("INFO")
    kept, left_out, _ = chosen(home, max_silence=1.0, max_entropy=math.log(SENONES), duplicates="keep")
    assert left_out == {"targets": 1} and set(kept) == {*GOOD, *BAD}
    kept, left_out, table = chosen(home, keep=0.5)
    found = {name: float(row["entropy"]) for name, row in table.items() if row["entropy"]}
    half = sorted(found.values())[11]  # a copy's is that of its original
    assert {name for name in found if found[name] > half} == {n for n in table if table[n]["left_out"] == "entropy"}
    assert left_out["entropy"] == 11 and "11 cuts left out, 0.005 hours: too much entropy" in caplog.text
    with pytest.raises(UserError, match=r"nothing is kept with these limits: \{'entropy': 0.0"):
        chosen(home, max_entropy=0.0)
    assert len(gzip.decompress((home / "out" / TABLE).read_bytes()).splitlines()) == 26


def test_what_two_teachers_do_not_agree_on_is_left_out(home):
    heard = {name: one + 0.01 * logits(300, 1.0) for name, one in (GOOD | BAD).items()}
    heard["good5"] = logits(301, 8.2)  # as sure, and of other senones
    write_targets(home / "other/unlabelled", heard, teacher="u")
    second = [home / "other/unlabelled"]
    _, left_out, table = chosen(home, second_teacher_targets=second)
    assert left_out["disagreement"] == 1 and table["good5"]["left_out"] == "disagreement"
    assert float(table["good5"]["disagreement"]) > 0.5 > 0.1 > float(table["good6"]["disagreement"])
    assert "good5" in chosen(home, second_teacher_targets=second, max_disagreement=0.7)[0]
    with pytest.raises(UserError, match="cut dev0: no soft targets"):
        chosen(home, second_teacher_targets=second, reference=[home / "dev"])
    write_targets(home / "other/dev", {f"dev{n}": logits(200 + n, 8.2) for n in range(20)}, teacher="u")
    assert (
        "good5" not in chosen(home, second_teacher_targets=[*second, home / "other/dev"], reference=[home / "dev"])[0]
    )


@pytest.mark.parametrize(
    ("described", "told"),
    [
        ({"k": 1}, "targets of one senone a frame, of which no entropy can be told"),
        ({"tree": "xyz"}, "targets of the tree xyz"),
        ({"senones": 41}, "targets over 41 senones, .* has 40"),
    ],
)
def test_targets_that_tell_nothing_or_are_of_another_tree_are_refused(home, described, told):
    wrong = write_targets(home / "wrong", GOOD, **described)
    with pytest.raises(UserError, match=told):
        chosen(home, targets=[wrong])
    with pytest.raises(UserError, match=told):
        chosen(home, second_teacher_targets=[wrong])


def test_a_teacher_is_compared_with_another_and_a_reference_with_its_own(home):
    with pytest.raises(UserError, match=r"targets of the teacher of .*learnt otherwise"):
        chosen(home, second_teacher_targets=[home / "unlabelled"])
    other = write_targets(home / "other", GOOD, teacher="u")
    with pytest.raises(UserError, match=r"'teacher': 'u'.*'teacher': 't'"):
        chosen(home, reference=[other])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"keep": 1.5}, "--keep 1.5: it is above 0 and at most 1"),
        ({"same": 0.0}, "--same 0: it is above 0"),
        ({"fence": -1.0}, "--fence -1: it is at least 0"),
        ({"keep": 0.5, "max_entropy": 1.0}, "--keep, --max-entropy: both limit"),
        ({"max_disagreement": 0.1}, "--max-disagreement: .* give --second-teacher-targets"),
    ],
)
def test_options_that_make_no_sense_are_refused(wrong, told):
    with pytest.raises(UserError, match=told):
        options(Path(), **wrong)


def test_the_step_writes_what_a_training_reads(home):
    command = [
        sys.executable, ROOT / "steps/select_speech.py", "--cuts", home / "unlabelled.jsonl.gz", "--targets",
        f"[{home / 'unlabelled'}]", "--reference", f"[{home / 'dev'}]", "--labels", home, "--out", home / "selected",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [cut.id for cut in read_cuts(home / "selected/unlabelled.jsonl.gz")] == list(GOOD)
    assert "20 of 25 cuts are kept, 0.010 hours" in done.stderr and "1 cut left out, 0.001 hours: copies" in done.stderr
