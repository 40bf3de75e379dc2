"""Pronunciations of words that a lexicon lacks, learnt from the lexicon itself by Phonetisaurus."""

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
"""What a language folder has of it, where pronunciations were guessed"""
_OWN = {ord(one): 0xE000 + ord(one) for one in "_|}"}
"""Characters by which the package parts and joins symbols of its own, and those for private use that stand for them"""
_NOTHING = ("", "_", "<eps>", "<s>", "</s>")
"""Parts of its symbols that stand for no letter and no phone"""
_BACK = {there: here for here, there in _OWN.items()}


def train(entries: Iterable[Entry], model: Path) -> None:
    """Estimate a joint n-gram over letters and phones. Takes a minute for 40 000 words.

    Args:
        entries: the lexicon to learn from; a few hundred words at least, or the guesses are poor.
        model: the file to write.
    """
    entries = list(entries)
    # Its order of 8 fails where no word is that long.
    order = min(8, max(len(word) for word, _ in entries))
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / "lexicon.txt", (f"{word}\t{' '.join(phones)}" for word, phones in entries))
        _run(folder, "phonetisaurus-train", "--lexicon", "lexicon.txt", "--seq2_del", "--ngram_order", str(order))
        with atomic_path(model) as partial:
            shutil.copyfile(Path(folder) / "train/model.fst", partial)


def pronounce(model: Path, words: Iterable[str]) -> list[Entry]:
    """As `guess`, of all words.

    Raises:
        UserError: a word for which the model has no phones (letters that no word of the lexicon has).
    """
    words = sorted(set(words))
    guessed = guess(model, words)
    if missing := [word for word in words if word not in guessed]:
        raise UserError(f"no pronunciation can be guessed for: {' '.join(missing)}. Add them to the lexicon.")
    return [(word, guessed[word]) for word in words]


def guess(model: Path, words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The likeliest pronunciation of each of `words` that has one, by a model of `train`."""
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
    """A model of a lexicon, in the form in which a device guesses with it, as likely as `guess` does."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / MODEL
        train(read_entries(lexicon), model)
        fst = kaldifst.StdVectorFst.read(str(model))
        letters, phones = (_symbols(table) for table in (fst.input_symbols, fst.output_symbols))
        fst.input_symbols = fst.output_symbols = None
        fst.write(str(model))
        return Guesser(read_fst(model), letters, phones)


def _symbols(table: Any) -> list[list[str]]:
    """Letters or phones that each label stands for."""
    names = [table.find(number) for number in range(table.num_symbols())]
    return [[one.translate(_BACK) for one in name.split("|") if one not in _NOTHING] for name in names]


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines).translate(_OWN), encoding="utf-8")


def _run(folder: str, *command: str) -> str:
    """What one of the package's programs prints."""
    done = subprocess.run(command, cwd=folder, env=guess_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"{command[0]} failed; is the lexicon very small? It said: {done.stderr.strip()[-500:]}")
    return done.stdout.translate(_BACK)
