"""Grapheme-to-phoneme conversion for words that a lexicon lacks, learnt from the lexicon by Phonetisaurus."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import kaldifst
from phonetisaurus import guess_environment

from understudy.device.g2p import Guesser
from understudy.device.openfst import read_fst
from understudy.lang.lexicon import Entry, read_entries
from understudy.step import UserError, atomic_path

MODEL = "g2p.fst"
"""File of the model in a language folder, if pronunciations were guessed"""
_OWN = {ord(one): 0xE000 + ord(one) for one in "_|}"}
"""Characters that the package uses as separators, and the private-use characters that replace them in words"""
_NOTHING = ("", "_", "<eps>", "<s>", "</s>")
"""Parts of the package's symbols that stand for no letter and no phone"""
_BACK = {there: here for here, there in _OWN.items()}


def train(entries: Iterable[Entry], model: Path) -> None:
    """Estimate a joint n-gram model of letters and phones, which takes a minute for 40 000 words.

    Args:
        entries: the lexicon to learn from; with less than a few hundred words, guesses are poor.
        model: the file to write.

    Raises:
        UserError: the package failed.
    """
    entries = list(entries)
    # The package's default order, 8, fails if no word is that long.
    order = min(8, max(len(word) for word, _ in entries))
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / "lexicon.txt", (f"{word}\t{' '.join(phones)}" for word, phones in entries))
        _run(folder, "phonetisaurus-train", "--lexicon", "lexicon.txt", "--seq2_del", "--ngram_order", str(order))
        with atomic_path(model) as partial:
            shutil.copyfile(Path(folder) / "train/model.fst", partial)


def pronounce(model: Path, words: Iterable[str]) -> list[Entry]:
    """Guess the pronunciations of all `words`, or fail (see `guess`).

    Raises:
        UserError: the model has no pronunciation for a word (it has letters that no word of the lexicon has).
    """
    words = sorted(set(words))
    guessed = guess(model, words)
    if missing := [word for word in words if word not in guessed]:
        raise UserError(f"no pronunciation can be guessed for: {' '.join(missing)}. Add them to the lexicon.")
    return [(word, guessed[word]) for word in words]


def guess(model: Path, words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the likeliest pronunciation of each word under a model of `train`; words without one are left out."""
    words = sorted(set(words))
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / "words.txt", words)
        printed = _run(folder, "phonetisaurus-apply", "--model", str(model.absolute()), "--word_list", "words.txt")
    guessed: dict[str, tuple[str, ...]] = {}
    for line in printed.splitlines():
        word, *phones = line.split()
        guessed[word] = tuple(phones)
    return {word: guessed[word] for word in words if guessed.get(word)}


def guesser_of(lexicon: Path) -> Guesser:
    """Train a model on a lexicon, and return it in the form for devices; its guesses are as likely as by `guess`."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / MODEL
        train(read_entries(lexicon), model)
        fst = kaldifst.StdVectorFst.read(str(model))
        letters, phones = (_symbols(table) for table in (fst.input_symbols, fst.output_symbols))
        fst.input_symbols = fst.output_symbols = None
        fst.write(str(model))
        return Guesser(read_fst(model), letters, phones)


def _symbols(table: Any) -> list[list[str]]:
    """Return the letters or phones that each label stands for."""
    names = [table.find(number) for number in range(table.num_symbols())]
    return [[one.translate(_BACK) for one in name.split("|") if one not in _NOTHING] for name in names]


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines).translate(_OWN), encoding="utf-8")


def _run(folder: str, *command: str) -> str:
    """Run one of the package's programs and return its output."""
    done = subprocess.run(command, cwd=folder, env=guess_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"{command[0]} failed; is the lexicon very small? It said: {done.stderr.strip()[-500:]}")
    return done.stdout.translate(_BACK)
