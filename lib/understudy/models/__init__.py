"""Acoustic models, ensembles of them, and their folders."""

from understudy.lazy import lazy

__getattr__, __all__ = lazy(
    __name__,
    {
        "acoustic": ("AcousticModel",),
        "kinds": ("build",),
        "ensemble": ("Ensemble",),
        "folder": (
            "check_tree",
            "load",
            "load_any",
            "save",
            "weights_fingerprint",
        ),
        "hearing": ("check_kind", "heard", "hears"),
        "lstm": ("LstmModel", "streaming"),
        "tdnnf": ("TdnnfModel",),
    },
)
