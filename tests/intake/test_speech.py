"""Where speech is in a recording: the detector itself, fed in blocks, on speech whose places are known."""

from __future__ import annotations

import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
import soundfile
from tests.intake.spoken import RATE, recording, sentence

from understudy.intake import speech
from understudy.intake.cut import speech_spans
from understudy.intake.options import CutOptions
from understudy.intake.speech import WINDOW, Listener, Stretch, listen, probabilities
from understudy.parallel.workers import Workers
from understudy.step import UserError

silero_vad = pytest.importorskip("silero_vad", reason="without silero-vad long recordings are not cut")


def written(path: Path, samples: np.ndarray) -> Stretch:
    """A file of the samples, and all of it."""
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return Stretch(path.stem, path, 0, len(samples))


def test_speech_is_found_where_it_is(tmp_path: Path):
    samples, spans = recording([1.0, 1.5, 0.9, 2.5, 1.2])
    found = speech_spans(probabilities(written(tmp_path / "a.wav", samples)), len(samples), CutOptions())
    assert len(found) == len(spans) == 4
    assert np.abs(np.array(found) / RATE - spans).max() < 0.25


def test_blocks_find_what_the_whole_finds(tmp_path: Path, monkeypatch):
    """As the package's own model for streams, a window at a time; also of a stretch that begins within a file."""
    import torch

    samples, _ = recording([0.5, 0.7, 0.6, 0.8, 0.3])
    samples = np.concatenate([samples, samples])[: 700 * WINDOW - 100]
    samples = (np.round(32768 * samples) / 32768).astype(np.float32)  # as the file has them
    one_by_one = silero_vad.load_silero_vad(onnx=True)
    whole = one_by_one.audio_forward(torch.from_numpy(samples), RATE)[0].numpy()
    monkeypatch.setattr(speech, "_BLOCK", 250 * WINDOW)
    stretch = written(tmp_path / "a.flac", samples)
    found = probabilities(stretch)
    assert found.shape == whole.shape == (700,) and whole.max() > 0.9 and whole.min() < 0.1
    assert np.abs(found - whole).max() < 1e-3
    later = probabilities(stretch._replace(start=300 * WINDOW))
    alone = one_by_one.audio_forward(torch.from_numpy(samples[300 * WINDOW :]), RATE)[0].numpy()
    assert later.shape == (400,) and np.abs(later - alone).max() < 1e-3


@pytest.mark.parametrize("windows", [0, 1, 249, 250, 251, 399, 400, 401, 550.5])
def test_any_length_has_a_probability_for_each_window(windows: float, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(speech, "_BLOCK", 250 * WINDOW)
    stretch = written(tmp_path / "a.wav", np.zeros(int(windows * WINDOW)))
    assert probabilities(stretch).shape == (int(np.ceil(windows)),)


def test_without_speech_nothing_is_likely(tmp_path: Path):
    rng = np.random.default_rng(0)
    for number, samples in enumerate((np.zeros(2 * RATE), rng.normal(0, 0.05, 2 * RATE), np.zeros(100))):
        stretch = written(tmp_path / f"{number}.wav", samples)
        assert speech_spans(probabilities(stretch), stretch.stop, CutOptions()) == []


def test_what_was_found_is_kept(tmp_path: Path, monkeypatch):
    stretch = written(tmp_path / "a b.wav", np.concatenate([np.zeros(RATE, np.float32), sentence(0)]))
    (kept,) = Listener(tmp_path / "kept")([stretch])
    assert np.abs(np.load(kept) - probabilities(stretch)).max() < 1e-3 and np.load(kept).dtype == np.float16
    monkeypatch.setattr(speech, "probabilities", None)  # not called again
    assert Listener(tmp_path / "kept")([stretch]) == [kept]
    monkeypatch.undo()
    other = written(tmp_path / "a b.wav", np.zeros(RATE + 1))
    (again,) = Listener(tmp_path / "kept")([other])
    assert again != kept and np.load(again).max() < 0.5


def test_recordings_are_shared_out_and_progress_is_said(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(speech, "_TASK", 5.0)
    monkeypatch.setattr(speech, "_PATIENCE", 0.0)
    stretches = [written(tmp_path / f"{number}.wav", sentence(number)) for number in range(3)]
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    stretches.append(Stretch("broken", tmp_path / "broken.wav", 0, RATE))
    seen = []

    class Passing(Workers):
        """Other processes get what they do as bytes."""

        def map(self, work, tasks, what="tasks"):
            for task in tasks:
                seen.append([one.name for one in task])
                yield cloudpickle.loads(cloudpickle.dumps(work))(task)

    with caplog.at_level("INFO"), Passing(2) as workers:
        *found, fault = listen(stretches, tmp_path / "kept", workers)
    assert len(seen) > 1 and [name for task in seen for name in task] == ["0", "1", "2", "broken"]
    for stretch, path in zip(stretches, found):
        assert np.array_equal(np.load(path), probabilities(stretch).astype(np.float16))
    assert isinstance(fault, str) and "broken.wav: cannot be read as audio" in fault
    assert caplog.text.count("speech was looked for in 0.0 of 0.0 h") == 4


def test_audio_on_another_scale_is_a_fault(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", 20000 * sentence(1), RATE, subtype="FLOAT")
    (fault,) = Listener(tmp_path)([Stretch("a", tmp_path / "a.wav", 0, RATE)])
    assert isinstance(fault, str) and f"{tmp_path / 'a.wav'}: " in fault and "nan" not in fault


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch):
    speech._detector.cache_clear()
    monkeypatch.setitem(sys.modules, "silero_vad", None)
    with (
        pytest.raises(UserError, match=r"silero-vad, which finds speech .* --cut\.longest null"),
        Workers(1) as workers,
    ):
        list(listen([], tmp_path, workers))
