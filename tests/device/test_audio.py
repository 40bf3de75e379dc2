"""Audio as a device gets it: files and standard input are read alike, and what is wrong with them is said."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from understudy.device.audio import Recording, file_blocks, stream_blocks
from understudy.device.errors import DeviceError

RATE = 16000
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(5600) / RATE)).astype(np.float32)
OTHER = TONE[::-1].copy()


def wav(path: Path, samples: np.ndarray = TONE, rate: int = RATE, subtype: str = "PCM_16", form: str = "WAV") -> bytes:
    soundfile.write(path, samples, rate, subtype=subtype, format=form)
    return path.read_bytes()


@pytest.fixture(params=["file", "stream"])
def heard(request: pytest.FixtureRequest, tmp_path: Path):
    """Hears bytes as a file, or as what comes through a pipe, which cannot be rewound. Returns the samples."""

    def file(data: bytes, channel: int | None = None) -> np.ndarray:
        (tmp_path / "heard it.wav").write_bytes(data)
        return np.concatenate([np.zeros(0), *file_blocks(tmp_path / "heard it.wav", RATE, channel)])

    def stream(data: bytes, channel: int | None = None) -> np.ndarray:
        with piped(data) as pipe:
            return np.concatenate([np.zeros(0), *stream_blocks(pipe.stdout, RATE, channel)])

    return file if request.param == "file" else stream


def piped(data: bytes) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(data)
    process.stdin.close()
    return process


def near(samples: np.ndarray, expected: np.ndarray) -> bool:
    return samples.shape == expected.shape and bool(np.abs(samples - expected).max() < 1 / 32000)


def test_a_channel_is_chosen_or_asked_for(heard, tmp_path: Path) -> None:
    data = wav(tmp_path / "two.wav", np.stack([TONE, OTHER], 1))
    assert near(heard(data, 0), TONE) and near(heard(data, 1), OTHER)
    with pytest.raises(DeviceError, match=r"2 channels\. Say which one to hear: --channel 0 to 1"):
        heard(data)
    with pytest.raises(DeviceError, match="has channels 0 to 1, not 2"):
        heard(data, 2)


def test_what_follows_the_samples_is_no_audio(heard, tmp_path: Path) -> None:
    notes = b"LIST" + struct.pack("<I", 4000) + 1000 * b"note"
    plain = wav(tmp_path / "plain.wav")
    assert near(heard(plain + notes), TONE)
    assert near(heard(plain[:12] + notes[:4] + b"\x03\0\0\0abc\0" + plain[12:]), TONE)  # nor what comes before them


def test_audio_that_is_cut_off_is_heard_to_there_and_said(heard, tmp_path: Path) -> None:
    data = wav(tmp_path / "whole.wav")
    with pytest.raises(DeviceError, match=r"cut off, 2478 of 5600 samples\. What was there has been heard"):
        heard(data[:5001])
    for length in (20, 30, 43):
        with pytest.raises(DeviceError, match="cut off within its header"):
            heard(data[:length])


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_length_that_the_writer_could_not_know_is_none(heard, tmp_path: Path, length: int) -> None:
    data, told = wav(tmp_path / "whole.wav"), struct.pack("<I", length)
    assert near(heard(data[:4] + told + data[8:40] + told + data[44:]), TONE)
    assert near(heard(data[:40] + told + data[44:]), TONE)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_an_extensible_header_is_read(heard, tmp_path: Path, subtype: str) -> None:
    data = wav(tmp_path / "extensible.wav", subtype=subtype, form="WAVEX")
    assert data[20:22] == b"\xfe\xff"
    if subtype == "PCM_16":
        assert near(heard(data), TONE)
    else:
        with pytest.raises(DeviceError, match="32 bits a sample in floating point"):
            heard(data)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"rate": 8000}, "8000 Hz, 1 channels, 16 bits a sample; the network hears 16000 Hz, 16 bits. Convert it: sox"),
        ({"subtype": "PCM_24"}, "16000 Hz, 1 channels, 24 bits a sample; .* sox"),
        ({"subtype": "FLOAT"}, "16000 Hz, 1 channels, 32 bits a sample in floating point; .* sox"),
        ({"subtype": "ULAW"}, "16000 Hz, 1 channels, 8 bits a sample of kind 7; .* sox"),
        ({"form": "FLAC"}, "FLAC, not WAV audio. Convert it: ffmpeg -i"),
        ({"form": "OGG", "subtype": "VORBIS"}, "Ogg, not WAV audio. Convert it: ffmpeg -i"),
        ({"form": "RF64"}, "RF64, not WAV audio. Convert it: ffmpeg -i"),
        ({"form": "AIFF"}, "AIFF, not WAV audio. Convert it: ffmpeg -i"),
    ],
)
def test_audio_of_another_kind_is_refused_with_what_converts_it(heard, tmp_path: Path, how: dict, said: str) -> None:
    with pytest.raises(DeviceError, match=said) as error:
        heard(wav(tmp_path / "strange", **how))
    assert "'" + str(tmp_path / "heard it.wav") + "'" in str(error.value) or " - " in str(error.value)


def test_more_that_is_no_wav_audio(heard) -> None:
    form, none = b"fmt \x10\0\0\0\x01\0" + bytes(14), b"data\x04\0\0\0" + bytes(4)
    for data, said in (
        (b"ID3\x03" + bytes(4000), "MP3, not WAV audio. Convert it: ffmpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(40), "not WAV audio, though it begins as such"),
        (b"RIFF\x10\0\0\0WAVE" + none, "damaged: its header does not tell what its samples are"),
        (b"RIFF\x10\0\0\0WAVE" + form + none, "damaged: .* 0 channels"),
    ):
        with pytest.raises(DeviceError, match=said):
            heard(data)


def test_a_file_of_nothing_or_of_anything(tmp_path: Path) -> None:
    for data, said in (
        (b"", "cut off within its header"), (b"RIF", "cut off within"), (b"a letter home", "not WAV audio. Convert it"),
    ):  # fmt: skip
        (tmp_path / "a.wav").write_bytes(data)
        with pytest.raises(DeviceError, match=said):
            list(file_blocks(tmp_path / "a.wav", RATE))


def test_a_stream_without_a_header_has_one_channel(tmp_path: Path) -> None:
    data = (TONE * 32768).astype("<i2").tobytes()
    for length in (0, 1, 2, 11, 12, 13, 3200, 3201, len(data)):
        got = np.concatenate([np.zeros(0), *stream_blocks(io.BytesIO(data[:length]), RATE)])
        assert len(got) == length // 2 and (length < 2 or near(got, TONE[: length // 2]))
    with pytest.raises(DeviceError, match="without a WAV header it has channel 0 alone, not 1"):
        list(stream_blocks(io.BytesIO(data), RATE, 1))


@pytest.mark.parametrize("header", [True, False])
def test_a_stream_is_read_in_blocks(tmp_path: Path, header: bool) -> None:
    with piped(wav(tmp_path / "a.wav")[0 if header else 44 :]) as pipe:
        assert [len(block) for block in stream_blocks(pipe.stdout, RATE)] == [1600, 1600, 1600, 800]


def test_what_is_wrong_is_told_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    def blocks(count: int) -> Iterator[np.ndarray]:
        for _ in range(count):
            yield np.ones(10, np.float32)
        raise DeviceError("cut off")

    recording = Recording("it", blocks(3))
    assert len(list(recording)) == 3
    with pytest.raises(DeviceError, match="cut off"):
        recording.close()
    assert "it: 100.0 % of the samples are at the limit: clipped" in capsys.readouterr().err
    with pytest.raises(DeviceError, match="cut off"):
        list(Recording("it", blocks(0)))  # nothing could be heard
