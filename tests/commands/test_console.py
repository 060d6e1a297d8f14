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
from responder_ml.progress import WorkPlan

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


class HandClock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def _draw(progress, clock, stage, seconds, units):
    """Let a stage of so many units pass, each of so many seconds."""
    with progress.stage(stage) as on_progress:
        for unit in range(1, units + 1):
            clock.now += seconds
            on_progress(unit, units, f"p = {1 / unit:.3f} so far")


def test_short_work_is_silent_where_there_is_no_terminal_but_for_sentences(console, capsys):
    progress, clock = ProgressBar(console), HandClock()
    _draw(progress, clock, "Search", 1, 10)
    assert console.file.getvalue() == ""
    progress.say(f"Smallest p of {ODD}")
    assert console.file.getvalue() == f"Smallest p of {ODD}\n"
    assert capsys.readouterr().err == ""


def test_long_work_tells_an_estimate_and_then_a_line_every_half_minute_where_there_is_no_terminal(console, capsys):
    clock = HandClock()
    progress = ProgressBar(console, clock)
    plan = WorkPlan({"Search": 10, "Null": 100, "Fit": 2}, workers=2, more=400, reason="if p lies near 0.05")
    with progress.work(plan):
        _draw(progress, clock, "Search", 2, 10)
        _draw(progress, clock, "Null", 2, 50)
    assert console.file.getvalue() == ""  # that is the result's
    assert capsys.readouterr().err.splitlines() == [
        "This takes about 4 min on 2 cores; up to 17 min if p lies near 0.05.",
        # The search took a second for each unit of cost, so the null was expected to take two a draw.
        "Null: 5 of 50; p = 0.200 so far; about 2 min left",
        "Null: 20 of 50; p = 0.050 so far; about 1 min left",
        "Null: 35 of 50; p = 0.029 so far; about 30 s left",
        "Null: 50 of 50; p = 0.020 so far; about 5 s left",
    ]


def test_work_that_one_process_does_with_an_end_that_is_known_names_neither(console, capsys):
    clock = HandClock()
    _draw(ProgressBar(console, clock), clock, "Claims", 25, 2)
    assert capsys.readouterr().err.splitlines() == [
        "This takes about 50 s.",
        "Claims: 2 of 2; p = 0.500 so far; about 5 s left",
    ]


def test_a_bar_on_a_terminal_holds_for_all_stages():
    console, clock = Console(file=io.StringIO(), width=150, force_terminal=True), HandClock()
    progress = ProgressBar(console, clock)
    with progress.work(WorkPlan({"Search": 10, "Null": 100}, workers=4)):
        _draw(progress, clock, "Search", 2, 10)
        _draw(progress, clock, "Null", 2, 100)
    shown = console.file.getvalue()
    assert "This takes about 4 min on 4 cores." in shown
    assert "Null: 100 of 100" in shown
    assert shown.count("\n") == 2  # the estimate, and one bar


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
