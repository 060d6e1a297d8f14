"""What the terminal shows is what the data say: nothing in a name or message is read as markup, cut or wrapped."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

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


CONTROLS = "a\x1b[2Jb\x07c\rd\x9be\u202ef"


def test_control_characters_are_shown_and_not_obeyed(console):
    print_line(console, CONTROLS)
    print_line(console, Text.assemble((CONTROLS, "bold")))
    table = Table(folding(CONTROLS), title=CONTROLS)
    table.add_row(CONTROLS)
    print_table(console, table)
    shown = console.file.getvalue()
    assert shown.startswith("a␛[2Jb␇c␍d\N{REPLACEMENT CHARACTER}e\N{REPLACEMENT CHARACTER}f\n")
    assert shown.count("␛[2Jb") == 5
    assert not {"\x1b", "\x07", "\r", "\x9b", "\u202e"} & set(shown)


def test_markup_in_a_name_does_not_end_the_progress_of_work():
    terminal = Console(file=io.StringIO(), width=120, force_terminal=True)
    with ProgressBar(terminal).stage("Search [/x]") as on_progress:
        on_progress(1, 2, "r[/x] \x1b[2J")
    assert "r[/x] ␛[2J" in terminal.file.getvalue()


def test_emoji_in_a_table_stay_words(console):
    table = Table(folding(":smile:"))
    table.add_row(":dog:")
    print_table(console, table)
    assert ":smile:" in console.file.getvalue()
    assert ":dog:" in console.file.getvalue()


def test_a_password_is_hidden_on_every_line(console):
    print_line(console, "Sent to postgresql://ann:swordfish@lab/runs")
    assert console.file.getvalue() == "Sent to postgresql://ann:***@lab/runs\n"


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
