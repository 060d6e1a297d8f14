"""What several commands share: arguments, lines and tables on the terminal, the findings of an audit, and progress bars."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from responder_ml.progress import OnProgress, Progress

if TYPE_CHECKING:
    from responder_ml.cohort.findings import Finding

Config = Annotated[Path, typer.Argument(help="YAML file of the job.", metavar="CONFIG")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder or file to write.")]

_VERDICT_STYLES = {
    "evidence": "green",
    "confounded": "yellow",
    "not_separable": "yellow",
    "underpowered": "yellow",
    "undecided": "yellow",
}
_SEVERITY_STYLES = {"info": "cyan", "warning": "yellow", "error": "red"}


def specified(**options: Any) -> dict[str, Any]:
    """Return the options that the user set; the others keep the default of the function that takes them."""
    return {name: value for name, value in options.items() if value is not None}


def print_line(console: Console, text: str | Text, style: str = "") -> None:
    """Print a line in full width, exactly as it is: square brackets in it are not markup."""
    console.print(text, style=style or None, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_table(console: Console, table: Table) -> None:
    """Print a table whose cells are exactly as they are: square brackets in them are not markup."""
    if isinstance(table.title, str):
        table.title = Text(table.title, style="table.title")
    console.print(table, markup=False)


def print_simulated(console: Console) -> None:
    """Print that the data are simulated."""
    print_line(console, Text.assemble(("Simulated data:", "bold"), " nothing below is a finding about real animals."))


def print_findings(console: Console, findings: Sequence["Finding"]) -> None:
    """Print the findings of an audit, one a line."""
    for finding in findings:
        severity = (f"{finding.severity:<7}", _SEVERITY_STYLES[finding.severity])
        print_line(console, Text.assemble(severity, f" {finding.code}  {finding.message}"))


def folding(title: str) -> Column:
    """Return a column in which a long name continues on the next line and is never cut."""
    return Column(title, overflow="fold")


def verdict_style(level: str) -> str:
    """Return the colour of a verdict."""
    return _VERDICT_STYLES.get(level, "")


class ProgressBar(Progress):
    """A progress bar on a terminal; elsewhere only the sentences that belong to the result.

    Parameters
    ----------
    console
        The terminal on which to show it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, title: str) -> Iterator[OnProgress]:
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

            def on_progress(count: int, total: int, remark: str) -> None:
                bars.update(task, completed=count, total=total, remark=remark)

            yield on_progress

    def say(self, text: str) -> None:
        """Print a sentence."""
        print_line(self._console, text)
