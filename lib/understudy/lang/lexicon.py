"""The pronunciation lexicon: words, their pronunciations, and the numbering of both."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.device.vocabulary import SILENCE, Vocabulary
from understudy.step import UserError, atomic_path, log

EPS = "<eps>"
SILENCE_ID = 1
"""Id of the silence phone in every lexicon"""
BACKOFF = "#0"
_RESERVED_WORDS = {EPS, BACKOFF, "<s>", "</s>"}
_SHOWN = 20
_FEW = 5
_VARIANT = re.compile(r"(?<=.)\(\d+\)$")
"""The number of a word's further pronunciations in CMUdict, as in WORD(2)"""

_PROBABILITY = re.compile(r"0|1|[01]?\.\d+(e-?\d+)?")
"""A pronunciation probability, which some lexicons have before the phones"""

LEXICON_FILES = ("lexicon.txt", "phones.txt", "words.txt")
"""The lexicon's files in a language folder"""
OOV = "oov.txt"
"""File with the --oov of make_lang.py, its treatment of words without pronunciation, which later alignments follow"""
SPOKEN_FILES = (*LEXICON_FILES, OOV)
"""The files of a language folder that an alignment reads: the language model is not among them"""

Entry = tuple[str, tuple[str, ...]]
"""A word and the phones of one pronunciation"""


@dataclass(frozen=True)
class Lexicon(Vocabulary):
    """A pronunciation lexicon. Phone 0 is <eps> (and "no phone" in contexts), phone 1 is optional silence.

    Attributes:
        phones: symbol of each phone id.
        words: symbol of each word id; 0 is <eps>, the last is #0 (back-off).
        pronunciations: phone ids of each pronunciation, by word symbol.
    """

    phones: tuple[str, ...]
    words: tuple[str, ...]
    pronunciations: dict[str, tuple[tuple[int, ...], ...]]

    def __contains__(self, word: object) -> bool:
        return word in self.pronunciations

    def pronounces(self, text: str) -> bool:
        """Whether the lexicon has all words of a transcript."""
        return all(word in self for word in text.split())

    @classmethod
    def read(cls, path: Path | str) -> Lexicon:
        """Read "WORD PHONE PHONE ..." lines; several lines of one word are several pronunciations.

        `path` is a lexicon file or a language folder, whose phones.txt and words.txt fix the numbering: a tree depends
        on the phone ids, so these must not change.

        Raises:
            UserError: a line is malformed (the message names file and line), or the folder's files do not agree.
        """
        path = Path(path)
        file = path / "lexicon.txt" if path.is_dir() else path
        entries = read_entries(file)
        if path.is_dir():
            return _build(entries, _read_symbols(path / "phones.txt"), _read_symbols(path / "words.txt"), file)
        return cls.from_entries(entries)

    @classmethod
    def from_entries(cls, entries: Iterable[tuple[str, Sequence[str]]]) -> Lexicon:
        """Number phones and words in sorted order (so that the order of lines does not matter)."""
        entries = list(entries)
        phones = sorted({p for _, pron in entries for p in pron} - {SILENCE})
        words = sorted({word for word, _ in entries})
        return _build(entries, [EPS, SILENCE, *phones], [EPS, *words, BACKOFF], Path("lexicon"))

    def write(self, folder: Path) -> None:
        """Write lexicon.txt, phones.txt and words.txt."""
        lines = [
            f"{word} {' '.join(self.phones[p] for p in pron)}"
            for word, prons in sorted(self.pronunciations.items())
            for pron in prons
        ]
        phones = [f"{s} {i}" for i, s in enumerate(self.phones)]
        words = [f"{s} {i}" for i, s in enumerate(self.words)]
        for name, content in zip(LEXICON_FILES, (lines, phones, words)):
            _write_lines(folder / name, content)

    def ids(self, words: Iterable[str]) -> list[int]:
        """Return the word ids of a transcript.

        Raises:
            UserError: a word is not in the lexicon.
        """
        words = list(words)
        missing = [w for w in words if w not in self]
        if missing:
            raise UserError(
                f"not in the lexicon: {' '.join(sorted(set(missing)))}. Add pronunciations, or make the "
                "language folder with --oov g2p."
            )
        return [self.word_ids[w] for w in words]


def read_entries(path: Path) -> list[Entry]:
    """Read (word, phones) from each line of a lexicon, repeated lines once; empty lines are left out.

    CMUdict's format is accepted: a line that begins with ;;; is a comment, and so is everything after a separate # that
    follows phones; WORD(2) is the second pronunciation of WORD.

    Raises:
        UserError: the file is missing, empty or not UTF-8, a word has no phones, or a symbol is reserved.
    """
    entries: dict[Entry, None] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such lexicon. It has lines of WORD PHONE PHONE ...") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start}). Convert it with iconv.") from None
    for number, line in enumerate(text.splitlines(), 1):
        fields = [] if line.startswith(";;;") else line.split()
        if "#" in fields[2:]:
            fields = fields[: fields.index("#", 2)]
        if not fields:
            continue
        fields[0] = _VARIANT.sub("", fields[0])
        _check_entry(f"{path}:{number}", fields)
        entries[fields[0], tuple(fields[1:])] = None
    if not entries:
        raise UserError(f"{path}: no entries. It needs lines of WORD PHONE PHONE ...")
    return list(entries)


def _check_entry(where: str, fields: list[str]) -> None:
    word, phones = fields[0], fields[1:]
    if not phones:
        raise UserError(f"{where}: {word} has no phones. Write WORD PHONE PHONE ... or remove the line.")
    if word in _RESERVED_WORDS:
        raise UserError(f"{where}: {word} is reserved and cannot be a word. Remove the line.")
    for phone in phones:
        if phone == EPS or re.fullmatch(r"#\d+", phone):
            raise UserError(f"{where}: {phone} is reserved and cannot be a phone. Rename it.")
    if _PROBABILITY.fullmatch(phones[0]) and (len(phones) > 1 or "." in phones[0]):  # 2 and 9 are phones of SAMPA
        raise UserError(
            f"{where}: {phones[0]} looks like a probability, not a phone. Pronunciation probabilities are not read: "
            "remove that column."
        )


def _build(entries: Iterable[tuple[str, Sequence[str]]], phones: list[str], words: list[str], where: Path) -> Lexicon:
    ids = {p: i for i, p in enumerate(phones)}
    prons: dict[str, list[tuple[int, ...]]] = {}
    for word, pron in entries:
        unknown = [p for p in pron if p not in ids]
        if unknown:
            raise UserError(f"{where}: {word} has a phone that phones.txt lacks: {unknown[0]}. Remake the folder.")
        prons.setdefault(word, []).append(tuple(ids[p] for p in pron))
    if set(words[1:-1]) != set(prons):
        raise UserError(f"{where}: words.txt and lexicon.txt differ. Remake the folder (stage 2).")
    return Lexicon(tuple(phones), tuple(words), {w: tuple(p) for w, p in prons.items()})


def _read_symbols(path: Path) -> list[str]:
    symbols: list[str] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Make the language folder (stage 2) again.") from None
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if len(fields) != 2 or fields[1] != str(len(symbols)):
            raise UserError(f"{path}:{number}: expected a symbol and {len(symbols)}. Remake the folder (stage 2).")
        symbols.append(fields[0])
    return symbols


def _write_lines(path: Path, lines: list[str]) -> None:
    with atomic_path(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def without_stress(entries: Iterable[tuple[str, Sequence[str]]]) -> list[Entry]:
    """Remove ARPAbet's stress digits: 39 phones instead of 69 allow a small tree; equal pronunciations are merged."""
    return list(dict.fromkeys((word, tuple(phone.rstrip("012") for phone in phones)) for word, phones in entries))


def write_entries(entries: Iterable[Entry], path: Path) -> None:
    """Write WORD PHONE PHONE ... lines, and log the numbers of words, pronunciations and phones."""
    entries = list(entries)
    _write_lines(path, [f"{word} {' '.join(phones)}" for word, phones in entries])
    words, phones = {word for word, _ in entries}, {phone for _, spoken in entries for phone in spoken}
    log.info("%s: %d words, %d pronunciations, %d phones", path, len(words), len(entries), len(phones))


def say_oov(name: str, known: Collection[str], texts: Iterable[str]) -> None:
    """Warn of a set's words without pronunciation while a corpus is prepared."""
    if counts := oov_counts(known, texts):
        log.warning("%s", oov_message(name, counts, known).split("\n")[0])


def oov_counts(lexicon: Container[str], texts: Iterable[str]) -> dict[str, int]:
    """Return the counts of words that the lexicon lacks, most frequent first."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in text.split():
            if word not in lexicon:
                counts[word] = counts.get(word, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def visible(word: str) -> str:
    """Return a word with invisible characters escaped: "THE\u200b" is not "THE", though it looks the same."""
    return "".join(
        one if unicodedata.category(one) not in ("Cc", "Cf", "Cn", "Co", "Zs", "Zl", "Zp") else ascii(one)[1:-1]
        for one in word
    )


def _otherwise(lexicon: Iterable[str], counts: Mapping[str, int]) -> str:
    """Return a sentence on words that the lexicon has in another case or Unicode form; empty: there are none."""
    known = {_alike(word): word for word in lexicon}
    pairs = [f"{visible(word)}: {known[_alike(word)]}" for word in counts if _alike(word) in known]
    if not pairs:
        return ""
    more = f" and {len(pairs) - _FEW} more" if len(pairs) > _FEW else ""
    return f" The lexicon has some otherwise ({', '.join(pairs[:_FEW])}{more}): write them alike."


def _alike(word: str) -> str:
    """Return a word case-folded, in NFKC, without invisible characters."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    return "".join(one for one in plain if unicodedata.category(one)[0] not in "CZ")


def oov_message(path: Path | str, counts: dict[str, int], lexicon: Iterable[str] = ()) -> str:
    """Return a message on words without pronunciation, and what the user can do about them.

    Args:
        path: the manifest or set, for the message.
        counts: the words' counts, see `oov_counts`.
        lexicon: the lexicon's words, to name those in another case or Unicode form.
    """
    shown = ", ".join(f"{visible(w)} ({n})" for w, n in list(counts.items())[:_SHOWN])
    more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
    return (
        f"{path}: {len(counts)} words ({sum(counts.values())} occurrences) have no pronunciation: "
        f"{shown}{more}.{_otherwise(lexicon, counts)}\n"
        "  Add them to the lexicon, leave out the cuts that contain them with --oov skip, or have their "
        "pronunciations guessed with --oov g2p."
    )
