"""The command `train`: from a job's YAML file to a run folder and a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from responder_ml.commands.console import (
    LEFT_OUT,
    Out,
    ProgressBar,
    folding,
    print_findings,
    print_line,
    print_simulated,
    print_table,
    verdict_style,
)

if TYPE_CHECKING:
    import pandas as pd

    from responder_ml.config import JobConfig
    from responder_ml.records.classes import ClassesRun
    from responder_ml.records.graded import GradedRun
    from responder_ml.records.result import Null, SplitSensitivityRecord
    from responder_ml.records.run import Run


def train(
    config: Annotated[Path | None, typer.Argument(help="YAML file of the job.", metavar="CONFIG")] = None,
    out: Out = None,
    bundle: Annotated[Path | None, typer.Option(help="Bundle folder to write (default: models/NAME).")] = None,
    example: Annotated[
        str | None, typer.Option(help="Train a job that comes with the package, such as pfc, in place of CONFIG.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            help="Code of an audit finding, such as RML09, that shall not stop the training; may be repeated."
        ),
    ] = None,
) -> None:
    """Train the candidates of a job, test the result on relabelled subjects, and write a run folder and a bundle."""
    from responder_ml.config import accepting, load_config
    from responder_ml.search.checkpoints import run_checkpoint
    from responder_ml.train import default_folders, record, run_job

    job = load_config(_job_file(config, example))
    job = accepting(job, accept or ())
    console = Console()
    if job.endpoint.kind == "classes":
        _train_classes(console, job, out, bundle)
        return
    if job.endpoint.kind == "score":
        _train_graded(console, job, out, bundle)
        return
    run_folder, bundle_folder = default_folders(job)
    run_folder, bundle_folder = out or run_folder, bundle or bundle_folder
    with run_checkpoint(run_folder) as checkpoint:
        run = run_job(job, run_folder, bundle_folder, checkpoint, ProgressBar(console))
        show_run(console, run, run_folder, bundle_folder)
        record(job, run, run_folder, bundle_folder, ProgressBar(console))


def _train_classes(console: Console, job: "JobConfig", out: Path | None, bundle: Path | None) -> None:
    from responder_ml.train import default_folders
    from responder_ml.train_classes import record_classes, train_classes

    run_folder, bundle_folder = default_folders(job)
    run_folder, bundle_folder = out or run_folder, bundle or bundle_folder
    run = train_classes(job, run_folder, bundle_folder, ProgressBar(console))
    show_classes(console, run, run_folder, bundle_folder)
    record_classes(job, run, run_folder, bundle_folder, ProgressBar(console))


def _train_graded(console: Console, job: "JobConfig", out: Path | None, bundle: Path | None) -> None:
    from responder_ml.train import default_folders
    from responder_ml.train_graded import record_graded, train_graded

    run_folder, bundle_folder = default_folders(job)
    run_folder, bundle_folder = out or run_folder, bundle or bundle_folder
    run = train_graded(job, run_folder, bundle_folder, ProgressBar(console))
    show_graded(console, run, run_folder, bundle_folder)
    record_graded(job, run, run_folder, bundle_folder, ProgressBar(console))


def show_graded(console: Console, run: "GradedRun", folder: Path, bundle: Path) -> None:
    """Print the verdict on a graded outcome, its candidates, and where the files are."""
    from responder_ml.records.graded import PAGE
    from responder_ml.report.words import spoken

    result = run.result
    console.print()
    if result.simulated:
        print_simulated(console)
    print_line(console, result.verdict.sentence, style=f"bold {verdict_style(result.verdict.level)}")
    table = Table(
        folding("candidate"), "concordance", "95 % interval", "Spearman", "mean absolute error", "weight in auto"
    )
    for row in run.tables["candidates"].to_dict("records"):
        weight = row["chosen_share"]
        table.add_row(
            spoken(row["name"]),
            f"{row['concordance']:.2f}",
            f"{row['concordance_low']:.2f} to {row['concordance_high']:.2f}",
            f"{row['spearman']:.2f}",
            f"{row['mae']:.2f}",
            "" if weight != weight else f"{weight:.0%}",
        )
    print_table(console, table)
    print_line(console, f"Page:   {folder / PAGE}")
    print_line(console, f"Run:    {folder}")
    print_line(console, f"Bundle: {bundle}")
    anyway = (
        ""
        if result.verdict.level == "evidence"
        else " --anyway   (there is no evidence that a prediction means anything)"
    )
    print_line(console, f"Score new samples: python -m responder_ml score {bundle} EXPRESSION{anyway}")


def show_classes(console: Console, run: "ClassesRun", folder: Path, bundle: Path) -> None:
    """Print the verdict on all classes, then one row for every two."""
    from responder_ml.records.classes import PAGE
    from responder_ml.report.numbers import p_text
    from responder_ml.report.words import spoken

    result = run.result
    console.print()
    if result.simulated:
        print_simulated(console)
    print_line(console, result.sentence, style=f"bold {verdict_style(result.level)}")
    table = Table(folding("pair"), "subjects", "AUROC", "95 % interval", "corrected p", "verdict")
    for row in result.pairs:
        table.add_row(
            f"{spoken(row.positive)} against {spoken(row.negative)}",
            f"{row.n_positive} v {row.n_negative}",
            "" if row.auroc is None else f"{row.auroc:.2f}",
            "" if row.auroc_low is None else f"{row.auroc_low:.2f} to {row.auroc_high:.2f}",
            "" if row.corrected_p is None else p_text(row.corrected_p),
            Text(row.verdict.replace("_", " "), style=verdict_style(row.verdict)),
        )
    print_table(console, table)
    print_line(console, f"Page:   {folder / PAGE}")
    for row in result.pairs:
        print_line(console, f"Run:    {folder.with_name(row.run)}")
    print_line(console, f"Bundle: {bundle}")
    print_line(console, f"Score new samples: python -m responder_ml score {bundle} EXPRESSION{_anyway(result.level)}")


def _job_file(config: Path | None, example: str | None) -> Path:
    """Return the file of the job: the one that is named, or that of an example."""
    from responder_ml.errors import ConfigError
    from responder_ml.examples import example_job, example_names

    if (config is None) == (example is None):
        examples = ", ".join(example_names())
        raise ConfigError(f"Give the YAML file of a job or one example with --example, not both. Examples: {examples}.")
    return config if config is not None else example_job(str(example))


def show_run(console: Console, run: "Run", folder: Path, bundle: Path) -> None:
    """Print the verdict, the candidates, the null, the warnings of the audit, and where the files are."""
    result = run.result
    console.print()
    if result.simulated:
        print_simulated(console)
    print_line(console, result.verdict.sentence, style=f"bold {verdict_style(result.verdict.level)}")
    print_table(console, _candidate_table(run.tables["candidates"]))
    for line in (
        _null_line(result.null),
        _sensitivity_line(result.split_sensitivity),
    ):
        if line:
            print_line(console, line)
    print_findings(
        console, [finding for finding in result.audit if finding.severity != "info" or finding.code == LEFT_OUT]
    )
    print_line(console, f"Report: {folder / 'report.html'}")
    print_line(console, f"Run:    {folder}")
    print_line(console, f"Bundle: {bundle}")
    if result.endpoint.pairs is None:
        level = result.verdict.level
        print_line(console, f"Score new samples: python -m responder_ml score {bundle} EXPRESSION{_anyway(level)}")


def _anyway(level: str) -> str:
    """Return what has to be added to score with a model of this verdict."""
    return "" if level == "evidence" else " --anyway   (there is no evidence that a score means anything)"


def _candidate_table(candidates: "pd.DataFrame") -> Table:
    from responder_ml.report.words import spoken
    from responder_ml.search.candidate import AUTO

    titles = ("AUROC", "95 % interval", "balanced accuracy", "Brier", "weight in auto")
    table = Table(folding("candidate"), *titles)
    for row in candidates.to_dict("records"):
        table.add_row(
            spoken(row["name"]),
            f"{row['auroc']:.2f}",
            f"{row['auroc_low']:.2f} to {row['auroc_high']:.2f}",
            f"{row['balanced_accuracy']:.2f}",
            f"{row['brier']:.2f}",
            "" if row["name"] == AUTO else f"{row['chosen_share']:.0%}",
        )
    return table


def _null_line(null: "Null | None") -> str:
    """Return a sentence on how p was computed; empty if no null was run."""
    if null is None or null.p_value is None:
        return ""
    if null.exact:
        method = f"exact over all {null.labellings:,} labellings"
    else:
        low, high = null.p_interval
        confidence = "95 %" if null.risk is None else f"{100 * (1 - null.risk):g} %"
        method = f"{confidence} Monte Carlo interval {low:.2g} to {high:.2g} from {null.permutations:,} relabellings"
        method += {True: ", settled", False: ", not settled", None: ""}[null.settled]
    spread = f"null mean {null.null_mean:.2f}, sd {null.null_sd:.2f}"
    return f"p = {null.p_value:.2g}, {method}; {spread}; smallest attainable p {null.min_attainable_p:.2g}."


def _sensitivity_line(sensitivity: "SplitSensitivityRecord | None") -> str:
    if sensitivity is None:
        return ""
    low, high = sensitivity.auroc
    return f"With half of the repeats the AUROC lies between {low:.2f} and {high:.2f} ({sensitivity.halves} halves)."
