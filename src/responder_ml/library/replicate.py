"""Replication from Python."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from responder_ml.library.jobs import JobSource, make_job

if TYPE_CHECKING:
    from responder_ml.library.run import Run
    from responder_ml.records.replication import ReplicationRun


def replicate(
    first: "JobSource | Run",
    second: JobSource | None = None,
    *,
    second_size: tuple[int, int] | None = None,
    shared_control: int | None = None,
    p: float = 0.05,
    least_change: float | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> "ReplicationRun":
    """Say what a second study should see of a study's changes, and what one does see.

    Parameters
    ----------
    first
        The first study: a job as for `train`, or a trained run, whose AUROC is then carried over too.
    second
        Job of the second study; None where none has been done.
    second_size
        Subjects of a study to come, positive and negative; those of the first by default.
    shared_control
        Subjects of the negative class that a study to come has in common with the first.
    p, least_change
        A gene is called changed where p is at most this, and its log2 change at least that (a factor of 1.3 by default, which is
        not verified).
    out
        Folder to write; ``replications/NAME-DIGEST`` by default.
    progress
        Whether to show progress.

    Returns
    -------
    ReplicationRun
        ``result.level`` and ``result.sentence``; one row for each quantity in ``tables["replication"]``, one for each gene in
        ``tables["genes"]``.

    Raises
    ------
    ResponderError
        Anything the user can correct; nothing is left half-written.
    """
    from responder_ml.contrasts.called_again import CallRule
    from responder_ml.library.calls import _progress
    from responder_ml.library.run import Run
    from responder_ml.replicate import SecondPlan, StudySource, default_folder
    from responder_ml.replicate import replicate as compare_studies

    files = Path("replication")
    source = StudySource.read(first.folder) if isinstance(first, Run) else StudySource(make_job(first, {}, files))
    job = None if second is None else make_job(second, {}, files)
    planned = None
    if second_size is not None or shared_control is not None:
        planned = SecondPlan(second_size, shared_control or 0)
    threshold: dict[str, Any] = {} if least_change is None else {"least_change": least_change}
    rule = CallRule(p=p, **threshold)
    folder = default_folder(source, job, planned, rule) if out is None else Path(out)
    return compare_studies(source, job, folder, planned=planned, rule=rule, progress=_progress(progress))
