"""Audio as users have it: other rates, several channels, long, broken."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torchaudio.functional import resample

from understudy.decode.audio import audio_files, pieces, read_audio, resampled
from understudy.stage import UserError

RATE = 16000


def tone(seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_other_rates_become_ours(tmp_path: Path, rate: int):
    soundfile.write(tmp_path / "a.flac", tone(1.0, rate), rate)
    samples = read_audio(tmp_path / "a.flac")
    assert samples.dtype == np.float32 and abs(len(samples) - RATE) <= 1
    inside = slice(2000, 14000)  # the resampler's edges are its own
    assert np.abs(samples[inside] - tone(1.0)[inside]).max() < 0.01


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("length", [0, 1, 700, 40001])
def test_blocks_are_resampled_as_the_whole(rate: int, length: int):
    rng = np.random.default_rng(length)
    signal = rng.uniform(-1, 1, length).astype(np.float32)
    whole = resample(torch.from_numpy(signal), rate, RATE).numpy() if length else signal
    for size in (1, 317, 4096):
        if length // size > 5000:
            continue
        blocks = [signal[i : i + size] for i in range(0, length, size)]
        found = np.concatenate([signal[:0], *resampled(blocks, rate)])
        assert found.dtype == np.float32 and found.shape == whole.shape
        assert np.abs(found - whole).max(initial=0) < 1e-6


def test_a_long_recording_takes_no_more_memory_than_what_is_heard_of_it(tmp_path: Path):
    minute = np.stack([tone(60.0, 44100)] * 2, 1)
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 44100, 2) as file:
        for _ in range(10):
            file.write(minute)
    del minute
    tracemalloc.start()
    heard = read_audio(tmp_path / "a.wav", 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(heard) == 600 * RATE and peak < 2.5 * heard.nbytes  # of all samples it would be 5.5


def test_a_channel_is_chosen_or_asked_for(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.stack([tone(0.5), 0 * tone(0.5)], 1), RATE)
    with pytest.raises(UserError, match=r"2 channels\. Say which one to hear: --channel 0 to 1"):
        read_audio(tmp_path / "a.wav")
    assert np.abs(read_audio(tmp_path / "a.wav", 0)).max() > 0.2 and not read_audio(tmp_path / "a.wav", 1).any()
    with pytest.raises(UserError, match="has channels 0 to 1, not 2"):
        read_audio(tmp_path / "a.wav", 2)


def test_files_are_found_and_what_is_none_is_named(tmp_path: Path):
    for name in ("b/two.WAV", "b/one.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, tone(0.1), RATE, format=name[-4:].strip(".").upper())
    (tmp_path / "b/readme.txt").write_text("no audio")
    found = audio_files([tmp_path / "b", tmp_path / "b/readme.txt"])
    assert [p.name for p in found] == ["one.flac", "two.WAV", "readme.txt"]
    with pytest.raises(UserError, match=r"readme\.txt: cannot be read as audio"):
        read_audio(found[-1])
    (tmp_path / "empty").mkdir()
    for missing, said in (("empty", "no audio below it"), ("gone", "no such file or folder")):
        with pytest.raises(UserError, match=said):
            audio_files([tmp_path / missing])


def test_long_audio_is_cut_where_it_is_quiet():
    samples = tone(70.0)
    for second in (25.0, 47.5):
        samples[int(second * RATE) : int((second + 0.5) * RATE)] *= 0.01
    found = pieces(samples)
    assert [a for a, _ in found[1:]] == [b for _, b in found[:-1]] and (found[0][0], found[-1][1]) == (0, len(samples))
    assert all(b - a <= 30 * RATE for a, b in found)
    assert [b / RATE for _, b in found[:-1]] == pytest.approx([25.25, 47.75], abs=0.15)
    assert pieces(tone(3.0)) == [(0, 3 * RATE)] and pieces(np.zeros(0, np.float32)) == []
