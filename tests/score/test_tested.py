"""What systems were tested on: told by content alone, and never compared where it is not the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from understudy.corpus import Utterance, build_cut, write_cuts
from understudy.score import report, table
from understudy.score.tested import by_set, check, of_manifest, sentence, told
from understudy.step import UserError


def speech(folder: Path) -> list[Utterance]:
    return [
        Utterance(f"u{i}", folder / f"{i}.flac", "SET A TIMER", f"s{i % 2}", 32000 + 160 * i, 16000) for i in range(6)
    ]


def described(folder: Path, utterances: list[Utterance]) -> dict:
    write_cuts(folder / "test.jsonl.gz", map(build_cut, utterances))
    return of_manifest(folder / "test.jsonl.gz")


def test_a_set_is_described_by_its_content_alone(tmp_path):
    here = described(tmp_path / "here", speech(tmp_path / "here"))
    assert {key: here[key] for key in ("utterances", "speakers", "words", "audio")} == {
        "utterances": 6, "speakers": 2, "words": 18, "audio": "flac"}  # fmt: skip
    assert here["hours"] == pytest.approx(6 * 2.025 / 3600, abs=1e-3)
    moved = speech(tmp_path / "there")[::-1]
    assert described(tmp_path / "there", moved)["digest"] == here["digest"]
    as_wav = [replace(u, audio=u.audio.with_suffix(".wav")) for u in moved]
    assert described(tmp_path / "there", as_wav)["digest"] == here["digest"]  # which loses nothing


@pytest.mark.parametrize(
    "change",
    [
        {"text": "SET A CLOCK"}, {"speaker": "s9"}, {"id": "other"}, {"num_samples": 32001 * 2},
        {"audio": Path("0.opus")},  # what was packed with losses is not the same speech
    ],
)  # fmt: skip
def test_any_change_of_an_utterance_is_another_set(tmp_path, change):
    first, *others = speech(tmp_path)
    before, after = described(tmp_path, [first, *others]), described(tmp_path, [replace(first, **change), *others])
    assert before["digest"] != after["digest"]


def line(system: str, digest: str | None = None, wer: float = 20.0, **more) -> dict:
    of = {"digest": digest, "utterances": 504, "speakers": 4, "hours": 2.02, "words": 1000, "audio": "opus"}
    return {
        "recipe": "toy", "system": system, "test_set": "test", "config": "c", "wer": wer, "wer_low": 10.0,
        "wer_high": 30.0, "errors": 200, "words": 1000, "utterances": 504, "substitutions": 1, "deletions": 1,
        "insertions": 0, "empty": 0, "retried": 0, "commit": "c", "machine": "m", "seed": 1,
        **({"tested_on": of} if digest else {}), **more,
    }  # fmt: skip


OLD, OLD_OF_MORE = line("old"), line("longer", words=2000)
FIRST, SECOND = line("first", "aaa"), line("second", "bbb", 10.0)


def test_two_sets_are_not_compared_and_both_are_named():
    with pytest.raises(UserError) as error:
        check([("x:first", FIRST), ("second", SECOND)])
    assert str(error.value) == (
        "x:first and second are not compared: x:first was tested on 504 utterances of 4 speakers, 2.02 h, 1000 words, "
        "opus (aaa), second on 504 utterances of 4 speakers, 2.02 h, 1000 words, opus (bbb). Decode both on one set."
    )
    check([("first", FIRST), ("old", OLD), ("other", line("other", "aaa"))])
    with pytest.raises(UserError, match="longer on a set of 504 utterances, decoded before sets were recorded"):
        check([("old", OLD), ("longer", OLD_OF_MORE)])
    with pytest.raises(UserError, match="not compared"):
        table.systems([FIRST, SECOND])


def test_older_results_are_told_to_be_older():
    assert told(FIRST).endswith("(aaa)") and "older than that record" in sentence([OLD])
    assert "Tested on 504 utterances" in sentence([OLD, FIRST]) and "by its size alone: old." in sentence([OLD, FIRST])
    assert "older" not in sentence([FIRST])


def test_a_report_has_a_table_for_each_set():
    found = by_set([OLD, FIRST, SECOND, OLD_OF_MORE, line("again", "aaa")])
    assert [(of.name, [one["system"] for one in of.lines]) for of in found] == [
        ("toy, test (aaa)", ["old", "first", "again"]), ("toy, test (bbb)", ["second"]),
        ("toy, test (older, 2000 words)", ["longer"])]  # fmt: skip
    text = report.results_report([FIRST, SECOND], "first")
    assert text.index("## toy, test (aaa)") < text.index("| first |") < text.index("## toy, test (bbb)")
    assert "| 50.0 |" not in text  # no gain of the second over the first, which heard other speech
    assert "## toy, test\n" in report.results_report([FIRST])
