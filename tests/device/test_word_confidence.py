"""How sure a word is: counted as by brute force, calibrated, and the same on a device as in the recipe's run-time."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.ship import toy_recogniser
from tests.ship.toy_recogniser import noise

from understudy.decode.recogniser import Recogniser as OurRecogniser
from understudy.device.recogniser import Recogniser
from understudy.device.word_confidence import Calibration, logit, shares
from understudy.ship.folder import COMMAND


def alignments(ours: tuple, theirs: tuple):
    """All ways to put two sequences beside one another: edits, and the places of ours beside their like."""
    if not ours or not theirs:
        yield len(ours) + len(theirs), ()
        return
    same = ours[-1] == theirs[-1]
    for edits, places in alignments(ours[:-1], theirs[:-1]):
        yield edits + (not same), (*places, len(ours) - 1) if same else places
    for edits, places in alignments(ours[:-1], theirs):
        yield edits + 1, places
    for edits, places in alignments(ours, theirs[:-1]):
        yield edits + 1, places


def test_a_share_is_that_of_a_best_alignment():
    rng = np.random.default_rng(4)
    for _ in range(60):
        ours, theirs = (tuple(rng.integers(0, 3, rng.integers(0, 6)).tolist()) for _ in range(2))
        found = tuple(place for place, share in enumerate(shares(ours, [theirs])) if share)
        ways = list(alignments(ours, theirs))
        least = min(edits for edits, _ in ways)
        most = max(len(places) for edits, places in ways if edits == least)
        assert found in {places for edits, places in ways if edits == least and len(places) == most}


def test_shares_are_over_all_that_was_drawn():
    drawn = [[1, 2, 3]] * 6 + [[1, 3]] * 2 + [[9, 1, 2, 4]] * 2
    assert shares([1, 2, 3], drawn) == [1.0, 0.8, 0.8]
    assert shares([1], []) == [0.0] and shares([], drawn) == []


def test_a_calibration_keeps_the_order_and_certainty_off():
    assert [Calibration()(share) for share in (0.2, 0.5, 0.9)] == pytest.approx([0.2, 0.5, 0.9])
    told = [Calibration(0.4, -0.3)(share / 100) for share in range(101)]
    assert all(a <= b for a, b in itertools.pairwise(told)) and 0 < told[0] < told[-1] < 1
    assert logit(0.0) == pytest.approx(-logit(1.0)) and logit(0.75) == pytest.approx(np.log(3))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    toy_recogniser.ship(folder, "float32")
    for path in (folder / "recogniser/recogniser.json", folder / "float32/device.json"):
        about = json.loads(path.read_text()) | {"calibration": {"slope": 0.5, "offset": -0.2}}
        path.write_text(json.dumps(about))
    return folder


AUDIO = [noise(seconds, seed) for seed, seconds in enumerate((0.6, 2.5, 4.0, 1.7, 3.1, 2.2))]


def test_a_device_is_as_sure_as_the_recipe(made: Path) -> None:
    ours, device = OurRecogniser(made / "recogniser", "numpy"), Recogniser(made / "float32", sure=True)
    plain = Recogniser(made / "float32")
    learnt, told = Calibration(0.5, -0.2), []
    for samples, heard in zip(AUDIO, ours.hear(AUDIO)):
        found = device.whole(samples)
        assert found.words == [word.text for word in heard.words] == plain.whole(samples).words
        assert found.sure == pytest.approx([word.confidence for word in heard.words], abs=0.1)  # other draws
        assert plain.whole(samples).sure is None
        told += found.sure
    assert learnt(0.0) <= min(told) < 0.6 < max(told) <= learnt(1.0)


def test_json_tells_of_each_word(made: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", AUDIO[2], 16000, subtype="PCM_16")
    command = [made / "float32" / COMMAND, tmp_path / "one.wav", "--pause", "0", "--idle", "0", "--format", "json"]
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=True)
    *news, last = map(json.loads, done.stdout.splitlines())
    assert [word["text"] for word in last["words"]] == last["text"].split() and last["words"]
    assert all(0 < word["confidence"] < 1 for word in last["words"]) and not any("words" in one for one in news)
