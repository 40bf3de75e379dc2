"""Audio as users have it: other rates, several channels, long, broken."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from lhotse.augmentation.resample import Resample, resample

from understudy.corpus.audio import audio_files, read_audio, resampled, tell_of_low_rates, unique_names
from understudy.device.audio import file_blocks
from understudy.step import UserError

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


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_the_resampler_is_torchaudios_to_the_bit(rate: int):
    """Which the models have learnt from."""
    try:
        from torchaudio import functional, transforms
    except (ImportError, OSError) as error:
        pytest.skip(f"torchaudio does not load: {error}")
    signal = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, 20011).astype(np.float32))
    assert torch.equal(resample(signal, rate, RATE), functional.resample(signal, rate, RATE))
    assert torch.equal(Resample(rate, RATE)(signal), transforms.Resample(rate, RATE)(signal))


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


def test_what_is_passed_over_in_a_folder_is_said(tmp_path: Path, caplog):
    for name in ("a.wav", "b.aiff", "c.mpga"):
        soundfile.write(tmp_path / name, tone(0.1), RATE, format={"c.mpga": "MP3", "b.aiff": "AIFF"}.get(name, "WAV"))
        assert len(read_audio(tmp_path / name))
    (tmp_path / "d.m4a").write_bytes(b"something that cannot be read")
    with caplog.at_level("WARNING"):
        assert [path.name for path in audio_files([tmp_path])] == ["a.wav", "b.aiff", "c.mpga"]
    assert "passed over" in caplog.text and "d.m4a (1 in all)" in caplog.text


def test_files_of_a_low_rate_are_told_once(tmp_path: Path, caplog):
    for name, rate in (("a.wav", 8000), ("b.wav", 11025), ("c.wav", RATE), ("d.wav", 44100)):
        soundfile.write(tmp_path / name, tone(0.1, rate), rate)
    (tmp_path / "e.wav").write_bytes(b"RIFF")
    tell_of_low_rates(audio_files([tmp_path]))
    assert "2 of 5 files have less than 16000 Hz, such as " in caplog.text and "a.wav (8000 Hz)" in caplog.text
    caplog.clear()
    tell_of_low_rates([tmp_path / "c.wav"])
    assert not caplog.text


def test_names_tell_files_apart():
    assert unique_names([Path("s1/one two.wav"), Path("s2/b.wav")]) == ["one_two", "b"]
    assert unique_names([Path("s1/001.wav"), Path("s2/001.wav")]) == ["s1/001", "s2/001"]
    assert unique_names([Path("s1/001.wav"), Path("s1/001.flac")]) == ["s1/001.wav", "s1/001.flac"]
    with pytest.raises(UserError, match=r"001\.wav: it is named twice"):
        unique_names([Path("s1/001.wav"), Path("s1/001.wav")])


def test_samples_on_another_scale_are_refused(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", 32768 * tone(0.5), RATE, subtype="FLOAT")
    with pytest.raises(UserError, match="where ±1 is the limit"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_wav_from_a_pipe_is_read_to_its_end(tmp_path: Path, length: int):
    """Its writer could not know the length, and said 0 or a large one: sox, ffmpeg and others each in their way."""
    soundfile.write(tmp_path / "a.wav", tone(0.5), RATE, subtype="PCM_16")
    whole = read_audio(tmp_path / "a.wav")
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[4:8], data[40:44] = bytes(4), length.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(data)
    assert np.array_equal(read_audio(tmp_path / "a.wav"), whole)
    assert np.array_equal(read_audio(io.BytesIO(data)), whole)
    assert np.array_equal(np.concatenate(list(file_blocks(tmp_path / "a.wav", RATE))), whole)  # as on a device
    (tmp_path / "a.wav").write_bytes(data[:44])
    assert len(read_audio(tmp_path / "a.wav")) == 0
