"""Pronunciations of words that no lexicon has, guessed by a model of letters and phones."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import kaldifst
import numpy as np

from .errors import UNREADABLE, DeviceError
from .openfst import Fst, to_bytes


class Guesser:
    """A joint n-gram of letters and phones, as Phonetisaurus estimates it (Novak, Minematsu and Hirose 2016)."""

    def __init__(self, fst: Fst, letters: list[list[str]], phones: list[list[str]]) -> None:
        """`letters`, `phones`: what input and output labels of the FST stand for, any number of phones; 0 is none."""
        self.fst, self.letters, self.phones = fst, letters, phones
        self._numbers = {tuple(of): number for number, of in enumerate(letters) if of}
        self._longest = max(map(len, letters))
        self._model: Any = None

    def __call__(self, word: str) -> tuple[str, ...] | None:
        """Return the likeliest phones of a word; None: it has letters that the model does not know."""
        lines = []
        for begin in range(len(word)):
            for end in range(begin + 1, min(begin + self._longest, len(word)) + 1):
                if (number := self._numbers.get(tuple(word[begin:end]))) is not None:
                    lines.append(f"{begin} {end} {number} {number}")
        if not lines or not lines[0].startswith("0 "):
            return None
        heard = kaldifst.compile("\n".join([*lines, str(len(word))]) + "\n")
        if self._model is None:
            self._model = _loaded(self.fst)
        best = kaldifst.shortest_path(kaldifst.compose(heard, self._model))
        if best.num_states == 0:
            return None
        _, _, found, _ = kaldifst.get_linear_symbol_sequence(best)
        return tuple(phone for number in found for phone in self.phones[number]) or None

    def save(self, path: Path) -> None:
        """Write the model to a file for `read`."""
        symbols = json.dumps([self.letters, self.phones], ensure_ascii=False, allow_nan=False)
        with path.open("wb") as file:
            np.savez_compressed(
                file, arcs=self.fst.arcs, sources=self.fst.sources, finals=self.fst.finals,
                start=np.array(self.fst.start), symbols=np.array(symbols),
            )  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> Guesser:
        """Read a model that `save` wrote.

        Raises:
            DeviceError: the file is no such model.
        """
        try:
            with np.load(path, allow_pickle=False) as found:
                fst = Fst(found["arcs"], found["sources"], found["finals"], int(found["start"]))
                return cls(fst, *json.loads(str(found["symbols"])))
        except UNREADABLE as error:
            raise DeviceError(f"{path}: cannot be used to guess ({error!r}). Copy the folder again.") from None


def _loaded(fst: Fst) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "g2p.fst"
        path.write_bytes(to_bytes(fst))
        model = kaldifst.StdVectorFst.read(str(path))
    kaldifst.arcsort(model, "ilabel")
    return model
