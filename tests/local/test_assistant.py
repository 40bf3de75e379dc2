"""The assistant corpus: sentences, voices, phones and a synthesis that survives a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from understudy.corpus import read_cuts, set_of_speakers
from understudy.corpus.validate import validate
from understudy.step import UserError

ASSISTANT = Path(__file__).parents[2] / "local" / "assistant"
sys.path.insert(0, str(ASSISTANT))

import acoustics  # noqa: E402
from espeak import Engine, Voice  # noqa: E402
from languages import LANGUAGES  # noqa: E402
from phones import segments, spoken_words  # noqa: E402
from voices import roster  # noqa: E402

SIZES = [
    "--labelled-hours=0.02",
    "--unlabelled-hours=0.11",
    "--dev-hours=0.01",
    "--test-hours=0.01",
    "--voices=20",
    "--rooms=4",
    "--lexicon-sentences=30",
]
SETS = ("labelled", "unlabelled", "dev", "test")


def command(out: str, *more: str) -> list[str]:
    return [sys.executable, str(ASSISTANT / "prepare.py"), *SIZES, "--out", out, *more]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds data/, an unbroken synthesis."""
    folder = tmp_path_factory.mktemp("unbroken")
    done = subprocess.run(command("data", "--jobs", "1"), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".flac", ".gz") or path.name in ("lexicon.txt", "voices.txt")
    }


def test_no_voice_and_no_variant_is_in_two_sets() -> None:
    speakers = roster(80, seed=1)
    assert sum(map(len, speakers.values())) == 80
    set_of_speakers({name: [voice.name for voice in voices] for name, voices in speakers.items()})
    set_of_speakers({name: sorted({voice.variant for voice in voices}) for name, voices in speakers.items()})
    with pytest.raises(UserError):
        roster(4, seed=1)


@pytest.mark.parametrize("variant", ["f2", "Reed", "klatt3", "grandma"])
def test_a_voice_sounds_the_same_after_any_other(variant: str) -> None:
    engine, voice = Engine(), Voice("a", variant, 50, 50, 170)
    first = engine.say("set a timer", voice)[0]
    for other in ("Reed", "m1"):
        engine.say("what's the weather", Voice("b", other, 30, 40, 200))
        assert np.array_equal(engine.say("set a timer", voice)[0], first)


def test_phones_of_words() -> None:
    samples, marks = Engine().say("little timer", Voice("a", "m3", 50, 50, 170))
    phone_set = LANGUAGES["en"].phone_set
    parts = segments(marks, len(samples), "little timer", phone_set)
    assert spoken_words(parts, "little timer") == [
        (("little",), ("L", "IH", "DX", "L")),
        (("timer",), ("T", "AY", "M", "ER")),
    ]
    assert all(a.end == b.start for a, b in pairwise(parts))
    assert [phone_set.phone_of(mark) for mark in ("_:", "?", "'aI")] == ["SIL", None, "AY"]
    with pytest.raises(UserError, match=r"one of English's phones, got x;"):
        phone_set.phone_of("x")


@pytest.mark.parametrize("seed", range(6))
def test_noise_has_the_asked_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    speech, babble = rng.normal(0, 1, (2, 16000)).astype(np.float32)
    bank = acoustics.Bank(np.ones((1, 1), np.float32), babble[None])
    mixed = acoustics.add_noise(speech, acoustics.noise(bank, 16000, rng), snr=10.0, level=-30.0)
    assert 20 * np.log10(np.std(mixed)) == pytest.approx(-30 + 10 * np.log10(1.1), abs=0.15)


def test_the_corpus_is_sound(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    lexicon = {line.split()[0] for line in Path("data/lexicon.txt").read_text().splitlines()}
    phones = {p for line in Path("data/lexicon.txt").read_text().splitlines() for p in line.split()[1:]}
    assert 40 <= len(phones) <= 48
    speakers = {}
    for name in SETS:
        cuts = list(validate(read_cuts(Path(f"data/{name}.jsonl.gz"))))
        speakers[name] = sorted({cut.supervisions[0].speaker for cut in cuts})
        for cut in cuts:
            items = cut.supervisions[0].alignment["phone"]
            assert set(cut.supervisions[0].text.split()) <= lexicon
            assert {item.symbol for item in items} <= phones | {"SIL"}
            assert items[0].start == 0 and items[-1].end == pytest.approx(cut.duration, abs=1e-3)
            assert all(a.end == pytest.approx(b.start, abs=1e-4) for a, b in pairwise(items))
    set_of_speakers(speakers)


def test_killed_and_resumed_it_is_the_same(made: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("data", "--jobs", "2"), cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("data/.shards/[a-z]*-0*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "data" / "test.jsonl.gz").exists(), "it was killed too late to show anything"
    done = subprocess.run(command("data", "--jobs", "2"), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "5 of 5 shards to synthesise" not in done.stderr
    assert files(tmp_path / "data") == files(made / "data")


def test_options_without_sense_are_refused(tmp_path: Path) -> None:
    done = subprocess.run(command(str(tmp_path / "d"), "--snr-low", "30"), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "--snr-low" in done.stderr


def test_babble_in_other_languages_is_as_long_and_loud_as_told_and_of_its_language(tmp_path: Path) -> None:
    made = []
    for out in ("one", "other"):
        command = [ASSISTANT / "foreign.py", "--minutes", "0.05", "--talkers", "3", "--voices", "20", "--out", out]
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        made.append({path.name: soundfile.read(path)[0] for path in sorted((tmp_path / out).glob("*.wav"))})
    first, second = made
    assert list(first) == ["babble in German.wav", "babble in Spanish.wav"]
    for name, samples in first.items():
        assert len(samples) == 48000 and 20 * np.log10(np.std(samples)) == pytest.approx(-20, abs=0.1)
        np.testing.assert_array_equal(samples, second[name])
    voice = Voice("a", "m3", 50, 50, 170)
    english, german = (Engine().say("Hamburg", voice, language)[1] for language in ("en-us", "de"))
    assert [mark.symbol for mark in english] != [mark.symbol for mark in german]
    with pytest.raises(RuntimeError, match="no voice xx-none"):
        Engine().say("Hamburg", voice, "xx-none")
