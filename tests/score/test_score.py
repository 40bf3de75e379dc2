"""Counts by hand, intervals that hold the rate, results that are replaced, a report of the lines alone."""

import json

import numpy as np
import pytest

from understudy.score import errors, interval, report
from understudy.score.outcome import Outcome, check_words, told, write_outcome
from understudy.score.results import append_result, latest, read_conditions, read_results
from understudy.score.table import systems
from understudy.score.utterances import Scored
from understudy.step import UserError

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


def test_a_set_without_words_has_no_rates_and_says_so(tmp_path, caplog):
    none = [Outcome.of(f"u{i}", "s", ["uh", "Hm"], ["so"], ["fillers"]) for i in range(3)]
    with caplog.at_level("WARNING", "understudy"):
        score = write_outcome(tmp_path / "test", none, {"normalise": ["fillers"]})
    assert [score[key] for key in ("wer", "wer_low", "wer_high", "cer")] == [None] * 4
    assert (score["errors"], score["words"], score["ser"]) == (3, 0, 100.0)
    assert "test: 3 utterances have no words in their references after fillers" in caplog.text
    assert strict((tmp_path / "test/wer.json").read_text())["wer"] is None
    assert told(score) == "no WER, since the references have no words; 3 words were heard"
    with pytest.raises(UserError, match="dev: must have words to choose by, and none of its 3 references has one"):
        check_words(none, "dev")
    rows = report.results_report([line() | score | {"system": "small", "test_set": "test"}], "small")
    assert "| – | 3/0 | 0/0/3 |" in rows
    with pytest.raises(UserError, match="whose references have no words"):
        systems([line(wer=None)])


def test_results_never_hold_what_json_lacks(tmp_path, caplog):
    results = tmp_path / "results.jsonl"
    # As versions before wrote it.
    results.write_text(json.dumps(line("old", float("nan"))) + "\n")
    with caplog.at_level("WARNING", "understudy"):
        append_result(results, line("new", speed=[1.0, float("inf")]))
    assert [strict(one)["wer"] for one in results.read_text().splitlines()] == [None, 20.0]
    assert "the result of new: speed[1] is inf, which JSON does not have; null stands there" in caplog.text
    assert "old" not in caplog.text
    assert [one["system"] for one in read_results(results)] == ["old", "new"]


def strict(text: str):
    """JSON as RFC 8259 has it."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def scored(speakers: list[str], wrong: list[int], words: int = 10) -> list[Scored]:
    return [Scored(f"u{i}", who, words, n, 0, 0, 40, n) for i, (who, n) in enumerate(zip(speakers, wrong))]


def test_an_interval_is_over_speakers_by_hand():
    # Without one of three speakers the rates are 15, 20 and 25 %: the variance is 2/3 (5² + 5²), t is 4.303.
    found = interval.wer_interval(scored(["a", "a", "b", "c", "c"], [2, 4, 2, 1, 1]))
    assert (found["interval_by"], found["speakers"]) == ("speaker", 3)
    rates = np.array([4 / 30, 8 / 40, 8 / 30]) * 100
    error = (2 / 3 * ((rates - 20) ** 2).sum()) ** 0.5
    assert (found["wer_low"], found["wer_high"]) == pytest.approx(
        (max(0, 20 - 4.3027 * error), 20 + 4.3027 * error), abs=1e-2
    )
    assert interval.said([line(**found, utterances=5)]) == "Intervals are of 95 %, over 3 speakers."


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Speakers of 0 to 60 % errors, ten of them: 95 % of intervals hold 30, which those over utterances do not."""
    held = {"speaker": 0, "utterance": 0}
    for trial in range(300):
        rng = np.random.default_rng(trial)
        rates = rng.uniform(0, 0.6, 10)
        wrong = rng.binomial(10, rates[np.arange(200) % 10]).tolist()
        for by, names in (("speaker", [f"s{i % 10}" for i in range(200)]), ("utterance", [""] * 200)):
            found = interval.wer_interval(scored(names, wrong))
            held[by] += found["wer_low"] <= 30 <= found["wer_high"]
    assert 276 <= held["speaker"] <= 294 and held["utterance"] < 200, held


def test_an_interval_of_one_speaker_says_that_it_is_one():
    found = interval.wer_interval(scored(["ann"] * 30, [1, 3] * 15))
    text = interval.said([line(**found, utterances=30)])
    assert "over 30 utterances of one speaker. One speaker is tested: they say nothing of other speakers." in text
    found = interval.wer_interval(scored([""] * 30, [1, 3] * 15))
    assert found["speakers"] == 0 and "30 utterances without names of speakers" in interval.said(
        [line(**found, utterances=30)]
    )
    assert "older version" in interval.said([line()])


def test_of_one_utterance_nothing_is_known():
    found = interval.wer_interval(scored(["ann"], [3]))
    assert (found["wer_low"], found["wer_high"]) == (0, 100)
    assert interval.wer_interval(scored(["ann"], [30]))["wer_high"] == 300
    for wordless in ([], scored(["a"], [1], 0)):  # of no words there is no rate
        found = interval.wer_interval(wordless)
        assert (found["wer_low"], found["wer_high"]) == (None, None)


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


def test_conditions_are_lines_of_their_own(tmp_path):
    path = tmp_path / "results.jsonl"
    for result in (line(), line(condition="loud"), line(condition="soft"), line(condition="loud", wer=15.0)):
        append_result(path, result)
    append_result(path, line(wer=19.0))
    assert [r["wer"] for r in read_results(path)] == [19.0]
    assert [(r["condition"], r["wer"]) for r in read_conditions(path)] == [("soft", 20.0), ("loud", 15.0)]
    assert len(latest(read_conditions(path))) == 2


def test_a_teacher_is_of_its_students_condition():
    assert report.known_as("teacher", "student-3h-7n") == {"teacher", "teacher-7n"}
    assert report.known_as(None, "student-7n") == set()


def test_report():
    lines = line(), line("distilled", 15.0, parameters=2_500_000, labelled_hours=0.63, transferred_hours=4.7)
    text = report.results_report(list(lines), "small")
    assert "| 0.63 (after 4.70 of another corpus) |" in text
    assert "| distilled | 2.50 M |" in text and "15.00 [10.00, 30.00]" in text and "| 25.0 |" in text
    with pytest.raises(UserError, match="Known systems: small"):
        report.results_report([line()], "none")


def test_rows_of_an_earlier_state_are_marked():
    text = report.results_report([line(), line("distilled")], None, [[], ["exp/teacher"]])
    assert "| distilled ‡ |" in text and "‡ Of an earlier state: exp/teacher has been made anew since." in text
    assert "‡" not in report.results_report([line(), line("distilled")])


def test_utterances_of_which_nothing_was_heard_are_told():
    text = report.results_report([line(wordless=371), line("distilled", wordless=2)])
    assert "| nothing heard |" in text and "| 371 |" in text
    assert "nothing heard" not in report.results_report([line(wordless=0)])


def test_a_report_warns_of_models_that_are_no_better_than_chance():
    failed = line("teacher", warnings=["dev loss 6.30 nats a frame", "10.0 % of dev frames right"])
    text = report.results_report([line(warnings=[]), failed, line("distilled")])
    *_, row, empty, warned = text.splitlines()
    assert row.startswith("| distilled |") and not empty
    assert warned == "teacher: its training failed on dev: dev loss 6.30 nats a frame; 10.0 % of dev frames right."
    assert "failed" not in report.results_report([line(warnings=[]), line("distilled")])
