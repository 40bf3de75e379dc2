"""Every frame is learnt from once, whoever's it is, and counts alike."""

import pytest

from understudy.data.batches import Span
from understudy.train.work_split import micro_batches, updates

ORDER = [[Span(10 * batch + i, 0, 3 + batch + i) for i in range(1 + batch)] for batch in range(5)]


def as_rank(monkeypatch, rank: int, count: int) -> None:
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", str(count))


@pytest.mark.parametrize(("count", "threads"), [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_ranks_share_each_batch(monkeypatch, count, threads):
    assert list(updates(ORDER, 2, True)) == [ORDER[:2], ORDER[2:4], ORDER[4:]]
    for update in updates(ORDER, 2, True):
        found = []
        for rank in range(count):
            as_rank(monkeypatch, rank, count)
            found += [share for share in micro_batches(update, threads, True) if share.weight]
        assert sorted(span for share in found for span in share.spans) == sorted(s for batch in update for s in batch)
        assert sum(share.weight for share in found) == pytest.approx(1)
        frames = sum(span.stop for batch in update for span in batch)
        assert all(share.weight == pytest.approx(sum(s.stop for s in share.spans) / frames) for share in found)


def test_a_rank_without_utterances_goes_through_the_motions(monkeypatch):
    as_rank(monkeypatch, 1, 2)
    (share,) = micro_batches(ORDER[:1], 1, True)
    assert share.weight == 0 and share.spans == ORDER[0]


def test_ranks_have_batches_of_their_own(monkeypatch):
    mine = []
    for rank in range(2):
        as_rank(monkeypatch, rank, 2)
        mine.append(list(updates(ORDER, 1, False)))
        assert sum(share.weight for share in micro_batches(mine[-1][0], 2, False)) == pytest.approx(1)
    assert mine == [[[ORDER[0]], [ORDER[2]], [ORDER[4]]], [[ORDER[1]], [ORDER[3]], [ORDER[0]]]]
