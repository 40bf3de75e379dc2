"""Recognise audio with a folder of stage 12: print words so far, then each utterance as it ends.

e.g.: understudy-listen recording.wav recordings/
      arecord -q -t raw -f S16_LE -r 16000 -c 1 | understudy-listen -
      understudy-listen --microphone

Ctrl-C ends a microphone or standard input; what was said before is still recognised and printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .audio import STANDARD_INPUT, Recording, file_blocks, microphone_blocks, stream_blocks, wav_files
from .endpointing import EndpointOptions, Event
from .errors import DeviceError
from .live import Interrupt, StandardInput
from .recogniser import Recogniser
from .wishes import Wishes

if TYPE_CHECKING:
    from .keywords import Hit

_GRAMMAR = "sentences, one a line, with [what may be left out] and (one | or another): only these are heard"
_KEYWORDS = "words and phrases, written as sentences are: they are spotted in whatever is said"
_MISFIT = "of --grammar and --keywords: what fits worse is not told (default: what the folder says)"
_WORDS = "words to hear too, one a line, with their phones if these are known, and weight=2 if one is likelier"


def main(arguments: list[str] | None = None) -> int:
    """Run understudy-listen and return its exit status: 0 if all audio was heard, else 1."""
    parser = argparse.ArgumentParser(
        prog="understudy-listen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).resolve().parents[1]
    parser.add_argument("audio", nargs="*", type=Path, help="WAV files and folders of them, or - for standard input")
    parser.add_argument("--device", type=Path, default=here, help="folder of stage 12 (default: where this lies)")
    parser.add_argument("--microphone", nargs="?", const="", metavar="NAME", help="hear a microphone")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--channel", type=int, help="of audio with several")
    parser.add_argument("--grammar", type=Path, metavar="FILE", help=_GRAMMAR)
    parser.add_argument("--words", type=Path, metavar="FILE", help=_WORDS)
    parser.add_argument("--keywords", type=Path, metavar="FILE", help=_KEYWORDS)
    parser.add_argument("--most-misfit", type=float, metavar="NATS", help=_MISFIT)
    for name, seconds in vars(EndpointOptions()).items():
        parser.add_argument(f"--{name}", type=float, default=seconds, metavar="SECONDS", help=f"(default: {seconds})")
    given = parser.parse_args(arguments)
    try:
        return _listen(given)
    except DeviceError as error:
        _clear()
        print(f"understudy-listen: error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        _clear()
    return 1


def _listen(given: argparse.Namespace) -> int:
    live = given.audio == [Path("-")]
    if bool(given.audio) == (given.microphone is not None):
        raise DeviceError("name WAV files, folders, - for standard input, or --microphone")
    files = [] if live else wav_files(given.audio)
    wishes = Wishes(given.grammar, given.words, given.keywords)
    sure = given.format == "json" and given.keywords is None
    recogniser = Recogniser(given.device, wishes=wishes, sure=sure, most_misfit=given.most_misfit)
    for told in recogniser.told:
        _warn(told)
    patience, rate = EndpointOptions(given.piece, given.pause, given.idle, given.longest), recogniser.front.rate

    def hear(recording: Recording, name: str) -> None:
        _tell(recogniser.hear(recording, patience), name, given.format)
        recording.close()

    if live:
        with Interrupt() as interrupt:
            blocks = stream_blocks(StandardInput(interrupt), rate, given.channel)
            hear(Recording(STANDARD_INPUT, blocks, interrupt), "-")
    elif given.microphone is not None:
        with Interrupt() as interrupt:
            blocks = microphone_blocks(rate, interrupt, _warn, given.microphone or None)
            hear(Recording("microphone", blocks, interrupt), "microphone")
    faults = 0
    for path in files:
        try:
            hear(Recording(str(path), file_blocks(path, rate, given.channel)), str(path))
        except DeviceError as error:
            faults += 1
            _warn(str(error))
    if faults:
        raise DeviceError(f"{faults} of {len(files)} files were not heard, or not to their end")
    return 0


def _tell(events: Iterator[Event], name: str, form: str) -> None:
    for event in events:
        text, end = " ".join(event.heard.words), event.start + event.heard.seconds
        if event.heard.empty:
            _warn(f"{name}: nothing was found from {event.start:.2f} to {end:.2f} s")
        if event.final and event.heard.rejected:
            _warn(f"{name}: words from {event.start:.2f} to {end:.2f} s are not told: {event.heard.why}")
        if form == "json":
            news = {
                "file": name,
                "final": event.final,
                "start": round(event.start, 3),
                "end": round(end, 3),
                "text": text,
            }
            if event.final:
                each = zip(event.heard.words, event.heard.sure or [])
                words = [{"text": word, "confidence": round(sure, 3)} for word, sure in each]
                if event.heard.hits is not None:
                    words = [_of_hit(hit, event.start) for hit in event.heard.hits]
                news |= {"empty": event.heard.empty, "rejected": event.heard.rejected, "words": words}
            print(json.dumps(news, ensure_ascii=False, allow_nan=False), flush=True)
        elif event.final and event.heard.hits is not None:
            for hit in event.heard.hits:
                print(f"{name} {event.start + hit.start:.2f} {event.start + hit.end:.2f} {hit.text}", flush=True)
        elif event.final:
            _clear()
            print(f"{name} {event.start:.2f} {end:.2f} {text}", flush=True)
        elif sys.stderr.isatty():
            _clear()
            print(f"\r{text}", end="", file=sys.stderr, flush=True)


def _of_hit(hit: Hit, start: float) -> dict[str, Any]:
    """Return a hit as a JSON object; `start`: the utterance's beginning in seconds."""
    times = {"start": round(start + hit.start, 3), "end": round(start + hit.end, 3)}
    return {"text": hit.text, **times, "misfit": round(hit.misfit, 3)}


def _warn(text: str) -> None:
    _clear()
    print(f"warning: {text}", file=sys.stderr)


def _clear() -> None:
    """Clear the words so far from the terminal."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
