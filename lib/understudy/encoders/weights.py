"""Where a model's files are, and a digest of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from understudy.step import UserError, fingerprint, log

CONFIGURATIONS = ("config.json", "preprocessor_config.json")
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin", "model.bin")
"""of transformers, of its older models, and of CTranslate2"""
TOKENISER = "tokenizer.json"
"""of the package tokenizers: what a recogniser's tokens are in letters"""
SET_UP = "Run utils/setup.sh --with encoders."


def located(model: str) -> Path:
    """The folder of a model's files: itself, or that of the hub's cache, which is filled where it has them not.

    What is in the cache is taken as it is, and nobody is asked for a newer one.

    Raises:
        UserError: there is no such folder, no weights in it, or no such model that can be had from here.
    """
    folder = Path(model)
    if not folder.is_dir():
        if folder.is_absolute() or model.startswith(".") or model.count("/") > 1:
            raise UserError(f"{model}: no such folder. Give a model's folder, or its name on the Hugging Face hub.")
        folder = _from_hub(model)
    if not weights(folder):
        raise UserError(
            f"{folder}: has no weights. The folder of a model holds config.json and one of {', '.join(WEIGHTS)}."
        )
    return folder


def weights(folder: Path) -> list[Path]:
    """Files of a model's weights; where there are both, those of safetensors alone."""
    found = (sorted(folder.glob(pattern)) for pattern in WEIGHTS)
    return next((files for files in found if files), [])


def check_unchanged(folder: Path, digest: str, meanwhile: str) -> None:
    """Raise UserError where weights or configuration are others than when a step began.

    Args:
        meanwhile: what is done with them.
    """
    if digest_of(folder) != digest:
        raise UserError(f"{folder}: its weights changed while {meanwhile}. Run this step again.")


def digest_of(folder: Path) -> str:
    """Of weights and configuration, wherever they stand."""
    there = [folder / name for name in CONFIGURATIONS if (folder / name).exists()]
    return fingerprint.digest({path.name: fingerprint.of_file(path) for path in [*there, *weights(folder)]})


def _from_hub(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise UserError(
            f"{name}: no such folder, and the hub cannot be asked without huggingface_hub. {SET_UP}"
        ) from None

    def fetched(patterns: Iterable[str], only_here: bool = False) -> Path:
        wanted = [*CONFIGURATIONS, TOKENISER, "*.index.json", *patterns]
        return Path(snapshot_download(name, allow_patterns=wanted, local_files_only=only_here))

    try:
        if weights(folder := fetched(WEIGHTS, only_here=True)):
            return folder
    except Exception as error:  # the hub's own errors, one for each way of not being in the cache
        log.debug("%s: not in the cache (%s)", name, error)
    try:
        folder = fetched(WEIGHTS[:1])
        return folder if weights(folder) else fetched(WEIGHTS)
    except Exception as error:  # of the hub, of HTTP, of the network: each means that it cannot be had from here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{name}: is no folder, is not in the hub's cache and cannot be fetched ({reason}). Without network, fetch "
            f"it elsewhere (hf download {name} --local-dir FOLDER), copy the folder here, and give its path."
        ) from None
