"""Progress as a bar on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from responder_ml.progress import Done, Progress


class Bars(Progress):
    """Bars on a terminal; elsewhere only sentences that belong to the result.

    Parameters
    ----------
    console
        Where they appear.
    """

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
