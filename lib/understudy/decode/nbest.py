"""N-best lists of the utterances of a decoding, and their oracle WER."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import kaldialign
import numpy as np

from understudy.corpus import read_cuts
from understudy.decode.lattice import WordLattice, load_lattices, nbest
from understudy.decode.options import NbestOptions
from understudy.lang.lexicon import Lexicon
from understudy.step import UserError, atomic_path, log, to_json, write_json


def list_nbest(options: NbestOptions, out: Path) -> None:
    """Write each utterance's n-best list, and the oracle WER of the first 1, 2, 5, 10, … sequences.

    Raises:
        UserError: there are no lattices, or a cut has none.
    """
    lattices = load_lattices(options.decoded / "lattices.safetensors")
    words, total, lost = Lexicon.read(options.lang).words, 0, 0
    errors = np.zeros(options.n, np.int64)  # of the best of the first 1, 2, … sequences
    with atomic_path(out / "nbest.jsonl") as partial, partial.open("w", encoding="utf-8") as file:
        for cut in read_cuts(options.cuts):
            if cut.id not in lattices:
                raise UserError(f"{options.cuts}: cut {cut.id} has no lattice. Were they made of this manifest?")
            said = cut.supervisions[0].text.split()
            found = list(_sequences(lattices[cut.id], words, options.n))
            line = {"id": cut.id, "nbest": [{"cost": round(cost, 4), "text": " ".join(text)} for text, cost in found]}
            file.write(to_json(line, cut.id, ensure_ascii=False) + "\n")
            errors += _fewest(said, [text for text, _ in found], options.n)
            total, lost = total + len(said), lost + (not found)
    if lost:
        log.warning("%d utterances have no lattice: all their words count as deleted", lost)
    rates = {n: round(100 * int(errors[n - 1]) / max(total, 1), 3) for n in _sizes(options.n)}
    write_json(out / "oracle.json", {"words": total, "empty": lost, "oracle_wer": rates})
    log.info("oracle WER of the n best, %%: %s", ", ".join(f"{n}: {rate:.2f}" for n, rate in rates.items()))


def _sequences(lattice: WordLattice | None, words: Sequence[str], n: int) -> Iterator[tuple[list[str], float]]:
    for found, cost in nbest(lattice, n) if lattice else ():
        yield [words[word] for word in found], cost


def _fewest(reference: list[str], found: list[list[str]], n: int) -> np.ndarray:
    """(n,) errors of the best of the first 1, 2, … sequences; without any sequence, all words count as errors."""
    each = [kaldialign.edit_distance(reference, text)["total"] for text in found] or [len(reference)]
    fewest = np.minimum.accumulate(each)
    return np.concatenate([fewest, np.full(n - len(fewest), fewest[-1])])


def _sizes(most: int) -> list[int]:
    """Return 1, 2, 5, 10, … up to `most`, and `most`."""
    steps = (factor * 10**power for power in range(len(str(most))) for factor in (1, 2, 5))
    return sorted({most, *(n for n in steps if n < most)})
