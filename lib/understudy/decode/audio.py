"""Audio for a search: recordings cut into pieces that fit into memory, and samples of standard input as they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from understudy.device.audio import STANDARD_INPUT, Recording, stream_blocks
from understudy.device.errors import DeviceError
from understudy.device.live import Interrupt, StandardInput
from understudy.features.frames import SAMPLE_RATE
from understudy.step import UserError

_FRAME = SAMPLE_RATE // 100


@contextmanager
def standard_input(channel: int | None = None) -> Iterator[Recording]:
    """Read samples from standard input, with a WAV header or without, in blocks: (length,) float32 in ±1 each.

    SIGINT and SIGTERM end the recording; they do not end the process.

    Raises:
        UserError: the header states another sampling rate, several channels or another sample format; or the stream
            is cut off, which is reported after everything that arrived has been processed.
    """
    try:
        with Interrupt() as interrupt:
            blocks = stream_blocks(StandardInput(interrupt), SAMPLE_RATE, channel)
            recording = Recording(STANDARD_INPUT, blocks, interrupt)
            yield recording
            recording.close()
    except DeviceError as error:
        raise UserError(str(error)) from None


def pieces(samples: np.ndarray, longest: float = 30.0) -> list[tuple[int, int]]:
    """Return begin and end, in samples, of pieces of at most `longest` seconds, cut in quiet places (our choice).

    A cut lies in the last third of the longest possible piece, at the middle of the quietest 300 ms there.
    """
    limit, cuts = int(longest * SAMPLE_RATE), [0]
    while len(samples) - cuts[-1] > limit:
        begin = cuts[-1] + 2 * limit // 3
        window = samples[begin : cuts[-1] + limit]
        frames = window[: len(window) // _FRAME * _FRAME].reshape(-1, _FRAME)
        energy = np.convolve((frames.astype(np.float64) ** 2).sum(1), np.ones(30), mode="valid")
        cuts.append(begin + (int(energy.argmin()) + 15) * _FRAME)
    return [(a, b) for a, b in zip(cuts, [*cuts[1:], len(samples)]) if b > a]
