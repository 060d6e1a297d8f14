import gzip
import random
import zipfile
import zlib

import pyarrow as pa
import pyarrow.parquet
import pytest

from responder_ml.cohort import delimited, packed_size
from responder_ml.cohort.cells import read_cells
from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.packed_size import LEAST_BYTES, check_packed_size
from responder_ml.errors import CohortError


def test_a_gzip_file_of_zeros_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "counts.tsv.gz"
    # The size at the end is what is looked at; 300 MB of blanks need not be written for that.
    content = gzip.compress(random.Random(1).randbytes(400_000), 1)
    path.write_bytes(content[:-4] + (LEAST_BYTES + 1).to_bytes(4, "little"))
    with pytest.raises(CohortError, match="unpacks to 256 MiB"):
        read_cells(path)


def _lying(content):
    """Return gzip bytes that say they unpack to a few bytes."""
    return content[:-4] + (99).to_bytes(4, "little")


def _lines(count):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packer.compress(b"x\t1\t2\n" * 2**16) for _ in range(count)]
    return packer.compress(b"gene\ta\tb\n") + b"".join(pieces) + packer.flush()


@pytest.fixture
def small_limits(monkeypatch):
    monkeypatch.setattr(packed_size, "LEAST_BYTES", 2**20)


@pytest.mark.parametrize("lie", [_lying, lambda content: content + gzip.compress(b"y\t1\t2\n")])
@pytest.mark.parametrize("unpacked_first", [True, False])
def test_a_gzip_file_that_lies_about_its_size_is_refused_on_the_way(
    lie, unpacked_first, tmp_path, monkeypatch, small_limits
):
    if not unpacked_first:
        monkeypatch.setattr(packed_size, "_QUICKLY_UNPACKED", 0)
    path = tmp_path / "counts.tsv.gz"
    path.write_bytes(lie(_lines(60)))
    with pytest.raises(CohortError, match=r"far more than a table"):
        read_cells(path, numbers=True)


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_LONGEST_LINE", 1000)
    (tmp_path / "counts.tsv").write_text("gene\ta\nx" + "\t1" * 1000)
    with pytest.raises(CohortError, match="a line of more than 1,000 letters"):
        read_cells(tmp_path / "counts.tsv")


def test_a_parquet_file_of_one_value_a_billion_times_is_refused_before_it_is_read(tmp_path, small_limits):
    pa.parquet.write_table(
        pa.table({"gene": pa.array([1] * 10**6), "s1": pa.array([1] * 10**6)}), tmp_path / "t.parquet"
    )
    with pytest.raises(CohortError, match="far more than a table"):
        read_cells(tmp_path / "t.parquet")
    with pytest.raises(CohortError, match="far more than a table"):
        open_grid(tmp_path / "t.parquet")


def test_members_that_share_their_bytes_are_added_up(tmp_path, small_limits):
    path = _workbook(tmp_path / "t.xlsx", " " * 2**18)
    content = path.read_bytes()
    at, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    # Five entries of the directory for one member.
    entries = content[at:end] * 5
    sizes = len(entries).to_bytes(4, "little") + at.to_bytes(4, "little")
    path.write_bytes(content[:at] + entries + b"PK\x05\x06\0\0\0\0\5\0\5\0" + sizes + b"\0\0")
    with pytest.raises(CohortError, match="far more than a table"):
        check_packed_size(path)


def _workbook(path, sheet):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_sheet_with_a_cell_too_far_out_is_refused(quote, tmp_path):
    sheet = '<sheetData><row r="1"><c r="A1"/></row><row r="1048576"><c s="1" r="XFD1048576"/></row></sheetData>'
    with pytest.raises(CohortError, match="1,048,576 x 16,384 cells"):
        check_packed_size(_workbook(tmp_path / "far.xlsx", sheet.replace('"', quote)))


def test_a_workbook_that_unpacks_to_far_too_much_is_refused(tmp_path, small_limits):
    with pytest.raises(CohortError, match="far more than a table"):
        check_packed_size(_workbook(tmp_path / "bomb.xlsx", b" " * (2**20 + 1)))


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
