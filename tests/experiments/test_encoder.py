"""A teacher hears through a foreign encoder; its students hear log-mels, and learn as those of the other teacher do."""

from __future__ import annotations

import pytest
from tests.experiments.described import ROOT, described
from tests.experiments.test_commands import meant

from understudy.experiments import jobs_of, rows_of
from understudy.parallel.job_graph import Job

MORE = ROOT / "egs/mini_librispeech/s1/conf/encoder.yaml"
EARS = ["--encoder.model", "models/whisper-base"]


def jobs(*options: str) -> dict[str, Job]:
    return {job.name: job for job in jobs_of(described("mini_librispeech", *options))}


def of(job: Job) -> dict[str, str]:
    return meant(job.command, ROOT / "egs/mini_librispeech/s1")[1]


@pytest.mark.parametrize("c", ["n", "7n"])
def test_the_teacher_hears_the_encoder_and_its_student_what_a_microphone_hears(c: str) -> None:
    known = jobs("--blocks", "A B C encoder", *EARS)
    teacher, decode, targets = (of(known[f"{c}/{name}"]) for name in
                                ("teacher-encoder", "teacher-encoder/decode", "targets-encoder"))  # fmt: skip
    assert teacher["labelled"] == f"data-table/{c}-encoder/labelled.jsonl.gz"
    assert teacher["dev"] == decode["dev"] == "data-table/feats-encoder/dev.jsonl.gz"
    assert decode["test"] == "[data-table/feats-encoder/test.jsonl.gz]"
    assert targets["feats"] == "[data-table/feats-encoder/unlabelled.jsonl.gz]"
    part, whole = of(known[f"{c}/encoder-labelled"]), of(known[f"{c}/labelled"])
    assert (part["hours"], part["by"]) == (whole["hours"], whole["by"])  # so of the same utterances
    for size in ("student", "large"):
        student, other = of(known[f"{c}/{size}-encoder"]), of(known[f"{c}/{size}-3.8h"])
        assert student["targets"] == f"[exp-table/{c}/targets-encoder/unlabelled]"
        changed = {"targets", "out"}
        assert {k: v for k, v in student.items() if k not in changed} == {
            k: v for k, v in other.items() if k not in changed
        }
    features = of(known["encoder-features"])
    assert features["encoder.model"] == "models/whisper-base" and known["encoder-features"].needs == ("corpus",)


def test_its_students_begin_as_those_alone_where_no_other_block_trains_them() -> None:
    known = jobs("--blocks", "A encoder", "--rivals-at", "n", *EARS)
    assert "n/large" in known and "n/large-encoder" in known and "7n/teacher-encoder" not in known


def test_the_configuration_of_the_recipe_says_what_is_otherwise() -> None:
    known = jobs("--config", str(MORE), *EARS)
    assert of(known["n/teacher-encoder/decode"])["test"] == (
        "[data-table/feats-encoder/test-clean.jsonl.gz,data-table/feats-encoder/test.jsonl.gz]"
    )
    assert of(known["lang"])["arpa"] == "data-table/corpus/lm.arpa.gz"
    assert of(known["n/graph"])["new_words"] == "0" and "n/large" not in known
    rows = [
        row for row in rows_of(described("mini_librispeech", "--config", str(MORE), *EARS)) if row.block == "encoder"
    ]
    assert [row.system for row in rows] == [
        "teacher-n", "teacher-encoder-n", "student-n", "student-4.1h-n", "student-encoder-n",
    ]  # fmt: skip
    assert rows[-1].oracle == "student-oracle-n" and "0.134 h labelled" in rows[0].title
