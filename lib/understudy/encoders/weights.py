"""The files of a pre-trained model: their place, and their digest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from understudy.step import UserError, fingerprint, log

CONFIGURATIONS = ("config.json", "preprocessor_config.json")
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin", "model.bin")
"""file names of weights: of transformers, of its older models, and of CTranslate2"""
TOKENISER = "tokenizer.json"
"""file of the package tokenizers, which maps a recogniser's tokens to text"""
SET_UP = "Run utils/setup.sh --with encoders."


def located(model: str) -> Path:
    """Return the folder of a model's files: the given one, or that in the hub's cache, fetched if it is missing there.

    A model in the cache is taken as it is, without asking for a newer version.

    Raises:
        UserError: there is no such folder, it has no weights, or the model cannot be fetched.
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
    """Return the files of a model's weights; if there are several formats, those of safetensors alone."""
    found = (sorted(folder.glob(pattern)) for pattern in WEIGHTS)
    return next((files for files in found if files), [])


def check_unchanged(folder: Path, digest: str, meanwhile: str) -> None:
    """Raise UserError where weights or configuration have changed since a step began.

    Args:
        folder: folder of the model.
        digest: digest of its files when the step began.
        meanwhile: what the step does with them, for the message.
    """
    if digest_of(folder) != digest:
        raise UserError(f"{folder}: its weights changed while {meanwhile}. Run this step again.")


def digest_of(folder: Path) -> str:
    """Return the digest of weights and configuration; it does not depend on where the folder is."""
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
    except Exception as error:  # the hub has several errors for a model that is not in the cache
        log.debug("%s: not in the cache (%s)", name, error)
    try:
        folder = fetched(WEIGHTS[:1])
        return folder if weights(folder) else fetched(WEIGHTS)
    except Exception as error:  # of the hub, HTTP or the network: any of them means that the model cannot be fetched
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{name}: is no folder, is not in the hub's cache and cannot be fetched ({reason}). Without network, fetch "
            f"it elsewhere (hf download {name} --local-dir FOLDER), copy the folder here, and give its path."
        ) from None
