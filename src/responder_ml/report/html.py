"""The report: one HTML file that needs nothing else, the same bytes for the same run."""

from pathlib import Path

from markupsafe import Markup

from responder_ml.errors import RunError, door
from responder_ml.records.files import replace_listed_file
from responder_ml.records.run import RUN_FOLDER, Run
from responder_ml.report import SECTIONS
from responder_ml.report.template import render


def render_report(run: Run) -> str:
    """Return the report of a run as HTML.

    Parameters
    ----------
    run
        What ``train`` left behind, or `read_run` read back.
    """
    # Sections are made of templates that escape every value, so their HTML is trusted here.
    sections = [
        {"title": section.title, "anchor": section.anchor, "html": Markup(section.render(run))} for section in SECTIONS
    ]
    result = run.result
    return render("report.html", {
        "name": run.name,
        "simulated": result.simulated,
        "endpoint": result.endpoint,
        "n": result.n,
        "sections": sections,
    })  # fmt: skip


def write_report(run: Run, path: Path) -> None:
    """Write the report of a run.

    Parameters
    ----------
    run
        What ``train`` left behind, or `read_run` read back.
    path
        File to write, such as ``report.html``.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    # A run of a version without checksums may be read and still lack what a figure needs.
    with door(
        RunError, f"The run {run.name} cannot be shown, it is damaged", "Use an intact copy, or train the job again."
    ):
        page = render_report(run)
    replace_listed_file(path, page, RUN_FOLDER.kind)


def is_report(content: bytes) -> bool:
    """Tell whether a file is a page that this program wrote."""
    return content.startswith(b"<!DOCTYPE html>") and b"responder_ml" in content
