"""Lhotse's manifests: cuts, and recordings with supervisions."""

from __future__ import annotations

from pathlib import Path

import pytest
from lhotse import CutSet, Recording, RecordingSet, SupervisionSegment, SupervisionSet
from tests.intake.sounds import tone

from understudy.intake import Manifests
from understudy.step import UserError


@pytest.fixture
def recordings(tmp_path: Path) -> RecordingSet:
    paths = [tone(tmp_path / "a.wav", 2.0), tone(tmp_path / "b.wav", 2.0, 8000, (440.0, 660.0))]
    return RecordingSet.from_recordings(Recording.from_file(path) for path in paths)


@pytest.fixture
def said() -> SupervisionSet:
    rows = [("a", 0.0, 2.0, 0, "whole"), ("b", 0.5, 1.0, 0, "left"), ("b", 0.5, 1.0, 1, "right")]
    return SupervisionSet.from_segments(
        SupervisionSegment(f"u{i}", r, start, duration, channel, text=text, speaker=f"s{i}", language="en")
        for i, (r, start, duration, channel, text) in enumerate(rows)
    )


def test_recordings_and_supervisions(tmp_path: Path, recordings: RecordingSet, said: SupervisionSet):
    recordings.to_file(tmp_path / "mine_recordings_train.jsonl.gz")
    with pytest.raises(UserError, match=r"there must be mine_supervisions_train\.jsonl\.gz, with what is said"):
        list(Manifests().read(tmp_path / "mine_recordings_train.jsonl.gz"))
    said.to_file(tmp_path / "mine_supervisions_train.jsonl.gz")
    found = list(Manifests().read(tmp_path / "mine_recordings_train.jsonl.gz"))
    assert [(p.id, p.recording, p.start, p.end, p.text, p.speaker, p.sound.channel) for p in found] == [
        ("a", "a", 0.0, None, "whole", "s0", None), ("u1", "b-0", 0.5, 1.5, "left", "s1", 0),
        ("u2", "b-1", 0.5, 1.5, "right", "s2", 1)]  # fmt: skip
    assert found[0].sound.source == str(tmp_path / "a.wav") and found[0].language == "en"


def test_cuts_resampled_later_are_read_as_they_are(tmp_path: Path, recordings: RecordingSet, said: SupervisionSet):
    cuts = CutSet.from_manifests(recordings, said).trim_to_supervisions(keep_overlapping=False).resample(16000)
    cuts.to_file(tmp_path / "cuts.jsonl.gz")
    found = list(Manifests().read(tmp_path / "cuts.jsonl.gz"))
    assert [(p.start, p.end, p.text) for p in found] == [(0.0, None, "whole"), (0.5, 1.5, "left"), (0.5, 1.5, "right")]


def test_what_is_refused(tmp_path: Path, recordings: RecordingSet, said: SupervisionSet):
    cuts = CutSet.from_manifests(recordings, said).trim_to_supervisions(keep_overlapping=False)
    path = tmp_path / "cuts.jsonl"
    for broken, message in (
        (cuts.perturb_speed(1.1), "its audio is changed by Speed. Give the cuts as they were recorded"),
        (cuts.pad(3.0), "must be of one recording and one channel"),
        (cuts.map_supervisions(_nameless), "no speaker"),
    ):
        broken.to_file(path)
        with pytest.raises(UserError, match=message):
            list(Manifests().read(path))
    said.to_file(path)
    with pytest.raises(UserError, match="must hold cuts or recordings"):
        list(Manifests().read(path))
    path.write_text("{")
    with pytest.raises(UserError, match="not a readable manifest"):
        list(Manifests().read(path))


def _nameless(one: SupervisionSegment) -> SupervisionSegment:
    one.speaker = None
    return one
