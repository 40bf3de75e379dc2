#!/usr/bin/env python3
"""How often equal systems are called different: by speaker, as results are, and as if utterances were independent.

Two systems are simulated that are as good as each other over all speakers that there could be, and not over those who
are drawn: some suit one of them, some the other. How much so (`Speech.taste`) is set so that the test by utterance errs
about as often as with the spread that real results have: in 18.5 % of trials with 16 speakers of short commands
(`assistant`), in 43 % with four who read long sentences (mini LibriSpeech).

e.g.: tests/bench/significance.py --trials 20000
      tests/bench/significance.py --first exp/a/decode/test/utterances.tsv --second exp/b/decode/test/utterances.tsv
                                                                         the taste of two systems' real speakers
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "lib"))

from understudy.score import utterances
from understudy.score.paired import difference
from understudy.score.spread import FEWEST, Groups, ratio_of_sums

LEVEL = 0.01
UNEVEN = 0.3
"""standard deviation of the log of what a speaker says: the most has twice as much as the least, or thrice"""


@dataclass(frozen=True)
class Speech:
    """What a speaker of a test set says."""

    utterances: int
    words: int
    """of an utterance, on average"""
    wer: float
    """share of them"""
    taste: float
    """standard deviation over speakers of the log of the ratio of the two systems' error rates"""


COMMANDS, READ = Speech(90, 7, 0.18, 0.18), Speech(126, 31, 0.45, 0.08)


def equal_systems(
    speech: Speech, speakers: int, trials: int, uneven: float, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Words, errors of either system, and speaker of each utterance, of each trial.

    Args:
        uneven: standard deviation of the log of what a speaker says; 0: all say as much.
    """
    rng = np.random.default_rng(seed)
    for _ in range(trials):
        many = np.maximum(speech.utterances * rng.lognormal(0, uneven, speakers), 5).astype(int)
        who = np.repeat(np.arange(speakers), many)
        words = rng.integers(1, 2 * speech.words, len(who))
        hard = (speech.wer * rng.lognormal(0, 0.3, speakers))[who] * rng.gamma(4.0, 0.25, len(who))
        suits = np.exp(rng.normal(0, speech.taste / 2, speakers))[who]
        first, second = (rng.binomial(words, np.minimum(hard * way, 0.95)) for way in (suits, 1 / suits))
        yield words, first, second, who


def p_by_utterance(words: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """As if utterances were independent, by the normal law: matched pairs, Gillick and Cox 1989."""
    gain = second - first
    return math.erfc(abs(gain.mean()) / (gain.std(ddof=1) / math.sqrt(len(gain))) / math.sqrt(2))


def p_by_speaker(words: np.ndarray, first: np.ndarray, second: np.ndarray, who: np.ndarray) -> float:
    """As results are tested, with fewer than eight speakers too."""
    groups = Groups.of(who.astype(str))
    return ratio_of_sums(*groups.sums(second - first, words)).p


def false_positives(
    speech: Speech, speakers: int, trials: int, uneven: float = UNEVEN, seed: int = 1
) -> tuple[float, float, float]:
    """Shares of trials with p < 0.01: by utterance, by speaker whatever their number, and with a star."""
    found = np.zeros(3)
    for words, first, second, who in equal_systems(speech, speakers, trials, uneven, seed):
        told = difference(words, first, second, who.astype(str))
        found += (
            p_by_utterance(words, first, second) < LEVEL,
            p_by_speaker(words, first, second, who) < LEVEL,
            told.significant(LEVEL),
        )
    return tuple(found / trials)


def real_taste(first: Path, second: Path) -> float:
    """Of two decodings of one set: the spread of log ratios over speakers, what chance adds taken off."""
    sides = [utterances.by_speaker(utterances.read(path)) for path in (first, second)]
    pairs = [(sides[0][name].errors, sides[1][name].errors) for name in sides[0]]
    logs = [math.log((b + 0.5) / (a + 0.5)) for a, b in pairs]
    chance = np.mean([1 / (a + 0.5) + 1 / (b + 0.5) for a, b in pairs])  # of independent counts: too much, if anything
    return math.sqrt(max(0.0, np.var(logs, ddof=1) - chance))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--first", type=Path)
    parser.add_argument("--second", type=Path)
    options = parser.parse_args()
    kinds = {"commands": COMMANDS, "read": READ}
    if options.first:
        taste = real_taste(options.first, options.second)
        kinds = {name: replace(speech, taste=taste) for name, speech in kinds.items()}
    print(f"{options.trials} trials: in how many, in %, equal systems are called different (p < {LEVEL})")
    print("speech    taste  shares  speakers  by utterance  by speaker  with a star")
    for name, speech in kinds.items():
        for uneven in (0.0, UNEVEN):
            for speakers in (4, FEWEST, 16, 40):
                rates = false_positives(speech, speakers, options.trials, uneven)
                told = "  ".join(f"{100 * rate:11.2f}" for rate in rates)
                shares = "uneven" if uneven else "even"
                print(f"{name:8s}  {speech.taste:.3f}  {shares:6s}  {speakers:8d}  {told}", flush=True)


if __name__ == "__main__":
    main()
