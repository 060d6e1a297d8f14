import gzip
import random
import zipfile

import pytest

from responder_ml.cohort.cells import read_cells
from responder_ml.cohort.packed_size import LEAST_BYTES, check_packed_size
from responder_ml.errors import CohortError


def test_a_gzip_file_of_zeros_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "counts.tsv.gz"
    # The size at the end is what is looked at; 300 MB of blanks need not be written for that.
    content = gzip.compress(random.Random(1).randbytes(400_000), 1)
    path.write_bytes(content[:-4] + (LEAST_BYTES + 1).to_bytes(4, "little"))
    with pytest.raises(CohortError, match="unpacks to 256 MiB"):
        read_cells(path)


def _workbook(path, sheet):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


def test_a_sheet_with_a_cell_too_far_out_is_refused(tmp_path):
    sheet = '<sheetData><row r="1"><c r="A1"/></row><row r="1048576"><c s="1" r="XFD1048576"/></row></sheetData>'
    with pytest.raises(CohortError, match="1,048,576 x 16,384 cells"):
        check_packed_size(_workbook(tmp_path / "far.xlsx", sheet))


def test_a_workbook_that_unpacks_to_far_too_much_is_refused(tmp_path):
    with pytest.raises(CohortError, match="far more than a table"):
        check_packed_size(_workbook(tmp_path / "bomb.xlsx", b" " * (LEAST_BYTES + 1)))


def test_tables_pass(tmp_path):
    check_packed_size(_workbook(tmp_path / "table.xlsx", '<row r="30000"><c r="AZ30000"/></row>'))
    (tmp_path / "table.tsv.gz").write_bytes(gzip.compress(b"gene\ta\nx\t1\n" * 1000))
    check_packed_size(tmp_path / "table.tsv.gz")
    (tmp_path / "empty").write_bytes(b"")
    check_packed_size(tmp_path / "empty")


def test_a_gzip_file_that_ends_at_once_is_broken(tmp_path):
    (tmp_path / "counts.tsv.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(CohortError):
        read_cells(tmp_path / "counts.tsv.gz")
