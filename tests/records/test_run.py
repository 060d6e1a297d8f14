"""A run folder is described where people read, and reads back."""

import re
from pathlib import Path

from responder_ml.records.run import TABLES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "run_folder.md"


def test_every_column_of_every_table_is_described_in_the_documentation_as_in_the_program():
    sections = re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)
    described = {
        title.removesuffix(".csv"): dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", body, flags=re.MULTILINE))
        for title, _, body in (section.partition("\n") for section in sections)
        if title.endswith(".csv")
    }
    assert described == {name: dict(columns) for name, columns in TABLES.items()}
