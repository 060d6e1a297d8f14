"""The command `selftest`: a test of the procedure for leakage."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from responder_ml.commands.console import Config, ProgressBar, print_line, print_table, specified
from responder_ml.selftest_size import SelfTestSize

if TYPE_CHECKING:
    from responder_ml.arrays import Floats
    from responder_ml.selftest import NegativeControl, SelfTest
    from responder_ml.selftest_seeds import SeedVerdict


def selftest(
    config: Config,
    cohorts: Annotated[
        int | None, typer.Option(help=f"Cohorts without effect of each kind (default: {SelfTestSize.cohorts}).")
    ] = None,
    permutations: Annotated[
        int | None, typer.Option(help=f"Relabellings for each cohort's p (default: {SelfTestSize.permutations}).")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="Also run the job itself under so many seeds, its own first, and show every verdict."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="JSON file to write.")] = None,
) -> None:
    """Run the job on relabelled subjects and on noise of the same shape, and report whether it leaks."""
    from responder_ml.config import load_config
    from responder_ml.records.ownership import check_output_file, refuse_inside
    from responder_ml.search.checkpoints import run_checkpoint
    from responder_ml.selftest import default_checkpoint, is_selftest, selftest, write_selftest

    console = Console()
    size = SelfTestSize(**specified(cohorts=cohorts, permutations=permutations, seeds=seeds))
    job = load_config(config)
    if out is not None:
        check_output_file(out, {"the job": config}, is_selftest)
        refuse_inside(out)
    with run_checkpoint(out or default_checkpoint(job, size)) as checkpoint:
        test = selftest(job, size, ProgressBar(console), checkpoint.unit_store())
        show_selftest(console, test)
        if out is not None:
            write_selftest(test, out)


def show_selftest(console: Console, test: "SelfTest") -> None:
    """Print the distributions of AUROC and p on cohorts without effect, and the conclusion."""
    print_line(
        console,
        f"{test.name}: {test.size.cohorts} cohorts without effect of each kind, at most "
        f"{test.size.permutations} relabellings each, seed {test.seed}",
    )
    columns = [_column(control) for control in test.controls]
    table = Table("", *(control.kind for control in test.controls))
    for title in columns[0]:
        table.add_row(title, *(column[title] for column in columns))
    print_table(console, table)
    print_line(console, test.sentence, style="bold red" if test.leaks else "bold green")
    if test.seeds:
        _show_seeds(console, test.seeds)


def _show_seeds(console: Console, verdicts: "tuple[SeedVerdict, ...]") -> None:
    from responder_ml.selftest_seeds import describe_seeds

    table = Table("seed", "AUROC", "p", "verdict", title="The job itself under several seeds")
    for result in verdicts:
        p_value = "not run" if result.p_value is None else f"{result.p_value:.2g}"
        table.add_row(str(result.seed), f"{result.auroc:.2f}", p_value, result.verdict.level.replace("_", " "))
    print_table(console, table)
    print_line(console, describe_seeds(verdicts))


def _column(control: "NegativeControl") -> dict[str, str]:
    """Return the table's cells for cohorts of one kind, by the title of the row."""
    return {
        "mean AUROC": f"{control.mean:.2f} (sd {control.aurocs.std(ddof=1):.2f})",
        "expected mean": _interval(control.band),
        "AUROC, range": _range(control.aurocs),
        "AUROC, quartiles": _quartiles(control.aurocs),
        "p, range": _range(control.p_values),
        "p, quartiles": _quartiles(control.p_values),
        f"cohorts with p ≤ {control.alpha:g}": str(control.small),
        "their share, 95 % interval": _interval(control.small_interval),
        "most expected of them": str(control.most_small),
    }


def _interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:.2f} to {ends[1]:.2f}"


def _range(values: "Floats") -> str:
    return _interval((values.min(), values.max()))


def _quartiles(values: "Floats") -> str:
    import numpy as np

    return ", ".join(f"{value:.2f}" for value in np.quantile(values, [0.25, 0.5, 0.75]))
