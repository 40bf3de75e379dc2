"""Lhotse manifests: building, splitting by speaker, validating."""

from understudy.lazy import lazy

__getattr__, __all__ = lazy(
    __name__,
    {
        "build": (
            "Utterance", "build_cut", "build_cuts", "in_shards", "is_perturbed", "join_manifests", "original_id",
            "perturbed", "read_cuts", "write_cuts",
        ),
        "split": ("set_of_speakers", "split_speakers"),
        "validate": ("Fault", "Report", "validate_sets"),
    },
)  # fmt: skip
