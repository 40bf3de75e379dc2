"""Errors of utterances as they are kept beside results: small, whole, and enough to check a star."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from understudy.score import archive
from understudy.score.compare import System, differ, pack_scored
from understudy.score.utterances import Scored, write
from understudy.step import UserError


def decoding(seed: int, rate: float = 0.3, begin: int = 0) -> list[Scored]:
    """Of 500 utterances of 20 speakers, some 30 words each."""
    rng = np.random.default_rng(seed)
    sizes = np.random.default_rng(0).integers(5, 60, 600)
    return [
        Scored(f"utterance-{i:04d}", f"speaker-{i % 20}", n := int(sizes[i]), *rng.binomial(n, rate / 3, 3).tolist(),
               5 * n, int(rng.binomial(5 * n, rate)))
        for i in range(begin, begin + 500)
    ]  # fmt: skip


def test_what_was_packed_is_read_again(tmp_path):
    given = {"a/decode/test": decoding(1), "b.2/decode/test": decoding(2), "b/decode/other": decoding(3, begin=100)}
    path = tmp_path / archive.NAME
    archive.write(path, given)
    assert archive.names(path) == list(given)
    assert {name: archive.read(path, name) for name in given} == given
    before = path.read_bytes()
    archive.write(path, given)
    assert path.read_bytes() == before
    tables = 0
    for scored in given.values():
        write(tmp_path / "one.tsv", scored)
        tables += (tmp_path / "one.tsv").stat().st_size
    assert len(before) < tables / 4


def test_the_same_utterance_scored_in_two_ways_is_two_rows(tmp_path):
    first, second = Scored("u", "s", 3, 1, 0, 0, 12, 2), Scored("u", "s", 4, 1, 0, 0, 11, 2)  # T-SHIRT as two words
    archive.write(tmp_path / "x", {"first": [first], "second": [second]})
    assert archive.read(tmp_path / "x", "first") == [first] and archive.read(tmp_path / "x", "second") == [second]


def test_a_star_is_checked_with_what_is_beside_results(tmp_path, caplog):
    lines = [{"system": name, "scored": f"{name}/decode/test", "test_set": "test"} for name in ("a", "b", "gone")]
    for line, scored in zip(lines, (decoding(1), decoding(2, 0.2))):
        (tmp_path / "exp" / line["scored"]).mkdir(parents=True)
        write(tmp_path / "exp" / line["scored"] / "utterances.tsv", scored)
    pack_scored(lines, tmp_path / "exp/results.jsonl", tmp_path)
    assert "none are kept, of gone" in caplog.text
    there, beside = (
        [System(x["system"], tmp_path / where / "results.jsonl", x) for x in lines] for where in ("exp", "")
    )
    assert differ(beside[:1], beside[1:2]) == differ(there[:1], there[1:2])
    assert differ(beside[:1], beside[1:2]).significant() and [x.has_scored() for x in beside] == [True, True, False]
    with pytest.raises(UserError, match="no such errors of utterances"):
        beside[2].scored()
    (tmp_path / "again").mkdir()
    pack_scored(lines, tmp_path / "results.jsonl", tmp_path / "again")  # of what was packed
    assert (tmp_path / "again" / archive.NAME).read_bytes() == (tmp_path / archive.NAME).read_bytes()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no gzip", "not errors of utterances"), (gzip.compress(b"a\tb\n"), "its header is another"),
        (gzip.compress(b"id\tspeaker\twords\tcharacters\tx\nu\ts\t3\t9\t1 2\n"), "line 2"),
    ],
    ids=["no gzip", "other columns", "counts that are no numbers"],  # gzip writes the time: no name for a test
)  # fmt: skip
def test_another_file_is_told(tmp_path, content, told):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError, match=told):
        archive.read(tmp_path / "x", "x")
