"""Audio as a search wants it: in pieces that it can hold, or as it arrives."""

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
    """Samples of standard input, with a WAV header or without, in blocks: (length,) float32 in ±1 each.

    SIGINT and SIGTERM end them, and nothing else.

    Raises:
        UserError: its header tells of another rate, of several channels or of other samples; it is cut off, which is
            told when what there was has been heard.
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
    """First and last sample of pieces of at most `longest` seconds, cut where it is quietest (our choice).

    A cut lies in the last third of what a piece may hold, at the middle of its quietest 300 ms.
    """
    limit, cuts = int(longest * SAMPLE_RATE), [0]
    while len(samples) - cuts[-1] > limit:
        begin = cuts[-1] + 2 * limit // 3
        window = samples[begin : cuts[-1] + limit]
        frames = window[: len(window) // _FRAME * _FRAME].reshape(-1, _FRAME)
        energy = np.convolve((frames.astype(np.float64) ** 2).sum(1), np.ones(30), mode="valid")
        cuts.append(begin + (int(energy.argmin()) + 15) * _FRAME)
    return [(a, b) for a, b in zip(cuts, [*cuts[1:], len(samples)]) if b > a]
