"""The command `check`: read and audit the data, train no model."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from responder_ml.commands.console import Config, print_findings, print_line

if TYPE_CHECKING:
    from responder_ml.build import PreparedJob
    from responder_ml.config import JobConfig


def check(config: Config) -> None:
    """Read configuration and data, and print the audit and what the number of subjects allows; no model is trained."""
    from responder_ml.build import prepare_job
    from responder_ml.config import load_config
    from responder_ml.job_size import size_note
    from responder_ml.train import check_before_work, default_folders

    console, job = Console(), load_config(config)
    check_before_work(job, *default_folders(job))
    early_note = size_note(job)
    if early_note:
        print_line(console, early_note)
    prepared = prepare_job(job)
    show_prepared(console, job, prepared)
    late_note = "" if early_note else size_note(job, prepared.labelled.cohort.shape)
    if late_note:
        print_line(console, late_note)


def show_prepared(console: Console, job: "JobConfig", prepared: "PreparedJob") -> None:
    """Print what was read, the audit and what the number of subjects allows."""
    labelled = prepared.labelled
    positive = int(labelled.labels.sum())
    units = f"{positive} pairs" if labelled.paired else f"{len(labelled.subjects)} subjects"
    description = (
        f": {job.endpoint.positive} ({positive}) against {job.endpoint.negative} ({len(labelled.labels) - positive}), "
        f"{units}, {labelled.n_samples} samples, {labelled.cohort.n_vars} genes"
    )
    print_line(console, Text.assemble((job.name, "bold"), description))
    print_findings(console, prepared.findings)
    for note in (*prepared.feasible.notes, prepared.power_note):
        print_line(console, note)
