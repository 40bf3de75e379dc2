"""A recogniser of four words with random weights: whatever it hears in noise, it hears the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from tests.lang import toy

from understudy import models
from understudy.corpus import Utterance, build_cut, write_cuts
from understudy.decode.options import Beams
from understudy.decode.recogniser import Recogniser
from understudy.device.files import PLACES
from understudy.device.normalise import OnlineMean
from understudy.features import Normaliser, stack
from understudy.features.extract import LogmelExtractor, extract_set
from understudy.features.logmel import NUM_MELS, default_backend, logmel
from understudy.lang.graph import COMPACT, save_graph
from understudy.lang.hclg import build_with_places
from understudy.lang.tree import Tree
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.parallel.workers import Workers
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.options import Precision
from understudy.ship.quantise import write_network
from understudy.step import write_json

RUNNING = OnlineMean()


def tree(phones: int) -> Tree:
    """Two senones a phone."""
    return Tree(phones, 2 * phones, {f"{p} {c}": 2 * (p - 1) + c for p in range(1, phones + 1) for c in (0, 1)})


def make(
    folder: Path, layers: int = 2, cells: int = 24, delay: int = 3, projection: int = 0,
    online: OnlineMean | None = RUNNING, compact: bool = False,
) -> Recogniser:  # fmt: skip
    """Write and load it.

    Args:
        compact: without places for words, so that there is a graph with epsilons too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lexicon = toy.lexicon()
    of_phones = tree(len(lexicon.phones) - 1)
    torch.manual_seed(1)
    options = ModelOptions(layers, cells, delay=delay, projection=projection)
    model = LstmModel(options, 3 * NUM_MELS, of_phones.num_senones)
    with torch.no_grad():
        model.output.weight.mul_(8)
        model.log_priors.copy_(torch.randn(of_phones.num_senones).log_softmax(0))
    model.meta["tree"] = of_phones.fingerprint
    models.save(model, folder)
    built = build_with_places(lexicon, toy.write_arpa(folder), of_phones, new=0 if compact else 0.1)
    save_graph(built.graph, folder, of_phones.fingerprint)
    if built.compact:
        save_graph(built.compact, folder / COMPACT, of_phones.fingerprint)
    built.places.save(folder / PLACES)
    lexicon.write(folder)
    of_phones.save(folder / "tree.json")
    mean, std = (np.full(NUM_MELS, value, np.float32) for value in (9.0, 3.0))
    Normaliser(mean, std, online).save(folder / "normaliser.json")
    beams = {"search": 40.0, "output": 6.0, "min_active": 30, "max_active": 5000}
    about = {"system": "toy", "acoustic_scale": 0.7, "prior_scale": 0.5, "beams": beams}
    write_json(folder / "recogniser.json", about)
    found = Recogniser(folder)
    assert found.beams == Beams(**beams)
    return found


def ship(folder: Path, *precisions: Precision, **how: Any) -> Recogniser:
    """A recogniser of `make`, and in `folder` what stage 12 makes of it: a folder for each precision."""
    toy = make(folder / "recogniser", **how)
    speech = [torch.from_numpy(stack(toy.normaliser(logmel(noise(3.0, seed))))) for seed in (1, 2)]
    for precision in precisions:
        (out := folder / precision).mkdir()
        write_network(precision, toy.model, toy.normaliser, toy.tree.fingerprint, speech, out / "network.onnx")
        write_graph(toy.graph, out)
        seal_folder(toy, out)
    return toy


def noise(seconds: float, seed: int) -> np.ndarray:
    """Noise whose colour and loudness change every 80 ms: (length,) float32 in ±1."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(np.ceil(seconds / 0.08))):
        tone = np.sin(2 * np.pi * rng.uniform(100, 5000) * np.arange(1280) / 16000 + rng.uniform(0, 6))
        parts.append(rng.uniform(0.02, 0.4) * tone + rng.uniform(0.0005, 0.05) * rng.normal(size=1280))
    return np.concatenate(parts)[: round(seconds * 16000)].clip(-1, 1).astype(np.float32)


def utterances(folder: Path, name: str, texts: list[str], seconds: float = 2.0) -> Path:
    """The manifest of a set: a noise for each transcript, every one a tenth of a second longer than that before."""
    cuts = []
    for number, text in enumerate(texts):
        audio, heard = folder / f"{name}{number}.wav", noise(seconds + number / 10, number)
        soundfile.write(audio, heard, 16000, subtype="PCM_16")
        cuts.append(build_cut(Utterance(f"{name}{number}", audio, text, "x", len(heard), 16000)))
    write_cuts(folder / f"{name}.jsonl.gz", cuts)
    return folder / f"{name}.jsonl.gz"


def with_features(manifest: Path, normaliser: Path) -> Path:
    """The manifest with features, in the folder `feats` beside it."""
    out = manifest.parent / "feats"
    extract_set(manifest, out, manifest.name.split(".")[0], [1.0], 20, LogmelExtractor(default_backend()), Workers(1))
    (out / "normaliser.json").write_bytes(normaliser.read_bytes())
    return out / manifest.name
