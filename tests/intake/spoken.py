"""Speech whose places are known: sentences of eSpeak NG between stretches without speech."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ASSISTANT = Path(__file__).parents[2] / "local" / "assistant"
if str(ASSISTANT) not in sys.path:
    sys.path.insert(0, str(ASSISTANT))

from acoustics import to_16k  # noqa: E402
from espeak import Engine, Voice  # noqa: E402

RATE = 16000
VOICE = Voice("mary", "f2", 50, 50, 160)
SENTENCES = (
    "please turn the kitchen lights on at seven in the morning",
    "what will the weather be like tomorrow afternoon",
    "remind me to call my sister when I get home",
    "play some quiet music in the living room",
)


def sentence(number: int) -> np.ndarray:
    """Samples, (length,) float32 at 16 kHz, without the silence at both ends; the same for a number."""
    said = to_16k(Engine().say(SENTENCES[number % len(SENTENCES)], VOICE)[0])
    loud = np.flatnonzero(np.abs(said) > 0.01 * np.abs(said).max())
    return said[loud[0] : loud[-1] + 1].astype(np.float32)


def recording(pauses: list[float], seed: int = 0) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """A sentence behind each pause but the last, in weak noise; and where each begins and ends, in seconds."""
    parts, spans, at = [], [], 0
    for number, pause in enumerate(pauses):
        parts.append(np.zeros(round(pause * RATE), np.float32))
        at += len(parts[-1])
        if number < len(pauses) - 1:
            parts.append(0.5 * sentence(number))
            spans.append((at / RATE, (at + len(parts[-1])) / RATE))
            at += len(parts[-1])
    noise = np.random.default_rng(seed).normal(0, 0.001, at)
    return (np.concatenate(parts) + noise).astype(np.float32), spans
