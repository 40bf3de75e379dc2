"""What a student stands: conditions are what they say, streaming is as good as batch, a killed step resumes, and the
lines stand in no table of plain results."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse.cut import Cut
from tests.ship import toy_recogniser

from understudy.corpus import read_cuts, write_cuts
from understudy.device.endpointing import EndpointOptions
from understudy.device.recogniser import Recogniser
from understudy.features.extract import load_samples
from understudy.features.rooms import make_rooms
from understudy.score.results import latest, read_conditions, read_results
from understudy.ship import robustness
from understudy.ship.export import export
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.footprint import measure
from understudy.ship.robustness import Talkers, conditions, nothings, slug
from understudy.ship.robustness_report import by_student, draw, robustness_section
from understudy.step import UserError

ROOT = Path(__file__).parents[2]
SPEAKERS = ("a", "b", "c", "a")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shipped folder, and the manifest of a set of three speakers."""
    home = tmp_path_factory.mktemp("robustness")
    ours, folder = toy_recogniser.make(home / "recogniser"), home / "device"
    folder.mkdir()
    export(ours.model, ours.normaliser, ours.tree.fingerprint, folder / "network.onnx")
    write_graph(ours.graph, folder)
    seal_folder(ours, folder)
    cuts = list(read_cuts(toy_recogniser.utterances(home, "test", ["ONE TWO", "TWO", "ONE", "TWO TWO"], 1.0)))
    for cut, speaker in zip(cuts, SPEAKERS, strict=True):
        cut.supervisions[0].speaker = speaker
    write_cuts(home / "test.jsonl.gz", cuts)
    return home


@pytest.fixture(scope="module")
def known(home: Path) -> dict[str, robustness.Condition]:
    talkers = Talkers(read_cuts(home / "test.jsonl.gz"), 1)
    return {one.name: one for one in conditions(talkers, make_rooms(2, 7), 1)}


def power(samples: np.ndarray) -> float:
    return float(np.mean(samples.astype(np.float64) ** 2))


def test_noises_have_their_ratio_and_differ_in_nothing_else(home: Path, known: dict) -> None:
    first, second, *_ = read_cuts(home / "test.jsonl.gz")
    speech = load_samples(first)
    for kind in ("white noise", "pink noise", "babble"):
        added = {snr: known[f"{kind}, {snr} dB SNR"].alter(first, speech) - speech for snr in (20, 10, 5)}
        for snr, noise in added.items():
            assert 10 * np.log10(power(speech) / power(noise)) == pytest.approx(snr, abs=0.02)
        assert np.corrcoef(added[20], added[5])[0, 1] > 0.9999
        other = known[f"{kind}, 5 dB SNR"].alter(second, speech) - speech
        assert abs(np.corrcoef(other, added[5])[0, 1]) < 0.6  # another utterance has noise of its own


def test_babble_is_other_speakers_equally_loud(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each utterance is a tone of its own here, so that it is seen who talks."""
    cuts = list(read_cuts(home / "test.jsonl.gz"))
    pitch = {cut.id: 500 * (1 + number) for number, cut in enumerate(cuts)}

    def tone(cut: Cut) -> np.ndarray:
        return (number := 1 + list(pitch).index(cut.id)) * np.sin(2 * np.pi * 500 * number * np.arange(16000) / 16000)

    def heard(babble: np.ndarray) -> dict[str, float]:
        amplitudes = np.abs(np.fft.rfft(babble)) * 2 / len(babble)
        found = {name: float(amplitudes[hz * len(babble) // 16000]) for name, hz in pitch.items()}
        return {name: amplitude for name, amplitude in found.items() if amplitude > 0.1}

    monkeypatch.setattr(robustness, "load_samples", tone)
    assert heard(Talkers(cuts, 1).behind(cuts[0], 32000)) == {
        cuts[1].id: pytest.approx(1, abs=0.05), cuts[2].id: pytest.approx(1, abs=0.05)
    }  # fmt: skip
    ours = [cuts[0], cuts[3]]  # one speaker: the other utterance
    assert list(heard(Talkers(ours, 1).behind(cuts[0], 32000))) == [cuts[3].id]
    crowd = Talkers(cuts, 1).backwards(32000, np.random.default_rng(1))
    assert heard(crowd).keys() >= {cuts[1].id, cuts[2].id} and power(crowd) == pytest.approx(1, abs=1e-3)
    with pytest.raises(UserError, match="no cuts"):
        Talkers([], 1)


def test_names_of_files_differ(known: dict, home: Path) -> None:
    sounds = nothings(Talkers(read_cuts(home / "test.jsonl.gz"), 1), 0.1, None, 1)
    names = [*known, *(sound.name for sound in sounds)]
    assert len({slug(name) for name in names}) == len(names) and "tilt-of-minus-6-db" in map(slug, names)


def test_each_sound_has_its_level_and_is_the_same_again(home: Path) -> None:
    first, again = (nothings(Talkers(read_cuts(home / "test.jsonl.gz"), 1), 0.05, None, 1) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        samples = one.make()
        assert samples.shape == (48000,) and samples.dtype == np.float32
        np.testing.assert_array_equal(samples, other.make())
        if one.name == "silence, all 0":
            assert not samples.any()
        else:
            level = int(one.name.removesuffix(" dBFS").rpartition(" ")[2])
            assert 10 * np.log10(power(samples)) == pytest.approx(level, abs=0.05)


def test_a_folders_sounds_are_heard_at_16_khz(home: Path, tmp_path: Path) -> None:
    talkers = Talkers(read_cuts(home / "test.jsonl.gz"), 1)
    with pytest.raises(UserError, match="no WAV file"):
        nothings(talkers, 0.1, tmp_path, 1)
    tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone, 0 * tone], 1), 44100)
    (loud, soft) = [one for one in nothings(talkers, 0.1, tmp_path, 1) if one.name.startswith("tone, ")]
    samples = loud.make()
    assert len(samples) == 16000 and np.argmax(np.abs(np.fft.rfft(samples))) == 440
    assert 10 * np.log10(power(samples) / power(soft.make())) == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize("name", ["20 dB softer", "10 dB louder", "babble, 5 dB SNR", "telephone band", "in a room"])
def test_streaming_and_batch_hear_the_same_words(home: Path, known: dict, name: str) -> None:
    device = Recogniser(home / "device")
    for cut in read_cuts(home / "test.jsonl.gz"):
        samples = known[name].alter(cut, load_samples(cut))
        whole = device.whole(samples).words
        for size in (160, 1600, 7001):
            blocks = (samples[at : at + size] for at in range(0, len(samples), size))
            *_, last = device.hear(blocks, EndpointOptions(pause=0.0, idle=0.0))
            assert last.final and last.heard.words == whole


def test_what_is_heard_is_what_a_microphone_sends(home: Path, known: dict, tmp_path: Path) -> None:
    """The step's words are those of 16-bit files of the same samples, and it counts what they clip."""
    device, manifest = Recogniser(home / "device"), home / "test.jsonl.gz"
    found = known["10 dB louder"].hear(home / "device", manifest, tmp_path, 10)
    for cut, outcome, clipped in zip(read_cuts(manifest), found.outcomes, found.clipped, strict=True):
        integers = np.clip(np.rint(load_samples(cut) * 10**0.5 * 32768), -32768, 32767).astype(np.int16)
        soundfile.write(tmp_path / "sent.wav", integers, 16000)
        assert outcome.words == device.whole(soundfile.read(tmp_path / "sent.wav", dtype="float32")[0]).words
        assert clipped == np.sum((integers == 32767) | (integers == -32768)) > 0
    plain = measure(home / "device", manifest, tmp_path / "plain", 10)
    assert plain.outcomes == known["as recorded"].hear(home / "device", manifest, tmp_path, 10).outcomes


def step(home: Path, out: Path, *more: str | Path) -> list[str]:
    command = [sys.executable, ROOT / "steps/robustness.py", "--device", home / "device", "--recipe", "toy", "--test"]
    command += [home / "test.jsonl.gz", "--system", "toy-float32", "--utterances", "3", "--minutes", "0.05"]
    return [str(part) for part in (*command, "--results", out / "results.jsonl", "--out", out / "heard", *more)]


@pytest.fixture(scope="module")
def told(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a step that was killed and resumed, beside a plain result."""
    out = tmp_path_factory.mktemp("told")
    plain = {"recipe": "toy", "system": "toy-float32", "test_set": "test", "config": "c", "wer": 1.0}
    (out / "results.jsonl").write_text(json.dumps(plain) + "\n")
    process = subprocess.Popen(step(home, out), stderr=subprocess.DEVNULL)
    heard, deadline = out / "heard/heard", time.monotonic() + 600
    while len(list(heard.glob("*/0*.jsonl"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in heard.glob("*/0*.jsonl")}
    assert 3 <= len(kept) < 10
    done = subprocess.run(step(home, out), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    return out


def test_a_killed_step_resumes_and_tells_all(home: Path, known: dict, told: Path, tmp_path: Path) -> None:
    lines = {line["condition"]: line for line in read_conditions(told / "results.jsonl")}
    assert len(lines) == len(read_conditions(told / "results.jsonl"))  # none twice
    speech = {name: line for name, line in lines.items() if "wer" in line}
    assert list(speech) == list(known) and len(lines) - len(speech) == 16
    first = speech["as recorded"]
    # One utterance of each speaker, though the first has two.
    assert {line["utterances"] for line in speech.values()} == {3} and first["speakers"] == 3 and first["words"] == 4
    assert len({line["tested_on"]["digest"] for line in lines.values()}) == 1 and first["tested_on"]["utterances"] == 3
    for line in speech.values():
        assert line["ratio"] == pytest.approx(line["errors"] / first["errors"], abs=1e-4)
        assert line["ratio_low"] <= line["ratio"] <= line["ratio_high"]
        assert line["change"] == pytest.approx(line["wer"] - first["wer"], abs=1e-2)
    for name in ("white noise, 5 dB SNR", "tilt of -6 dB"):
        again = known_with(home, 42)[name].hear(home / "device", told / "heard/test.jsonl.gz", tmp_path, 10)
        hyp = (told / "heard" / slug(name) / "hyp.txt").read_text().splitlines()
        assert hyp == [" ".join([o.id, *o.words]) for o in again.outcomes]
    for line in lines.values():
        if "false_words" in line:
            assert line["false_words_a_minute"] == pytest.approx(60 * line["false_words"] / line["seconds"], abs=1e-3)
            assert line["seconds"] == 3.0


def known_with(home: Path, seed: int) -> dict[str, robustness.Condition]:
    talkers = Talkers(read_cuts(home / "test.jsonl.gz"), seed)
    return {one.name: one for one in conditions(talkers, make_rooms(1, 1), seed)}


def test_false_words_are_those_of_the_command(home: Path, tmp_path: Path) -> None:
    talkers = Talkers(read_cuts(home / "test.jsonl.gz"), 1)
    sound = next(s for s in nothings(talkers, 0.2, None, 1) if s.name == "pink noise, -20 dBFS")
    found = sound.hear(home / "device", tmp_path)
    soundfile.write(tmp_path / "it.wav", sound.make(), 16000, subtype="PCM_16")
    device = Recogniser(home / "device")
    samples = soundfile.read(tmp_path / "it.wav", dtype="float32")[0]
    events = device.hear([samples], EndpointOptions())
    texts = [" ".join(event.heard.words) for event in events if event.final]
    assert found.texts == [text for text in texts if text] and found.words > 0 and found.seconds == 12.0


def test_lines_stand_in_no_table_of_plain_results(told: Path) -> None:
    assert [line["wer"] for line in read_results(told / "results.jsonl")] == [1.0]
    lines = latest(read_conditions(told / "results.jsonl"))
    text = robustness_section(lines)
    rows = [row for row in text.splitlines() if row.startswith("| ")]
    assert len(rows) == len(lines) + 4  # two heads with their rules
    louder = next(row for row in rows if row.startswith("| 10 dB louder"))
    assert "| 3 of 3 (" in louder and "### toy, test: toy-float32" in text
    (picture,) = draw(lines, told)
    assert (told / picture[0]).read_bytes()[:4] == b"\x89PNG"
    assert robustness_section([]) == ""


def test_what_is_left_out_is_told_with_why() -> None:
    line = {"recipe": "toy", "system": "s", "test_set": "test", "config": "c", "group": "channel"}
    text = robustness_section([line | {"condition": "Opus, 16 kbit/s", "left_out": "libsndfile 1 writes no Opus"}])
    assert "| Opus, 16 kbit/s: left out, since libsndfile 1 writes no Opus | – |" in text


def test_of_options_that_changed_the_last_alone_are_told() -> None:
    line = {"recipe": "toy", "system": "s", "test_set": "test"}
    old = [line | {"config": "a", "condition": name, "time": "2026-01-01T10:00:00Z"} for name in ("loud", "gone")]
    new = line | {"config": "b", "condition": "loud", "time": "2026-01-01T11:00:00Z"}
    assert by_student(latest([*old, new])) == {("toy", "test", "s"): [new]}  # which stands where the old one stood


def test_the_page_and_the_devices_report_tell_it(told: Path, tmp_path: Path) -> None:
    conditions, costs = read_conditions(told / "results.jsonl"), ("bytes", "rtf", "parameters", "multiply_adds_per_s")
    of_device = conditions[0] | dict.fromkeys(costs, 1) | {"precision": "float32", "agree": 1.0, "first_word_s": 1.0}
    of_device |= dict.fromkeys(("end_s", "end_s_95", "peak_memory_mb"), 1)
    del of_device["condition"]
    lines = [*conditions, of_device]
    (tmp_path / "results.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for name, *options in (
        ("report_page.py", "--exp", tmp_path, "--data", tmp_path / "data"),
        ("report_device.py", "--results", tmp_path / "results.jsonl", "--out", tmp_path / "DEVICE.md"),
        ("report.py", "--results", tmp_path / "results.jsonl", "--out", tmp_path / "told/RESULTS.md"),
    ):
        (tmp_path / "told").mkdir(exist_ok=True)
        command = [sys.executable, ROOT / "steps" / name, *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    page, device = (tmp_path / "report.html").read_text(), (tmp_path / "DEVICE.md").read_text()
    assert 'id="robustness"' in page and "toy, test: toy-float32" in page and page.count("<svg") == 1
    assert "<td>babble, 10 dB SNR</td>" in page and "<td>a tune with drums, −20 dBFS</td>" in page
    assert "## What it stands" in device and "| babble, 10 dB SNR |" in device
    assert "(robustness-toy-test-toy-float32.png)" in device
    assert (tmp_path / "robustness-toy-test-toy-float32.png").exists()
    results = (tmp_path / "told/RESULTS.md").read_text()
    assert results.count("toy-float32") == 1  # the one plain line
    assert len((tmp_path / "told/results.jsonl").read_text().splitlines()) == len(lines)
