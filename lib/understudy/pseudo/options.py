"""Options of pseudo-transcripts: transcription by Whisper, filters, and scoring."""

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
    """Transcription of cut manifests by a Whisper of CTranslate2."""

    cuts: list[Path]
    """cut manifests; they need audio, and no features"""
    model: str
    """folder of a Whisper of CTranslate2 with its tokenizer.json, or its name on the Hugging Face hub"""
    out: Path
    """folder of the transcripts: a folder for each set"""
    language: str = "en"
    """language of the speech, by Whisper's code"""
    beam: PositiveInt = 5
    """hypotheses of the beam search; the default is that of faster-whisper"""
    precision: Precision = "float32"
    """precision of the weights in memory; int8 takes less time on most CPUs, and changes some words"""
    batch: PositiveInt = 4
    """cuts in a batch"""
    shard_size: PositiveInt = 100
    """cuts in a shard, the unit of resuming"""
    threads: PositiveInt = 1
    """threads of a process"""
    jobs: PositiveInt = 2
    """processes; each has the model in memory"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where the processes run"""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.cuts)


@dataclass(frozen=True)
class Doubts:
    """Filters by which utterances are left out; the defaults are our choice."""

    least_ratio: float = -2.0
    """least mean over frames of the log-likelihood ratio between the forced alignment and the best senone of each
    frame, nats; the ratio is never above 0"""
    slowest: float = 0.3
    """words a second, at least"""
    fastest: float = 7.0
    """words a second, at most"""
    repeats: PositiveInt = 4
    """number of times that the same words occur in a row in a recogniser's loop"""
    least_log_probability: float = -1.0
    """least mean log-probability of the recogniser's tokens, if transcripts have it; the default is the threshold of
    Whisper's authors"""

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
    """Making of senone labels from another recogniser's transcripts."""

    cuts: Path
    """cut manifest with features; its own transcripts, if any, are not used, except to report error rates"""
    transcripts: Path
    """a recogniser's transcripts of these cuts: a Kaldi text file (ID WORD WORD …), JSON lines with id and text
    (.jsonl), a CTM (.ctm), or a folder of .txt files named by the ids of the cuts"""
    model: Path
    """folder of the network for the alignment"""
    tree: Path
    """folder of steps/make_tree.py"""
    lang: Path
    """folder of stage 2"""
    out: Path
    """folder of the manifest and of the labels"""
    language: str = "en"
    """language in which numbers are spelt out; abbreviations, currencies and times are spelt out in English only"""
    oov: Literal["g2p", "skip"] = "g2p"
    """words without pronunciation: guess one, or leave out the utterances"""
    doubt: Doubts = field(default_factory=Doubts)
    """filters by which utterances are left out"""
    prior_scale: float = 1.0
    """log priors are subtracted with this weight, as in steps/realign.py"""
    shard_size: PositiveInt = SHARD_SIZE
    """cuts in a shard, the unit of resuming"""
    jobs: PositiveInt = 2
    """processes"""
    cluster: ClusterOptions = field(default_factory=ClusterOptions)
    """where the processes run"""


@dataclass
class ScoreTranscriptsOptions:
    """Scoring of another recogniser's transcripts of a test set."""

    cuts: Path
    """cut manifest of the test set, with reference transcripts"""
    transcripts: Path
    """the recogniser's transcripts of these cuts: a Kaldi text file (ID WORD WORD …), JSON lines with id and text
    (.jsonl), a CTM (.ctm), or a folder of .txt files named by the ids of the cuts"""
    system: str
    """name of the recogniser in the results"""
    out: Path
    """folder of hypotheses, alignments and errors"""
    recipe: str = "s1"
    """name of the recipe in the results; lines of one recipe and set share a table"""
    results: Path = Path("exp/results.jsonl")
    """the results file"""
    language: str = "en"
    """language in which numbers are spelt out; abbreviations, currencies and times are spelt out in English only"""
    normalise: list[Way] = field(default_factory=lambda: ["case", "hyphens", "punctuation"])
    """ways to make both texts alike before they are compared: case, hyphens, punctuation, fillers"""
    parameters: PositiveInt | None = None
    """parameters of its model, for the table"""
    cpu_s_per_hour: float | None = None
    """CPU seconds that it takes for an hour of speech, for the results line's real-time factor"""
