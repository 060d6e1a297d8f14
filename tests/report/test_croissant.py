import json

from responder_ml.report.croissant import SheetColumn, is_croissant, render_croissant


def _text(folder, **changes):
    (folder / "expression.csv").write_text("gene,a,b\nFos,1,2\n")
    (folder / "sheet.xlsx").write_bytes(b"not read")
    values = {
        "name": "a cohort",
        "description": "Of mice.",
        "units": "counts",
        "expression": [folder / "expression.csv"],
        "sheet": folder / "sheet.xlsx",
        "columns": [SheetColumn("sample", "Sample ID", "O"), SheetColumn("age / weeks", "age / weeks", "i")],
    }
    return render_croissant(**{**values, **changes})


def test_columns_have_the_names_of_the_file_and_identifiers_that_are_plain(tmp_path):
    content = json.loads(_text(tmp_path))
    first, second = content["recordSet"][0]["field"]
    assert first["source"]["extract"] == {"column": "Sample ID"}
    assert "sample" in first["description"]
    assert second["@id"] == "samples/column-2"
    assert second["name"] == "age / weeks"
    assert second["dataType"] == "sc:Integer"
    formats = [file["encodingFormat"] for file in content["distribution"]]
    assert formats == ["text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"]


def test_one_file_may_hold_both(tmp_path):
    content = json.loads(_text(tmp_path, sheet=None))
    assert [file["name"] for file in content["distribution"]] == ["expression.csv"]
    assert content["recordSet"][0]["field"][0]["source"]["fileObject"] == {"@id": "file-1"}


def test_our_own_description_is_known_from_others(tmp_path):
    text = _text(tmp_path)
    assert is_croissant(text.encode())
    assert not is_croissant(text.replace("Described by responder_ml", "Described by hand").encode())
    assert not is_croissant(b"{}")
