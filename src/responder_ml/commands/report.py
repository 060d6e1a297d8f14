"""The command `report`: write a run's report again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from responder_ml.commands.console import print_line


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.", metavar="RUN")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write (default: that in RUN).")] = None,
) -> None:
    """Write the report of a run, or the page of a training of several classes or on a graded outcome, again, without training."""
    from responder_ml.records import classes, graded
    from responder_ml.records.ownership import check_output_file, refuse_inside
    from responder_ml.records.run import REPORT, read_run
    from responder_ml.report.classes import write_classes_page
    from responder_ml.report.graded import write_graded_page
    from responder_ml.report.html import is_report, write_report

    several, is_graded = (run / classes.ANSWER).is_file(), (run / graded.ANSWER).is_file()
    path = out or run / (classes.PAGE if several else graded.PAGE if is_graded else REPORT)
    if out is not None:
        # The default is on the run's own list; any other file is replaced only where it is such a page.
        check_output_file(out, {"the run": run if out.parent.resolve() != run.resolve() else None}, is_report)
        refuse_inside(out, apart_from=run)
    if several:
        write_classes_page(classes.read_classes(run), path)
    elif is_graded:
        write_graded_page(graded.read_graded(run), path)
    else:
        write_report(read_run(run), path)
    print_line(Console(), f"Report: {path}")
