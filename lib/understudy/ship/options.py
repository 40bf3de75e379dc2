"""Options of the steps that ship a student."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse.typing import NonNegativeInt, PositiveFloat, PositiveInt

from understudy.corpus.names import check_names
from understudy.score.normalise import Way

Precision = Literal["float32", "int8-dynamic", "int8-static"]
"""precision of a network's weights and activations"""

Told = Literal["text", "ids"]
"""how sherpa-onnx returns words: as readable text, or as the numbers of words.txt alone"""


@dataclass
class ShipOptions:
    """Stage 12: the device."""

    recogniser: Path
    """folder of steps/pack.py"""
    calibrate: Path
    """manifest with features: unlabelled speech, for the ranges of activations"""
    test: list[Path]
    """manifests with features and audio, which is recognised as if it arrived live"""
    out: Path
    """folder of the precisions' folders"""
    system: str
    """name in the results, to which the precision is added"""
    dev: Path | None = None
    """development set, as --test, for decisions: its rates go to dev.json in --out, not to the results"""
    recipe: str = "s1"
    """name of the recipe in the results"""
    results: Path = Path("exp/results.jsonl")
    """the results file, one line for each precision and test set"""
    precisions: list[Precision] = field(default_factory=lambda: ["float32", "int8-dynamic", "int8-static"])
    """networks to make"""
    language: bool = True
    """the folders carry pronunciations and tree, so that they accept sentences and words of their users; log.txt states
    their bytes"""
    compact: bool = False
    """for large vocabularies: ship the graph with epsilons, which stage 11 makes where it has no places for words, in
    files that are mapped into memory"""
    utterances: NonNegativeInt = 0
    """utterances of each test set: the first of each speaker, then the second of each, and so on; 0: all"""
    calibration: PositiveInt = 200
    """cuts of --calibrate, from its beginning"""
    shard_size: PositiveInt = 200
    """utterances of a shard, the unit of resuming"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.test, ("dev",) if self.dev else ())


@dataclass
class RobustnessOptions:
    """Stage 12: how robust a student is."""

    device: Path
    """folder of a precision, of steps/ship.py"""
    test: Path
    """manifest with audio"""
    out: Path
    """folder of the transcripts and errors in each condition"""
    system: str
    """name in the results"""
    recipe: str = "s1"
    """name of the recipe in the results"""
    results: Path = Path("exp/results.jsonl")
    """the results file, one line for each condition"""
    utterances: NonNegativeInt = 150
    """utterances of --test: the first of each speaker, then the second of each, and so on; 0: all"""
    minutes: PositiveFloat = 3.0
    """minutes of each sound in which nobody says a word"""
    talkers: Path | None = None
    """manifest with audio, for babble; default: --test, whose other speakers are heard behind each one"""
    nonspeech_audio: Path | None = None
    """folder of further WAV files in which nobody says a word that the student knows"""
    normalise: list[Way] | None = None
    """ways in which texts are normalised before they are compared; default: those of steps/ship.py for this set"""
    shard_size: PositiveInt = 200
    """utterances of a shard, the unit of resuming"""
    seed: int = 42
    """seed of noises, rooms and sounds"""


@dataclass
class SherpaOptions:
    """Stage 12: the same student for another engine."""

    networks: Path
    """folder of steps/ship.py"""
    out: Path
    """folder that gets a folder for each precision"""
    words: Told = "text"
    """text: readable, which takes a column of the network's output for each pair of senone and words; ids: the numbers
    of words.txt, without these columns; not all of sherpa-onnx's programming languages return them"""


@dataclass
class WebOptions:
    """Stage 12: the same student in a browser."""

    device: Path
    """folder of a precision in 8 bits, of steps/ship.py"""
    out: Path
    """folder that gets the folder page"""
    most_bytes: PositiveInt = 2_000_000
    """greatest size in bytes of the page with all its files; more is an error"""


@dataclass
class SpottingOptions:
    """Keywords, spotted by a student as it ships."""

    device: Path
    """folder of a precision, of steps/ship.py"""
    keywords: Path
    """words and phrases, one a line, as understudy-listen --keywords takes them"""
    test: Path
    """manifest with audio and transcripts, in which keywords are said, and much else"""
    out: Path
    """folder of keywords.json, curve.png, and the hits in each utterance"""
    words: Path | None = None
    """file of words to add, with their phones (understudy-listen --words)"""
    shard_size: PositiveInt = 200
    """utterances of a shard, the unit of resuming"""
