"""Text normalisation from written to spoken form: numbers (num2words) and, in English, abbreviations, money, times.

Recognisers that were trained on subtitles write `Mr.`, `$5` and `1884`; a lexicon has MISTER, FIVE DOLLARS and EIGHTEEN
EIGHTY FOUR. The form that a speaker chose is not known: a year is read as years are, any other number as a cardinal.
Text in brackets or between stars was not spoken (`[Music]`, `(laughs)`, `*sighs*`) and is removed; so are notes (♪).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from understudy.step import UserError, log

_NOT_SAID = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>|\*[^*]*\*|[♩♪♫♬]")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d{3})*(?:[.,]\d+)?")
_POINT_LANGUAGES = frozenset("en he hi ja ko th zh".split())
"""Languages that write 1,234.5; the others write 1.234,5"""

_ABBREVIATIONS = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor", "st": "saint", "jr": "junior",
    "sr": "senior", "capt": "captain", "col": "colonel", "gen": "general", "lt": "lieutenant", "sgt": "sergeant",
    "rev": "reverend", "hon": "honourable", "vs": "versus", "etc": "et cetera",
}  # fmt: skip
_ALWAYS = frozenset({"mr", "mrs", "dr", "etc", "vs"})
"""Abbreviations that are not also words, so that their full stop may be missing"""
_STOPPED = sorted({*_ABBREVIATIONS} - _ALWAYS)
_ABBREVIATED = re.compile(
    rf"\b(?:(?P<always>{'|'.join(sorted(_ALWAYS))})\b\.?|(?P<stopped>{'|'.join(_STOPPED)})\.)", re.IGNORECASE
)
_SIGNS = {"&": " and ", "%": " percent ", "+": " plus ", "=": " equals ", "@": " at ", "°": " degrees "}
_MONEY = {"$": ("dollar", "cent"), "£": ("pound", "pence"), "€": ("euro", "cent")}
_AMOUNT = re.compile(r"([$£€])\s?(\d+(?:,\d{3})*)(?:\.(\d+))?(\s(?:hundred|thousand|million|billion|trillion)\b)?")
_TIME = re.compile(r"\b(\d{1,2}):(\d\d)\b")
_ORDINAL = re.compile(r"\b(\d+(?:,\d{3})*)(?:st|nd|rd|th)\b", re.IGNORECASE)
_DECADE = re.compile(r"\b(\d*0)['’]?s\b")
_YEAR = re.compile(r"(?<![\d.,])(1[1-9]\d\d|20[1-9]\d)(?![\d]|[.,]\d)")
_NUMBERED = re.compile(r"\bNo\.\s?(?=\d)")


class Spoken:
    """A writer of texts in spoken form, which counts the texts that it changes."""

    def __init__(self, language: str) -> None:
        self._language, self._changed, self._example = language, 0, ""

    def __call__(self, text: str) -> str:
        """Return the text in spoken form, without digits.

        Raises:
            UserError: the text has digits, and num2words does not know the language.
        """
        said = _NOT_SAID.sub(" ", text)
        if self._language == "en":
            said = self._english(said)
        said = _NUMBER.sub(lambda found: f" {self._number(found[0])} ", said)
        if said != text:
            self._changed += 1
            self._example = self._example or f"{text[:60]!r}: {' '.join(said.split())[:60]!r}"
        return said

    def say(self) -> None:
        """Log how many texts were changed, with an example."""
        if self._changed:
            log.info("%d texts were written as they are spoken, such as %s", self._changed, self._example)

    def _english(self, text: str) -> str:
        text = _NUMBERED.sub("number ", text)
        text = _ABBREVIATED.sub(lambda found: _ABBREVIATIONS[(found["always"] or found["stopped"]).lower()], text)
        rules: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
            (_AMOUNT, self._amount),
            (_TIME, self._time),
            (_ORDINAL, lambda found: self._words(found[1].replace(",", ""), "ordinal")),
            (_DECADE, lambda found: _plural(self._words(found[1], "year" if len(found[1]) == 4 else "cardinal"))),
            (_YEAR, lambda found: self._words(found[1], "year")),
        ]
        for pattern, rule in rules:
            text = pattern.sub(lambda found, rule=rule: f" {rule(found)} ", text)  # type: ignore[misc]
        return "".join(_SIGNS.get(one, one) for one in text)

    def _amount(self, found: re.Match[str]) -> str:
        (unit, part), whole, digits, size = _MONEY[found[1]], found[2].replace(",", ""), found[3], found[4]
        if size or (digits and len(digits) != 2):
            return f"{self._number(whole + (f'.{digits}' if digits else ''))}{size or ''} {unit}s"
        parts = [f"{self._words(whole)} {unit}{'' if int(whole) == 1 else 's'}"] if int(whole) or not digits else []
        if digits and int(digits):
            parts.append(f"{self._words(digits)} {part}{'' if int(digits) == 1 or part == 'pence' else 's'}")
        return " and ".join(parts)

    def _time(self, found: re.Match[str]) -> str:
        hour, minute = self._words(found[1]), int(found[2])
        return f"{hour} {'oh ' if 0 < minute < 10 else ''}{self._words(found[2])}" if minute else hour

    def _number(self, written: str) -> str:
        """Read a number as a cardinal, but digit by digit if it begins with 0, as codes do, or after a decimal mark."""
        decimal, apart = (".", ",") if self._language in _POINT_LANGUAGES else (",", ".")
        grouped = re.fullmatch(rf"\d{{1,3}}(?:[{apart}\u00a0\u202f]\d{{3}})+(?:[{decimal}]\d+)?", written)
        plain = re.sub(rf"[{apart}\u00a0\u202f]", "", written) if grouped else written
        pieces = re.split(r"[^\d]", plain)
        if len(pieces) == 2 and decimal in plain:
            return self._words(f"{pieces[0]}.{pieces[1]}")
        return " ".join(self._whole(piece) for piece in pieces if piece)

    def _whole(self, digits: str) -> str:
        if len(digits) > 1 and digits[0] == "0":
            return " ".join(self._words(one) for one in digits)
        return self._words(digits)

    def _words(self, number: str, to: str = "cardinal") -> str:
        from num2words import num2words

        try:
            return num2words(number, lang=self._language, to=to).replace("-", " ").replace(",", "")
        except NotImplementedError:
            raise UserError(
                f"--language {self._language}: num2words cannot spell {number} in it. Spell out the numbers of the "
                "transcripts beforehand."
            ) from None
        except OverflowError:
            return " ".join(self._words(one) for one in number if one.isdigit())


def _plural(words: str) -> str:
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"
