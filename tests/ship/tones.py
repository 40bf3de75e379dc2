"""A recogniser that knows its words: each phone of the toy language is a tone, which a student learns in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tests.ship import toy_recogniser

from understudy import models
from understudy.decode.recogniser import Recogniser
from understudy.features import stack
from understudy.features.logmel import logmel
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.options import Precision
from understudy.ship.quantise import write_network

HZ = {"a": 500, "b": 1300, "c": 3200}
UPDATES = 150


def speech(phones: list[str], seed: int) -> tuple[np.ndarray, list[str]]:
    """Tones and pauses ("sil") of 0.24 s and more: (length,) float32 in ±1, and the phone of each 30 ms frame."""
    rng = np.random.default_rng(seed)
    parts, frames = [], []
    for phone in phones:
        count = int(rng.integers(8, 14))
        time = np.arange(480 * count) / 16000
        tone = np.sin(2 * np.pi * HZ.get(phone, 0) * time) * np.minimum(1, 100 * np.minimum(time, time[::-1]))
        parts.append(0.2 * tone + 10 ** rng.uniform(-5, -3) * rng.normal(size=len(time)))
        frames += [phone] * count
    samples = np.round(32768 * np.concatenate(parts)) / 32768  # as a WAV file has them: some pauses are zeros
    return samples.astype(np.float32), frames


def said(seed: int, words: int = 4) -> list[str]:
    """Phones of some words of the toy language, with pauses around them."""
    rng = np.random.default_rng(seed)
    phones = ["sil"] * 4
    for _ in range(words):
        phones += [["a"], ["a", "b"], ["b"], ["c"]][rng.integers(4)] + ["sil"] * int(rng.integers(2))
    return [*phones, *["sil"] * 5]


def ship(folder: Path, precision: Precision) -> Path:
    """Teach it, and make its folder of a precision."""
    toy = toy_recogniser.make(folder / "recogniser", cells=32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several wait for each other more than they compute
    _teach(toy)
    torch.set_num_threads(threads)
    models.save(toy.model, folder / "recogniser")
    out = folder / precision
    out.mkdir()
    heard = [torch.from_numpy(stack(toy.normaliser(logmel(speech(said(n), n)[0])))) for n in (1, 2)]
    write_network(precision, toy.model, toy.normaliser, toy.tree.fingerprint, heard, out / "network.onnx")
    write_graph(toy.graph, out)
    seal_folder(toy, out)
    return out


def _teach(toy: Recogniser) -> None:
    """Cross-entropy on the senones of the tones: of a phone's first frame, and of those after it."""
    phones = {name: number for number, name in enumerate(toy.vocabulary.phones)}
    silence = next(name for name in phones if name.lower().startswith("sil"))
    model = toy.model.train().requires_grad_()
    torch.manual_seed(0)
    with torch.no_grad():
        model.log_priors.fill_(-np.log(model.senones))
        model.output.weight.mul_(1 / 8)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for update in range(UPDATES):
        losses = []
        for seed in range(4 * update, 4 * update + 4):
            samples, frames = speech(said(seed), seed)
            features = torch.from_numpy(stack(toy.normaliser(logmel(samples))))
            ids = [phones[silence if name == "sil" else name] for name in frames]
            first = [n == 0 or ids[n] != ids[n - 1] for n in range(len(ids))]
            labels = torch.tensor([2 * (phone - 1) + (not new) for phone, new in zip(ids, first)])[: len(features)]
            logits = model(features[None, : len(labels)], torch.tensor([len(labels)]))[0]
            losses.append(torch.nn.functional.cross_entropy(logits, labels))
        optimiser.zero_grad()
        torch.stack(losses).mean().backward()
        optimiser.step()
    model.eval()
