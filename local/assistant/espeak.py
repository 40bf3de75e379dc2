"""The speech synthesiser eSpeak NG, in this process, with the times of its phonemes and words."""

from __future__ import annotations

import _ctypes
import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 22050  # eSpeak NG's own rate, in Hz

_SYNCHRONOUS = 2  # speak within the call and hand the samples to the callback
_PHONEME_EVENTS = 0x0001
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Voice:
    """How a speaker talks: eSpeak's variant, its pitch and pitch range (0 to 100), words per minute."""

    name: str
    variant: str
    pitch: int
    pitch_range: int
    rate: int


@dataclass(frozen=True)
class Mark:
    """A phoneme event (eSpeak's mnemonic) or a word event, its sample, and its character counted from 1."""

    kind: str
    symbol: str
    sample: int
    position: int


class Engine:
    """eSpeak NG in this process. It holds nothing between sentences, so there may be several."""

    def __init__(self) -> None:
        self._chunks: list[np.ndarray] = []
        self._marks: list[Mark] = []
        self._callback = _Callback(self._receive)  # kept here, or it would be collected

    def say(self, text: str, voice: Voice, language: str = "en-us") -> tuple[np.ndarray, list[Mark]]:
        """Speak `text`, which is of eSpeak's language.

        Returns the samples, int16 (samples,) at SAMPLE_RATE, and the marks in order of time.
        The same text and voice give the same samples, whatever was spoken before.

        Raises:
            RuntimeError: the library does not start or has no such voice.
        """
        self._chunks, self._marks = [], []
        data = text.encode()
        with _fresh_library() as lib:
            lib.espeak_SetSynthCallback(self._callback)
            if lib.espeak_SetVoiceByName(f"{language}+{voice.variant}".encode()) != 0:
                raise RuntimeError(f"eSpeak NG has no voice {language}+{voice.variant}")
            for parameter, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
                lib.espeak_SetParameter(parameter, value, 0)
            lib.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        samples = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        return samples, self._marks

    def _receive(self, wav, count: int, events) -> int:
        if wav and count > 0:
            self._chunks.append(np.ctypeslib.as_array(wav, shape=(count,)).copy())
        index = 0
        while events[index].type != _EVENT_END:
            event = events[index]
            if event.type == _EVENT_PHONEME:
                symbol = event.id.string.decode("utf-8", "replace")
                self._marks.append(Mark("phone", symbol, event.sample, event.text_position))
            elif event.type == _EVENT_WORD:
                self._marks.append(Mark("word", "", event.sample, event.text_position))
            index += 1
        return 0


@contextmanager
def _fresh_library() -> Iterator[ctypes.CDLL]:
    """The library as if just loaded, unloaded again afterwards.

    Its oscillators, noise and echo keep their state from one sentence to the next, and no call resets them.
    Loading it anew does, in half a millisecond, provided that nobody still holds it.
    """
    import espeakng_loader

    lib = ctypes.CDLL(espeakng_loader.get_library_path())
    try:
        data = str(espeakng_loader.get_data_path()).encode()
        if lib.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS | _DONT_EXIT) != SAMPLE_RATE:
            raise RuntimeError("eSpeak NG does not start: is the package espeakng-loader whole?")
        lib.espeak_ng_SetRandSeed(ctypes.c_long(1))
        ctypes.CDLL(None).srand(1)  # breathy voices draw from the C library's own numbers
        yield lib
        lib.espeak_Terminate()
    finally:
        _ctypes.dlclose(lib._handle)
