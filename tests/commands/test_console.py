"""What the terminal shows is what the data say: nothing in a name or message is read as markup, cut or wrapped."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from responder_ml.cohort.findings import Finding
from responder_ml.commands.console import (
    ProgressBar,
    folding,
    print_findings,
    print_line,
    print_table,
    specified,
)

ODD = "[bold]pfc[1] :smile: [/]"


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=60)


def test_a_line_is_printed_exactly_and_on_one_line(console):
    print_line(console, f"{ODD} {'long ' * 30}end")
    assert console.file.getvalue() == f"{ODD} {'long ' * 30}end\n"


def test_cells_and_titles_of_a_table_are_printed_exactly(console):
    table = Table(folding("[red]name"), title="[blue] against [/]")
    table.add_row("[bold]pfc[1]")
    print_table(console, table)
    shown = " ".join(console.file.getvalue().split())
    for text in ("[red]name", "[blue] against [/]", "[bold]pfc[1]"):
        assert text in shown


def test_a_long_name_continues_on_the_next_line(console):
    table = Table(folding("name"), "number")
    table.add_row("x" * 100, "1")
    print_table(console, table)
    assert console.file.getvalue().count("x") == 100


def test_findings_are_printed_with_severity_and_code(console):
    print_findings(console, [Finding("RML01", "warning", f"Batch is {ODD}."), Finding("RML02", "info", "Fine.")])
    assert console.file.getvalue() == f"warning RML01  Batch is {ODD}.\ninfo    RML02  Fine.\n"


def test_progress_is_silent_where_there_is_no_terminal_but_for_sentences(console):
    progress = ProgressBar(console)
    with progress.stage("Search") as on_progress:
        on_progress(1, 2, "half")
    assert console.file.getvalue() == ""
    progress.say(f"Smallest p of {ODD}")
    assert console.file.getvalue() == f"Smallest p of {ODD}\n"


def test_progress_on_a_terminal_names_the_stage_and_the_remark():
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with ProgressBar(console).stage("Search") as on_progress:
        on_progress(1, 2, "half of it")
    assert "Search" in console.file.getvalue()
    assert "half of it" in console.file.getvalue()


def test_only_options_that_the_user_set_are_passed_on():
    assert specified(alpha=None, prior=0.0, missing="skip", register=False) == {
        "prior": 0.0, "missing": "skip", "register": False
    }  # fmt: skip
