"""Keywords are found where they are said, between whatever else is said, and nowhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.ship import toy_recogniser
from tests.ship.toy_recogniser import noise

from understudy.device.best_path import Beams, Best
from understudy.device.confidence import misfit
from understudy.device.errors import DeviceError
from understudy.device.keywords import FILLER_COST, Hit, Keywords
from understudy.device.recogniser import Recogniser
from understudy.device.search import Graph, Search
from understudy.device.topology import costs
from understudy.device.vocabulary import Vocabulary
from understudy.device.wishes import Wishes
from understudy.lang.lexicon import Lexicon
from understudy.ship.folder import COMMAND

ENTRIES = [("HEY", ("h", "e")), ("ROBOT", ("r", "o", "b", "o")), ("ROBOT", ("r", "o", "b")), ("STOP", ("s", "o", "p")),
           ("BE", ("b", "e"))]  # fmt: skip
LEXICON = Lexicon.from_entries(ENTRIES)
WORDS = Vocabulary(LEXICON.phones, LEXICON.words, LEXICON.pronunciations)
TREE = toy_recogniser.tree(len(LEXICON.phones) - 1)
SILENCES = frozenset(TREE.senones_of(LEXICON.silence))
GOOD, BAD = 0.0, -12.0


def keywords(folder: Path, text: str = "[HEY] ROBOT\nSTOP\n") -> Keywords:
    (folder / "keywords.txt").write_text(text)
    return Keywords(folder / "keywords.txt", WORDS, TREE)


def said(*phones: tuple[str, int], off: float = 0.0) -> tuple[list[int], np.ndarray]:
    """Senones of phones that last so many frames, and scores that they are `off` less likely than another."""
    path = []
    for phone, frames in phones:
        entry = 2 * (LEXICON.phone_ids[phone] - 1)
        path += [entry] + [entry + 1] * (frames - 1)
    scores = np.full((len(path), TREE.num_senones), BAD, np.float32)
    scores[np.arange(len(path)), path] = GOOD
    if off:
        other = (np.asarray(path) + 5) % TREE.num_senones
        scores[np.arange(len(path)), other] = GOOD + off
    return path, scores


def best(known: Keywords, scores: np.ndarray, final: bool = True) -> tuple[list[int], Best]:
    graph = Graph.of(known.graph, list(known.vocabulary.words), TREE.num_senones)
    search = Search(graph, Beams(200.0, 30, 5000))
    search(scores)
    found = search.finish() if final else search.so_far()
    assert found is not None
    return graph.ids(found.words), found


def hits(known: Keywords, scores: np.ndarray, most: float | None = None, final: bool = True) -> list[Hit]:
    words, found = best(known, scores, final)
    return known.hits(words, found.labels, scores, SILENCES, 0.03, most)


def test_they_are_found_with_their_times_among_other_phones(tmp_path: Path) -> None:
    path, scores = said(("SIL", 4), ("p", 3), ("h", 2), ("e", 3), ("r", 2), ("o", 2), ("b", 4), ("SIL", 5), ("h", 3),
                        ("p", 2), ("s", 1), ("o", 3), ("p", 2), ("s", 2))  # fmt: skip
    known = keywords(tmp_path)
    assert best(known, scores)[1].labels == path  # the graph hears all that is said
    found = hits(known, scores)
    assert [hit.text for hit in found] == ["HEY ROBOT", "STOP"]
    assert np.allclose([(hit.start, hit.end) for hit in found], [(0.21, 0.6), (0.9, 1.08)])
    assert [hit.misfit for hit in found] == [0, 0]


def test_a_longer_pronunciation_and_one_keyword_behind_another(tmp_path: Path) -> None:
    _, scores = said(("r", 2), ("o", 2), ("b", 2), ("o", 2), ("s", 2), ("o", 2), ("p", 2), ("h", 1), ("e", 2), ("r", 1),
                     ("o", 1), ("b", 3))  # fmt: skip
    found = hits(keywords(tmp_path), scores)
    assert [hit.text for hit in found] == ["ROBOT", "STOP", "HEY ROBOT"]
    assert np.allclose([hit.end - hit.start for hit in found], [0.24, 0.18, 0.24])


def test_what_is_no_keyword_is_none(tmp_path: Path) -> None:
    _, scores = said(("h", 2), ("e", 3), ("SIL", 2), ("o", 3), ("b", 3), ("s", 2), ("o", 3))
    assert not hits(keywords(tmp_path), scores) and not hits(keywords(tmp_path), scores[:0])


def test_a_keyword_is_found_where_it_costs_less_than_the_phones_that_are_heard(tmp_path: Path) -> None:
    """By hand: a phone of the loop costs `FILLER_COST`, and two words more have two pauses more that are none."""
    heard, known = ("s", "b", "p"), keywords(tmp_path, "STOP\n")
    enter, loop = costs()
    assert enter == loop  # so all paths of one length cost the same
    for worse in (0.1, 8.0):
        _, scores = said(*((phone, 2) for phone in heard))
        o = 2 * (LEXICON.phone_ids["o"] - 1)
        scores[2, o] = scores[3, o + 1] = GOOD - worse
        as_phones, as_keyword = 3 * FILLER_COST + 2 * np.log(2), 2 * worse
        found = hits(known, scores)
        assert bool(found) == (as_keyword < as_phones)
        if found:
            assert found[0].misfit == pytest.approx(2 * worse / 6)


def test_what_fits_worse_than_it_may_is_not_told(tmp_path: Path) -> None:
    path, scores = said(("b", 2), ("s", 3), ("o", 2), ("p", 3), ("b", 2), off=0.2)
    known = keywords(tmp_path)
    (found,) = hits(known, scores)
    assert found.misfit == pytest.approx(misfit(scores[2:10], path[2:10], SILENCES)) == pytest.approx(0.2)
    assert hits(known, scores, 0.21) == [found] and not hits(known, scores, 0.19)


def test_it_is_told_before_the_speech_ends(tmp_path: Path) -> None:
    _, scores = said(("p", 2), ("s", 2), ("o", 2), ("p", 2), ("b", 3), ("e", 3))
    known = keywords(tmp_path)
    so_far = [[hit.text for hit in hits(known, scores[:frames], final=False)] for frames in range(1, len(scores) + 1)]
    assert so_far[:5] == [[]] * 5 and so_far[9:] == [["STOP"]] * (len(scores) - 9)


def test_the_keywords_of_a_transcript(tmp_path: Path) -> None:
    known = keywords(tmp_path)
    assert known.count("HEY HEY ROBOT BE STOP STOP ROBOT HEY".split()) == ["HEY ROBOT", "STOP", "STOP", "ROBOT"]
    assert known.count([]) == []


# --- heard -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    toy_recogniser.ship(folder, "float32")
    (folder / "keywords.txt").write_text("AB\nB B\n")
    soundfile.write(folder / "one.wav", noise(4.0, 1), 16000, subtype="PCM_16")
    return folder


def listen(made: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, made / "float32" / COMMAND, made / "one.wav", "--pause", "0", *more]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)


def test_the_command_tells_them_with_their_times(made: Path) -> None:
    device = Recogniser(made / "float32", wishes=Wishes(keywords=made / "keywords.txt"), most_misfit=1e9)
    samples, _ = soundfile.read(made / "one.wav", dtype="float32")
    expected = device.whole(samples).hits
    assert expected  # noise has some of two phones
    told = listen(made, "--keywords", made / "keywords.txt", "--most-misfit", "1e9", "--format", "json")
    assert told.returncode == 0, told.stderr
    last = json.loads(told.stdout.splitlines()[-1])
    assert last["final"] and [word["text"] for word in last["words"]] == [hit.text for hit in expected]
    assert [word["start"] for word in last["words"]] == [round(hit.start, 3) for hit in expected]
    assert all(word["end"] > word["start"] and word["misfit"] >= 0 for word in last["words"])
    lines = listen(made, "--keywords", made / "keywords.txt", "--most-misfit", "1e9").stdout.splitlines()
    assert [line.split(None, 3)[3] for line in lines] == [hit.text for hit in expected]
    none = listen(made, "--keywords", made / "keywords.txt", "--most-misfit", "-1")
    assert none.returncode == 0 and not none.stdout.strip()


def test_what_cannot_be_spotted_is_told(made: Path, tmp_path: Path) -> None:
    (tmp_path / "unknown.txt").write_text("AB\nZEBRA\n")
    for more, expected in (
        (("--keywords", tmp_path / "unknown.txt"), "unknown.txt:2: ZEBRA has no pronunciation"),
        (("--keywords", tmp_path / "none.txt"), "none.txt: cannot be read"),
        (("--keywords", made / "keywords.txt", "--grammar", made / "keywords.txt"), "--grammar and --keywords"),
    ):
        told = listen(made, *more)
        assert told.returncode == 1 and expected in told.stderr, told.stderr


def test_a_word_that_the_user_adds_can_be_a_keyword(made: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("BAB b a b\n")
    (tmp_path / "keywords.txt").write_text("BAB\n")
    known = Recogniser(
        made / "float32", wishes=Wishes(words=tmp_path / "words.txt", keywords=tmp_path / "keywords.txt")
    )
    assert known.keywords is not None and known.keywords.count(["A", "BAB"]) == ["BAB"]


def test_words_that_are_not_there_are_refused(made: Path, tmp_path: Path) -> None:
    (tmp_path / "keywords.txt").write_text("[AB]\n")
    with pytest.raises(DeviceError, match="nothing of it has to be said"):
        Recogniser(made / "float32", wishes=Wishes(keywords=tmp_path / "keywords.txt"))
