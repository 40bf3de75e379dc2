"""A teacher hears through a foreign encoder; its students hear log-mels, and learn as those of the other teacher do.

It stands beside the recipe's own teacher (the block encoder), or is the only one (--teacher-hears encoder).
"""

from __future__ import annotations

import pytest
from tests.experiments.described import ROOT, described
from tests.experiments.test_commands import meant

from understudy.experiments import jobs_of, rows_of
from understudy.parallel.job_graph import Job

MORE = ROOT / "egs/mini_librispeech/s1/conf/encoder.yaml"
ONLY = ROOT / "egs/mini_librispeech/s1/conf/encoder-table.yaml"
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


@pytest.mark.parametrize("c", ["n", "7n"])
def test_the_only_teacher_may_hear_so_and_what_it_aligns_and_writes_is_for_log_mels(c: str) -> None:
    known = jobs("--teacher-hears", "encoder", "--teacher-conf", "teacher-encoder", "--blocks", "A B rivals", *EARS)
    heard, dev = f"data-table/{c}-encoder/labelled.jsonl.gz", "data-table/feats-encoder/dev.jsonl.gz"
    for name in ("teacher-first", "teacher", "teacher-mmi"):
        assert (of(known[f"{c}/{name}"])["labelled"], of(known[f"{c}/{name}"])["dev"]) == (heard, dev)
    assert f"{c}/encoder-labelled" in known[f"{c}/teacher-first"].needs
    assert of(known[f"{c}/ali"])["feats"] == f"[{heard},{dev}]"
    assert of(known[f"{c}/teacher-mmi/decode"])["dev"] == dev
    for name in ("targets", "true-labels", *(["targets-lattice", "targets-denominator"] if c == "7n" else [])):
        assert of(known[f"{c}/{name}"])["feats"] == "[data-table/feats-encoder/unlabelled.jsonl.gz]"
    for name in ("mono", "student", "student-3.8h", "student-oracle", "student-3.8h/decode"):
        assert "encoder" not in " ".join(known[f"{c}/{name}"].command)
    if c == "7n":
        assert of(known["7n/targets-large"])["feats"] == "[data-table/feats/unlabelled.jsonl.gz]"


def test_both_kinds_of_features_are_made_at_the_same_speeds() -> None:
    known = jobs("--teacher-hears", "encoder", *EARS)
    for name in ("cuts", "speeds", "perturb"):
        assert of(known["encoder-features"])[name] == of(known["features"])[name]


def test_students_may_learn_softly_from_labelled_speech_too() -> None:
    known = jobs("--config", str(ONLY), *EARS)
    ears = "data-table/feats-encoder/unlabelled.jsonl.gz,data-table/n-encoder/labelled.jsonl.gz"
    assert of(known["n/targets"])["feats"] == f"[{ears}]"
    student, alone, oracle = (of(known[f"n/student-5h{name}"]) for name in ("-4.1h", "", "-oracle"))
    assert student["targets"] == "[exp-table/n/targets/unlabelled,exp-table/n/targets/labelled]"
    assert student["train.soft_weight"] == "0.7"
    assert "train.soft_weight" not in alone | oracle
    for one in (student, alone, oracle):  # so that none has the better settings
        assert (one["train.channel.share"], one["train.vocal_tract.share"]) == ("0.3", "0.3")
