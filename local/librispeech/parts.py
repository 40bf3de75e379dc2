"""Parts of LibriSpeech in the layout of their publisher: PART/SPEAKER/CHAPTER/ with transcripts and audio files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from understudy.corpus.build import Utterance
from understudy.step import UserError, log

_SUFFIXES = (".flac", ".wav", ".opus")


def read_part(folder: Path) -> list[Utterance]:
    """Utterances of a part of LibriSpeech, any part: SPEAKER/CHAPTER/ with a .trans.txt and audio files.

    Raises:
        UserError: a transcript is malformed or has no audio file, or the folder holds none.
    """
    audio = {path.stem: path for path in sorted(folder.glob("*/*/*")) if path.suffix in _SUFFIXES}
    utterances = [u for path in sorted(folder.glob("*/*/*.trans.txt")) for u in _chapter(path, audio)]
    if not utterances:
        raise UserError(f"{folder}: no SPEAKER/CHAPTER/*.trans.txt in it. Is the corpus whole?")
    if spare := sorted(audio.keys() - {u.id for u in utterances}):
        log.warning("%s: %d audio files have no transcript, left out: %s", folder, len(spare), " ".join(spare[:20]))
    return utterances


def _chapter(transcripts: Path, audio: dict[str, Path]) -> Iterator[Utterance]:
    speaker, chapter = transcripts.parts[-3:-1]
    form = re.compile(rf"(?P<id>{re.escape(f'{speaker}-{chapter}-')}\S+)\s+(?P<words>\S.*)")
    for number, line in enumerate(transcripts.read_text(encoding="utf-8").splitlines(), start=1):
        if not (match := form.fullmatch(line)):
            raise UserError(
                f"{transcripts}, line {number}: expected '{speaker}-{chapter}-NUMBER WORDS', found {line!r}. Mend it."
            )
        if match["id"] not in audio:
            raise UserError(
                f"{transcripts}, line {number}: {match['id']} has no audio file ({', '.join(_SUFFIXES)}) beside it. "
                "Is the corpus whole?"
            )
        yield Utterance(match["id"], audio[match["id"]], match["words"].strip(), speaker)
