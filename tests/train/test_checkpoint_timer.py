"""Checkpoints come about as often as asked, at updates that are known beforehand."""

from understudy.train import checkpoint_timer


def test_pauses_follow_the_clock_and_grow_slowly(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoint_timer.time, "monotonic", lambda: now[0])
    one, written = checkpoint_timer.CheckpointTimer(10.0, 5), []
    for update in range(6, 200):
        now[0] += 0.25
        if one.due(update):
            one.written(update)
            written.append(update)
    assert written[:5] == [6, 10, 26, 66, 106]  # 1, 4, 16, then 40 updates: 10 s
    one.hasten()
    assert one.due(199)


def test_at_every_update(monkeypatch):
    one = checkpoint_timer.CheckpointTimer(0.0, 0)
    for update in (1, 2, 3):
        assert one.due(update)
        one.written(update)
        assert not one.due(update)
