"""The comparison of systems as a command: tables, tests over speakers, configurations; bad names."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from understudy.score import utterances
from understudy.score.results import append_result
from understudy.score.utterances import Scored
from understudy.step import UserError

_SPEC = importlib.util.spec_from_file_location("compare_command", Path(__file__).parents[2] / "utils/compare.py")
COMMAND = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(COMMAND)


def add(
    folder: Path, system: str, rate: float, seed: int, test_set: str = "test", count: int = 300, speakers: int = 20,
    prefix: str = "u", wordless: bool = False, **more: object,
) -> None:  # fmt: skip
    """A system with this error rate, decoded into <folder>/<system>/decode/<test_set>."""
    rng = np.random.default_rng(seed)
    wrongs = rng.binomial(7, rate, count).tolist()
    length = 0 if wordless else 7
    scored = [Scored(f"{prefix}{i}", f"s{i % speakers}", length, n, 0, 0, 30, 3) for i, n in enumerate(wrongs)]
    out = folder / system / "decode" / test_set
    out.mkdir(parents=True)
    utterances.write(out / "utterances.tsv", scored)
    wrong = sum(s.errors for s in scored)
    for where, epochs in ((out.parents[1], 10 * seed), (out.parent, 0)):
        record = {"option epochs": str(epochs), "option system": system, "input x": "0"}
        (where / ".done.json").write_text(json.dumps({"digest": "d", "record": record}))
    wer = 100 * wrong / (7 * count)
    append_result(folder / "results.jsonl", {
        "recipe": "r", "system": system, "test_set": test_set, "config": system, "words": length * count,
        "errors": wrong,
        "substitutions": wrong, "deletions": 0, "insertions": 0, "wer": wer, "wer_low": wer - 1, "wer_high": wer + 1,
        "ser": 50.0, "cer": 10.0, "parameters": 480_000, "cpu_s": 12.0, "scored": f"{system}/decode/{test_set}",
        "unlabelled_hours": 3.0 * seed, "utterances": count, "interval_by": "speaker", "speakers": speakers, **more,
    })  # fmt: skip


def compare(*systems: str, cwd: Path, **options: object) -> SimpleNamespace:
    """What the command prints, and its error."""
    printed, fault = io.StringIO(), ""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(cwd)
        try:
            COMMAND.run(COMMAND.Options(list(systems), **options))
        except UserError as error:
            fault = str(error)
    return SimpleNamespace(stdout=printed.getvalue(), stderr=fault)


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    """exp/ with three systems on two test sets, before/ with one on one."""
    for test_set in ("test", "other"):
        add(tmp_path / "exp", "small", 0.2, 1, test_set)
        add(tmp_path / "exp", "twin", 0.2, 2, test_set)
        add(tmp_path / "exp", "distilled", 0.1, 3, test_set)
    add(tmp_path / "before", "small", 0.3, 4)
    return tmp_path


def test_systems_are_compared_on_every_test_set_that_they_share(checkouts):
    done = compare("small", "twin", "distilled", cwd=checkouts)
    assert not done.stderr
    assert "\ntest, 2100 words. What" in done.stdout and "\nother, 2100 words. What" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("| twin") or line.startswith("| distilled")]
    assert sum("no difference shown (20 speakers)" in row for row in rows) == 2
    assert sum("distilled is better (20 speakers)" in row for row in rows) == 2
    assert done.stdout.count("Intervals are of 95 %, over 20 speakers.") == 2
    assert "p, corrected for 4 tests" in done.stdout  # two systems on two sets
    assert "| training: epochs" in done.stdout and "| unlabelled_hours" in done.stdout
    assert "decoding: epochs" not in done.stdout  # the same in all


def test_of_two_checkouts_and_by_utterance(checkouts):
    done = compare("before/results.jsonl:small", "small@test", cwd=checkouts, by="utterance")
    assert not done.stderr and "small@test is better (300 utterances)" in done.stdout and "\nother" not in done.stdout


def test_too_few_speakers_get_an_interval_and_no_verdict(checkouts):
    for name, rate in (("a", 0.4), ("b", 0.1)):
        add(checkouts / "few", name, rate, 1, speakers=7)
    done = compare("a", "b", cwd=checkouts, results=Path("few/results.jsonl"))
    row = next(line for line in done.stdout.splitlines() if "too few" in line)
    assert "too few speakers to tell (7 speakers)" in row and "| –" in row and "better" not in done.stdout


def test_a_set_without_words_stops_no_other(checkouts):
    for system in ("small", "twin"):
        add(checkouts / "exp", system, 0.0, 1, "noises", wordless=True)
    for value in (None, float("nan")):  # as it is written now, and as versions before wrote it
        results = checkouts / "exp/results.jsonl"
        lines = [json.loads(one) for one in results.read_text().splitlines()]
        lines = [one | dict.fromkeys(("wer", "cer"), value) if one["words"] == 0 else one for one in lines]
        results.write_text("".join(json.dumps(one) + "\n" for one in lines))
        done = compare("small", "twin", cwd=checkouts)
        assert not done.stderr
        assert "noises, 0 words." in done.stdout and "it has no WER, and nothing is compared" in done.stdout
        row = next(row for row in done.stdout.split("noises, 0")[1].splitlines() if row.startswith("| small"))
        assert "| –" in row and "nan" not in row
        assert done.stdout.count("no difference shown (20 speakers)") == 2  # of the other two sets


def test_bad_names_and_other_utterances_are_said(checkouts):
    assert "at least two systems" in compare("small", cwd=checkouts).stderr
    assert "smal: not in exp/results.jsonl, which has distilled@other" in compare("small", "smal", cwd=checkouts).stderr
    add(checkouts / "fewer", "small", 0.2, 5, count=299)
    done = compare("small", "fewer/results.jsonl:small", cwd=checkouts)
    assert "on a set of 299 utterances" in done.stderr and "| small" not in done.stdout
    add(checkouts / "fewer", "large", 0.2, 5, prefix="v")  # told by the ids
    assert "such as u0" in compare("small", "fewer/results.jsonl:large", cwd=checkouts).stderr
    (checkouts / "exp/twin/decode/test/utterances.tsv").unlink()
    done = compare("small", "twin", cwd=checkouts)
    assert "test: " in done.stderr and "utterances.tsv: no such errors" in done.stderr
    assert done.stdout.count("no difference shown (20 speakers)") == 1  # of the other test set


def test_two_sets_of_one_name_are_not_compared(checkouts):
    for name, digest in (("a", "aaa"), ("b", "bbb"), ("c", "aaa")):
        of = {"digest": digest, "utterances": 300, "speakers": 20, "hours": 1.0, "words": 2100, "audio": ""}
        add(checkouts / "sets", name, 0.2, 1, tested_on=of)
    done = compare("a", "b", cwd=checkouts, results=Path("sets/results.jsonl"))
    assert "a was tested on 300 utterances of 20 speakers, 1.00 h, 2100 words (aaa), b on 300" in done.stderr
    assert "WER" not in done.stdout  # not even side by side
    done = compare("a", "c", cwd=checkouts, results=Path("sets/results.jsonl"))
    assert "Tested on 300 utterances of 20 speakers, 1.00 h, 2100 words (aaa)." in done.stdout and not done.stderr


def test_texts_that_were_scored_in_different_ways_are_not_compared(checkouts):
    results = checkouts / "exp/results.jsonl"
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    for line in lines:
        line["normalise"] = ["hyphens"] if line["system"] == "twin" else []
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = compare("small", "twin", cwd=checkouts)
    assert "scored in different ways (as they are and hyphens)" in done.stderr and "better" not in done.stdout
