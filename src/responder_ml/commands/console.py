"""Progress as a bar on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from responder_ml.progress import OnProgress, Progress

Config = Annotated[Path, typer.Argument(help="YAML file of the job.", metavar="CONFIG")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder or file to write.")]


def given(**values: Any) -> dict[str, Any]:
    """Return the options that were given; what was not has its default where it is used."""
    return {name: value for name, value in values.items() if value is not None}


class ProgressBar(Progress):
    """ProgressBar on a terminal; elsewhere only sentences that belong to the result.

    Parameters
    ----------
    console
        Where they appear.
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
        self._console.print(text, highlight=False, soft_wrap=True)
