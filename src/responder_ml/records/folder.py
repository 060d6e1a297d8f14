"""A folder of results: an answer as JSON, tables as CSV, and the configuration as YAML."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from responder_ml.errors import RunError

CONFIG = "config.yaml"
# Identifiers, which stay text even where they look like numbers.
_TEXT_COLUMNS = ("sample", "subject", "gene", "candidate")


@dataclass(frozen=True)
class FolderFormat:
    """The files of one kind of folder.

    Attributes
    ----------
    noun, command
        What the folder holds (``run``), and the command that writes it (``train``).
    answer
        Name of the JSON file; a folder that has one is complete.
    schema_version
        Newest version of the answer that this program reads.
    tables
        Columns of each table with their descriptions, by name.
    tables_required
        Whether a folder without one of the tables is incomplete; otherwise the table is read as empty.
    float_format
        How floats are written to the tables; all digits where it is None.
    """

    noun: str
    command: str
    answer: str
    schema_version: int
    tables: Mapping[str, Mapping[str, str]]
    tables_required: bool = False
    float_format: str | None = None

    def table(self, name: str, rows: list[dict[str, Any]] | None = None) -> pd.DataFrame:
        """Return a table with its columns in order; what a row lacks is missing, and what it has beyond them is left out."""
        return pd.DataFrame(rows or [], columns=list(self.tables[name]))

    def check(self, folder: Path) -> None:
        """Refuse to overwrite something else, before anything is computed.

        Raises
        ------
        RunError
            The folder holds something of another kind.
        """
        if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / self.answer).exists())):
            raise RunError(f"{folder} is not empty and is not a {self.noun}. Choose another folder with --out.")

    def read(self, folder: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame], dict[str, Any]]:
        """Return the answer, the tables and the configuration of a folder.

        Raises
        ------
        RunError
            The folder is missing, incomplete or from a newer version.
        """
        files = [self.answer, CONFIG, *(f"{name}.csv" for name in self.tables if self.tables_required)]
        missing = [name for name in files if not (folder / name).is_file()]
        if missing:
            raise RunError(
                f"{folder} is not a {self.noun}: {', '.join(missing)} not found. Give a folder that `{self.command}` wrote."
            )
        answer = json.loads((folder / self.answer).read_text(encoding="utf-8"))
        if answer.get("schema_version", 0) > self.schema_version:
            raise RunError(
                f"{folder} has schema version {answer['schema_version']}, this program reads up to {self.schema_version}. "
                "Update responder_ml."
            )
        tables = {name: self._read_table(folder, name) for name in self.tables}
        return answer, tables, yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))

    def texts(
        self, answer: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], config: Mapping[str, Any]
    ) -> dict[str, str]:
        """Return what the files hold, by file name; the answer comes last.

        Raises
        ------
        ValueError
            The answer has a number that is not finite.
        """
        texts = {
            f"{name}.csv": tables.get(name, self.table(name)).to_csv(index=False, float_format=self.float_format)
            for name in self.tables
        }
        texts[CONFIG] = yaml.safe_dump(dict(config), sort_keys=False)
        texts[self.answer] = json.dumps(answer, indent=2, allow_nan=False) + "\n"
        return texts

    def _read_table(self, folder: Path, name: str) -> pd.DataFrame:
        path = folder / f"{name}.csv"
        if not path.is_file():
            return self.table(name)
        types = {column: str for column in _TEXT_COLUMNS if column in self.tables[name]}
        # A gene or a region may well be called NA.
        return pd.read_csv(path, dtype=types, na_values=[""], keep_default_na=False)
