"""Options of work over processes and machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class ClusterOptions:
    """Where processes run."""

    kind: Literal["local", "slurm", "sge", "pbs", "lsf"] = "local"
    """on this machine, or each as a job of a queue (dask-jobqueue)"""
    scheduler: str | None = None
    """address of a Dask scheduler that has workers already, instead: tls://host:port"""
    ca: Path | None = None
    """certificate of the authority that signed those of that scheduler and its workers"""
    certificate: Path | None = None
    """of this process, for that scheduler"""
    key: Path | None = None
    """of the certificate, readable by its owner alone"""
    queue: str | None = None
    """name of the queue or partition"""
    memory: str = "4GB"
    """of a job"""
    walltime: str | None = None
    """of a job, as the queue writes it (half an hour where none is given); one that ends is followed by another"""
    directives: list[str] = field(default_factory=list)
    """further lines of a job's head, such as --account=speech or --gres=gpu:1"""
    prologue: list[str] = field(default_factory=list)
    """shell lines before a job's work"""
    interface: str | None = None
    """network interface by which jobs reach this machine"""
