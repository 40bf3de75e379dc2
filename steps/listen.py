#!/usr/bin/env python3
"""Recognise audio as it arrives, with a recogniser (steps/pack.py): words so far, then each utterance as it ends.

e.g.: arecord -q -t raw -f S16_LE -r 16000 -c 1 | steps/listen.py - --recogniser exp/recogniser
      steps/listen.py recording.wav recordings/ --recogniser exp/recogniser --format json

`-` is standard input: 16 kHz, 16 bits a sample, as WAV or, of one channel, without a header. A model that needs the
whole utterance (a bidirectional one) cannot listen; steps/transcribe.py takes any.
"""

from __future__ import annotations

from understudy.decode.options import ListenOptions
from understudy.step import command


def run(options: ListenOptions) -> None:
    """Recognise one input after the other; those that cannot be read are reported at the end, with status 1."""
    from understudy.decode.listen import listen

    listen(options)


if __name__ == "__main__":
    command(ListenOptions, run, first="audio")
