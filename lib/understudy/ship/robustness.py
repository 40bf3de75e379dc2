"""Robustness of a shipped student: a set in several acoustic conditions, and sounds in which nobody says a word."""

from __future__ import annotations

import json
import re
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial, reduce
from pathlib import Path

import numpy as np
import soundfile
import torch
from lhotse.augmentation.resample import resample
from lhotse.cut import Cut

from understudy.corpus.subset import speaker_of
from understudy.features import distortions, sounds
from understudy.features.extract import load_samples
from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import unit
from understudy.score.normalise import Way
from understudy.ship.footprint import Footprint, measure, run_alone
from understudy.step import UserError, read_json, write_json

RECORDED = "as recorded"
GAINS = (-30, -20, -10, 10)  # dB
SNRS = (20, 10, 5)  # dB
LEVELS = (-20, -40)  # of sounds, dBFS: 0 is the power of samples that are all 1
QUIET = -70  # dBFS, of a microphone in silence
TALKERS = 6  # in babble behind speech
CROWD = 8  # in babble alone


@dataclass(frozen=True)
class Condition:
    """An acoustic condition of speech."""

    name: str
    group: str
    """name of the group of conditions that belong together"""
    alter: Callable[[Cut, np.ndarray], np.ndarray] = field(repr=False)
    """function from a cut's samples, (length,) float32 in ±1, to as many; depends on the cut alone"""

    def hear(self, folder: Path, manifest: Path, kept: Path, shard_size: int, ways: Sequence[Way] = ()) -> Footprint:
        """Recognise a manifest's audio as a 16-bit microphone would send it; see `footprint.measure`."""
        altered = partial(_sent, self.alter)
        return measure(folder, manifest, kept / slug(self.name), shard_size, ways, altered)


class Talkers:
    """Speech that serves as babble, by speaker."""

    def __init__(self, cuts: Iterable[Cut], seed: int) -> None:
        """Take cuts with audio.

        Raises:
            UserError: there are no cuts.
        """
        self._of: dict[str, list[Cut]] = defaultdict(list)
        for cut in cuts:
            self._of[speaker_of(cut)].append(cut)
        if not self._of:
            raise UserError("no cuts to make babble of")
        self._seed = seed

    def behind(self, cut: Cut, length: int) -> np.ndarray:
        """Return `TALKERS` other speakers at once, or all there are, equally loud: (length,) float32 at power 1."""
        rng = draw(self._seed, "babble", cut.id)
        others = [name for name in self._of if name != speaker_of(cut)] or list(self._of)
        chosen = [others[i] for i in rng.permutation(len(others))[:TALKERS]]
        return unit(reduce(np.add, (unit(self._talk(name, length, rng, cut.id)) for name in chosen)))

    def backwards(self, length: int, rng: np.random.Generator) -> np.ndarray:
        """Return `CROWD` talkers played backwards, without words of any language: (length,) float32 at power 1.

        Where there are fewer speakers, some are there several times at once, with other utterances.
        """
        names = list(self._of)
        order = [names[i] for i in rng.permutation(len(names))]
        chosen = [order[i % len(order)] for i in range(CROWD)]
        return unit(reduce(np.add, (unit(self._talk(name, length, rng)) for name in chosen)))[::-1].copy()

    def _talk(self, name: str, length: int, rng: np.random.Generator, but: str = "") -> np.ndarray:
        """Return one speaker's utterances, one after another, from a random place on; not the cut of the id `but`."""
        cuts = [cut for cut in self._of[name] if cut.id != but] or self._of[name]
        at, pieces, left = int(rng.integers(len(cuts))), [], length
        skipped = int(rng.integers(cuts[at].num_samples))
        while left > 0:
            samples = load_samples(cuts[at % len(cuts)])[skipped:][:left]
            pieces.append(samples)
            left, at, skipped = left - len(samples), at + 1, 0
        return np.concatenate(pieces)


def slug(name: str) -> str:
    """Return the file name for the name of a condition."""
    signed = re.sub(r"-(?=\d)", "minus ", name.lower().replace("+", "plus "))
    return re.sub(r"[^a-z0-9]+", "-", signed).strip("-")


def draw(seed: int, *names: str) -> np.random.Generator:
    """Return a random generator that depends on the seed and some names alone."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def conditions(talkers: Talkers, rooms: np.ndarray, seed: int) -> list[Condition]:
    """Return all conditions that can be made here (see `left_out`), the first as recorded.

    Noise is the same at all ratios, so that only its level differs from one of them to the next.

    Args:
        rooms: (rooms, taps) float32, from `rooms.make_rooms`.
    """
    made = [Condition(RECORDED, "", lambda _, samples: samples)]
    for db in GAINS:
        name = f"{abs(db)} dB {'louder' if db > 0 else 'softer'}"
        made.append(Condition(name, "level", partial(_louder, db)))
    for kind, noise in _noises(talkers, seed).items():
        for snr in SNRS:
            made.append(Condition(f"{kind}, {snr} dB SNR", "noise", partial(_in_noise, noise, snr)))
    made.append(Condition("in a room", "room", partial(_in_room, rooms, seed)))
    for name, change in _channels().items():
        made.append(Condition(name, "channel", partial(_changed, change)))
    return made


def left_out() -> dict[str, str]:
    """Return the conditions that cannot be made here, and why."""
    why = distortions.no_opus()
    return {_OPUS: why} if why else {}


_OPUS = f"Opus, {distortions.OPUS_KBITS} kbit/s"


def _channels() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    found: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "telephone band": distortions.telephone, "low-passed at 3.8 kHz": distortions.low_passed,
        "tilt of +6 dB": partial(distortions.tilted, db=6), "tilt of -6 dB": partial(distortions.tilted, db=-6),
        "difference of samples": distortions.differenced, _OPUS: distortions.opus,
    }  # fmt: skip
    return {name: change for name, change in found.items() if name not in left_out()}


Noise = Callable[[Cut, int], np.ndarray]
"""function that returns noise for a cut: so many samples at power 1"""


def _noises(talkers: Talkers, seed: int) -> dict[str, Noise]:
    return {
        "white noise": lambda cut, length: sounds.white(length, draw(seed, "white", cut.id)),
        "pink noise": lambda cut, length: sounds.pink(length, draw(seed, "pink", cut.id)),
        "babble": talkers.behind,
    }


def _louder(db: float, _: Cut, samples: np.ndarray) -> np.ndarray:
    return samples * distortions.decibels(db)


def _changed(change: Callable[[np.ndarray], np.ndarray], _: Cut, samples: np.ndarray) -> np.ndarray:
    return change(samples)


def _in_noise(noise: Noise, snr_db: float, cut: Cut, samples: np.ndarray) -> np.ndarray:
    return distortions.in_noise(samples, noise(cut, len(samples)), snr_db)


def _in_room(rooms: np.ndarray, seed: int, cut: Cut, samples: np.ndarray) -> np.ndarray:
    return distortions.in_room(samples, rooms[draw(seed, "room", cut.id).integers(len(rooms))])


def _sent(alter: Callable[[Cut, np.ndarray], np.ndarray], cut: Cut, samples: np.ndarray) -> np.ndarray:
    return distortions.quantised(alter(cut, samples))


@dataclass(frozen=True)
class Nothing:
    """A sound in which nobody says a word."""

    name: str
    make: Callable[[], np.ndarray] = field(repr=False)
    """function that makes the sound, (length,) float32 in ±1"""

    def hear(self, folder: Path, kept: Path) -> FalseWords:
        """Recognise the sound as a stream that pauses divide, by the folder's own command with its defaults.

        Args:
            kept: folder of the results. A sound whose result is there is not recognised again.

        Raises:
            UserError: the run-time fails.
        """
        path = kept / f"{slug(self.name)}.json"
        if not path.exists():
            write_json(path, asdict(_listen(folder, distortions.quantised(self.make()))))
        return FalseWords(**read_json(path))


@dataclass(frozen=True)
class FalseWords:
    """The words recognised in a sound without any."""

    texts: list[str]
    """text of each utterance with words"""
    seconds: float
    lost: int
    """utterances in which the search found no path"""

    @property
    def words(self) -> int:
        """Number of false words."""
        return sum(len(text.split()) for text in self.texts)

    @property
    def a_minute(self) -> float:
        """False words a minute."""
        return 60 * self.words / self.seconds


def _listen(folder: Path, samples: np.ndarray) -> FalseWords:
    with tempfile.TemporaryDirectory(prefix="understudy-") as scratch:
        audio = Path(scratch) / "sound.wav"
        soundfile.write(audio, samples, SAMPLE_RATE, subtype="PCM_16")
        told = run_alone(folder, "__main__", str(audio), "--device", str(folder), "--format", "json")
    ends = [event for event in map(json.loads, told.splitlines()) if event["final"]]
    texts = [event["text"] for event in ends if event["text"]]
    return FalseWords(texts, len(samples) / SAMPLE_RATE, sum(event["empty"] for event in ends))


def nothings(talkers: Talkers, minutes: float, audio: Path | None, seed: int) -> list[Nothing]:
    """Return sounds of so many minutes and the WAV files of a folder, each loud and soft, and then silence.

    Raises:
        UserError: the folder has no WAV file, or two of one name.
    """
    length = round(60 * minutes * SAMPLE_RATE)
    kinds: dict[str, sounds.Sound] = {
        "white noise": sounds.white, "pink noise": sounds.pink, "hum of 50 Hz": partial(sounds.hum, hz=50.0),
        "hum of 60 Hz": partial(sounds.hum, hz=60.0), "beeps": sounds.beeps, "a tune with drums": sounds.tune,
        "babble played backwards": talkers.backwards,
    }  # fmt: skip
    made = {name: partial(_drawn, kind, length, seed, name) for name, kind in kinds.items()}
    if audio:
        made |= {path.stem: partial(_read, path) for path in _wavs(audio)}
    found = [Nothing(f"{name}, {db} dBFS", partial(_at, make, db)) for name, make in made.items() for db in LEVELS]
    quiet = partial(_drawn, sounds.white, length, seed, "silence")
    return [*found, Nothing(f"silence, {QUIET} dBFS", partial(_at, quiet, QUIET)),
            Nothing("silence, all 0", partial(np.zeros, length, np.float32))]  # fmt: skip


def _drawn(kind: sounds.Sound, length: int, seed: int, name: str) -> np.ndarray:
    return kind(length, draw(seed, "nothing", name))


def _at(make: Callable[[], np.ndarray], dbfs: float) -> np.ndarray:
    return make() * distortions.decibels(dbfs)


def _wavs(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".wav")
    if not found:
        raise UserError(f"{folder}: no WAV file below it")
    if len({path.stem for path in found}) < len(found):
        raise UserError(f"{folder}: two WAV files of one name; results go by it, so give each its own")
    return found


def _read(path: Path) -> np.ndarray:
    """Read a file of any rate: the mean of its channels, at `SAMPLE_RATE` and power 1."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path}: cannot be read as audio ({error})") from None
    return unit(resample(torch.from_numpy(samples.mean(1)), rate, SAMPLE_RATE).numpy())
