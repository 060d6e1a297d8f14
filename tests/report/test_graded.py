"""The page of a graded outcome: the command writes it again, byte by byte, and refuses what it cannot show."""

import shutil

import pytest
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.errors import RunError
from responder_ml.records.graded import PAGE, GradedRun
from responder_ml.records.ownership import FILE_LIST, damaged_files
from responder_ml.report.graded import render_graded, write_graded_page


@pytest.fixture
def folder(graded_training, tmp_path):
    shutil.copytree(graded_training.folder, tmp_path / "run")
    return tmp_path / "run"


def _report(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_the_command_writes_the_page_of_train_again(folder):
    page = (folder / PAGE).read_bytes()
    (folder / PAGE).unlink()
    assert _report(folder).exit_code == 0
    assert (folder / PAGE).read_bytes() == page
    assert not damaged_files(folder)


def test_the_page_goes_elsewhere_on_request_and_over_nothing_of_others(folder, tmp_path):
    assert _report(folder, "--out", tmp_path / "page.html").exit_code == 0
    assert (tmp_path / "page.html").read_bytes() == (folder / PAGE).read_bytes()
    (tmp_path / "notes.html").write_text("mine")
    assert isinstance(_report(folder, "--out", tmp_path / "notes.html").exception, RunError)
    assert (tmp_path / "notes.html").read_text() == "mine"


def test_a_damaged_folder_is_refused(folder):
    (folder / "predictions.csv").write_text("subject\n")
    outcome = _report(folder)
    assert isinstance(outcome.exception, RunError)
    assert "predictions.csv" in str(outcome.exception)
    # A folder without its list is not known to be damaged, and what the page lacks is found while it is made.
    (folder / FILE_LIST).unlink()
    assert "damaged" in str(_report(folder).exception)


def test_a_page_can_be_made_where_nothing_was_tested(graded_training):
    result = graded_training.result.model_copy(update={"null": None, "conditional": None, "links": None})
    run = GradedRun(result, {**graded_training.tables, "nuisances": graded_training.tables["nuisances"][:0]}, {})
    page = render_graded(run)
    assert "Shuffled outcomes</h2>" not in page
    assert "Predicted against observed" in page


def test_a_run_that_lacks_a_table_is_one_message(graded_training, tmp_path):
    with pytest.raises(RunError, match="ratio cannot be shown, it is damaged"):
        write_graded_page(GradedRun(graded_training.result, {}, {}), tmp_path / "page.html")
