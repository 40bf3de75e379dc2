"""Whether the last scale that was tried should be gone beyond."""

from __future__ import annotations

from understudy.score.edge import edges
from understudy.score.outcome import Outcome

NAMES = ("acoustic scale", "prior scale")


def heard(wrong: int, utterances: int = 200) -> list[Outcome]:
    """One word each, of which the first so many were heard wrongly."""
    return [Outcome(str(i), "s", ["yes"], ["no" if i < wrong else "yes"]) for i in range(utterances)]


def test_a_clear_lead_says_go_on_and_a_tie_does_not():
    grid = {(0.3, 1.0): heard(40), (0.4, 1.0): heard(80), (0.5, 1.0): heard(90)}
    ((matters, said),) = edges(NAMES, (0.3, 1.0), grid)
    assert (
        matters
        and "the best acoustic scale, 0.3, is the last" in said
        and "with 0.4 the WER is 20.00 % higher [" in said
    )
    assert said.endswith("try beyond it")
    ((matters, said),) = edges(NAMES, (0.3, 1.0), {**grid, (0.4, 1.0): heard(41)})
    assert not matters and "with 0.4 the WER is 0.50 % higher [-0.49, " in said and "promises little" in said


def test_what_does_as_well_is_said_so():
    ((matters, said),) = edges(NAMES, (0.3, 1.0), {(0.3, 1.0): heard(9), (0.4, 1.0): heard(9)})
    assert not matters and "but 0.4 does as well" in said


def test_only_of_scales_that_were_varied_and_end_there():
    grid = {(a, p): heard(10 if (a, p) == (0.4, 0.8) else 60) for a in (0.3, 0.4, 0.5) for p in (0.4, 0.8)}
    ((matters, said),) = edges(NAMES, (0.4, 0.8), grid)
    assert matters and "the best prior scale, 0.8" in said and "with 0.4" in said
    assert edges(NAMES, (0.4, 0.8), {(0.4, 0.8): heard(1)}) == []


def test_one_utterance_has_no_interval():
    ((matters, said),) = edges(("acoustic scale",), (0.3,), {(0.3,): heard(0, 1), (0.4,): heard(1, 1)})
    assert matters and said == "the best acoustic scale, 0.3, is the last that was tried: try beyond it"
