"""The folder of several classes is described where people read."""

import re
from pathlib import Path

from responder_ml.records.classes import TABLES, ClassesResult

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "run_folder.md"
_ROW = r"^\| `([^`]+)` \| (.+) \|$"


def test_keys_and_columns_are_described_in_the_documentation_as_in_the_program():
    _, _, section = DOCUMENT.read_text().partition("\n## Several classes\n")
    section, _, _ = section.partition("\n## ")
    answer, *tables = re.split(r"^### ", section, flags=re.MULTILINE)
    keys = {name: field.description for name, field in ClassesResult.model_fields.items()}
    assert dict(re.findall(_ROW, answer, flags=re.MULTILINE)) == keys
    described = {table.partition(".csv")[0]: dict(re.findall(_ROW, table, flags=re.MULTILINE)) for table in tables}
    assert described["predictions"].pop("probability:CLASS").endswith("a column for each class")
    assert described == {name: dict(columns) for name, columns in TABLES.items()}
