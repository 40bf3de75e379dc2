"""Errors of utterances: against another scorer, summed over speakers, written and read."""

from __future__ import annotations

import random

import jiwer
import pytest

from understudy.score import utterances
from understudy.score.utterances import Scored, by_speaker, rates, score
from understudy.step import UserError


def pairs(number: int) -> list[tuple[list[str], list[str]]]:
    """References of 1 to 12 words, and what a poor recogniser makes of them."""
    draw, words = random.Random(1), "a be see deep echo fox golf hotel".split()
    made = []
    for _ in range(number):
        ref = draw.choices(words, k=draw.randint(1, 12))
        hyp = [draw.choice(words) if draw.random() < 0.2 else w for w in ref if draw.random() > 0.15]
        for _ in range(draw.choice([0, 0, 1, 2])):
            hyp.insert(draw.randint(0, len(hyp)), draw.choice(words))
        made.append((ref, hyp))
    return made


def test_counts_are_those_of_another_scorer():
    refs, hyps = zip(*pairs(1000))
    ours = [score(str(i), "s", ref, hyp) for i, (ref, hyp) in enumerate(zip(refs, hyps))]
    for one, ref, hyp in zip(ours, refs, hyps):
        theirs = jiwer.process_words(" ".join(ref), " ".join(hyp))
        # Of several alignments with as few errors either scorer may take another: with fewer substitutions go as many
        # insertions and deletions.
        assert one.errors == theirs.substitutions + theirs.deletions + theirs.insertions
        assert one.insertions - one.deletions == theirs.insertions - theirs.deletions
        characters = jiwer.process_characters("".join(ref), "".join(hyp) or " ")
        if hyp:
            assert one.character_errors == round(characters.cer * one.characters)
    wrong = jiwer.process_words([" ".join(r) for r in refs], [" ".join(h) for h in hyps])
    assert sum(s.errors for s in ours) / sum(s.words for s in ours) == pytest.approx(wrong.wer)


def test_rates_and_speakers_by_hand():
    scored = [
        score("u1", "ann", "set a timer".split(), "set timer".split()),
        score("u2", "bob", "stop".split(), "stop".split()),
        score("u3", "bob", "play it".split(), []),
    ]
    assert scored[2] == Scored("u3", "bob", 2, 0, 2, 0, 6, 6)
    assert rates(scored) == {"ser": pytest.approx(200 / 3), "cer": pytest.approx(100 * 7 / 19)}
    assert list(by_speaker(scored)) == ["bob", "ann"]
    assert by_speaker(scored)["bob"] == Scored("", "bob", 3, 0, 2, 0, 10, 6)


def test_tables_are_read_as_they_were_written(tmp_path):
    scored = [score("u 1", "ann", ["a"], ["b"]), score("u2", "", ["a", "b"], ["a"])]
    utterances.write(tmp_path / "utterances.tsv", scored)
    assert utterances.read(tmp_path / "utterances.tsv") == scored


def test_a_bad_line_is_named(tmp_path):
    path = tmp_path / "utterances.tsv"
    with pytest.raises(UserError, match=r"no such errors"):
        utterances.read(path)
    utterances.write(path, [score("u1", "ann", ["a"], ["b"])])
    path.write_text(path.read_text() + "u2\tann\t1\t0\t0\n")
    with pytest.raises(UserError, match=r"utterances\.tsv, line 3"):
        utterances.read(path)
    path.write_text("nonsense\n")
    with pytest.raises(UserError, match=r"line 1"):
        utterances.read(path)
