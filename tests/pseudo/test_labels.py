"""Labels of others' transcripts: what is kept, what is left out and why, and what the labels and ratios are."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.ship import toy_recogniser
from tests.train.toy_speech import kill_when

from understudy import models
from understudy.align.archive import AlignmentReader
from understudy.corpus import read_cuts
from understudy.data.manifests import ManifestSpeech
from understudy.features import Normaliser
from understudy.pseudo.doubt import EMPTY, LOOP, NOT_HEARD, SLOW, UNALIGNED, UNKNOWN, UNLIKELY, UNSURE
from understudy.pseudo.labels import case_of
from understudy.step import read_json

STEPS = Path(__file__).parents[2] / "steps"
OWN = ["A B", "AB B", "A AH", "B A B", "AB", "A B", "B", "A", "AH A"]
HEARD = [  # words, how sure, and what becomes of it
    ("A, b!", -0.2, None),
    ("AB b", -0.3, None),
    ("", -0.3, EMPTY),
    ("A b [music]", -1.2, UNSURE),
    ("a b a b a b a b", -0.1, LOOP),
    ("a unheard", -0.1, UNKNOWN),
    (" ".join(random.Random(1).choices(["a", "ab", "ah", "b"], k=60)), -0.1, UNALIGNED),
    (None, None, NOT_HEARD),
    ("ah a", -0.4, None),
]


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy network, tree and lexicon, noises with their transcripts, and what another recogniser wrote of them."""
    folder = tmp_path_factory.mktemp("speech")
    toy_recogniser.make(folder / "toy")
    (folder / "toy/oov.txt").write_text("fail\n")
    toy_recogniser.with_features(toy_recogniser.utterances(folder, "set", OWN, 1.0), folder / "toy/normaliser.json")
    rows = [{"id": f"set{n}", "text": text, "log_probability": sure} for n, (text, sure, _) in enumerate(HEARD)]
    rows.append({"id": "stranger", "text": "a", "log_probability": None})
    lines = [json.dumps(row, allow_nan=False) for row in rows if row["text"] is not None]
    (folder / "heard.jsonl").write_text("\n".join(lines))
    return folder


def command(speech: Path, out: str, *more: object, transcripts: str = "heard.jsonl") -> list[str]:
    toy = speech / "toy"
    given = ["--cuts", speech / "feats/set.jsonl.gz", "--transcripts", speech / transcripts, "--model", toy, "--tree",
             toy, "--lang", toy, "--out", speech / out, "--oov", "skip", "--jobs", 1,
             "--doubt.least_ratio", -1000, "--doubt.fastest", 40]  # fmt: skip
    return [sys.executable, *map(str, (STEPS / "pseudo_label.py", *given, *more))]


def labels_of(folder: Path) -> dict[str, np.ndarray]:
    reader = AlignmentReader(folder / "set")
    return dict(zip(reader.ids(), reader.rows(), strict=True))


@pytest.fixture(scope="module")
def made(speech: Path) -> Path:
    subprocess.run(command(speech, "pseudo"), check=True, capture_output=True)
    return speech / "pseudo"


def test_each_utterance_has_what_it_deserves(made: Path) -> None:
    report = read_json(made / "report.json")
    expected: dict[str, list[str]] = {}
    for number, (_, _, reason) in enumerate(HEARD):
        expected.setdefault(reason or "kept", []).append(f"set{number}")
    kept = expected.pop("kept")
    assert report["left_out"] == expected and report["kept"] == len(kept) and report["utterances"] == len(HEARD)
    cuts = list(read_cuts(made / "set.jsonl.gz"))
    assert [(cut.id, cut.supervisions[0].text) for cut in cuts] == [("set0", "A B"), ("set1", "AB B"), ("set8", "AH A")]
    assert list(labels_of(made)) == kept
    log = (made / "log.txt").read_text()
    assert "1 transcripts are of no cut" in log and all(reason in log for reason in expected)


def test_errors_are_counted_against_the_own_transcripts_by_hand(made: Path) -> None:
    told = read_json(made / "report.json")["for_information"]
    assert told["wer_kept"] == 0.0  # of 6 words
    # Left out: 2 deleted; A B for B A B: 1; eight words, none of them AB, for that: 8; A UNHEARD for A B: 1; 60 words
    # for one of them: 59; nothing heard of one: 1
    errors, words = 2 + 1 + 8 + 1 + 59 + 1, sum(len(OWN[n].split()) for n in range(2, 8))
    assert told["wer_left_out"] == round(100 * errors / words, 2) and told["left_out_share_of_errors"] == 1.0
    assert told["wer_all"] == round(100 * errors / (words + 6), 2)


def test_ratios_are_those_of_the_labels_own_scores(speech: Path, made: Path) -> None:
    toy = speech / "toy"
    model, normaliser = models.load_any(toy), Normaliser.load(toy / "normaliser.json")
    ratios = read_json(made / "set/00000.json")["ratios"]
    for cut in read_cuts(made / "set.jsonl.gz"):
        (posteriors,) = model.log_posteriors(models.heard(model, [cut], normaliser))
        scores, labels = (posteriors - model.log_priors).numpy().astype(float), labels_of(made)[cut.id][:, 0]
        mean = (scores[np.arange(len(labels)), labels] - scores.max(1)).mean()
        assert ratios[cut.id] == pytest.approx(mean, abs=1e-3) and mean < 0


def test_what_is_far_from_the_best_senones_is_left_out(speech: Path, made: Path) -> None:
    ratios = read_json(made / "set/00000.json")["ratios"]
    least = sorted(ratios[f"set{n}"] for n in (0, 1, 8))[1] - 1e-5  # the worst of three alone is below it
    subprocess.run(command(speech, "strict", "--doubt.least_ratio", least), check=True, capture_output=True)
    report = read_json(speech / "strict/report.json")
    (worst,) = report["left_out"][UNLIKELY]
    assert ratios[worst] < least and report["kept"] == 2 and worst not in labels_of(speech / "strict")


def test_labels_are_realigns_and_a_training_takes_them(speech: Path, made: Path) -> None:
    texts = {cut.id: cut for cut in read_cuts(made / "set.jsonl.gz")}
    assert all(cut.supervisions[0].alignment is None for cut in texts.values())
    toy = speech / "toy"
    given = ["--model", toy, "--tree", toy, "--feats", f"[{made / 'set.jsonl.gz'}]", "--lang", toy, "--jobs", 1]
    realign = [STEPS / "realign.py", *given, "--out", speech / "ali"]
    subprocess.run([sys.executable, *map(str, realign)], check=True, capture_output=True)
    theirs = labels_of(speech / "ali")
    assert all((theirs[name] == rows).all() for name, rows in labels_of(made).items()) and len(theirs) == 3
    taken = ManifestSpeech.labelled(made / "set.jsonl.gz", made)
    assert [taken.utterance(n).id for n in range(len(taken.cuts))] == list(texts)
    assert (made / "tree.json").exists() and read_json(made / "report.json")["supervision"] == "pseudo-transcripts"


def test_a_killed_run_goes_on(speech: Path, made: Path) -> None:
    killed = command(speech, "killed", "--shard-size", 1)
    shards = speech / "killed/set"
    kill_when(killed, lambda: len(list(shards.glob("0*.json"))) > 1)
    kept = {path: path.stat().st_mtime_ns for path in shards.glob("0*.json")}
    assert not (speech / "killed/set.jsonl.gz").exists()
    subprocess.run(killed, check=True, capture_output=True)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    again, whole = labels_of(speech / "killed"), labels_of(made)
    assert list(again) == list(whole) and all((again[name] == whole[name]).all() for name in whole)
    assert read_json(speech / "killed/report.json") == read_json(made / "report.json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("other1 a b\n", "has no transcript of"),
        ("set0 x y\nset1 z z\n", f"is left: {NOT_HEARD} (7), {UNKNOWN} (2); is the case, or the language, another?"),
        ("set0\n", f"is left: {NOT_HEARD} (8), {EMPTY} (1); is this the recogniser's output?"),
        ("set0 a\n", f"is left: {NOT_HEARD} (8), {SLOW} (1); see --doubt"),
    ],
)
def test_nothing_left_is_one_sentence(speech: Path, text: str, told: str) -> None:
    (speech / "text").write_text(text)
    done = subprocess.run(
        command(speech, "none", "--doubt.slowest", 1.5, transcripts="text"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and told in done.stderr and done.stderr.splitlines()[-1].startswith("error: ")
    assert not (speech / "none/report.json").exists()


def test_the_case_is_that_of_the_lexicon() -> None:
    assert case_of(["A", "B'S", "3"]) == "upper" and case_of(["a", "été"]) == "lower"
    assert case_of(["Haus", "und", "ich", "Boot"]) == "keep"
