"""What a user wants of a cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ClusterWishes:
    """What a user wants of a cluster.

    Attributes:
        on: `local`, `ray`, `ray://ADDRESS` or `slurm`.
        jobs: Runs at a time; None for as many as there is room for.
        memory: Of a run, as in `64GB`; empty for the cluster's default.
        cpus: Cores of a run; None for a share of the machine.
        partition: SLURM partition; empty for its default.
        account: SLURM account; empty for the user's own.
        time: Time limit of a SLURM job, as in `4:00:00`; empty for the partition's.
        requeue: Whether SLURM queues a preempted job again.
        container: Image for Apptainer, or the command that starts Python in a container; empty for neither.
    """

    on: str = "local"
    jobs: int | None = None
    memory: str = ""
    cpus: int | None = None
    partition: str = ""
    account: str = ""
    time: str = ""
    requeue: bool = True
    container: str = ""
