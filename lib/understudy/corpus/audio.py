"""Audio files of any kind that people have: found, opened, and read as one channel at 16 kHz."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from math import ceil, gcd
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import soundfile

from understudy.corpus.levels import on_another_scale
from understudy.corpus.rate import SAMPLE_RATE
from understudy.device.errors import DeviceError
from understudy.device.wav import OPENING, is_wav, read_header
from understudy.step import UserError, few, log

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3", ".mpga", ".sph", ".aif", ".aiff", ".au", ".caf", ".w64", ".rf64")
"""Of files in a folder that are taken for audio: what libsndfile reads and people have"""
_BLOCK = 1 << 20


def audio_files(paths: list[Path], also: tuple[str, ...] = (), beside: tuple[str, ...] = ()) -> list[Path]:
    """The files themselves, and those with a suffix of audio below the folders, sorted. What is passed over is logged.

    Args:
        also: further suffixes of audio.
        beside: suffixes of what belongs to audio, and is not told.

    Raises:
        UserError: a path that is not there, or a folder without audio.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file or folder")
        inside = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        found = [p for p in inside if p == path or p.suffix.lower() in (*SUFFIXES, *also)]
        known = {*found, *(p for p in inside if p.suffix in beside)}
        if others := [str(p.relative_to(path)) for p in inside if p not in known]:
            why = "passed over, since their names do not end as audio's do"
            log.warning("%s: %s: %s (%d in all)", path, why, few(others), len(others))
        if not found:
            raise UserError(f"{path}: no audio below it ({', '.join(SUFFIXES)})")
        files += found
    return files


def tell_of_low_rates(files: list[Path]) -> None:
    """Warn of files that are resampled from less than 16 kHz: half of what models have learnt from is not in them."""
    low = {}
    for path in files:
        with suppress(OSError, soundfile.LibsndfileError), open_audio(path) as file:  # faults are told when it is read
            if file.samplerate < SAMPLE_RATE:
                low[path] = file.samplerate
    if low:
        first = next(iter(low))
        log.warning(
            "%d of %d files have less than %d Hz, such as %s (%d Hz): they have nothing above half their rate, and "
            "what was learnt from speech that has may hear them worse",
            len(low), len(files), SAMPLE_RATE, first, low[first],
        )  # fmt: skip


def unique_names(files: list[Path]) -> list[str]:
    """A name of each file without white space: of those that tell all of them apart, the shortest kind.

    They are the names without folder and suffix, those without suffix, and the whole paths.

    Raises:
        UserError: a file stands there twice.
    """
    for kind in (lambda path: path.stem, lambda path: str(path.with_suffix("")), str):
        names = ["_".join(kind(path).split()) for path in files]
        if len(set(names)) == len(names):
            return names
    twice = next(path for number, path in enumerate(files) if path in files[:number])
    raise UserError(f"{twice}: it is named twice. Name every file once, by itself or by its folder.")


def read_audio(audio: Path | BinaryIO, channel: int | None = None) -> np.ndarray:
    """Samples of a file, (length,) float32 in ±1, resampled to 16 kHz. Raises UserError as `audio_blocks`."""
    return np.concatenate([np.zeros(0, np.float32), *audio_blocks(audio, channel)])


def audio_blocks(audio: Path | BinaryIO, channel: int | None = None, name: str = "") -> Iterator[np.ndarray]:
    """The same in blocks, (length,) float32 each, so that hours of audio need not fit into memory.

    Args:
        channel: the one to hear.
        name: what the audio is called in errors; its path where none is given.

    Raises:
        UserError: it cannot be read, or has several channels and none is chosen.
    """
    name = name or str(audio)
    try:
        with open_audio(audio) as file:
            blocks = _mono(name, file, _channel(name, file.channels, channel))
            yield from blocks if file.samplerate == SAMPLE_RATE else resampled(blocks, file.samplerate)
    except (OSError, soundfile.LibsndfileError) as error:
        raise UserError(f"{name}: cannot be read as audio ({error})") from None


@contextmanager
def open_audio(audio: Path | BinaryIO) -> Iterator[soundfile.SoundFile]:
    """Audio, opened; WAV that was written to a pipe, whose header tells of no samples, to the end of what there is.

    Raises:
        OSError, soundfile.LibsndfileError: it is not there, or not audio.
    """
    with audio.open("rb") if isinstance(audio, Path) else nullcontext(audio) as raw:
        place = _place_of_no_length(raw)
        with soundfile.SoundFile(raw if place is None else _WithLength(raw, place)) as file:
            yield file


def tells_no_length(path: Path) -> bool:
    """Whether it is WAV whose header tells of no samples, though some follow: so write those that write to a pipe."""
    try:
        with path.open("rb") as raw:
            return _place_of_no_length(raw) is not None
    except OSError:
        return False


def _place_of_no_length(raw: BinaryIO) -> int | None:
    """Where the header of WAV says how many bytes of samples follow, if it says none and there are some; rewinds."""
    place = None
    try:
        opening = raw.read(OPENING)
        if opening[:4] == b"RIFF" and is_wav(opening) and read_header(raw, opening, "").frames is None:
            place = raw.tell() - 4
            raw.seek(place)
            if raw.read(4) != bytes(4) or not raw.read(1):  # libsndfile knows the other ways to say that nobody knows
                place = None
    except DeviceError:  # damaged: the library says how
        pass
    raw.seek(0)
    return place


class _WithLength(io.RawIOBase):
    """A file of which four bytes read as the largest number."""

    def __init__(self, raw: BinaryIO, place: int) -> None:
        self._raw, self._place = raw, place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As that of any file."""
        into, begin = memoryview(buffer).cast("B"), self._raw.tell()
        data = bytearray(self._raw.read(len(into)))
        for at in range(max(self._place, begin), min(self._place + 4, begin + len(data))):
            data[at - begin] = 0xFF
        into[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As that of any file."""
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        """As that of any file."""
        return self._raw.tell()


def _channel(name: str, channels: int, channel: int | None) -> int:
    """The one to hear. Raises UserError where it is not there, or none is chosen of several."""
    if channel is None and channels > 1:
        raise UserError(f"{name}: {channels} channels. Say which one to hear: --channel 0 to {channels - 1}.")
    if not 0 <= (channel or 0) < channels:
        raise UserError(f"{name}: has channels 0 to {channels - 1}, not {channel}")
    return channel or 0


def _mono(name: str, file: soundfile.SoundFile, channel: int) -> Iterator[np.ndarray]:
    """Its samples in blocks, so that hours of several channels at a high rate need not fit into memory."""
    for block in file.blocks(_BLOCK, dtype="float32", always_2d=True):
        if not np.isfinite(block).all():
            raise UserError(f"{name}: holds samples that are not numbers")
        if loud := on_another_scale(block):
            raise UserError(f"{name}: {loud}")
        yield np.ascontiguousarray(block[:, channel])


def resampled(blocks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """The blocks of a signal at another rate, float32, at 16 kHz: what the library makes of the whole signal at once.

    Each stretch is resampled with so much of its past and its future that its own samples do not see where it ends.
    """
    common = gcd(rate, SAMPLE_RATE)
    old, new = rate // common, SAMPLE_RATE // common
    around = old * (2 + ceil(8 / min(old, new)))  # more than the filter spans (six zeros of a sinc), in whole periods
    held, past = np.zeros(0, np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        ready = (len(held) - around) // old * old
        if ready - past < around:
            continue
        yield _resample(held[: ready + around], rate)[past // old * new : ready // old * new]
        held, past = held[ready - around :], around
    if len(held):
        yield _resample(held, rate)[past // old * new :]


def _resample(samples: np.ndarray, rate: int) -> np.ndarray:
    import torch  # most files have the right rate
    from lhotse.augmentation.resample import resample

    return resample(torch.from_numpy(samples), rate, SAMPLE_RATE).numpy()
