"""The least confidence: the highest that costs no more than it may; chosen when a recogniser is packed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import kaldialign
import numpy as np
import pytest
import torch
from tests.ship import toy_recogniser

from understudy.corpus import read_cuts
from understudy.decode.recogniser import Recogniser
from understudy.decode.rejection import Said, choose, false_words, hear, highest, misfits
from understudy.features import load_stacked
from understudy.step import read_json, write_json

ROOT = Path(__file__).parents[2]


def speech(seed: int, number: int = 40) -> list[Said]:
    """Utterances of which the less sure ones have more errors; of some nothing is found."""
    rng, said = np.random.default_rng(seed), []
    for _ in range(number):
        words, sure = int(rng.integers(1, 8)), float(rng.integers(0, 25)) / 4  # some are as sure as others
        wrong = int(rng.binomial(words + 2, 1 / (1 + sure)))
        said.append(Said(words, words, wrong, sure, 2.0) if rng.random() < 0.9 else Said(words, 0, words, None, 2.0))
    return said


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.1])
@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_highest_that_costs_no_more(seed: int, loss: float):
    said = speech(seed)
    rule = choose(said, loss)

    def errors(least: float) -> int:
        return sum(s.words if s.confidence is not None and s.confidence < least else s.errors for s in said)

    before = sum(s.errors for s in said)
    assert rule.errors == (before, errors(rule.least)) and rule.errors[1] <= before * (1 + loss)
    assert rule.rejected == sum(s.confidence is not None and s.confidence < rule.least for s in said)
    sure = sorted({s.confidence for s in said if s.confidence is not None})
    # No other is higher: by brute force over what could be rejected besides.
    above = [least for least in sure if least > rule.least + 0.02]
    assert all(errors(least) > before * (1 + loss) for least in above)
    assert min(abs(rule.least - one) for one in sure) > 1e-4  # rounding moves none across


def test_no_more_utterances_are_lost_than_may_be():
    """A poor model's words are all wrong, and to lose them costs nothing."""
    wrong = [Said(5, 5, 5, float(c), 2.0) for c in range(40)]
    assert choose(wrong, 0.01).rejected == 39
    assert choose(wrong, 0.01, 0.05).rejected == 2
    assert choose(wrong[:12], 0.01, 0.05).rejected == 0


def test_where_nothing_may_be_lost_it_is_below_all_speech():
    sure = [Said(5, 5, 0, float(c), 2.0) for c in (3, 4, 5)]
    rule = choose(sure, 0.01)
    assert rule.rejected == 0 and 2.9 < rule.least < 3 and rule.errors == (0, 0)
    assert choose([Said(5, 0, 5, None, 2.0)], 0.01) is None


def test_false_words_are_counted_by_the_minute():
    sounds = [Said(0, 3, 3, 1.0, 20.0), Said(0, 2, 2, 2.0, 5.0), Said(0, 0, 0, None, 5.0)]
    assert false_words(sounds) == 10 and false_words(sounds, 1.5) == 4 and false_words(sounds, 0.0) == 10
    assert false_words(sounds, 9.0) == 0


def test_misfits_are_of_what_is_heard_right_among_the_texts(tmp_path):
    ours = toy_recogniser.make(tmp_path / "recogniser")
    manifest = toy_recogniser.utterances(tmp_path, "dev", ["A B", "A B", "UNKNOWN B", ""])
    featured = toy_recogniser.with_features(manifest, tmp_path / "recogniser/normaliser.json")
    found = misfits(ours, list(read_cuts(featured)))  # one sentence alone is heard right, whatever the noise
    assert len(found) == 2 and all(one > 0 for one in found)
    assert misfits(ours, list(read_cuts(featured))[2:]) == []


def test_the_highest_is_what_a_share_is_above():
    values = [float(v) for v in np.random.default_rng(0).permutation(40)]
    for share, above in ((0.0, 0), (0.05, 2), (0.1, 4)):
        assert sum(value > highest(values, share) for value in values) == above
    assert highest([], 0.05) is None


def test_sets_are_heard_as_one_utterance_after_another(tmp_path):
    ours, texts = toy_recogniser.make(tmp_path / "recogniser"), ["A B", "B", ""]
    manifest = toy_recogniser.utterances(tmp_path, "dev", texts)
    featured = toy_recogniser.with_features(manifest, tmp_path / "recogniser/normaliser.json")
    said = list(hear(ours, read_cuts(featured)))
    for one, cut, text in zip(said, read_cuts(featured), texts, strict=True):
        ((found, scores),) = ours.search([torch.from_numpy(load_stacked(cut, ours.normaliser))])
        words = [ours.lexicon.words[word] for word in found.words]
        distance = kaldialign.edit_distance(text.split(), words)["total"]
        assert (one.words, one.found, one.errors) == (len(text.split()), len(words), distance) and words
        assert one.confidence == pytest.approx(ours.confidence(found, scores), abs=1e-4)
        assert one.seconds == cut.duration


def test_the_rule_is_chosen_when_a_recogniser_is_packed(tmp_path):
    parts = tmp_path / "parts"
    toy_recogniser.make(parts)
    sets = {}
    for name, texts in (("dev", ["A B C D"] * 6), ("nonspeech", [""] * 4)):
        manifest = toy_recogniser.utterances(tmp_path, name, texts, 1.5)
        sets[name] = toy_recogniser.with_features(manifest, parts / "normaliser.json")
    rates = dict.fromkeys(("wer", "wer_low", "wer_high", "errors", "words", "utterances"), 1)
    write_json(tmp_path / "decode/test/wer.json", {"acoustic_scale": 0.7, "prior_scale": 0.5, **rates})
    command = [sys.executable, ROOT / "steps/pack.py", "--model", parts, "--graph", parts, "--tree", parts]
    command += ["--normaliser", parts / "normaliser.json", "--decoded", tmp_path / "decode", "--beams.search", "40"]

    def packed(name: str, *more: object) -> dict:
        done = subprocess.run([*command, "--out", tmp_path / name, *more], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert Recogniser(tmp_path / name).least_confidence == read_json(tmp_path / name / "recogniser.json")["least_confidence"]  # fmt: skip # noqa: E501
        return read_json(tmp_path / name / "recogniser.json")

    more = ("--dev", sets["dev"], "--nonspeech", sets["nonspeech"], "--reject.loss", "0.2")
    assert packed("few", *more)["rejection"]["rejected"] == 0  # of six, not even one
    about = packed("chosen", *more, "--reject.share", "1")
    said = list(hear(Recogniser(parts), read_cuts(sets["dev"])))
    rule, (before, after) = choose(said, 0.2), about["rejection"]["false_words_per_minute"]
    assert about["least_confidence"] == pytest.approx(rule.least) and about["rejection"]["rejected"] == rule.rejected
    assert before >= after >= 0 and before > 0
    assert about["most_misfit"] is None  # no noise is heard as what its transcript says
    # What is off is off, and what is given is taken.
    assert packed("off", "--dev", sets["dev"], "--reject.below", "none")["least_confidence"] is None
    assert packed("given", "--reject.below", "2.5")["least_confidence"] == 2.5
    assert packed("without")["least_confidence"] is None
