"""From pieces of speech in somebody's layout to the manifests, the lexicon and the audio of a recipe."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from understudy.corpus.audio import SAMPLE_RATE
from understudy.corpus.build import Utterance, build_cuts, write_cuts
from understudy.corpus.names import SETS
from understudy.corpus.split import set_of_speakers
from understudy.corpus.validate import Report, validate
from understudy.intake.convert import Heard, make_ready
from understudy.intake.cut import Found, cut_long
from understudy.intake.options import Corpus
from understudy.intake.piece import Piece, Sound
from understudy.intake.shares import share_out, wish_of
from understudy.intake.tables import read_text
from understudy.intake.text import Tidy
from understudy.lang.graphemes import GRAPHEMES, spelled_entries
from understudy.lang.lexicon import read_entries, say_oov, write_entries
from understudy.parallel.workers import Workers
from understudy.step import UserError, atomic_path, counted, few, log, write_json

REPORT = "report.json"
_SLACK = 0.5
"""seconds by which the end of an utterance may lie behind that of its audio: corpora round"""
_FIRST = 5


class Faults:
    """What is wrong with utterances and files: it ends the preparation, or is left out, counted and said."""

    def __init__(self, bad: str) -> None:
        self._bad = bad
        self.counts: Counter[str] = Counter()

    def __call__(self, kind: str, message: str) -> None:
        """Of one; `kind` is to count by.

        Raises:
            UserError: with "fail".
        """
        if self._bad == "fail":
            raise UserError(f"{message} Or leave such ones out with --bad exclude.")
        self.counts[kind] += 1
        log.warning("left out: %s", message)


def take_in(corpus: Corpus, out: Path, audio: Path, workers: Workers) -> dict[str, Any]:
    """Write a manifest for each set, lexicon.txt, text.txt where there is more text, and report.json.

    Args:
        audio: folder of converted audio, which other preparations may share.

    Returns:
        What report.json holds: hours, speakers, utterances and words of each set, what was left out, the vocabulary,
        and what became of long recordings where some were cut.

    Raises:
        UserError: a source is not of its layout, the sets cannot be made of it, or something is faulty.
    """
    faults = Faults(corpus.bad)
    read = _own_names(corpus.read_all())
    ready = make_ready(_sounds(read), audio, workers, faults)
    sets = _sets(corpus, {name: _in_audio(pieces, ready, faults) for name, pieces in read.items()})
    sets["unlabelled"], cutting = cut_long(sets["unlabelled"], corpus.cut, audio, workers, faults)
    tidy = Tidy(corpus.case, corpus.punctuation)
    utterances = {name: _utterances(name, pieces, tidy, faults) for name, pieces in sets.items()}
    tidy.say()
    report = {name: _write(out, name, members, corpus.bad, faults) for name, members in utterances.items() if members}
    vocabulary = _language(corpus, out, utterances, tidy)
    whole = {"sets": report, "left_out": dict(faults.counts), **vocabulary}
    if cutting.recordings:
        whole["cut"] = cutting.told()
    write_json(out / REPORT, whole)
    return whole


def _language(corpus: Corpus, out: Path, sets: dict[str, list[Utterance]], tidy: Tidy) -> dict[str, int]:
    """Write the lexicon, in the case of the transcripts, and the further text. Returns the size of the lexicon."""
    texts = [utterance.text for utterance in sets["labelled"] if utterance.text]
    if corpus.text is not None:
        lines = [line for line in map(tidy, read_text(corpus.text).splitlines()) if line]
        with atomic_path(out / "text.txt") as partial:
            partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        texts += lines
    if corpus.lexicon == GRAPHEMES:
        tidy.say_capitals()
        entries = spelled_entries(texts, "labelled transcripts" if corpus.text is None else "transcripts and --text")
    else:
        entries = [(tidy.cased(word), phones) for word, phones in read_entries(Path(corpus.lexicon))]
        wanted = {word for text in texts for word in text.split()}
        if corpus.lexicon_words == "training":
            entries = [entry for entry in entries if entry[0] in wanted]
        if not entries:
            some = ", ".join(sorted(wanted)[:_FIRST])
            raise UserError(f"{corpus.lexicon}: has none of the {len(wanted)} words of labelled speech ({some}, …).")
    write_entries(dict.fromkeys(entries), out / "lexicon.txt")
    known = {word for word, _ in entries}
    for name in ("labelled", "dev", "test"):
        say_oov(name, known, (utterance.text for utterance in sets[name] if utterance.text))
    pairs = {(left, right) for _, phones in entries for left, right in zip(("", *phones), phones)}
    return {"words": len(known), "phones": len({p for _, phones in entries for p in phones}), "phone_pairs": len(pairs)}


def _sounds(read: dict[str, list[Piece]]) -> dict[str, Sound]:
    """The audio of each recording, by its name. Raises UserError where two have one name."""
    sounds: dict[str, Sound] = {}
    for piece in (piece for pieces in read.values() for piece in pieces):
        known = sounds.setdefault(piece.recording, piece.sound)
        if (known.source, known.kind, known.channel) != (piece.sound.source, piece.sound.kind, piece.sound.channel):
            raise UserError(
                f"{piece.where}: {piece.recording} would be the name of two recordings, {known.source} and "
                f"{piece.sound.source}. Give the utterance another id."
            )
    return sounds


def _own_names(read: dict[str, list[Piece]]) -> dict[str, list[Piece]]:
    """The pieces, ids and recordings unique across all sources: where two have one, the source's name goes before.

    Raises:
        UserError: an id comes twice in one source.
    """
    homes: dict[str, set[str]] = defaultdict(set)
    for source, pieces in read.items():
        seen: dict[str, Piece] = {}
        for piece in pieces:
            if (other := seen.setdefault(piece.id, piece)) is not piece:
                raise UserError(
                    f"{piece.where}: the id {piece.id} was there before ({other.where}). Give each its own."
                )
            homes[piece.id].add(source)
            homes[piece.recording].add(source)
    if not (shared := {name for name, sources in homes.items() if len(sources) > 1}):
        return read
    touched = {source for name in shared for source in homes[name]}
    log.info("%d ids are in several of %s: the set's name goes before all ids of these", len(shared),
             ", ".join(sorted(touched)))  # fmt: skip
    return {
        source: [replace(p, id=f"{source}-{p.id}", recording=f"{source}-{p.recording}") for p in pieces]
        if source in touched
        else pieces
        for source, pieces in read.items()
    }


def _in_audio(pieces: list[Piece], ready: dict[str, Heard], faults: Faults) -> list[tuple[Piece, Heard]]:
    """The pieces with their audio; ends that lie a little behind its end are drawn in, and counted."""
    found, late = [], 0
    for piece in pieces:
        if piece.recording not in ready:
            continue  # its audio is a fault that was told
        heard = ready[piece.recording]
        last = heard.num_samples / SAMPLE_RATE
        if piece.start >= last or (piece.end is not None and piece.end > last + _SLACK):
            end = "" if piece.end is None else f" to {piece.end:g}"
            faults("utterance beyond its audio", f"{piece.where}: {piece.id} is from {piece.start:g}{end} s of "
                   f"{piece.sound.source}, which lasts {last:g} s.")  # fmt: skip
            continue
        if piece.end is not None and piece.end > last:
            late += 1
            piece = replace(piece, end=None)
        found.append((piece, heard))
    if late:
        log.info("%d utterances end up to %g s behind their audio, and are taken to end with it", late, _SLACK)
    return found


def _seconds(piece: Piece, heard: Heard) -> float:
    return (heard.num_samples / SAMPLE_RATE if piece.end is None else piece.end) - piece.start


def _sets(corpus: Corpus, read: dict[str, Found]) -> dict[str, Found]:
    """Pieces of each set: those of its own source, and those of the speakers that it gets of what is shared out."""
    sets: dict[str, Found] = {name: list(read.get(name, [])) for name in SETS}
    if shared := read.get("path"):
        seconds: defaultdict[str, float] = defaultdict(float)
        transcribed = set()
        for piece, heard in shared:
            seconds[_speaker(piece)] += _seconds(piece, heard)
            if (piece.text or "").strip():
                transcribed.add(_speaker(piece))
        wishes = {name: wish_of(getattr(corpus, name)) for name in SETS if name not in read}
        parts = share_out(seconds, transcribed, wishes, corpus.seed)
        home = set_of_speakers(parts)
        for piece, heard in shared:
            if piece.speaker in home:
                sets[home[piece.speaker]].append((piece, heard))
        if left := sorted(seconds.keys() - home.keys()):
            hours = sum(seconds[speaker] for speaker in left) / 3600
            log.warning(
                "%s (%.2f h) in no set, and left out: %s", counted(len(left), "speaker"), hours, few(left, _FIRST)
            )
    set_of_speakers({name: sorted({_speaker(piece) for piece, _ in members}) for name, members in sets.items()})
    return sets


def _speaker(piece: Piece) -> str:
    """Raises UserError where a piece has none."""
    if not piece.speaker:
        raise UserError(f"{piece.where}: {piece.id} has no speaker, so that sets cannot be told apart. Name one.")
    return piece.speaker


def _utterances(name: str, pieces: Found, tidy: Tidy, faults: Faults) -> list[Utterance]:
    """Of a set; those of labelled, dev and test without words are left out, counted and said.

    Raises:
        UserError: none is left of one of these.
    """
    utterances, silent = [], []
    for piece, heard in pieces:
        text = None if piece.text is None else tidy(piece.text)
        if not text and name != "unlabelled":
            silent.append(piece)
            continue
        whole = piece.recording == piece.id and piece.start == 0 and piece.end is None
        utterances.append(Utterance(
            piece.id, heard.path, text, _speaker(piece), heard.num_samples, SAMPLE_RATE, as_written=True,
            recording=None if whole else piece.recording, start=piece.start,
            # Rounded, as binary fractions add what was not said.
            duration=None if piece.end is None else round(piece.end - piece.start, 8),
            language=piece.language, gender=piece.gender,
        ))  # fmt: skip
    if silent:
        faults.counts["no transcript"] += len(silent)
        log.warning("%s: %d utterances have no transcript, and are left out, such as %s (%s)", name, len(silent),
                    silent[0].id, silent[0].where)  # fmt: skip
    if not utterances and name != "unlabelled":
        raise UserError(
            f"{name}: no speech with its words: {len(silent)} utterances without. Speech without transcripts can be "
            "unlabelled; transcripts stand beside the audio, or in a column or file of the corpus (--help)."
        )
    return utterances


def _write(out: Path, name: str, utterances: Iterable[Utterance], bad: str, faults: Faults) -> dict[str, Any]:
    """The manifest of a set, and what report.json says of it."""
    report = Report()
    # The recipe's validation reads all audio; here only where it is to find nothing that can be left out.
    cuts = validate(build_cuts(utterances), bad == "exclude", bad, report, name != "unlabelled")
    words: Counter[str] = Counter()
    count = write_cuts(out / f"{name}.jsonl.gz", _counted(cuts, words))
    faults.counts.update(report.excluded)
    log.info("%s: %s, %.2f h, %s", name, counted(count, "utterance"), report.seconds / 3600,
             counted(len(report.speakers), "speaker"))  # fmt: skip
    return {"utterances": count, "hours": report.seconds / 3600, "speakers": len(report.speakers),
            "words": words.total(), "different_words": len(words)}  # fmt: skip


def _counted(cuts: Iterable[Any], words: Counter[str]) -> Iterator[Any]:
    for cut in cuts:
        words.update((cut.supervisions[0].text or "").split())
        yield cut
