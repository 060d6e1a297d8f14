"""The command line. Commands have no defaults of their own; heavy libraries are imported by the command that needs them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from responder_ml.effort import Effort
from responder_ml.exceptions import ConfigError, ResponderError
from responder_ml.progress import Done, Progress

app = typer.Typer(
    name="responder-ml",
    help="Is there evidence in brain-region expression that responders differ from non-responders, and what carries it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Config = Annotated[Path, typer.Argument(help="YAML file of the job.", metavar="CONFIG")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder or file to write.")]


def main() -> None:
    """Run a command; a user's mistake ends in one message and exit code 2."""
    try:
        app()
    except ResponderError as problem:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]Error:[/] {_plain(str(problem))}", highlight=False)
        sys.exit(2)


@app.command()
def check(config: Config) -> None:
    """Read configuration and data, print the audit and what n allows. Trains nothing."""
    from responder_ml.config import load_config
    from responder_ml.experiment import prepare
    from responder_ml.screen.job import show_prepared

    job = load_config(config)
    show_prepared(Console(), job, prepare(job))


@app.command()
def train(
    config: Config,
    out: Out = None,
    bundle: Annotated[Path | None, typer.Option(help="Bundle folder, models/NAME by default.")] = None,
) -> None:
    """Search, test against relabelled subjects, explain, and write a run folder and a bundle."""
    from responder_ml.config import load_config
    from responder_ml.experiment import default_folders, record, train
    from responder_ml.screen.job import show_run

    job = load_config(config)
    console = Console()
    run_folder, bundle_folder = default_folders(job)
    run_folder, bundle_folder = out or run_folder, bundle or bundle_folder
    run = train(job, run_folder, bundle_folder, _Bars(console))
    show_run(console, run, run_folder, bundle_folder)
    record(job, run, run_folder, bundle_folder, _Bars(console))


@app.command()
def score(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder that `train` wrote.", metavar="BUNDLE")],
    expression: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet, Excel or h5ad.", metavar="EXPRESSION")],
    out: Out = None,
    samples: Annotated[Path | None, typer.Option(help="Sample sheet; labels in it are evaluated, never used.")] = None,
    units: Annotated[str | None, typer.Option(help="counts, log2 or tpm; the bundle's if not given.")] = None,
    prior: Annotated[float | None, typer.Option(help="Share of positives in the population aimed at.")] = None,
    missing: Annotated[str | None, typer.Option(help="Missing genes: impute, skip or refuse.")] = None,
) -> None:
    """Score new samples, with what each lacks and whether the model is entitled to an opinion."""
    from responder_ml.scoring import score
    from responder_ml.screen.scores import show_scores

    policy = {} if missing is None else {"missing": missing}
    table = score(bundle, expression, samples=samples, units=units, out=out, prior=prior, **policy)
    show_scores(Console(), table, out)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    config: Annotated[Path | None, typer.Option(help="Take the simulator's parameters and seed from this job.")] = None,
) -> None:
    """Write a simulated cohort as ordinary files."""
    from responder_ml.assemble import simulate_to
    from responder_ml.config import load_config

    simulate_to(out, load_config(config) if config else None)
    Console().print(f"Simulated cohort written to {out}", highlight=False)


@app.command("list")
def list_() -> None:
    """List builders, scorers and classifiers with their references."""
    from responder_ml.screen.job import show_registries

    show_registries(Console())


@app.command()
def ui(
    config: Annotated[Path | None, typer.Option(help="Open the store this job logs to.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the web page.")] = None,
) -> None:
    """Open the MLflow UI on the right store."""
    from responder_ml.config import load_config
    from responder_ml.tracking.ui import open_ui

    tracking = load_config(config).tracking if config else None
    say = partial(Console().print, highlight=False, soft_wrap=True)
    open_ui(tracking.uri if tracking else None, port, experiment=tracking.experiment if tracking else None, say=say)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN...")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the tables as CSV and a page with figures.")
    ] = None,
) -> None:
    """Put runs on one leaderboard, and test differences where they share subjects and folds."""
    from responder_ml.comparison import PAGE, compare, write_comparison
    from responder_ml.screen.comparison import show_comparison

    console = Console()
    found = compare(runs)
    show_comparison(console, found)
    if out is not None:
        write_comparison(found, out)
        console.print(f"Page:   {out / PAGE}", highlight=False, soft_wrap=True)


@app.command()
def plan(
    positive: Annotated[int | None, typer.Option(help="Subjects of the positive class.")] = None,
    negative: Annotated[int | None, typer.Option(help="Subjects of the negative class.")] = None,
    strata: Annotated[str | None, typer.Option(help="Positive/negative subjects of each stratum: 3/3,3/4.")] = None,
    config: Annotated[Path | None, typer.Option(help="Take sizes, strata and level from this job.")] = None,
    auroc: Annotated[list[float] | None, typer.Option(help="A true AUROC to look at; may be repeated.")] = None,
    power: Annotated[float | None, typer.Option(help="Find the subjects needed for this power.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Level of the one-sided test.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write.")] = None,
) -> None:
    """Say what class sizes can show before anyone trains, and how many subjects a wanted power takes."""
    from responder_ml.config import load_config
    from responder_ml.planning import plan, plan_job, read_strata, write_plan
    from responder_ml.screen.planning import show_plan

    asked = _given(aurocs=auroc, wanted_power=power, alpha=alpha)
    if config is not None:
        if (positive, negative, strata) != (None, None, None):
            raise ConfigError("--config brings its own class sizes. Leave out --positive, --negative and --strata.")
        found = plan_job(load_config(config), **asked)
    else:
        found = plan(positive, negative, strata=None if strata is None else read_strata(strata), **asked)
    show_plan(Console(), found)
    if out is not None:
        write_plan(found, out)


@app.command()
def selftest(
    config: Config,
    cohorts: Annotated[
        int | None, typer.Option(help=f"Cohorts without effect of each kind, {Effort.cohorts} by default.")
    ] = None,
    permutations: Annotated[
        int | None, typer.Option(help=f"Relabellings for each cohort's p, {Effort.permutations} by default.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(help=f"Repeats of the outer folds, {Effort.repeats} by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="JSON file to write.")] = None,
) -> None:
    """Run the job on relabelled subjects and on noise of the same shape, and say whether it leaks."""
    from responder_ml.config import load_config
    from responder_ml.screen.selftest import show_selftest
    from responder_ml.selftest import selftest, write_selftest

    console = Console()
    effort = Effort(**_given(cohorts=cohorts, permutations=permutations, repeats=repeats))
    found = selftest(load_config(config), effort, _Bars(console))
    show_selftest(console, found)
    if out is not None:
        write_selftest(found, out)


@app.command()
def track(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    bundle: Annotated[Path | None, typer.Option(help="Its bundle folder, models/NAME by default.")] = None,
    uri: Annotated[str | None, typer.Option(help="Tracking store, the job's own by default.")] = None,
    experiment: Annotated[str | None, typer.Option(help="MLflow experiment, the job's own by default.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Register the bundle as an MLflow model.")] = False,
) -> None:
    """Send a finished run to MLflow; one that is there already is not doubled."""
    from responder_ml.delivery import deliver

    console = Console()
    sent = deliver(run, bundle, uri=uri, experiment=experiment, register=register)
    console.print(f"Tracked in MLflow as {sent.run_id}", highlight=False, soft_wrap=True)
    if sent.bundle is None:
        console.print("Sent without a bundle; name it with --bundle to send it too.", highlight=False, soft_wrap=True)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write, RUN/report.html by default.")] = None,
) -> None:
    """Build a run's report again, without training."""
    from responder_ml.report.html import write_report
    from responder_ml.run import read_run

    path = out or run / "report.html"
    write_report(read_run(run), path)
    Console().print(f"Report: {path}", highlight=False, soft_wrap=True)


class _Bars(Progress):
    """Bars on a terminal; elsewhere only sentences that belong to the result."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, title: str) -> Iterator[Done]:
        """Show one bar while a stage lasts."""
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns: list[Any] = [
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[remark]}"),
        ]
        with RichProgress(*columns, console=self._console, disable=not self._console.is_terminal) as bars:
            task = bars.add_task(title, total=None, remark="")

            def done(count: int, total: int, remark: str) -> None:
                bars.update(task, completed=count, total=total, remark=remark)

            yield done

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text, highlight=False, soft_wrap=True)


def _given(**values: Any) -> dict[str, Any]:
    """Return the options that were given; what was not has its default where it is used."""
    return {name: value for name, value in values.items() if value is not None}


def _plain(text: str) -> str:
    """Keep square brackets in messages from being read as markup."""
    return text.replace("[", "\\[")
