"""What targets tell of an utterance, against dense sums; copies, against a search of all pairs at all offsets."""

import math

import numpy as np
import pytest
import torch

from understudy.targets.duplicates import SEQUENCE, Heard
from understudy.targets.measures import likeliest, measure
from understudy.targets.store import top_k

SENONES, SILENCE = 12, np.array([0, 3])


def kept(logits: torch.Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    """As they come out of a store: senone 0 at −∞ where fewer are kept than there is room for."""
    found = top_k(logits, k)
    senones, values = found["senones"].long().numpy(), found["log_posteriors"].numpy()
    room = np.zeros((len(senones), 2), np.int64), np.full((len(senones), 2), -np.inf, np.float32)
    return np.concatenate([room[0], senones], 1), np.concatenate([room[1], values], 1)


def outcomes(logits: torch.Tensor, k: int) -> list[list[float]]:
    """Of each frame the probability of every senone, 0 if it was not kept, and of all others."""
    found = []
    for row in logits.double().softmax(1).tolist():
        least = sorted(row)[-k]
        found.append([p if p >= least else 0.0 for p in row])
        found[-1].append(1 - sum(found[-1]))
    return found


@pytest.fixture
def logits() -> torch.Tensor:
    return 3 * torch.randn(60, SENONES, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("k", [2, 5, SENONES])
def test_measures_are_those_of_dense_sums(logits, k):
    found, entropies, tops, silent = measure(kept(logits, k), SILENCE, SENONES), [], [], 0
    for row in outcomes(logits, k):
        if row.index(max(row[:-1])) in SILENCE.tolist():
            silent += 1
            continue
        entropies.append(-sum(p * math.log(p) for p in row if p > 1e-12))
        tops.append(max(row[:-1]))
    assert 0 < silent < 60 and found.frames == 60 and found.silence == pytest.approx(silent / 60)
    assert found.entropy == pytest.approx(np.mean(entropies), abs=1e-5) and found.top == pytest.approx(np.mean(tops))
    assert found.disagreement is None
    dense = -(logits.softmax(1) * logits.log_softmax(1)).sum(1)[~np.isin(logits.argmax(1), SILENCE)].mean()
    assert found.entropy == pytest.approx(float(dense), abs=1e-5) if k == SENONES else found.entropy < dense


def divergence(p: list[float], q: list[float]) -> float:
    """Half of what each tells more than their mean (Kullback and Leibler)."""
    return sum(x * math.log(2 * x / (x + y)) for a, b in ((p, q), (q, p)) for x, y in zip(a, b) if x > 1e-12) / 2


def test_teachers_disagree_by_the_divergence_of_what_they_kept(logits):
    other = logits + torch.randn(60, SENONES, generator=torch.Generator().manual_seed(1))
    apart = [
        divergence(p, q)
        for p, q, best in zip(outcomes(logits, 4), outcomes(other, 4), logits.argmax(1).tolist())
        if best not in SILENCE
    ]
    found = measure(kept(logits, 4), SILENCE, SENONES, kept(other, 4)).disagreement
    assert found == pytest.approx(np.mean(apart), abs=1e-5) and 0 < found < math.log(2)
    assert measure(kept(logits, 4), SILENCE, SENONES, kept(logits, 4)).disagreement == pytest.approx(0, abs=1e-9)


def test_where_all_is_silence_all_frames_count():
    logits = torch.tensor([[4.0, 0, 0, 1], [5.0, 1, 0, 0]])
    found = measure(kept(logits, 4), SILENCE, 4)
    assert found.silence == 1 and found.top == pytest.approx(float(logits.softmax(1)[:, 0].mean()))


def spoken(rng: np.random.Generator, runs: np.ndarray) -> np.ndarray:
    """Each of these senones for a few frames."""
    return np.repeat(runs, rng.integers(1, 6, len(runs)))


def changed(rng: np.random.Generator, senones: np.ndarray, share: float) -> np.ndarray:
    """With so many frames of it otherwise."""
    others = rng.integers(1, 40, len(senones))
    return np.where(rng.random(len(senones)) < share, others, senones)


def by_all_pairs(utterances: dict[str, np.ndarray], least: float) -> dict[str, str]:
    """The first earlier one that has enough of the frames at any offset."""
    found: dict[str, str] = {}
    for name, senones in utterances.items():
        for earlier, other in utterances.items():
            if earlier == name:
                break
            if earlier in found:
                continue
            agreed = []
            for offset in range(-len(senones), len(other)):
                pairs = [(s, other[t + offset]) for t, s in enumerate(senones) if 0 <= t + offset < len(other)]
                agreed.append(sum(s == o and s != 0 for s, o in pairs))
            if max(agreed) >= least * (senones != 0).sum():
                found[name] = earlier
                break
    return found


def test_copies_are_those_that_a_search_of_all_pairs_finds():
    rng, utterances = np.random.default_rng(0), {}
    for number in range(12):
        runs = rng.integers(0, 40, 40)
        one = utterances[f"{number}"] = spoken(rng, runs)
        if number % 4 == 0:
            utterances[f"{number} again"] = one.copy()
        elif number % 4 == 1:
            utterances[f"{number} later, changed"] = np.concatenate([np.zeros(9, int), changed(rng, one, 0.05)])
        elif number % 4 == 2:
            utterances[f"{number} in part"] = one[20:70]
        utterances[f"{number} by another talker"] = spoken(rng, runs)
    heard = Heard(np.array([0]), 0.65)
    found = {name: of for name, senones in utterances.items() if (of := heard.earlier(name, senones)) is not None}
    assert found == by_all_pairs(utterances, 0.65)
    assert found == {name: name.split()[0] for name in utterances if " " in name and "talker" not in name}


def test_silence_and_what_is_too_short_copies_nothing():
    heard, short = Heard(np.array([0]), 0.5), np.arange(SEQUENCE)  # the first is silence
    for senones in (np.zeros(50, int), short):
        assert heard.earlier("a", senones) is None and heard.earlier("b", senones) is None
    assert heard.earlier("c", np.arange(SEQUENCE + 1)) is None and heard.earlier("d", np.arange(SEQUENCE + 1)) == "c"


def test_the_likeliest_senone_is_that_of_the_logits(logits):
    assert likeliest(kept(logits, 5)).tolist() == logits.argmax(1).tolist()
