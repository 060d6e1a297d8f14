"""The command line. Commands have no defaults of their own; heavy libraries are imported by the command that needs them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from responder_ml.exceptions import ResponderError
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
    from responder_ml.screen import show_prepared

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
    from responder_ml.experiment import default_folders, train
    from responder_ml.screen import show_run

    job = load_config(config)
    console = Console()
    run_folder, bundle_folder = default_folders(job)
    run_folder, bundle_folder = out or run_folder, bundle or bundle_folder
    run = train(job, run_folder, bundle_folder, _Bars(console))
    show_run(console, run, run_folder, bundle_folder)



@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    config: Annotated[Path | None, typer.Option(help="Take the simulator's parameters and seed from this job.")] = None,
) -> None:
    """Write a simulated cohort as ordinary files."""
    from responder_ml.assemble import simulate_to

    simulate_to(out, config)
    Console().print(f"Simulated cohort written to {out}", highlight=False)


@app.command("list")
def list_() -> None:
    """List builders, scorers and classifiers with their references."""
    from responder_ml.screen import show_registries

    show_registries(Console())


@app.command()
def ui(
    config: Annotated[Path | None, typer.Option(help="Open the store this job logs to.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the web page.")] = None,
) -> None:
    """Open the MLflow UI on the right store."""
    from responder_ml.config import load_config
    from responder_ml.tracking.ui import open_ui

    open_ui(load_config(config).tracking.uri if config else None, port)


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


def _plain(text: str) -> str:
    """Keep square brackets in messages from being read as markup."""
    return text.replace("[", "\\[")
