"""Lhotse manifests: building, splitting by speaker, validating."""

from understudy.corpus.build import (
    Utterance,
    build_cut,
    build_cuts,
    check_names,
    in_shards,
    is_perturbed,
    join_manifests,
    original_id,
    read_cuts,
    set_name,
    write_cuts,
)
from understudy.corpus.split import set_of_speakers, split_speakers
from understudy.corpus.validate import Fault, Report, validate, validate_sets

__all__ = [
    "Fault",
    "Report",
    "Utterance",
    "build_cut",
    "build_cuts",
    "check_names",
    "in_shards",
    "is_perturbed",
    "join_manifests",
    "original_id",
    "read_cuts",
    "set_name",
    "set_of_speakers",
    "split_speakers",
    "validate",
    "validate_sets",
    "write_cuts",
]
