#!/usr/bin/env python3
"""Babble in languages that the assistant does not know, as WAV files: it should hear no word in them.

e.g.: local/assistant/foreign.py --out data/foreign
      steps/robustness.py --nonspeech-audio data/foreign …
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from acoustics import to_16k
from espeak import Engine, Voice
from jsonargparse.typing import PositiveFloat, PositiveInt
from languages import LANGUAGES, Code
from voices import roster

from understudy.features.distortions import decibels
from understudy.features.frames import SAMPLE_RATE
from understudy.features.rooms import unit
from understudy.step import Step, atomic_path, log, main

_LEVEL = -20  # dBFS
SENTENCES = {
    "English": ("en-us", """It rained for a long time last night. We are meeting at the station at half past eight. Our
        neighbour is painting his fence. Would you pass me the salt, please? The children are playing behind the house.
        In autumn the leaves fall from the trees. She forgot her keys on the table. Tomorrow we take the train to the
        sea. The bread from the bakery is still warm. Nobody knew where the letter had come from. He reads the newspaper
        for an hour every day. A narrow bridge crosses the river."""),
    "German": ("de", """Gestern Abend hat es lange geregnet. Wir treffen uns um halb neun am Bahnhof. Der Nachbar
        streicht seinen Zaun. Kannst du mir bitte das Salz reichen? Die Kinder spielen hinter dem Haus. Im Herbst fallen
        die Blätter von den Bäumen. Sie hat den Schlüssel auf dem Tisch vergessen. Morgen fahren wir mit dem Zug nach
        Hamburg. Das Brot vom Bäcker ist noch warm. Niemand wusste, woher der Brief gekommen war. Er liest jeden Tag
        eine Stunde lang die Zeitung. Über den Fluss führt eine schmale Brücke."""),
    "Spanish": ("es", """Ayer por la noche llovió mucho. Nos vemos mañana delante de la estación. El vecino está
        pintando la puerta. ¿Me puedes pasar la sal, por favor? Los niños juegan detrás de la casa. En otoño caen las
        hojas de los árboles. Ella olvidó las llaves encima de la mesa. Viajamos en tren hasta el mar. El pan de hoy
        todavía está caliente. Nadie sabía de dónde había llegado la carta. Lee el periódico durante una hora cada día.
        Un puente estrecho cruza el río."""),
}  # fmt: skip


@dataclass
class Options:
    """Options of the babble."""

    out: Path
    """folder of the WAV files, one for each language"""
    language: Code = "en"
    """that the assistant knows: there is no babble in it"""
    minutes: PositiveFloat = 3.0
    """of each"""
    talkers: PositiveInt = 8
    """at once"""
    voices: PositiveInt = 80
    """of the corpus: the talkers have voices of its test set"""
    seed: int = 1
    """of the corpus, and of the order of what is said"""


def run(options: Options, step: Step) -> None:
    """Write a file for each language that the assistant does not know."""
    voices = roster(options.voices, options.seed)["test"]
    length = round(60 * options.minutes * SAMPLE_RATE)
    for name, (language, text) in unknown_to(options.language).items():
        sentences = re.split(r"(?<=[.?]) ", " ".join(text.split()))
        rng, babble = np.random.default_rng([options.seed, 19]), np.zeros(length, np.float32)
        for talker in range(options.talkers):
            babble += talk(language, sentences, voices[talker % len(voices)], length, rng)
        packed = io.BytesIO()
        soundfile.write(packed, unit(babble) * decibels(_LEVEL), SAMPLE_RATE, format="WAV", subtype="PCM_16")
        with atomic_path(step.out / f"babble in {name}.wav") as partial:
            partial.write_bytes(packed.getvalue())
        log.info("%s: %d talkers, %.1f minutes", name, options.talkers, options.minutes)


def unknown_to(language: Code) -> dict[str, tuple[str, str]]:
    """eSpeak's voice and sentences of each language, by its name, but of the one that the assistant knows."""
    return {name: said for name, said in SENTENCES.items() if name != LANGUAGES[language].name}


def talk(language: str, sentences: list[str], voice: Voice, length: int, rng: np.random.Generator) -> np.ndarray:
    """A sentence after another, each as often as the others, (length,) float32 at power 1."""
    engine, pieces, total = Engine(), [], 0
    # What is said once in a voice is said the same again.
    said = [unit(to_16k(engine.say(sentence, voice, language)[0])) for sentence in sentences]
    while total < length:
        for number in rng.permutation(len(said)):
            pieces.append(said[number])
            total += len(said[number])
    return unit(np.concatenate(pieces)[:length])


if __name__ == "__main__":
    main(Options, run)
