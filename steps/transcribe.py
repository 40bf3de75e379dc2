#!/usr/bin/env python3
"""Transcribe audio files with a recogniser (steps/pack.py): text, CTM with times and confidences, or JSON.

e.g.: steps/transcribe.py recording.wav --recogniser exp/recogniser
      steps/transcribe.py recordings/ --recogniser exp/recogniser --format ctm --out recordings.ctm
"""

from __future__ import annotations

from understudy.decode.options import TranscribeOptions
from understudy.step import command


def run(options: TranscribeOptions) -> None:
    """Transcribe file by file; those that cannot be read are reported at the end, with status 1."""
    from understudy.decode.transcribe import transcribe

    transcribe(options)


if __name__ == "__main__":
    command(TranscribeOptions, run, first="audio")
