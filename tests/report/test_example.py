"""Which utterance a page shows."""

from __future__ import annotations

from types import SimpleNamespace

from understudy.report.example import choose


def scored(**errors: int) -> list[SimpleNamespace]:
    return [SimpleNamespace(score=SimpleNamespace(id=name, errors=count)) for name, count in errors.items()]


BEFORE, AFTER = scored(a=3, b=5, c=9), scored(a=0, b=5, c=0)


def test_most_errors_corrected_among_those_of_a_fit_length():
    assert choose(BEFORE, AFTER, {"a": 2.0, "b": 3.0, "c": 20.0}) == "a"


def test_a_corpus_of_short_or_of_long_utterances_has_one_too():
    assert choose(BEFORE, AFTER, {"a": 0.3, "b": 0.5, "c": 20.0}) == "b"
    assert choose(BEFORE, AFTER, {"a": 9.0, "b": 30.0, "c": 20.0}) == "a"
    assert choose(BEFORE, AFTER, {}) is None and choose([], AFTER, {"a": 2.0}) is None
