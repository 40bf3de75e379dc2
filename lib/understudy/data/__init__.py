"""Batches to learn from: manifests or Shar streams, labels and soft targets brought together, and augmentation."""

from understudy.lazy import lazy

__getattr__, __all__ = lazy(
    __name__,
    {
        "batches": (
            "Batch",
            "Span",
        ),
        "manifests": ("ManifestSpeech",),
        "shar": ("SharSpeech",),
        "spec_augment": ("SpecAugment",),
        "speech": ("Speech",),
    },
)
