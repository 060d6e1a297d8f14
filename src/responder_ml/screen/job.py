"""What people read on the terminal: the audit before training, the verdict and the way on after it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from responder_ml.config import JobConfig
from responder_ml.records.run import Run
from responder_ml.train import Prepared

_COLOUR = {"info": "cyan", "warning": "yellow", "error": "red"}
_VERDICT = {"evidence": "green", "confounded": "yellow", "underpowered": "yellow"}


def show_prepared(console: Console, job: JobConfig, prepared: Prepared) -> None:
    """Print what was read, the audit and what the number of subjects allows."""
    labelled = prepared.labelled
    positive = int(labelled.labels.sum())
    console.print(
        f"[bold]{job.name}[/]: {job.endpoint.positive} ({positive}) against {job.endpoint.negative} "
        f"({len(labelled.labels) - positive}), {len(labelled.subjects)} subjects, {labelled.cohort.n_obs} samples, "
        f"{labelled.cohort.n_vars} genes",
        highlight=False,
        soft_wrap=True,
    )
    _show_findings(
        console, [{"code": each.code, "severity": each.severity, "message": each.message} for each in prepared.findings]
    )
    for note in (*prepared.feasible.notes, prepared.power_note):
        console.print(note, highlight=False, soft_wrap=True)


def show_run(console: Console, run: Run, folder: Path, bundle: Path) -> None:
    """Print the verdict, the candidates and where things are."""
    result = run.result
    level = result["verdict"]["level"]
    console.print()
    if result["simulated"]:
        console.print("[bold]Simulated data:[/] nothing below is a finding about real animals.")
    console.print(
        f"[bold {_VERDICT.get(level, 'white')}]{result['verdict']['sentence']}[/]", highlight=False, soft_wrap=True
    )
    table = Table(
        Column("candidate", overflow="fold"),
        "AUROC",
        "95 % interval",
        "balanced accuracy",
        "Brier",
        "chosen by auto",
        title=None,
    )
    for row in run.tables["candidates"].to_dict("records"):
        table.add_row(
            row["name"],
            f"{row['auroc']:.2f}",
            f"{row['auroc_low']:.2f} to {row['auroc_high']:.2f}",
            f"{row['balanced_accuracy']:.2f}",
            f"{row['brier']:.2f}",
            "" if row["name"] == "auto" else f"{row['chosen_share']:.0%}",
        )
    console.print(table)
    console.print(_null(result["null"]), highlight=False, soft_wrap=True, end="")
    console.print(_leave_pair_out(result["headline"]), highlight=False, soft_wrap=True, end="")
    _show_findings(console, [each for each in result["audit"] if each["severity"] != "info"])
    console.print(f"Report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
    console.print(f"Run:    {folder}", highlight=False, soft_wrap=True)
    console.print(f"Bundle: {bundle}", highlight=False, soft_wrap=True)
    console.print(
        f"Score new samples: python -m responder_ml score {bundle} EXPRESSION", highlight=False, soft_wrap=True
    )


def show_registries(console: Console) -> None:
    """Print every builder, scorer and classifier with a line on each and its reference."""
    from responder_ml.classifiers import CLASSIFIERS
    from responder_ml.features.builders import BUILDERS
    from responder_ml.features.signatures import SCORERS

    for registry in (BUILDERS, SCORERS, CLASSIFIERS):
        table = Table(registry.family, "what it is", "reference", title=None)
        for member in registry:
            table.add_row(member.name, member.summary, member.reference)
        console.print(table)


def _null(null: Mapping[str, Any] | None) -> str:
    """Say how p was got; nothing where no null was run."""
    if not null or null.get("p_value") is None:
        return ""
    if null["exact"]:
        how = f"exact over all {null['labellings']:,} labellings"
    else:
        low, high = null["p_interval"]
        stopped = ", stopped early" if null["stopped_early"] else ""
        how = f"95 % Monte Carlo interval {low:.2g} to {high:.2g} from {null['permutations']:,} relabellings{stopped}"
    spread = f"null mean {null['null_mean']:.2f}, sd {null['null_sd']:.2f}"
    return f"p = {null['p_value']:.2g}, {how}; {spread}; smallest attainable p {null['min_attainable_p']:.2g}.\n"


def _leave_pair_out(headline: Mapping[str, Any]) -> str:
    if headline.get("leave_pair_out_auroc") is None:
        return ""
    low, high = headline["leave_pair_out_ci"]
    return (
        f"Leave-pair-out AUROC of auto: {headline['leave_pair_out_auroc']:.2f}, 95 % interval {low:.2f} to {high:.2f}; "
        "p is the headline's.\n"
    )


def _show_findings(console: Console, findings: Sequence[Mapping[str, Any]]) -> None:
    for finding in findings:
        colour = _COLOUR[finding["severity"]]
        console.print(
            f"[{colour}]{finding['severity']:<7}[/] {finding['code']}  {finding['message']}",
            highlight=False,
            soft_wrap=True,
        )
