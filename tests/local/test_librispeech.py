"""LibriSpeech's preparation: who is labelled, and what is cut out of Libri-Light. The rest is in tests/egs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.local.preparation import Preparation

from understudy.corpus.build import Utterance
from understudy.step import UserError

prepare = Preparation("librispeech").module()

import librilight  # noqa: E402  # beside that


def part(name: str, speakers: int, hours: float) -> list[Utterance]:
    """Speakers of `hours` each, in two utterances."""
    samples = int(hours * 1800 * 16000)
    return [
        Utterance(f"{name}{s}-{i}", Path("x.flac"), "A", f"{name}{s}", num_samples=samples, sample_rate=16000)
        for s in range(speakers)
        for i in range(2)
    ]


def test_more_labelled_hours_take_the_same_speakers_and_others():
    train = {"clean": part("c", 20, 0.5), "other": part("o", 20, 0.5)}
    few, many = prepare.choose(train, 3.0, 1), prepare.choose(train, 12.0, 1)
    assert len(few) == 6 and few < many and len(many) == 24
    assert all(name.startswith("c") for name in few)
    assert {f"c{s}" for s in range(20)} <= many  # a part is used up before the next is begun
    assert prepare.choose(train, 3.0, 2) != few


def test_a_part_is_whole_when_its_name_promises_a_little_more_than_it_has():
    train = {"clean-100": part("c", 100, 0.995)}
    assert len(prepare.choose(train, 100.0, 1)) == 100
    with pytest.raises(UserError, match=r"--labelled-hours 102.0: there are 99.50 in clean-100"):
        prepare.choose(train, 102.0, 1)


def pieces(active: list[tuple[float, float]], duration: float = 100.0) -> list[tuple[float, float]]:
    return list(librilight.pieces(active, duration))


def test_neighbouring_activity_is_joined_to_cuts_of_at_most_twenty_seconds():
    assert pieces([(0.5, 8.0), (8.5, 15.0), (15.2, 19.9), (21.0, 30.0)]) == [(0.5, 19.9), (21.0, 30.0)]


def test_long_activity_is_cut_evenly_and_bits_are_left_out():
    assert pieces([(10.0, 55.0), (80.0, 80.9)]) == [(10.0, 25.0), (25.0, 40.0), (40.0, 55.0)]


def test_no_cut_goes_beyond_the_recording():
    assert pieces([(-0.2, 5.0), (7.0, 12.34567)], duration=12.34561) == [(0.0, 12.345)]


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    folder = tmp_path / "small/12/book"
    folder.mkdir(parents=True)
    soundfile.write(folder / "one.flac", np.zeros(16000 * 50), 16000)
    return folder / "one.json"


def test_cuts_carry_the_reader_and_have_names_of_their_own(chapter: Path):
    chapter.write_text(json.dumps({"speaker": "12", "voice_activity": [[1, 15], [20, 48]]}))
    cuts = list(librilight.cuts(chapter.parents[3]))
    assert [(c.start, c.end) for c in cuts] == [(1, 15), (20, 34), (34, 48)]
    assert [c.supervisions[0].speaker for c in cuts] == ["ll-12"] * 3
    assert [c.id for c in cuts] == [f"ll-small-12-book-one-000{i}" for i in range(3)]
    assert [c.load_audio().shape for c in cuts] == [(1, 14 * 16000)] * 3


@pytest.mark.parametrize("text", [None, "{", '{"speaker": "12"}', '{"speaker": "12", "voice_activity": [[1]]}'])
def test_a_chapter_without_its_description_is_named(chapter: Path, text: str | None):
    if text is not None:
        chapter.write_text(text)
    with pytest.raises(UserError, match=r"one\.json"):
        list(librilight.cuts(chapter.parents[2]))


def test_a_folder_without_audio_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"no \.flac below it"):
        list(librilight.cuts(tmp_path))
