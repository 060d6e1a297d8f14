"""The command `check`: read and audit the data, train no model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from responder_ml.commands.console import Config, print_findings, print_line

if TYPE_CHECKING:
    from responder_ml.build import PreparedJob
    from responder_ml.config import JobConfig


def check(
    config: Config,
    croissant: Annotated[
        Path | None,
        typer.Option(
            "--croissant", help="JSON file for a description of the cohort by Croissant 1.0, without its values."
        ),
    ] = None,
) -> None:
    """Read configuration and data, and print the audit and what the number of subjects allows; no model is trained."""
    from responder_ml.config import load_config
    from responder_ml.describe import MISSING, check_description, write_description

    console, job = Console(), load_config(config)
    if croissant is not None:
        check_description(job, croissant, config)
    checks = {"classes": _check_classes, "score": _check_graded}
    checks.get(job.endpoint.kind, _check_two_classes)(console, job)
    if croissant is not None:
        write_description(job, croissant)
        print_line(console, f"Croissant: {croissant}")
        print_line(console, MISSING)


def _check_two_classes(console: Console, job: "JobConfig") -> None:
    from responder_ml.build import prepare_job
    from responder_ml.job_size import size_note
    from responder_ml.train import check_before_work, default_folders

    check_before_work(job, *default_folders(job))
    early_note = size_note(job)
    if early_note:
        print_line(console, early_note)
    prepared = prepare_job(job)
    show_prepared(console, job, prepared)
    late_note = "" if early_note else size_note(job, prepared.labelled.cohort.shape)
    if late_note:
        print_line(console, late_note)


def _check_graded(console: Console, job: "JobConfig") -> None:
    from responder_ml.job_size import size_note
    from responder_ml.prepare_graded import prepare_graded

    prepared = prepare_graded(job)
    graded, outcome = prepared.graded, prepared.graded.outcome
    description = (
        f": {job.endpoint.column} from {outcome.min():g} to {outcome.max():g}, {len(outcome)} subjects, "
        f"{graded.labelled.n_samples} samples, {graded.labelled.cohort.n_vars} genes"
    )
    print_line(console, Text.assemble((job.name, "bold"), description))
    print_line(
        console, f"In the audit, classes are the halves of {job.endpoint.column}, from {graded.cut:g} up and below."
    )
    print_findings(console, graded.findings)
    size = size_note(job, graded.labelled.cohort.shape)
    for note in (*prepared.feasible.notes, prepared.power_note, *([size] if size else [])):
        print_line(console, note)


def _check_classes(console: Console, job: "JobConfig") -> None:
    from responder_ml.class_jobs import plan_pairs, prepare_classes
    from responder_ml.evaluation.relabel import smallest_exact_p
    from responder_ml.train import default_folders
    from responder_ml.train_classes import check_before_classes

    folders = default_folders(job)
    pair_jobs = plan_pairs(job, *folders)
    check_before_classes(job, *folders, pair_jobs)
    prepared = prepare_classes(job, pair_jobs)
    sizes = zip(
        job.endpoint.classes, (prepared.classes == code for code in range(len(job.endpoint.classes))), strict=True
    )
    counted = ", ".join(f"{name} ({int(of_class.sum())})" for name, of_class in sizes)
    smallest = smallest_exact_p(prepared.classes, prepared.labelled.strata)
    words = f": {counted}, tested together first; the smallest p that all labellings allow is {smallest:.2g}."
    print_line(console, Text.assemble((job.name, "bold"), words))
    for pair, of_pair in zip(pair_jobs, prepared.pairs, strict=True):
        show_prepared(console, pair.job, of_pair)


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
