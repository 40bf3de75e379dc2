"""The rate of all audio that models hear."""

from __future__ import annotations

SAMPLE_RATE = 16_000
"""Hz"""
