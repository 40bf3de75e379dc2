"""The languages that the assistant may know: what is said, in which of eSpeak's voices, with which phones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grammar import Grammar
from grammars import english, german, greek
from phone_sets import english as english_phones
from phone_sets import german as german_phones
from phone_sets import greek as greek_phones
from phones import PhoneSet

Code = Literal["en", "de", "el"]
"""Of ISO 639-1"""


@dataclass(frozen=True)
class Language:
    """A language, by its name, with eSpeak's voice of it.

    Attributes:
        in_capitals: transcripts and lexicon are, as many corpora of English have them.
    """

    name: str
    voice: str
    grammar: Grammar
    phone_set: PhoneSet
    in_capitals: bool = False

    def written(self, text: str) -> str:
        """A sentence or word of the grammar as transcripts and lexicon have it."""
        return text.upper() if self.in_capitals else text


LANGUAGES: dict[Code, Language] = {
    "en": Language("English", "en-us", Grammar(english.RULES), english_phones.PHONES, in_capitals=True),
    "de": Language("German", "de", Grammar(german.RULES), german_phones.PHONES),
    "el": Language("Greek", "el", Grammar(greek.RULES), greek_phones.PHONES),
}
