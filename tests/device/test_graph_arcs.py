"""Arcs as arrays: epsilons taken out against paths written out, and OpenFst's format there and back."""

from collections import defaultdict

import numpy as np
import pytest

from understudy.device.graph_arcs import FINAL, Arcs, with_one_end_each, without_input_epsilons

BASE = 10
LENGTH = 3


def random_arcs(seed: int, ends: tuple[int, ...] = (1, 3, 5)) -> Arcs:
    """Six states, a third of the arcs without input; epsilons lead to states of higher numbers alone."""
    rng = np.random.default_rng(seed)
    rows = []
    for source in range(6):
        for _ in range(4):
            label = int(rng.integers(0, 3))
            lowest = source + 1 if label == 0 else 0
            if lowest < 6:
                word = int(rng.integers(1, BASE)) if rng.random() < 0.9 else 0
                rows.append((source, int(rng.integers(lowest, 6)), label, word, rng.exponential()))
        if source in ends:
            rows.append((source, 0, FINAL, 0, rng.exponential()))
    return Arcs.of(*zip(*rows, strict=True))


def best_of(arcs: Arcs, sequences: list) -> dict:
    """Least cost of each (labels, words) with at most LENGTH labels."""
    out = defaultdict(list)
    for source, target, label, output, cost in zip(*(values.tolist() for values in arcs.columns), strict=True):
        words = sequences[output - BASE] if output >= BASE else (output,) * (output > 0)
        out[source].append((target, label, words, cost))
    best, todo = {}, [(0, (), (), 0.0)]
    while todo:
        state, labels, words, cost = todo.pop()
        for target, label, said, more in out[state]:
            if label == FINAL:
                key = labels, words + said
                best[key] = min(cost + more, best.get(key, np.inf))
            elif len(labels) + (label > 0) <= LENGTH:
                todo.append((target, labels + (label,) * (label > 0), words + said, cost + more))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_without_epsilons_the_cheapest_path_of_all_labels_and_words_is_there(seed):
    arcs = random_arcs(seed, ends=(5,))
    arcs = arcs.where(~((arcs.targets == 5) & (arcs.labels == 0)))  # the end is entered by a label
    found, sequences = without_input_epsilons(arcs, BASE)
    assert (arcs.labels == 0).any() and not (found.labels == 0).any()
    expected, ours = best_of(arcs, []), best_of(found, sequences)
    assert len(ours) > 3 and ours == pytest.approx(expected, abs=1e-5)
    assert any(len(words) > 1 for words in sequences)


@pytest.mark.parametrize("seed", range(5))
def test_ends_with_words_of_their_own_get_states_of_their_own(seed):
    arcs = random_arcs(seed)
    several, sequences = without_input_epsilons(arcs, BASE)
    found = with_one_end_each(several)
    assert np.bincount(found.sources[found.labels == FINAL]).max() == 1
    expected, ours = best_of(arcs, []), best_of(found, sequences)
    heard, wanted = ({k: v for k, v in one.items() if k[0]} for one in (ours, expected))
    assert len(heard) > 50 and heard == pytest.approx(wanted, abs=1e-5)


def test_some_of_these_states_have_several_ends():
    several, _ = without_input_epsilons(random_arcs(3), BASE)
    assert np.bincount(several.sources[several.labels == FINAL]).max() > 1


def test_arcs_are_the_same_from_openfsts_format():
    arcs = random_arcs(7)
    fst = arcs.to_fst(marker=9)
    assert fst.start == 0 and np.flatnonzero(np.isfinite(fst.finals)).tolist() == [6]
    again = Arcs.of_fst(fst)
    ends = again.labels == FINAL
    assert again.where(ends).sources.tolist() == [6]
    inner = again.where(~ends)

    def rows(some: Arcs, final: int) -> list:
        columns = (some.sources, np.where(some.labels == final, 6, some.targets), some.labels, some.outputs, some.costs)
        return sorted(
            (*row[:2], 9 if row[2] == final else row[2], *row[3:]) for row in zip(*(c.tolist() for c in columns))
        )

    assert rows(inner, 9) == rows(arcs, FINAL)


def test_another_start_becomes_state_0():
    arcs = random_arcs(3)
    fst = arcs.to_fst(marker=9)
    moved = np.array([2, 1, 0, 3, 4, 5, 6], np.int32)
    other = fst.arcs.copy()
    other[:, 3] = moved[other[:, 3]]
    order = np.argsort(moved[fst.sources], kind="stable")
    renumbered = fst._replace(arcs=other[order], sources=moved[fst.sources][order], start=2)
    assert sorted(zip(*(c.tolist() for c in Arcs.of_fst(renumbered).columns))) == sorted(
        zip(*(c.tolist() for c in Arcs.of_fst(fst).columns))
    )
