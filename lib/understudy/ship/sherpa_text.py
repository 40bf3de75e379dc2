"""How sherpa-onnx spells what its search found: a token for each column, and a rule that turns tokens into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from understudy.device.openfst import Fst
from understudy.step import UserError

BLANK = "<blk>"
_SPACE = "▁"  # sherpa-onnx writes a space where a token begins with it
_JOINS = "_|~^\\;"


def joining(words: Iterable[str]) -> str:
    """Return a character to stand between words of one token: one that no word has.

    Raises:
        UserError: there is no such character.
    """
    used = set("".join(words))
    for one in _JOINS:
        if one not in used:
            return one
    raise UserError(f"words have all of {_JOINS} in them: one has to be free to stand between words of one token")


def tokens(said: Sequence[Sequence[str]], blank: int, join: str) -> str:
    """Return tokens.txt: the words of each column, or a space where it has none.

    Args:
        said: words of each column.
        blank: the column that counts as silence.
        join: character between several words.
    """
    names = [BLANK if column == blank else _SPACE + join.join(words) for column, words in enumerate(said)]
    return "".join(f"{name} {column}\n" for column, name in enumerate(names))


def rule(join: str) -> Fst:
    """Return a transducer of bytes for sherpa-onnx's `rule_fsts`: one space between words, none before or after."""
    letters = [byte for byte in range(1, 256) if byte not in (ord(" "), ord(join))]
    begin, word, gap, next_word = range(4)
    space = ord(" ")
    arcs = [(begin, space, 0, begin), (word, space, 0, gap), (gap, space, 0, gap), (word, ord(join), space, begin)]
    arcs += [(source, byte, byte, word) for source in (begin, word, next_word) for byte in letters]
    arcs.append((gap, 0, space, next_word))
    rows = np.array(sorted(arcs), np.int32)
    free = np.zeros(len(rows), np.int32)  # the bits of the cost 0.0
    finals = np.array([0, 0, 0, np.inf], np.float32)
    return Fst(np.stack([rows[:, 1], rows[:, 2], free, rows[:, 3]], 1), rows[:, 0], finals, begin)
