"""Counts by hand, intervals that hold the rate, results that are replaced, a report of the lines alone."""

import pytest

from understudy.score import errors, interval, report
from understudy.score.results import append_result, read_results
from understudy.stage import UserError

REFS = [t.split() for t in ("a b c", "a b", "c")]
HYPS = [t.split() for t in ("a x c d", "a", "c")]


def line(system="small", wer=20.0, **more):
    counts = {
        "errors": 2,
        "words": 10,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 0,
        "empty": 0,
        "retried": 1,
    }
    return {"recipe": "s1", "system": system, "test_set": "test", "config": "c", "wer": wer, "wer_low": 10.0,
            "wer_high": 30.0, **counts, **more}  # fmt: skip


def test_counts_by_hand():
    found = errors.count(REFS, HYPS)
    assert (found.words, found.substitutions, found.deletions, found.insertions) == (6, 1, 1, 1)
    assert found.wer == pytest.approx(50.0)
    assert errors.side_by_side(["a", "bb"], ["a"]) == "ref: a bb\nhyp: a ***"
    with pytest.raises(ValueError):
        errors.count(REFS, HYPS[:2])


def test_interval_holds_the_rate_and_paired_test_sees_the_better():
    refs, hyps = REFS * 20, HYPS * 20
    low, high = interval.wer_interval(refs, hyps)
    assert low < 50.0 < high
    assert interval.probability_of_improvement(refs, hyps, refs) == 1.0


def test_results_are_replaced_not_repeated(tmp_path):
    path = tmp_path / "results.jsonl"
    for result in (line(), line("other"), line(wer=15.0), line(config="d")):
        append_result(path, result)
    assert [(r["system"], r["wer"], r["config"]) for r in read_results(path)] == [
        ("other", 20.0, "c"), ("small", 15.0, "c"), ("small", 20.0, "d")]  # fmt: skip
    with path.open("a") as file:
        file.write("{broken\n")
    with pytest.raises(UserError, match=r"results\.jsonl:4"):
        read_results(path)


def test_a_teacher_is_of_its_students_condition():
    assert report.known_as("teacher", "student-3h-7n") == {"teacher", "teacher-7n"}
    assert report.known_as(None, "student-7n") == set()


def test_report():
    lines = line(), line("distilled", 15.0, parameters=2_500_000, labelled_hours=0.63, transferred_hours=4.7)
    text = report.report(list(lines), "small")
    assert "| 0.63 (after 4.70 of another corpus) |" in text
    assert "| distilled | 2.50 M |" in text and "15.00 [10.00, 30.00]" in text and "| 25.0 |" in text
    with pytest.raises(UserError, match="Known systems: small"):
        report.report([line()], "none")
