"""Audio of any kind as recipes want it: one channel, 16 kHz, in a file that can be read from anywhere in it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from understudy.corpus.audio import SAMPLE_RATE, audio_blocks, open_audio, tells_no_length
from understudy.intake.piece import Sound
from understudy.parallel.workers import Workers
from understudy.step import UserError, atomic_path, few, log

_IN_PLACE = ("WAV", "WAVEX", "FLAC")
"""Formats that are exact, and may be read from anywhere in them at no cost"""
_UNSAFE = re.compile(r"[^\w.-]+")
"""Of a name, what a file's is better without"""
_SHARD = 50
"""recordings that a process gets at once"""
_OTHERWISE = 0.1
"""Seconds by which a corpus may be wrong about a recording before that is told"""


class Heard(NamedTuple):
    """Audio that is ready."""

    path: Path
    num_samples: int
    why: str
    """it was converted; empty: it was as it should be"""


@dataclass(frozen=True)
class Converter:
    """Makes audio ready, once: a copy goes by the name of its recording and by what it was made of."""

    folder: Path
    """of copies"""

    def __call__(self, some: list[tuple[str, Sound]]) -> list[Heard | str]:
        """Audio that is ready, of recordings' names and sounds; a sentence where there is a fault."""
        return [self._tried(name, sound) for name, sound in some]

    def _tried(self, name: str, sound: Sound) -> Heard | str:
        try:
            return self.heard(name, sound)
        except UserError as error:
            return str(error)

    def heard(self, name: str, sound: Sound) -> Heard:
        """The file itself where it is as it should be, else a copy: FLAC with 16 bits.

        Raises:
            UserError: it is not there, or cannot be read.
        """
        why = _why(sound)
        if not why:
            return Heard(Path(sound.source), soundfile.info(sound.source).frames, "")
        copy = self.folder / f"{safe_name(name)}-{_made_of(sound)}.flac"
        if not copy.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with _opened(sound) as audio, atomic_path(copy) as partial:
                _write(partial, audio_blocks(audio, sound.channel, _told(sound)))
        return Heard(copy, soundfile.info(copy).frames, why)


def make_ready(
    sounds: dict[str, Sound], folder: Path, workers: Workers, fault: Callable[[str, str], None]
) -> dict[str, Heard]:
    """Audio of all recordings, by their names; what was converted is counted and said, by what it was.

    Args:
        folder: of copies; those that are there already are not made again.
        fault: told of the recordings that cannot be read: a few words to count by, and a sentence.
    """
    ready: dict[str, Heard] = {}
    items, convert = iter(sounds.items()), Converter(folder)
    shards = iter(lambda: list(islice(items, _SHARD)), [])
    # Processes take seconds to begin, which so few are not worth.
    few = len(sounds) <= _SHARD
    done = map(convert, shards) if few else workers.map(convert, shards, f"recordings, {_SHARD} at a time")
    for name, heard in zip(sounds, chain.from_iterable(done)):
        if isinstance(heard, str):
            fault("audio cannot be read", heard)
            continue
        ready[name] = heard
    counts = Counter(heard.why for heard in ready.values() if heard.why)
    kinds = "".join(f"; {number} of {why}" for why, number in counts.most_common())
    log.info("audio: %d recordings, of which %d were converted to 16 kHz, one channel%s", len(ready),
             counts.total(), kinds)  # fmt: skip
    _tell_of_lengths(sounds, ready)
    return ready


def safe_name(name: str) -> str:
    """A name as a file may have it."""
    return _UNSAFE.sub("_", name)


def _tell_of_lengths(sounds: dict[str, Sound], ready: dict[str, Heard]) -> None:
    """Where the corpus says another length than there is."""
    off = [
        name
        for name, heard in ready.items()
        if (said := sounds[name].seconds) is not None and abs(said - heard.num_samples / SAMPLE_RATE) > _OTHERWISE
    ]
    if off:
        log.warning("%d recordings are longer or shorter than the corpus says, by more than %g s: %s; what there is "
                    "counts", len(off), _OTHERWISE, few(off))  # fmt: skip


def _why(sound: Sound) -> str:
    """What is converted of it, in words that others share; empty: it is as it should be."""
    if sound.kind != "file":
        return {"command": "commands", "archive": "archives"}[sound.kind]
    path = Path(sound.source)
    if not path.exists():
        raise UserError(f"{_told(sound)}: no such audio file. Is the corpus whole?")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise UserError(f"{_told(sound)}: must be a file that you may read, and is not.")
    if tells_no_length(path):
        return "WAV without its length"
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return f"{path.suffix.lower().strip('.') or 'unknown'} by ffmpeg"
    if info.format not in _IN_PLACE:
        return f"{info.format} at {info.samplerate} Hz"
    if info.channels != 1 or sound.channel:
        return f"{info.channels} channels at {info.samplerate} Hz"
    return "" if info.samplerate == SAMPLE_RATE else f"{info.samplerate} Hz"


def _made_of(sound: Sound) -> str:
    """A digest of what a copy is made of: another name, file behind it, or channel makes another copy."""
    path = Path(sound.source.rpartition(":")[0] if sound.kind == "archive" else sound.source)
    stat = path.stat() if sound.kind != "command" and path.exists() else None
    facts = (sound.source, sound.channel, str(sound.folder), stat and (stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


@contextmanager
def _opened(sound: Sound) -> Iterator[Path | BinaryIO]:
    if sound.kind == "archive":
        yield _within(sound)
    elif sound.kind == "command":
        with _output(["/bin/sh", "-c", sound.source], sound) as audio:
            yield audio
    elif _is_readable(path := Path(sound.source)):
        yield path
    elif shutil.which("ffmpeg"):
        with _output(["ffmpeg", "-v", "error", "-i", str(path), "-vn", "-f", "wav", "-"], sound) as audio:
            yield audio
    else:
        raise UserError(
            f"{_told(sound)}: libsndfile does not read this format, and ffmpeg, which might, is not installed. Install "
            "it, or convert the files to WAV or FLAC; an audio file that others of its kind play is damaged otherwise."
        )


def _is_readable(path: Path) -> bool:
    try:
        with open_audio(path):
            return True
    except soundfile.LibsndfileError:
        return False


def _within(sound: Sound) -> io.BytesIO:
    """WAV that begins at a byte of an archive of Kaldi's, which packs it as it is.

    Raises:
        UserError: no WAV begins there.
    """
    name, _, offset = sound.source.rpartition(":")
    try:
        with open(name, "rb") as archive:
            archive.seek(int(offset))
            head = archive.read(8)
            size = int.from_bytes(head[4:], "little")
            if head[:4] != b"RIFF":
                way = "Matrices of features are no audio; audio packed otherwise is copied out by Kaldi's wav-copy."
                raise UserError(f"{_told(sound)}: no WAV begins there. {way}")
            return io.BytesIO(head + archive.read(size))
    except OSError as error:
        raise UserError(f"{_told(sound)}: cannot be read ({error.strerror}).") from None


@contextmanager
def _output(command: list[str], sound: Sound) -> Iterator[BinaryIO]:
    """What a command writes, on disk, since hours of it need not fit into memory. Raises UserError where it fails."""
    with TemporaryFile() as audio:
        done = subprocess.run(command, stdout=audio, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              cwd=sound.folder, check=False)  # fmt: skip
        if done.returncode or not audio.seek(0, os.SEEK_END):
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
            status = f"ended with status {done.returncode}" if done.returncode else "wrote no audio"
            raise UserError(f"{_told(sound)}: {Path(command[0]).name} {status}: {said[0]}")
        audio.seek(0)
        yield audio


def _write(path: Path, blocks: Iterable[np.ndarray]) -> None:
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, subtype="PCM_16", format="FLAC") as file:
        for block in blocks:
            file.write(np.clip(block, -1, 1))


def _told(sound: Sound) -> str:
    """As errors call it: the line that names it, and what it names."""
    return sound.source if sound.where in ("", sound.source) else f"{sound.where}: {sound.source}"
