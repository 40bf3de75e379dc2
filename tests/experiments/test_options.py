"""What is typed becomes a description, and what makes no sense is told."""

from __future__ import annotations

import pytest
from tests.experiments.described import described

from understudy.experiments import Experiments, full_names
from understudy.step import UserError


def test_short_names_are_those_of_conditions_and_of_the_preparation():
    x = described(
        "mini_librispeech", "--hours", "0.2", "--seven-hours=2", "--seven-max-frames", "900",
        "--corpus-dir", "/my corpora", "--dev-speakers", "4", "--blocks", "A,B",
        "--seeds", "2", "--sizes", "student large", "--n.senones", "99",
        "--n.first_epochs", "{student: 1}",
    )  # fmt: skip
    assert (x.n.hours, x.seven.hours, x.n.senones, x.n.max_frames, x.seven.max_frames) == (0.2, 2.0, 99, None, 900)
    assert x.n.first_epochs == {"student": 1} and x.n.alone_epochs["large"] == 32
    assert (x.blocks, x.seeds, x.sizes) == (["A", "B"], [2], ["student", "large"])
    assert (x.prepare["corpus_dir"], x.prepare["dev_speakers"], x.prepare["common_words"]) == ("/my corpora", 4, 40000)


def test_without_a_configuration_nothing_is_of_the_preparation():
    words = ["--config", "gone.yaml", "--corpus-dir", "x", "--list", "true", "--dir", "--hours"]
    assert full_names(words, Experiments) == [*words[:4], "--list", "true", "--dir", "--n.hours"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--blocks", "A D"], "no block is called D; there are A B C stepwise"),
        (["--blocks", "A device"], "are about the students of C; add it"),
        (["--blocks", "A rivals"], "the rivals are here about the teacher of B; add it"),
        (["--teacher-hears", "encoder"], "the teacher needs a model to hear with. Give --encoder.model"),
        (["--teacher-hears", "encoder", "--blocks", "A encoder"], "Leave one of the two out"),
        (["--blocks", "A encoder"], "the block encoder needs a model to hear with. Give --encoder.model"),
        (["--seven-hours", "null"], "this corpus has too little speech for block B"),
        (["--n.alone_epochs", "{student: 3}"], r"--n\.alone_epochs: .* passes of medium, and has those of student"),
        (["--blocks", "B", "--sizes", "student medium"], r"--seven\.first_epochs: must have the passes of medium"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told(options: list[str], said: str):
    with pytest.raises(UserError, match=said):
        described("mini_librispeech", *options)
