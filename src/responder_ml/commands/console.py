"""What several commands share: arguments, lines and tables on the terminal, the findings of an audit, and progress bars."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from responder_ml.masking import hide_secrets
from responder_ml.progress import OnProgress, Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

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


LEFT_OUT = "RML20"
"""Code of the findings on samples that are not compared; shown whatever their severity."""


def specified(**options: Any) -> dict[str, Any]:
    """Return the options that the user set; the others keep the default of the function that takes them."""
    return {name: value for name, value in options.items() if value is not None}


# A terminal obeys them; the letters from U+2400 on stand for them. Marks that turn the direction of writing hide what is there.
_CONTROLS = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    **dict.fromkeys(
        [*range(0x80, 0xA0), *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A)], 0xFFFD
    ),
}


class _Shown:
    """What is printed, with control characters shown and not obeyed, and passwords hidden."""

    def __init__(self, renderable: "RenderableType") -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield the pieces of text; styles and the terminal's own commands are apart from them."""
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(segment.text.translate(_CONTROLS), segment.style)


def print_line(console: Console, text: str | Text, style: str = "") -> None:
    """Print a line in full width, exactly as it is: square brackets in it are not markup, and control characters are shown."""
    if isinstance(text, str):
        text = Text(hide_secrets(text).translate(_CONTROLS))
    else:
        text = text.copy()
        text.plain = hide_secrets(text.plain).translate(_CONTROLS)
    console.print(text, style=style or None, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_table(console: Console, table: Table) -> None:
    """Print a table whose cells are exactly as they are: square brackets in them are not markup, and control characters shown."""
    if isinstance(table.title, str):
        table.title = Text(table.title, style="table.title")
    with _without_emoji(console):
        console.print(_Shown(table), markup=False, highlight=False, emoji=False)


@contextmanager
def _without_emoji(console: Console) -> Iterator[None]:
    """Leave ``:smile:`` in the cells of a table as it is; rich takes this setting from the console alone."""
    before, console._emoji = console._emoji, False
    try:
        yield
    finally:
        console._emoji = before


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
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[remark]}", markup=False),
        ]
        with RichProgress(*columns, console=self._console, disable=not self._console.is_terminal) as bars:
            task = bars.add_task(title.translate(_CONTROLS), total=None, remark="")

            def on_progress(count: int, total: int, remark: str) -> None:
                bars.update(task, completed=count, total=total, remark=remark.translate(_CONTROLS))

            yield on_progress

    def say(self, text: str) -> None:
        """Print a sentence."""
        print_line(self._console, text)
