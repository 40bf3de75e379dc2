"""Every stage of the LibriSpeech recipe, on a few minutes of synthetic speech in the publisher's layout."""

import gzip
import json
import shutil
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.encoders.tiny import needs_transformers, save_whisper

from understudy.corpus import read_cuts
from understudy.lang.ngram import estimate
from understudy.score.results import read_results

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs/librispeech/s1"
sys.path.insert(0, str(ROOT / "local/assistant"))
sys.path.insert(0, str(ROOT / "local/librispeech"))

from acoustics import SAMPLE_RATE, to_16k  # noqa: E402
from dictionary import pronunciations  # noqa: E402
from espeak import Engine  # noqa: E402
from languages import LANGUAGES  # noqa: E402
from voices import roster  # noqa: E402

PARTS = {  # speakers and utterances of each
    "train-clean-100": (3, 16), "train-clean-360": (2, 12), "train-other-500": (2, 8),
    "dev-clean": (1, 8), "dev-other": (1, 8), "test-clean": (1, 8), "test-other": (1, 8),
}  # fmt: skip
TINY = (
    "--mono-iterations 9 --senones 100 --teacher-epochs 3 --realigned-epochs 1 --mmi-epochs 1 --student-epochs 3 "
    "--distil-epochs 1 --soft-weight 0.5 --large large --generations 2 --scales [0.3] --prior-scales [0.5] "
    "--sound-minutes 0.3 --jobs 1"  # the start of a process takes longer than what it does here
).split()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """LibriSpeech, its language model, and Libri-Light's small/, tiny."""
    folder = tmp_path_factory.mktemp("corpus")
    voices, engine = [v for of in roster(40, 1).values() for v in of], Engine()
    texts = LANGUAGES["en"].grammar.sentences([7])
    spoken: list[list[str]] = []
    for number, (part, (speakers, utterances)) in enumerate(PARTS.items()):
        for speaker in range(100 * (number + 1), 100 * (number + 1) + speakers):
            chapter = folder / f"LibriSpeech/{part}/{speaker}/7"
            chapter.mkdir(parents=True)
            voice, lines = voices.pop(), []
            for i, text in enumerate(islice(texts, utterances)):
                soundfile.write(chapter / f"{speaker}-7-{i:04d}.flac", _said(engine, text, voice), SAMPLE_RATE)
                lines.append(f"{speaker}-7-{i:04d} {text.upper()}\n")
                spoken.append(text.upper().split())
            (chapter / f"{speaker}-7.trans.txt").write_text("".join(lines))
    _language(folder / "lm", spoken)
    _libri_light(folder / "librilight/small", engine, voices.pop(), texts)
    return folder


def _said(engine: Engine, text: str, voice) -> np.ndarray:
    """With some silence and a little noise."""
    samples = np.pad(to_16k(engine.say(text, voice)[0]), 1600)
    return samples + np.random.default_rng(len(samples)).normal(0, 1e-3, len(samples))


def _language(folder: Path, spoken: list[list[str]]) -> None:
    """A lexicon that lacks the commonest word, and a packed model that knows a word which nobody can pronounce."""
    folder.mkdir()
    words = Counter(word for sentence in spoken for word in sentence)
    given = words.keys() - {max(words, key=words.get)}
    known = [(word, phones) for word, phones in pronunciations(None) if word in given]
    (folder / "librispeech-lexicon.txt").write_text("".join(f"{w}\t{' '.join(p)}\n" for w, p in known))
    estimate([*spoken, ["FROBNIC"]], {*words, "FROBNIC"}, 3).write(folder / "lm.arpa")
    (folder / "3-gram.pruned.3e-7.arpa.gz").write_bytes(gzip.compress((folder / "lm.arpa").read_bytes()))


def _libri_light(folder: Path, engine: Engine, voice, texts) -> None:
    chapter = folder / "999/a_book"
    chapter.mkdir(parents=True)
    spoken, active, pause = [], [], np.zeros(SAMPLE_RATE)
    for text in islice(texts, 10):
        begin = sum(map(len, spoken)) / SAMPLE_RATE
        spoken += [_said(engine, text, voice), pause]
        active.append([begin, begin + len(spoken[-2]) / SAMPLE_RATE])
    soundfile.write(chapter / "chapter_64kb.flac", np.concatenate(spoken), SAMPLE_RATE)
    (chapter / "chapter_64kb.json").write_text(json.dumps({"speaker": "999", "voice_activity": active}))


def run(corpus: Path, out: Path, *more: str) -> subprocess.CompletedProcess:
    conf = out / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    for name, layers, cells in (("teacher", 2, 32), ("student", 2, 24), ("large", 2, 40)):
        text = (RECIPE / f"conf/{name}.yaml").read_text()
        (conf / f"{name}.yaml").write_text(text + f"model.layers: {layers}\nmodel.cells: {cells}\n")
    text = (RECIPE / "conf/teacher-encoder.yaml").read_text()
    (conf / "teacher-encoder.yaml").write_text(text + "model.layers: 2\nmodel.cells: 32\nmodel.bottleneck: 8\n")
    for name in ("realigned", "distil", "longer", "teacher-encoder-mmi"):
        shutil.copy(RECIPE / f"conf/{name}.yaml", conf)
    where = ["--corpus-dir", corpus, "--lm-dir", corpus / "lm", "--libri-light", corpus / "librilight"]
    command = [RECIPE / "run.sh", *TINY, *where, "--data", out / "data", "--dir", out / "exp", "--conf", conf, *more]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("made")
    done = run(corpus, out, "--labelled-hours", "0.02")
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def test_labelled_speech_comes_from_the_first_parts_and_the_rest_is_unlabelled(made):
    cuts = {p.name.split(".")[0]: list(read_cuts(p)) for p in (made / "data/corpus").glob("*.jsonl.gz")}
    assert set(cuts) == {"labelled", "unlabelled", "dev", "test-clean", "test-other"}
    speakers = {name: {c.supervisions[0].speaker for c in of} for name, of in cuts.items()}
    first, rest = {"100", "101", "102"}, {"200", "201", "300", "301", "ll-999"}
    assert speakers["labelled"] <= first and speakers["unlabelled"] == (first - speakers["labelled"]) | rest
    assert speakers["dev"] == {"400", "500"} and speakers["test-other"] == {"700"}
    light = [c for c in cuts["unlabelled"] if c.id.startswith("ll-")]
    assert light and all(1 <= c.duration <= 20 for c in light) and len({c.recording.id for c in light}) == 1


def test_words_that_the_lexicon_lacks_are_guessed(corpus, made):
    report = json.loads((made / "exp/lang/report.json").read_text())
    labelled = {w for c in read_cuts(made / "data/corpus/labelled.jsonl.gz") for w in c.supervisions[0].text.split()}
    known = {word for word, _ in pronunciations(corpus / "lm/librispeech-lexicon.txt")}
    assert set(report["guessed"]) == labelled - known != set()


def test_students_are_taught_softly_on_labelled_speech_too(made):
    for student, targets in (("large-distilled", "targets"), ("student-distilled", "targets"),
                             ("student-stepwise", "targets-large")):  # fmt: skip
        command = json.loads((made / f"exp/{student}/.done.json").read_text())["command"]
        assert "--train.soft_weight 0.5" in command and f"{targets}/labelled" in command, student


def test_a_second_generation_learns_from_the_first_and_begins_anew(made):
    def command(what: str) -> str:
        return json.loads((made / f"exp/{what}/.done.json").read_text())["command"]

    assert "exp/large-distilled " in command("targets-generation-2")
    for size in ("student", "large"):
        learnt = command(f"{size}-generation-2")
        assert "targets-generation-2/unlabelled" in learnt and f"exp/{size}-labelled " in learnt
        assert learnt.split("--seed ")[-1].startswith("2 ")  # hears other channels than the first


def test_every_system_has_a_result_on_both_test_sets(made):
    lines = read_results(made / "exp/results.jsonl")
    systems = {"teacher", "teacher-mmi", "large-labelled", "large-distilled", "student-stepwise"}
    systems |= {"student-generation-2", "large-generation-2"}
    systems |= {f"student-{kind}{mmi}" for kind in ("labelled", "distilled") for mmi in ("", "-mmi")}
    systems |= {f"student-distilled-{precision}" for precision in ("float32", "int8-dynamic", "int8-static")}
    assert {(line["system"], line["test_set"]) for line in lines} == {
        (system, test) for system in systems for test in ("test-clean", "test-other")
    }
    for line in lines:
        assert line["utterances"] == 8 and line["wer_low"] <= line["wer"] <= line["wer_high"]
    decoded = [line for line in lines if "precision" not in line]
    assert decoded[0]["dev_wer"] == decoded[1]["dev_wer"]  # one tuning serves both
    report = (made / "exp/RESULTS.md").read_text()
    assert "## librispeech, test-clean" in report and "## librispeech, test-other" in report


@needs_transformers
def test_a_teacher_may_hear_through_a_foreign_encoder(corpus, tmp_path):
    ears = save_whisper(tmp_path / "ears", seconds=6)
    done = run(
        corpus,
        tmp_path,
        "--labelled-hours",
        "0.02",
        "--large",
        "",
        "--generations",
        "1",
        "--encoder",
        str(ears),
        "--encoder-pad",
        "false",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for system, through in (("teacher-first", True), ("teacher-mmi", True), ("student-distilled", False)):
        heard = json.loads((tmp_path / f"exp/{system}/model.json").read_text())["meta"].get("features", "log-mels")
        assert heard.endswith("ears, last layer" if through else "log-mels"), system
    lines = read_results(tmp_path / "exp/results.jsonl")
    assert {line["recipe"] for line in lines} == {"librispeech-encoder"}
    systems = {"teacher", "teacher-mmi", *(f"student-{k}{m}" for k in ("labelled", "distilled") for m in ("", "-mmi"))}
    assert systems <= {line["system"] for line in lines}
    command = json.loads((tmp_path / "exp/targets/.done.json").read_text())["command"]
    assert "feats-encoder/unlabelled" in command and "feats-encoder/labelled" in command
    assert (tmp_path / "exp/page.html").exists() or list((tmp_path / "exp").glob("*.html"))


def test_more_hours_than_there_are_stop_before_anything_is_written(corpus, tmp_path):
    done = run(corpus, tmp_path, "--labelled-hours", "960", "--stop-stage", "0")
    assert done.returncode == 1 and "--labelled-hours 960" in done.stderr
    assert not list((tmp_path / "data/corpus").glob("*.jsonl.gz"))
