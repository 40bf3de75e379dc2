"""The language of a folder, for graphs that are made on the device: pronunciations and the decision tree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import DeviceError
from .g2p import Guesser
from .letters import spelled
from .vocabulary import Vocabulary, asks_right, leaf, states_of
from .words import Guess


@dataclass(frozen=True)
class PhoneTree:
    """A decision tree: the senones of phones in context."""

    roots: dict[str, Any]
    """root, see `leaf`, of each phone and pdf-class, by `phone pdf-class`"""
    _known: dict[tuple[int, int, int, int], int] = field(default_factory=dict)

    @property
    def asks_right(self) -> bool:
        """See `ContextTree`."""
        return asks_right(self.roots.values())

    def senone(self, left: int, centre: int, right: int, pdf_class: int) -> int:
        """See `ContextTree`."""
        key = (left, centre, right, pdf_class)
        if key not in self._known:
            self._known[key] = leaf(self.roots[f"{centre} {pdf_class}"], left, right)
        return self._known[key]

    def states(self) -> list[tuple[int, int]]:
        """See `ContextTree`."""
        return states_of(self.roots)


@dataclass(frozen=True)
class Language:
    """The contents of language.json."""

    vocabulary: Vocabulary
    tree: PhoneTree
    spelled: bool
    """whether the phones of a word are its letters"""

    @classmethod
    def read(cls, path: Path, words: Sequence[str], tree: str) -> Language:
        """Read language.json.

        Args:
            words: text of each word id.
            tree: fingerprint of the network's tree.

        Raises:
            DeviceError: the file is no language.json, or has another tree.
        """
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            spoken = {
                word: tuple(tuple(map(int, phones.split())) for phones in of)
                for word, of in told["pronunciations"].items()
            }
            phones, roots, grown = told["phones"], dict(told["roots"]), str(told["tree"])
            letters = bool(told["spelled"])
            Vocabulary(phones, words, spoken).vocabulary  # noqa: B018 (all words have numbers)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeviceError(f"{path}: cannot be used ({error!r}). Copy the folder again.") from None
        if grown != tree:
            raise DeviceError(f"{path}: of the tree {grown}, the network is of {tree}. Ship both from one recipe.")
        return cls(Vocabulary(phones, words, spoken), PhoneTree(roots), letters)


def language_values(vocabulary: Vocabulary, roots: dict[str, Any], tree: str) -> dict[str, Any]:
    """Return the values of language.json, as `Language.read` reads them."""
    spoken = {word: [" ".join(map(str, phones)) for phones in of] for word, of in vocabulary.pronunciations.items()}
    phones = list(vocabulary.phones)
    letters = is_spelled(vocabulary)
    return {"tree": tree, "phones": phones, "spelled": letters, "pronunciations": spoken, "roots": roots}


def is_spelled(vocabulary: Vocabulary) -> bool:
    """Whether the phones of all words are their letters."""
    return all(
        tuple(vocabulary.phones[phone] for phone in phones) == spelled(word)
        for word, of in vocabulary.pronunciations.items()
        for phones in of
    )


def guesser(letters: bool, model: Path) -> Guess:
    """Return what guesses the pronunciations of words.

    Args:
        letters: whether the phones of a word are its letters; otherwise the model guesses, if there is one.
        model: file of a g2p model.
    """
    if letters:
        return spelled
    return Guesser.read(model) if model.exists() else lambda _: None
