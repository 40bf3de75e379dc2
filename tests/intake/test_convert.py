"""Audio of all kinds becomes one channel at 16 kHz, once."""

from __future__ import annotations

import io
import shutil
import struct
from pathlib import Path

import numpy as np
import soundfile
from tests.intake.sounds import pitch_of, tone

from understudy.corpus.audio import read_audio
from understudy.intake.convert import Converter, make_ready
from understudy.intake.piece import Sound
from understudy.parallel.workers import Workers


def of(path: Path, **more) -> Sound:
    return Sound(str(path), **more)


def converted(folder: Path, sounds: dict[str, Sound]) -> tuple[dict, list[str]]:
    """What is ready, and what was said of faults."""
    faults: list[str] = []
    with Workers(1) as workers:
        return make_ready(
            sounds, folder / "copies", workers, lambda kind, said: faults.append(f"{kind}: {said}")
        ), faults


def test_what_is_as_it_should_be_stays_in_place(tmp_path: Path):
    sounds = {path.name: of(path) for path in (tone(tmp_path / "a.wav"), tone(tmp_path / "b.flac"))}
    ready, faults = converted(tmp_path, sounds)
    assert [(heard.path, heard.num_samples, heard.why) for heard in ready.values()] == [
        (tmp_path / "a.wav", 8000, ""), (tmp_path / "b.flac", 8000, "")]  # fmt: skip
    assert not faults and not (tmp_path / "copies").exists()


def test_rates_channels_formats_commands_and_archives(tmp_path: Path, caplog):
    low = tone(tmp_path / "low.wav", 1.0, 8000)
    stereo = tone(tmp_path / "stereo.wav", 1.0, 16000, (440.0, 660.0))
    packed = [low.read_bytes(), stereo.read_bytes()]
    (tmp_path / "all.ark").write_bytes(b"first " + packed[0] + b"second " + packed[1])
    streamed = tmp_path / "streamed.wav"
    data = bytearray(tone(tmp_path / "whole.wav", 1.0).read_bytes())
    data[40:44] = bytes(4)
    streamed.write_bytes(data)
    sounds = {
        "low": of(low), "left": of(stereo, channel=0), "right": of(stereo, channel=1),
        "mp3": of(tone(tmp_path / "c.mp3", 1.0)), "streamed": of(streamed),
        "command": Sound("cat stereo.wav", "command", 1, tmp_path),
        "archive": Sound(f"{tmp_path / 'all.ark'}:{6 + len(packed[0]) + 7}", "archive", 1),
    }  # fmt: skip
    with caplog.at_level("INFO"):
        ready, faults = converted(tmp_path, sounds)
    assert not faults
    pitches = {name: round(pitch_of(heard.path)) for name, heard in ready.items()}
    assert pitches == {
        "low": 440,
        "left": 440,
        "right": 660,
        "mp3": 440,
        "streamed": 440,
        "command": 660,
        "archive": 660,
    }
    assert {heard.num_samples for name, heard in ready.items() if name != "mp3"} == {16000}
    assert np.abs(read_audio(ready["low"].path) - read_audio(low)).max() < 2 / 32768  # rounded to 16 bits
    assert "7 recordings, of which 7 were converted to 16 kHz, one channel; 2 of 2 channels at 16000 Hz" in caplog.text


def test_a_copy_is_made_once_and_anew_of_another_file(tmp_path: Path):
    low = tone(tmp_path / "s 1/low.wav", 1.0, 8000)
    first = Converter(tmp_path / "copies").heard("s 1/low", of(low))
    assert first.path.name.startswith("s_1_low-") and first.path.parent == tmp_path / "copies"
    stamp = first.path.stat().st_mtime_ns
    assert Converter(tmp_path / "copies").heard("s 1/low", of(low)) == first
    assert first.path.stat().st_mtime_ns == stamp
    tone(low, 1.0, 8000, (660.0,))
    second = Converter(tmp_path / "copies").heard("s 1/low", of(low))
    assert second.path != first.path and round(pitch_of(second.path)) == 660


def test_faults_are_sentences_with_their_line(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    (tmp_path / "feats.ark").write_bytes(b"u1 \0BFM ")
    stereo = tone(tmp_path / "s.wav", 0.2, 16000, (440.0, 660.0))
    loud = tmp_path / "loud.wav"
    soundfile.write(loud, 9000 * np.ones(800), 8000, subtype="FLOAT")
    sounds = {
        "gone": of(tmp_path / "gone.wav", where="wav.scp, line 3"),
        "folder": of(tmp_path),
        "m4a": of(tmp_path / "a.m4a"),
        "stereo": of(stereo),
        "loud": of(loud),
        "command": Sound("echo broken >&2; exit 3", "command", folder=tmp_path, where="wav.scp, line 4"),
        "nothing": Sound("true", "command", folder=tmp_path),
        "matrix": Sound(f"{tmp_path / 'feats.ark'}:3", "archive"),
        "well": of(tone(tmp_path / "well.wav")),
    }
    ready, faults = converted(tmp_path, sounds)
    assert list(ready) == ["well"] and not list((tmp_path / "copies").glob("*"))
    for fault, said in zip(faults, [
        f"wav.scp, line 3: {tmp_path / 'gone.wav'}: no such audio file", "must be a file that you may read",
        "ffmpeg, which might, is not installed",
        "2 channels. Say which one to hear: --channel 0 to 1", "where ±1 is the limit",
        "wav.scp, line 4: echo broken >&2; exit 3: sh ended with status 3: broken", "sh wrote no audio",
        "no WAV begins there",
    ], strict=True):  # fmt: skip
        assert said in fault and fault.startswith("audio cannot be read: ")


def test_ffmpeg_reads_what_libsndfile_does_not(tmp_path: Path, monkeypatch):
    """A stand-in for it writes what it writes: WAV whose length nobody knows."""
    tool = tmp_path / "bin/ffmpeg"
    tool.parent.mkdir()
    with io.BytesIO() as file:
        soundfile.write(
            file, 0.3 * np.sin(np.arange(8000) * 2 * np.pi * 440 / 8000), 8000, format="WAV", subtype="PCM_16"
        )
        data = bytearray(file.getvalue())
    data[40:44] = struct.pack("<I", 0xFFFFFFFF)
    (tmp_path / "out.wav").write_bytes(data)
    tool.write_text(f'#!/bin/sh\n[ "$4" = "{tmp_path}/a.m4a" ] && exec cat "{tmp_path}/out.wav"\nexit 1\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    ready, faults = converted(tmp_path, {"a": of(tmp_path / "a.m4a")})
    assert not faults and ready["a"].why == "m4a by ffmpeg"
    assert ready["a"].num_samples == 16000 and round(pitch_of(ready["a"].path)) == 440


def test_lengths_that_are_said_wrongly_are_told(tmp_path: Path, caplog):
    converted(
        tmp_path, {"a": of(tone(tmp_path / "a.wav", 1.0), seconds=1.05), "b": of(tone(tmp_path / "b.wav"), seconds=2.0)}
    )
    assert "1 recordings are longer or shorter than the corpus says, by more than 0.1 s: b;" in caplog.text
