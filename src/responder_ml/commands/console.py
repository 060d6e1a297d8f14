"""What several commands share: arguments, lines and tables on the terminal, the findings of an audit, and progress bars."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from responder_ml.masking import hide_secrets
from responder_ml.progress import Forecast, OnProgress, Progress, WorkPlan, spoken_time

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


LINE_EVERY_S = 30.0
"""Seconds between the lines that stand for a bar where there is no terminal, such as in the log of a cluster."""
_WORTH_SAYING_S = 20.0
# The first units wait for processes to start and for code to be compiled.
_SETTLED_S = 3.0


class ProgressBar(Progress):
    """One bar over all stages of announced work, with an estimate of the time it takes; lines where there is no terminal.

    Parameters
    ----------
    console
        Where sentences that belong to the result are printed. The bar is there too if it is a terminal, and otherwise, like the
        lines, on standard error, so that a result that is sent to a file holds nothing else.
    clock
        Returns seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._watched = console if console.is_terminal else Console(stderr=True)
        self._clock = clock
        self._forecast: Forecast | None = None
        self._show: Callable[[str, str], None] = lambda *_: None

    @contextmanager
    def work(self, plan: WorkPlan) -> Iterator[None]:
        """Show one bar, or lines, over stages that follow one another."""
        self._forecast, self._estimated = Forecast(plan, self._clock), False
        try:
            with self._bar() if self._watched.is_terminal else nullcontext(self._line_writer()) as self._show:
                yield
        finally:
            self._forecast = None

    @contextmanager
    def stage(self, title: str) -> Iterator[OnProgress]:
        """Show a stage within the work that was announced, or by itself."""
        if self._forecast is None:
            with self.work(WorkPlan({title: 1.0})), self.stage(title) as alone:
                yield alone
            return
        forecast = self._forecast
        forecast.begin(title)
        self._show(title, "")

        def on_progress(count: int, total: int, remark: str) -> None:
            forecast.report(count, total)
            self._estimate(forecast)
            self._show(f"{title}: {count:,} of {total:,}", remark)

        yield on_progress
        forecast.end()

    def say(self, text: str) -> None:
        """Print a sentence."""
        print_line(self._console, text)

    def _estimate(self, forecast: Forecast) -> None:
        """Say once how long everything takes, as soon as that can be told."""
        remaining = forecast.remaining()
        if self._estimated or remaining is None or forecast.elapsed < _SETTLED_S:
            return
        self._estimated = True
        if remaining < _WORTH_SAYING_S:
            return
        workers, more = forecast.plan.workers, forecast.more()
        on = f" on {workers} cores" if workers > 1 else ""
        line = f"This takes about {spoken_time(forecast.elapsed + remaining)}{on}"
        if more > remaining:
            line += f"; up to {spoken_time(forecast.elapsed + remaining + more)} {forecast.plan.reason}"
        print_line(self._watched, f"{line}.")

    @contextmanager
    def _bar(self) -> Iterator[Callable[[str, str], None]]:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        columns = [
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[rest]}", markup=False),
            TextColumn("{task.fields[remark]}", markup=False),
        ]
        with RichProgress(*columns, console=self._watched) as bars:
            task = bars.add_task("", total=None, rest="", remark="")

            def show(stage: str, remark: str) -> None:
                forecast = self._forecast
                if forecast is not None:
                    known = forecast.remaining() is not None
                    bars.update(
                        task,
                        description=stage.translate(_CONTROLS),
                        remark=remark.translate(_CONTROLS),
                        completed=forecast.fraction(),
                        total=1.0 if known else None,
                        rest=_rest(forecast),
                    )

            yield show

    def _line_writer(self) -> Callable[[str, str], None]:
        written = self._clock()

        def show(stage: str, remark: str) -> None:
            nonlocal written
            if self._forecast is not None and self._clock() - written >= LINE_EVERY_S:
                written = self._clock()
                print_line(self._watched, "; ".join(filter(None, (stage, remark, _rest(self._forecast)))))

        return show


def _rest(forecast: Forecast) -> str:
    remaining = forecast.remaining()
    return "" if remaining is None else f"about {spoken_time(remaining)} left"
