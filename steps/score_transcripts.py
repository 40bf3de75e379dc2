#!/usr/bin/env python3
r"""Score another recogniser's transcripts of a test set, and add them to the results of our systems.

e.g.: steps/transcribe_whisper.py --cuts '[data/feats/test.jsonl.gz]' --model whisper-tiny.en --out exp/whisper-tiny.en
      steps/score_transcripts.py --cuts data/feats/test.jsonl.gz --transcripts exp/whisper-tiny.en/test/text.jsonl \
          --system whisper-tiny.en --parameters 37184640 --out exp/whisper-tiny.en/score
"""

from __future__ import annotations

from understudy.pseudo.options import ScoreTranscriptsOptions
from understudy.pseudo.transcripts import digest_of
from understudy.step import Step, main


def run(options: ScoreTranscriptsOptions, step: Step) -> None:
    """Score the set; write a results line, and the files that steps/decode.py writes for a set."""
    from understudy.pseudo.score import score_transcripts

    score_transcripts(options, step)


if __name__ == "__main__":
    main(
        ScoreTranscriptsOptions,
        run,
        inputs=("cuts", "transcripts"),
        unfingerprinted=("results",),
        extra_fingerprint=lambda options: {"words": digest_of(options.transcripts)},
    )
