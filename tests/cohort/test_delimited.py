import gzip

import pytest

from responder_ml.cohort.delimited import read_text_table
from responder_ml.errors import CohortError


def _table(path, content, *, numbers=True):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_text_table(path, "," if ".csv" in path.name else "\t", numbers=numbers)
    return list(table.header), [column.to_pylist() for column in table.columns], table


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "gene,s1,s2\nFos,1,2\nArc,3,4\n"),
        ("t.csv", "gene;s1;s2\nFos;1;2\nArc;3;4\n"),
        ("t.csv", "gene\ts1\ts2\nFos\t1\t2\nArc\t3\t4\n"),
        ("t.tsv", "gene,s1,s2\r\nFos,1,2\r\nArc,3,4\r\n"),
        ("t.txt", '"gene" "s1" "s2"\n"Fos" 1 2\n"Arc" 3 4\n'),
        ("t.tsv", "gene|s1|s2\nFos|1|2\nArc|3|4\n"),
        ("t.csv", "gene,s1,s2\nFos,1,2\nArc,3,4\n".encode("utf-16")),
        ("t.csv", "gene,s1,s2\nFos,1,2\nArc,3,4\n".encode("utf-16-le")),
        ("t.csv", "gene,s1,s2\nFos,1,2\nArc,3,4\n".encode("utf-16-be")),
        ("t.csv", "gene,s1,s2\nFos,1,2\nArc,3,4\n".encode("utf-8-sig")),
        ("t.csv", gzip.compress(b"gene,s1,s2\nFos,1,2\nArc,3,4\n", mtime=0)),
        ("t.csv", gzip.compress("gene;s1;s2\nFos;1;2\nArc;3;4\n".encode("utf-16"), mtime=0)),
        ("t.csv.gz", b"gene,s1,s2\nFos,1,2\nArc,3,4\n"),
        ("t.csv", "Table S3,,\n,,\ngene,s1,s2\nFos,1,2\nArc,3,4\n"),
        ("t.tsv", "Counts of two samples\n\ngene\ts1\ts2\nFos\t1\t2\nArc\t3\t4\n"),
        ("t.tsv", '# Program:featureCounts "-a" "x.gtf"\ngene\ts1\ts2\nFos\t1\t2\nArc\t3\t4\n'),
        ("t.tsv", "#made by hand\n#gene\ts1\ts2\nFos\t1\t2\nArc\t3\t4\n"),
    ],
)
def test_one_table_written_in_many_ways(tmp_path, name, content):
    header, columns, _ = _table(tmp_path / name, content)
    assert header == ["gene", "s1", "s2"]
    assert columns[0] == ["Fos", "Arc"]
    assert [[float(cell) for cell in column] for column in columns[1:]] == [[1, 3], [2, 4]]


def test_a_series_matrix_is_read_from_its_table_to_its_end(tmp_path):
    text = (
        '!Series_title\t"x"\n!Sample_title\t"a"\t"b"\n!series_matrix_table_begin\n"ID_REF"\t"GSM1"\t"GSM2"\n'
        '"p1"\t1.5\t2\n"p2"\t\t4\n!series_matrix_table_end\n'
    )
    header, columns, table = _table(tmp_path / "GSE1_series_matrix.txt", text)
    assert header == ["ID_REF", "GSM1", "GSM2"]
    assert columns == [["p1", "p2"], [1.5, None], [2, 4]]
    assert table.notes == ("3 line(s) that describe the GEO series stand above the table and were skipped.",)
    with pytest.raises(CohortError, match=r"no table of values.*fetch GSE"):
        _table(tmp_path / "e.txt", "!Series_title\tx\n!Sample_title\ta\n")


def test_gct_files_of_both_versions_are_read(tmp_path):
    header, columns, _ = _table(tmp_path / "a.gct", "#1.2\n2\t2\nName\tDescription\ta\tb\nFos\tx\t1\t2\nArc\ty\t3\t4\n")
    assert header == ["Name", "Description", "a", "b"]
    assert columns[2] == [1, 3]
    text = "#1.3\n2\t2\t1\t1\nid\tsymbol\ta\tb\ndose\tna\t5\t6\nFos\tx\t1\t2\nArc\ty\t3\t4\n"
    header, columns, table = _table(tmp_path / "b.gct", text)
    assert [columns[0], columns[2]] == [["Fos", "Arc"], [1, 3]]
    assert "3 line(s) of description" in table.notes[0]


def test_the_header_may_lack_its_first_name_or_end_in_a_blank(tmp_path):
    assert _table(tmp_path / "a.tsv", "s1\ts2\nFos\t1\t2\nArc\t3\t4\n")[0] == ["", "s1", "s2"]
    assert _table(tmp_path / "b.tsv", "gene\ts1\ts2\nFos\t1\t2\t\nArc\t3\t4\t\n")[0] == ["gene", "s1", "s2", ""]


def test_cells_stay_text_unless_numbers_are_asked_for_or_a_later_cell_is_none(tmp_path):
    assert _table(tmp_path / "a.csv", "sample,rin\n007,8.50\n", numbers=False)[1] == [["007"], ["8.50"]]
    text = "gene,s1\n" + "".join(f"g{row},{row}\n" for row in range(300)) + "odd,low\n"
    assert _table(tmp_path / "b.csv", text)[1][1][-1] == "low"
    assert _table(tmp_path / "c.csv", "gene,s1\nFos,1_000\n")[1][1] == ["1_000"]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("<!DOCTYPE html>", "web page"),
        ("^SAMPLE = GSM1", "SOFT"),
        ("%%MatrixMarket matrix", "sparse"),
        ('{"a": 1}', "JSON"),
    ],
)
def test_text_that_is_no_table_is_named(tmp_path, start, message):
    with pytest.raises(CohortError, match=message):
        _table(tmp_path / "t.txt", f"{start}\nx\ty\n")
