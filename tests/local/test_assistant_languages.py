"""What the assistant is told in each language: sentences, their letters, and the phones of all their words."""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from understudy.device.letters import spelled

ASSISTANT = Path(__file__).parents[2] / "local" / "assistant"
sys.path.insert(0, str(ASSISTANT))

import lexicon  # noqa: E402
from foreign import unknown_to  # noqa: E402
from grammar import Grammar  # noqa: E402
from languages import LANGUAGES  # noqa: E402
from phones import SILENCE  # noqa: E402

LETTERS = {
    "en": "abcdefghijklmnopqrstuvwxyz'",
    "de": "abcdefghijklmnopqrstuvwxyzäöüß",
    "el": "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύφχψωώ",
}
each = pytest.mark.parametrize("code", LANGUAGES)


def drawn(code: str, count: int, seed: int = 1) -> list[str]:
    return list(islice(LANGUAGES[code].grammar.sentences(seed), count))


@each
def test_sentences_vary_and_have_the_words_of_the_vocabulary_alone(code: str) -> None:
    texts = drawn(code, 6000)
    words = {word for text in texts for word in text.split()}
    vocabulary = LANGUAGES[code].grammar.vocabulary()
    assert words <= set(vocabulary) and len(words) > 0.9 * len(vocabulary) > 500
    assert Counter(texts[:2000]).most_common(1)[0][1] < 40
    assert texts[:500] == drawn(code, 500) != drawn(code, 500, seed=2)


@each
def test_every_rule_is_there_and_is_used(code: str) -> None:
    rules = LANGUAGES[code].grammar.rules
    named = set(re.findall(r"<(\w+)>", " ".join(text for texts in rules.values() for text in texts)))
    assert named == set(rules) - {"sentence"}


@each
def test_words_are_made_of_the_letters_of_their_alphabet(code: str) -> None:
    for word in LANGUAGES[code].grammar.vocabulary():
        assert set(word) <= set(LETTERS[code]) and word == unicodedata.normalize("NFC", word)
        assert spelled(word) is not None


def test_letters_beside_a_rule_belong_to_its_words() -> None:
    grammar = Grammar({"sentence": ["<who>'s <what>timer", "all"], "who": ["ann", "ben"], "what": ["tea"]})
    assert grammar.vocabulary() == ["all", "ann's", "ben's", "teatimer"]
    assert set(islice(grammar.sentences(1), 50)) == {"ann's teatimer", "ben's teatimer", "all"}


@pytest.mark.parametrize("code", ["de", "el"])  # a synthesised corpus of English has its words too: test_assistant.py
def test_all_words_have_pronunciations_of_known_phones(code: str) -> None:
    language = LANGUAGES[code]
    made = lexicon.build(language, num_sentences=0, seed=1)  # words alone
    assert set(made) == {language.written(word) for word in language.grammar.vocabulary()}
    phones = {phone for spoken in made.values() for one in spoken for phone in one}
    assert all(made.values()) and SILENCE not in phones
    assert phones <= set(language.phone_set.phones.values()) and len(phones) >= 30


@pytest.mark.parametrize(
    ("code", "word", "phones"),
    [
        ("de", "größe", "g r 2: s @"),
        ("de", "küche", "k Y C @"),
        ("de", "beantworten", "b @ a n t v O r t @ n"),  # a glottal stop is no phone
        ("el", "ήλιος", "i L o s"),
        ("el", "μαΐου", "m a i u"),
        ("el", "αύριο", "a v r i o"),
    ],
)
def test_pronunciations(code: str, word: str, phones: str) -> None:
    only = Grammar({"sentence": [word]})
    language = replace(LANGUAGES[code], grammar=only)
    assert lexicon.build(language, num_sentences=1, seed=1) == {word: [tuple(phones.split())]}


def test_english_is_written_in_capitals_and_the_others_as_they_are() -> None:
    assert LANGUAGES["en"].written("anna's lamp") == "ANNA'S LAMP"
    assert LANGUAGES["de"].written("weiß") == "weiß" and LANGUAGES["el"].written("ήλιος") == "ήλιος"


def test_english_is_what_it_was_before_there_were_others() -> None:
    said = "\n".join([*LANGUAGES["en"].grammar.vocabulary(), *drawn("en", 3000, seed=3)])
    assert hashlib.sha256(said.encode()).hexdigest()[:16] == "dd4b65f25aef358d"


def test_babble_has_no_language_that_the_assistant_knows() -> None:
    assert list(unknown_to("en")) == ["German", "Spanish"]
    assert list(unknown_to("de")) == ["English", "Spanish"]
    assert list(unknown_to("el")) == ["English", "German", "Spanish"]
