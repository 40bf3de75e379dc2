"""Sentences from a seeded stochastic grammar.

A rule is a list of expansions; a part in angle brackets is another rule, and letters beside it belong to each of its
words (<name>'s). An expansion is drawn uniformly, so an expansion that should come more often stands more than once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_REFERENCE = re.compile(r"<(\w+)>")


def words(text: str) -> list[str]:
    """Words of a text; an underscore is a space within one."""
    return [word.replace("_", " ") for word in text.split()]


@dataclass(frozen=True)
class Grammar:
    """Rules by their names; a sentence begins with the rule "sentence"."""

    rules: Mapping[str, Sequence[str]]

    def sentence(self, rng: np.random.Generator, rule: str = "sentence") -> str:
        """Draw one sentence: words in small letters, single spaces, no punctuation but apostrophes."""
        expansions = self.rules[rule]
        chosen = expansions[int(rng.integers(len(expansions)))]
        return " ".join(_REFERENCE.sub(lambda match: self.sentence(rng, match[1]), chosen).split())

    def sentences(self, seed: int | list[int]) -> Iterator[str]:
        """Endless sentences from one seed."""
        rng = np.random.default_rng(seed)
        while True:
            yield self.sentence(rng)

    def vocabulary(self) -> list[str]:
        """Every word that the grammar can say, sorted."""
        parts = {part for expansions in self.rules.values() for text in expansions for part in text.split()}
        # A rule that only ever has letters beside it says none of its words alone.
        alone = {"sentence"} | {found[1] for part in parts if (found := _REFERENCE.fullmatch(part))}
        texts = {text for name in alone for text in self.rules[name]}
        return sorted({word for text in texts for part in text.split() for word in self._words_of(part)})

    def _words_of(self, part: str) -> list[str]:
        """The words of a part without spaces, none where a rule of its own has them."""
        found = _REFERENCE.search(part)
        if found is None:
            return [part]
        before, after = part[: found.start()], part[found.end() :]
        return [f"{before}{text}{after}" for text in self.rules[found[1]]] if before or after else []
