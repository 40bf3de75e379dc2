"""Keywords of a test set, heard by a student as it ships."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from tests.ship import toy_recogniser
from tests.ship.toy_recogniser import noise

from understudy.corpus import Utterance, build_cut, write_cuts
from understudy.device.recogniser import Recogniser
from understudy.device.wishes import Wishes
from understudy.ship import spotting
from understudy.ship.options import SpottingOptions
from understudy.step import UserError, read_json


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    toy_recogniser.ship(folder, "float32")
    (folder / "keywords.txt").write_text("AB\nB B\n")
    cuts = []
    for number, text in enumerate(["A AB B", "AH", "B B AB AB", "A"]):
        soundfile.write(folder / f"{number}.wav", noise(2.0 + number, number), 16000, subtype="PCM_16")
        cuts.append(build_cut(Utterance(str(number), folder / f"{number}.wav", text, "somebody")))
    write_cuts(folder / "test.jsonl.gz", cuts)
    return folder


def options(made: Path, out: Path, **more: object) -> SpottingOptions:
    return SpottingOptions(made / "float32", made / "keywords.txt", made / "test.jsonl.gz", out, shard_size=2, **more)


def test_what_is_told_is_that_of_the_run_time_and_is_counted(made: Path, tmp_path: Path) -> None:
    spotting.spot(options(made, tmp_path), tmp_path)
    student = Recogniser(made / "float32", wishes=Wishes(keywords=made / "keywords.txt"), most_misfit=1e9)
    hits = [student.whole(soundfile.read(made / f"{n}.wav", dtype="float32")[0]).hits or [] for n in range(4)]
    found = read_json(tmp_path / "keywords.json")
    assert found["said"] == 4 and found["hours"] == pytest.approx((2 + 3 + 4 + 5) / 3600, abs=1e-4)
    said = [["AB"], [], ["B B", "AB", "AB"], []]
    right = sum(min(sum(h.text == k for h in of), told.count(k)) for of, told in zip(hits, said) for k in ("AB", "B B"))
    assert found["all"]["missed"] == 4 - right and found["all"]["false"] == sum(map(len, hits)) - right
    assert {text: of["said"] for text, of in found["keywords"].items()} == {"AB": 3, "B B": 1}
    assert (tmp_path / "curve.png").exists() and len(list((tmp_path / "heard").iterdir())) == 2


def test_what_was_heard_before_a_kill_is_not_heard_again(made: Path, tmp_path: Path, monkeypatch) -> None:
    heard, whole = [], spotting._heard

    def killed(student, cut):
        if len(heard) == 3:
            raise KeyboardInterrupt
        heard.append(cut.id)
        return whole(student, cut)

    monkeypatch.setattr(spotting, "_heard", killed)
    with pytest.raises(KeyboardInterrupt):
        spotting.spot(options(made, tmp_path / "out"), (tmp_path / "out"))
    monkeypatch.setattr(spotting, "_heard", lambda student, cut: heard.append(cut.id) or whole(student, cut))
    spotting.spot(options(made, tmp_path / "out"), tmp_path / "out")
    assert heard == ["0", "1", "2", "2", "3"]
    spotting.spot(options(made, tmp_path / "whole"), tmp_path / "whole")
    assert (tmp_path / "out/keywords.json").read_text() == (tmp_path / "whole/keywords.json").read_text()


def test_keywords_that_nobody_says_or_knows_are_told(made: Path, tmp_path: Path) -> None:
    (tmp_path / "keywords.txt").write_text("AH AH\n")
    for text, told in (("AH AH", "no keyword is in the transcripts"), ("ZEBRA", "ZEBRA has no pronunciation")):
        (tmp_path / "keywords.txt").write_text(f"{text}\n")
        wanted = options(made, tmp_path / "out")
        wanted.keywords = tmp_path / "keywords.txt"
        with pytest.raises(UserError, match=told):
            spotting.spot(wanted, tmp_path / "out")
