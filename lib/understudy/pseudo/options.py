"""Options of pseudo-transcripts: how a Whisper hears, and when a text is doubted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveInt

from understudy.align.archive import SHARD_SIZE
from understudy.corpus.names import check_names
from understudy.parallel.options import ClusterOptions
from understudy.score.normalise import Way
from understudy.step import UserError

Precision = Literal["float32", "int8"]


@dataclass
class WhisperOptions:
    """A Whisper of CTranslate2 transcribes cut manifests."""

    cuts: list[Path]
    """cut manifests; their audio is heard, so that they need no features"""
    model: str
    """folder of a Whisper of CTranslate2 with its tokenizer.json, or its name on the Hugging Face hub"""
    out: Path
    """folder of the transcripts: a folder for each set"""
    language: str = "en"
    """that is spoken, by Whisper's code"""
    beam: PositiveInt = 5
    """hypotheses of the beam search, as faster-whisper's default has it"""
    precision: Precision = "float32"
    """of the weights in memory; int8 takes less time on most CPUs, and makes some other words"""
    batch: PositiveInt = 4
    """cuts that are heard side by side"""
    shard_size: PositiveInt = 100
    """cuts in a shard, the unit of resuming"""
    threads: PositiveInt = 1
    """of a process"""
    jobs: PositiveInt = 2
    """processes; each has the model in memory"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.cuts)


@dataclass(frozen=True)
class Doubts:
    """When an utterance is left out; the defaults are our choice."""

    least_ratio: float = -2.0
    """mean over its frames of the log-likelihood ratio of its forced alignment against the best senone of each frame,
    at least, in nats; always below 0"""
    slowest: float = 0.3
    """words a second, at least"""
    fastest: float = 7.0
    """words a second, at most"""
    repeats: PositiveInt = 4
    """times that the same words follow one another: a recogniser's loop"""
    least_log_probability: float = -1.0
    """mean log-probability of the recogniser's tokens, at least, where its transcripts tell it; the default is that
    below which Whisper's authors distrust a text"""

    def __post_init__(self) -> None:
        """Raise UserError for values that make no sense."""
        if not 0 <= self.slowest < self.fastest:
            raise UserError(
                f"--doubt.slowest {self.slowest:g} and --doubt.fastest {self.fastest:g}: the first must be from 0 to "
                "below the second."
            )
        if self.least_ratio > 0:
            raise UserError(f"--doubt.least_ratio {self.least_ratio:g}: must be 0 or less; no alignment has more.")
        if self.repeats < 2:
            raise UserError("--doubt.repeats 1: must be at least 2, or every utterance repeats its words.")


@dataclass
class PseudoLabelOptions:
    """Another recogniser's transcripts become senone labels."""

    cuts: Path
    """cut manifest with features; transcripts that it has are not learnt from, but compared with"""
    transcripts: Path
    """what a recogniser wrote of these cuts: a text of Kaldi's (ID WORD WORD …), JSON lines with id and text (.jsonl),
    a CTM (.ctm), or a folder of .txt files that are called as the cuts are"""
    model: Path
    """the network that aligns"""
    tree: Path
    """folder of steps/make_tree.py"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the manifest and of the labels"""
    language: str = "en"
    """that numbers are spelt out in; abbreviations, currencies and times are in English alone"""
    oov: Literal["g2p", "skip"] = "g2p"
    """words without pronunciation: guess one, or leave out the utterances"""
    doubt: Doubts = field(default_factory=Doubts)
    """when an utterance is left out"""
    prior_scale: float = 1.0
    """log priors are subtracted with this weight, as in steps/realign.py"""
    shard_size: PositiveInt = SHARD_SIZE
    """cuts in a shard, the unit of resuming"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where they run"""


@dataclass
class ScoreTranscriptsOptions:
    """Another recogniser's transcripts of a test set are scored."""

    cuts: Path
    """cut manifest of the test set, with the transcripts that count as right"""
    transcripts: Path
    """what the recogniser wrote of these cuts: a text of Kaldi's (ID WORD WORD …), JSON lines with id and text
    (.jsonl), a CTM (.ctm), or a folder of .txt files that are called as the cuts are"""
    system: str
    """name of the recogniser in the results"""
    out: Path
    """folder of hypotheses, alignments and errors"""
    recipe: str = "s1"
    """name of the recipe in the results; lines of one recipe and set stand in one table"""
    results: Path = Path("exp/results.jsonl")
    """the results file"""
    language: str = "en"
    """that numbers are spelt out in; abbreviations, currencies and times are in English alone"""
    normalise: list[Way] = field(default_factory=lambda: ["case", "hyphens", "punctuation"])
    """ways to make both texts alike before they are compared: case, hyphens, punctuation, fillers"""
    parameters: PositiveInt | None = None
    """of its model, for the table"""
    cpu_s_per_hour: float | None = None
    """CPU seconds that an hour of speech took it, for the results line's real-time factor"""
