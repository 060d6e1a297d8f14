import subprocess
import sys
import zipfile
from datetime import datetime

import openpyxl
import pandas as pd
import pytest

from responder_ml.cohort import workbook
from responder_ml.cohort.cells import read_cells
from responder_ml.cohort.read import read_table
from responder_ml.errors import CohortError

# A spreadsheet of LibreOffice: one sheet, two rows.
_CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="Sheet1">{rows}</table:table></office:spreadsheet></office:body>
</office:document-content>"""


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "study.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"note": ["read me"]}).iloc[:0].to_excel(writer, sheet_name="about", index=False, header=False)
        pd.DataFrame({"gene": ["Fos", "Arc"], "s1": [1, 2], "s2": [3, 4]}).to_excel(
            writer, sheet_name="counts", index=False
        )
        pd.DataFrame({"sample": ["s1", "s2"], "sex": ["m", "f"]}).to_excel(writer, sheet_name="animals", index=False)
    return path


def test_the_first_sheet_with_cells_is_read_and_the_others_are_said(book):
    cells = read_cells(book)
    assert cells.header == ("gene", "s1", "s2")
    assert cells.notes == ("Sheet 'counts' was read; 'animals' were not (key `sheet`).",)
    assert read_cells(book, "animals").text(1) == ["m", "f"]


def test_one_workbook_holds_expression_and_samples(book):
    cohort = read_table(book, book, units="counts", sheet="counts", samples_sheet="animals")
    assert cohort.X.tolist() == [[1, 2], [3, 4]]


def test_an_unknown_sheet_is_refused_with_those_there_are(book, tmp_path):
    with pytest.raises(CohortError, match=r"no sheet 'Counts'.*'about', 'counts', 'animals'"):
        read_cells(book, "Counts")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CohortError, match=r"is not a workbook"):
        read_cells(tmp_path / "t.csv", "counts")


def test_titles_above_the_header_are_skipped_and_dates_and_numbers_are_text(tmp_path):
    sheet = openpyxl.Workbook()
    rows = [
        ["Table 1"],
        [],
        ["gene", "s1", "s2", 3],
        ["Fos", 1, 2.5, 3],
        [datetime(2019, 9, 1), 4, 5, 6],
        [14281, 7, None, 8],
    ]
    for row in rows:
        sheet.active.append(row)
    sheet.save(tmp_path / "t.xlsx")
    cells = read_cells(tmp_path / "t.xlsx")
    assert cells.header == ("gene", "s1", "s2", "3")
    assert cells.text(0) == ["Fos", "2019-09-01", "14281"]
    assert cells.text(2) == ["2.5", "5", ""]


def test_a_workbook_under_another_name_and_text_under_a_workbooks_name_are_read(book, tmp_path):
    (tmp_path / "t.csv").write_bytes(book.read_bytes())
    assert read_cells(tmp_path / "t.csv").header == ("gene", "s1", "s2")
    (tmp_path / "t.xls").write_text("gene\ts1\nFos\t1\n")
    assert read_cells(tmp_path / "t.xls").header == ("gene", "s1")


def _open_document(path, rows):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("content.xml", _CONTENT.format(rows=rows))
        file.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


def test_an_open_document_is_read(tmp_path):
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = "".join(
        "<table:table-row>" + "".join(cell.format(text) for text in row) + "</table:table-row>"
        for row in (["gene", "s1"], ["Fos", "1"])
    )
    assert read_cells(_open_document(tmp_path / "t.ods", rows)).text(1) == ["1"]


def _repeated(rows, columns):
    return (
        f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell office:value-type="float" office:value="1" '
        f'table:number-columns-repeated="{columns}"/></table:table-row>'
    )


@pytest.mark.parametrize(("rows", "columns"), [(2**40, 2**40), (3000, 2000)])
def test_an_open_document_that_repeats_a_cell_without_end_is_refused(rows, columns, tmp_path):
    with pytest.raises(CohortError, match=r"could not be read as a workbook|far more than a table"):
        read_cells(_open_document(tmp_path / "t.ods", _repeated(rows, columns)))


def test_a_workbook_that_ends_its_reader_ends_in_one_message(book, monkeypatch, tmp_path):
    program = tmp_path / "reader.py"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(workbook.workbook_reader, "__name__", "reader")
    for text, words in (
        ("import os; os.abort()", "it is damaged, or needs far more memory"),
        ("raise MemoryError", "it is damaged, or needs far more memory"),
        ("raise KeyError('sheet')", "KeyError: 'sheet'"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "takes far longer than a workbook of its size"),
        ("import sys; sys.exit(7)", "its reader ended with code 7"),
    ):
        program.write_text(text)
        with pytest.raises(CohortError, match=words):
            read_cells(book)


def test_the_reader_may_take_memory_and_time_by_the_size_of_the_file():
    script = (
        "import resource\nfrom responder_ml.cohort.workbook_reader import limit_resources\nlimit_resources(10**6)\n"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [str(3 * 2**29 + 256 * 10**6), "21"]
