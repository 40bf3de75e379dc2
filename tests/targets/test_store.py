"""Sets of soft targets: any cut is found, and what does not belong together or is damaged is named."""

import numpy as np
import pytest
import torch
from lhotse import Features, MonoCut

from understudy.step import UserError
from understudy.targets import TargetReader, TargetWriter
from understudy.targets import shard as module
from understudy.targets.shard import Shard
from understudy.targets.store import shard_path, top_k

SENONES = 40
DESCRIBED = {"senones": SENONES, "teacher": "t", "tree": "abc", "k": 3}


@pytest.fixture
def logits() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {f"u{i}": 4 * torch.randn(length, SENONES) for i, length in enumerate((5, 3, 9, 1, 30, 2, 4))}


@pytest.fixture
def folder(tmp_path, logits, monkeypatch):
    monkeypatch.setattr(module, "_FRAMES", 8)  # so that there are several blocks
    writer = TargetWriter(tmp_path, DESCRIBED, least=0.0)
    names = list(logits)
    for number, part in enumerate((names[:4], [], names[4:])):
        assert not writer.has(number)
        writer.write(number, {name: top_k(logits[name], 3) for name in part})
        assert writer.has(number)
    writer.close(3)
    return tmp_path


def test_every_cut_is_read_in_any_order(folder, logits):
    reader = TargetReader([folder])
    for name in [*reversed(logits), *logits]:
        frames = len(logits[name])
        senones, values = reader.read(name, frames)
        for start in range(frames):
            some = reader.read(name, frames, start, frames - start // 2)
            assert all(np.array_equal(a, b[start : frames - start // 2]) for a, b in zip(some, (senones, values)))
        best = logits[name].log_softmax(1).topk(3)
        assert np.array_equal(senones, best.indices.sort(1).values.numpy())
        expected = logits[name].log_softmax(1).gather(1, torch.from_numpy(senones)).numpy()
        assert np.abs(values - expected).max() <= 3 * (np.sqrt(-expected.min()) / 8 + 1 / 256)
        assert np.abs(reader.log_z(name, frames) - logits[name].logsumexp(1).numpy()).max() <= 1 / 32 + 1e-4
    assert len(Shard(shard_path(folder, 0))) == 3 and len(Shard(shard_path(folder, 1))) == 0
    assert Shard(shard_path(folder, 2)).describe == {**DESCRIBED, "least": 0.0, "frame_shift_s": 0.03}
    assert np.array_equal(TargetReader([folder], 1).read("u2", 9)[0][:, 0], logits["u2"].argmax(1).numpy())


# Of version 1: cut u0 of two frames, senones 2 4 9 and 1 7 30.
FIRST = bytes.fromhex(
    "555354475400000128b52ffd2002110000030328b52ffd200631000002010401051628b52ffd200631000000000000000028b52ffd2006310000"
    "08074d0a0e0528b52ffd200211000030a828b52ffd200211000000ff28b52ffd206cc502003245121890b7395e3542b1896a093685d8950e7a4a"
    "8a10ec93b133390ba2e96d890f89728f7880ebef7ad49bfecc58005d3a7d2a0a82420a86fbc54e09af3c90239795124e6360502b05560204005b"
    "0d83c0d859a604930c560000000000000061000000000000001fcc90a75553544754000001"
)


def test_shards_of_the_first_version_are_read(tmp_path):
    (tmp_path / "old.targets").write_bytes(FIRST)
    shard = Shard(tmp_path / "old.targets")
    shard.check({"senones": 40}, {"u0": 2}, blocks=True)
    senones, values = shard.block(0).padded(3)
    assert senones.tolist() == [[2, 4, 9], [1, 7, 30]]
    roots = np.array([[8, 7, 77], [10, 14, 5]]) / 8  # as they were written
    assert values == pytest.approx(-np.minimum(roots**2, (1.5 + 31 / 8) ** 2))
    assert shard.block(0).padded(1)[0].tolist() == [[4], [30]]


def test_what_does_not_fit_is_named_with_both_values(folder, tmp_path_factory, logits):
    reader = TargetReader([folder])
    with pytest.raises(UserError, match=r"9 frames of soft targets in .*00000\.targets, 8 of features"):
        reader.read("u2", 8)
    with pytest.raises(UserError, match="u9: no soft targets"):
        reader.read("u9", 8)
    with pytest.raises(UserError, match="3 senones a frame were kept, 4 cannot"):
        TargetReader([folder], 4)
    other = tmp_path_factory.mktemp("other")
    writer = TargetWriter(other, {**DESCRIBED, "teacher": "u"}, least=0.0)
    writer.write(0, {"x": top_k(logits["u0"], 3)})
    writer.close(1)
    with pytest.raises(UserError, match=r"'teacher': 'u'.*'teacher': 't'"):
        TargetReader([folder, other])
    shard_path(other, 0).rename(shard_path(folder, 0))
    with pytest.raises(UserError, match=r"00000\.targets: made by .*'teacher': 'u'"):
        TargetReader([folder])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_no_numbers_name_the_cut_and_the_teacher(tmp_path, logits, bad):
    logits["u2"][3, 1] = bad
    writer = TargetWriter(tmp_path, DESCRIBED)
    with pytest.raises(UserError, match=r"cut u2: targets of the teacher t cannot be stored .*not finite"):
        writer.write(0, {name: top_k(one, 3) for name, one in logits.items()})
    assert not list(tmp_path.iterdir())


def cut(name: str, stacked: int) -> MonoCut:
    features = Features("x", 3 * stacked, 64, 0.01, 16000, 0, stacked * 0.03, "none", "", "", name, 0)
    return MonoCut(name, 0, stacked * 0.03, 0, features=features)


def test_lengths_are_compared_beforehand(folder, logits):
    reader = TargetReader([folder])
    reader.check([cut("u0", 5), cut("u6", 4), cut("untaught", 1)])
    with pytest.raises(UserError, match=r"cut u4: 30 frames of soft targets in .*00002\.targets, 31 of features"):
        reader.check([cut("u0", 5), cut("u4", 31)])


def test_a_shard_that_is_not_of_the_set_is_not_taken_for_it(folder, tmp_path_factory, logits, caplog):
    lengths = {name: len(one) for name, one in logits.items()}
    writer = TargetWriter(folder, DESCRIBED, least=0.0)
    assert writer.has(0, lengths) and not writer.has(3, lengths)
    assert not writer.has(0, {**lengths, "u1": 4}) and "cut u1: 3 frames" in caplog.text and "4 of" in caplog.text
    assert not writer.has(2, {"u4": 30}) and "holds cut u5, which does not belong" in caplog.text
    other = TargetWriter(folder, {**DESCRIBED, "tree": "xyz"}, least=0.0)
    assert not other.has(0) and "made by {'tree': 'abc'}, where others are by {'tree': 'xyz'}" in caplog.text
    with pytest.raises(UserError, match=r"made by .*'abc'.* others are by .*'xyz'"):
        TargetReader([folder], described=other.describe)
    path = shard_path(folder, 2)
    path.write_bytes(path.read_bytes()[:-1])
    assert not writer.has(2) and f"{path}: cannot be read" in caplog.text


def test_every_damage_is_noticed(folder, logits):
    path = shard_path(folder, 2)
    whole = path.read_bytes()

    def read_all() -> None:
        reader = TargetReader([folder])
        for name in ("u4", "u5", "u6"):
            reader.read(name, len(logits[name]))

    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(UserError, match=r"00002\.targets: "):
            read_all()
    for length in (0, 7, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"00002\.targets: cannot be read"):
            read_all()
    path.write_bytes(whole[:7] + b"\x03" + whole[8:-1] + b"\x03")
    with pytest.raises(UserError, match="version 3; versions 1 to 2 can be read"):
        read_all()
    path.unlink()
    with pytest.raises(UserError, match=r"00002\.targets: cannot be read"):
        TargetReader([folder])
