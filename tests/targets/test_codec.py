"""Soft targets as bytes: ids come back exactly, values within the stated bound."""

import numpy as np
import pytest
import torch

from understudy.targets.codec import Block, join, log_z, pack, quantise, unpack
from understudy.targets.store import top_k


def teacher(frames: int, senones: int, k: int, seed: int = 0) -> dict[str, np.ndarray]:
    """As sure of itself as a trained one: about one in two of its best senones has half of the mass."""
    torch.manual_seed(seed)
    logits = 3 * torch.randn(frames, senones) + 7 * torch.randn(1)
    logits[torch.arange(frames), torch.randint(senones, (frames,))] += 9 * torch.rand(frames)
    return {name: values.numpy() for name, values in top_k(logits, k).items()}


def through_bytes(block: Block) -> Block:
    return unpack(pack(block), len(block), len(block.senones))


def by_senone(senones: np.ndarray, values: np.ndarray) -> list[dict[int, float]]:
    return [
        {s: v for s, v in zip(*row) if v > -np.inf} for row in zip(senones.tolist(), values.astype(np.float64).tolist())
    ]


def bound(x: np.ndarray) -> np.ndarray:
    """How far −log p may come back from x, which is at most 28.9."""
    x = np.minimum(x, 28.9)
    return np.where(x < 2.25, np.sqrt(x) / 64 + 1 / 16384, np.sqrt(x) / 8 + 1 / 256) + 1e-4


@pytest.mark.parametrize(("frames", "senones", "k"), [(1, 2, 1), (7, 5, 20), (300, 3000, 20), (50, 65536, 255)])
@pytest.mark.parametrize("least", [0.0, 3e-4, 0.9])
def test_what_is_kept_comes_back(frames, senones, k, least):
    given = teacher(frames, senones, k)
    block = through_bytes(quantise(**given, least=least))
    found = by_senone(*block.padded(min(k, senones)))
    expected = by_senone(given["senones"], given["log_posteriors"])
    likeliest = block.padded(1)[0][:, 0]
    for got, row, first in zip(found, expected, likeliest, strict=True):
        best = max(row, key=row.get)
        assert got.keys() == {s for s, v in row.items() if v >= np.log(max(least, 1e-300)) or s == best}
        assert first == best and got[best] == max(got.values())
        for senone, value in got.items():
            x = -row[senone]
            assert abs(-value - min(x, 28.9)) <= bound(x)
    assert np.abs(log_z(block) - given["log_z"]).max() <= 1 / 32 + 1e-3
    assert (np.diff(block.padded(1)[0], axis=1) > 0).all() and block.padded(k)[0].dtype == np.int64


@pytest.mark.parametrize(
    "shares", [(0.505, 0.495), (0.495, 0.505), (0.5, 0.5), (0.2, 0.2, 0.2, 0.2, 0.2), (0.051, 0.05), (0.09, 0.0899)]
)
def test_nearly_as_likely_is_not_made_unlike(shares):
    """Two of .505 and .495 once came back as .558 and .442. The likeliest is known all the same."""
    given = np.log(np.array([shares]))
    block = through_bytes(quantise(np.arange(len(shares))[None], given, np.zeros(1), 0.0))
    values = np.exp(block.padded(len(shares))[1][0].astype(np.float64))
    assert values / values.sum() == pytest.approx(np.array(shares) / sum(shares), abs=0.006)
    assert block.padded(1)[0][0, 0] == np.argmax(shares)


def test_those_on_the_likeliest_ones_level_are_as_likely_and_come_next():
    shares = np.array([[0.1, 0.300, 0.299, 0.2, 0.2995]])  # on one level: 1, 2, 4
    block = through_bytes(quantise(np.arange(5)[None], np.log(shares), np.zeros(1), 0.0))
    assert block.padded(1)[0].tolist() == [[1]] and block.padded(3)[0].tolist() == [[1, 2, 4]]
    assert len(set(block.padded(3)[1][0].tolist())) == 1 and block.padded(4)[0].tolist() == [[1, 2, 3, 4]]


def test_fewer_than_were_kept_are_the_likeliest():
    given = teacher(200, 500, 20)
    block = quantise(**given, least=0.0)
    best = given["log_posteriors"].argmax(1)
    assert np.array_equal(block.padded(1)[0][:, 0], given["senones"][np.arange(len(best)), best])
    all_, some = by_senone(*block.padded(20)), by_senone(*block.padded(5))
    for whole, part in zip(all_, some):
        assert len(part) == 5 and part.items() <= whole.items()
        assert min(part.values()) >= sorted(whole.values())[-5]
    assert np.array_equal(quantise(**given, least=0.9).padded(1)[0], block.padded(1)[0])


def test_parts_and_joins():
    first, second = (quantise(**teacher(n, 100, 9, n), least=1e-3) for n in (40, 25))
    both = through_bytes(join([first, second]))
    for part, whole in ((both.frames(0, 40), first), (both.frames(40, 65), second)):
        assert all(np.array_equal(a, b) for a, b in zip(part.padded(9), whole.padded(9)))
        assert np.array_equal(part.log_z, whole.log_z)


def test_impossible_senones_of_a_lattice_are_left_out():
    senones, values = np.array([[4, 2, 9]]), np.array([[0.0, -np.inf, -np.inf]], np.float32)
    found = quantise(senones, values, np.zeros(1, np.float32), 0.0).padded(3)
    assert by_senone(*found) == [{4: 0.0}]


def test_planes_of_another_block_are_refused():
    block, other = (quantise(**teacher(n, 300, 20), least=3e-4) for n in (64, 65))
    for planes, frames in ((pack(block), 65), (pack(block)[:-1], 64), ([*pack(block)[:-1], b"no"], 64)):
        with pytest.raises(ValueError):
            unpack(planes, frames, len(block.senones))
    with pytest.raises(ValueError, match="other lengths"):
        unpack([pack(other)[0], *pack(block)[1:]], 64, len(block.senones))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(bad):
    senones, values = np.array([[4, 2], [1, 0]]), np.array([[-0.1, -3.0], [-1.0, -2.0]])
    for spoilt in (np.array([[-0.1, -3.0], [bad, bad]]), np.array([[bad, np.nan], [-1.0, -2.0]])):
        with pytest.raises(ValueError, match="not finite"):
            quantise(senones, spoilt, np.zeros(2), 0.0)
    with pytest.raises(ValueError, match="not finite"):
        quantise(senones, values, np.array([0.0, bad]), 0.0)


def test_what_cannot_be_stored_is_refused():
    with pytest.raises(ValueError, match="at most 255 of 65536"):
        quantise(np.array([[70000]]), np.zeros((1, 1)), np.zeros(1), 0.0)
