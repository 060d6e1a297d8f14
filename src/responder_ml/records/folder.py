"""A folder of results: an answer as JSON, tables as CSV, and the configuration as YAML."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from responder_ml.errors import RunError, door
from responder_ml.plain_yaml import read_yaml_text
from responder_ml.records.csv_tables import csv_text, unwrap_table
from responder_ml.records.files import write_folder
from responder_ml.records.ownership import FolderKind, by_answer, damaged_files, read_file_list

Answer = TypeVar("Answer", bound=BaseModel)

CONFIG = "config.yaml"

Number = int | float | None
"""A number of an answer, whole ones as they are; None for one that was not computed."""
# Identifiers, which stay text even where they look like numbers.
_TEXT_COLUMNS = ("sample", "subject", "gene", "candidate", "observed", "predicted")


class Part(BaseModel):
    """Part of an answer, or a row of a table; every field has a description."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def columns(cls) -> dict[str, str]:
        """Return the description of each field, as that of a table's columns."""
        return {name: column.description or "" for name, column in cls.model_fields.items()}

    @classmethod
    def rows(cls, table: pd.DataFrame) -> tuple[Self, ...]:
        """Return the rows of a table as objects; an empty cell is None."""
        records = table.astype(object).where(table.notna(), None).to_dict("records")
        return tuple(cls.model_validate(record) for record in records)


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
    pages
        Names of the other files that belong to such a folder.
    shared
        Whether other commands write into the same folder.
    """

    noun: str
    command: str
    answer: str
    schema_version: int
    tables: Mapping[str, Mapping[str, str]]
    tables_required: bool = False
    float_format: str | None = None
    pages: tuple[str, ...] = ()
    shared: bool = False

    @property
    def kind(self) -> FolderKind:
        """How a folder of this format is recognised."""
        files = (self.answer, CONFIG, *self.pages, *(f"{name}.csv" for name in self.tables))
        former_files = by_answer(self.answer, ("schema_version", "name", "versions", "seed"), files)
        return FolderKind(self.noun, former_files, shared=self.shared)

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
        self.kind.check(folder)

    def read_as(self, folder: Path, model: type[Answer]) -> tuple[Answer, dict[str, pd.DataFrame], dict[str, Any]]:
        """Return the same with the answer as an object.

        Raises
        ------
        RunError
            As for `read`, or the answer is not one of ``model``.
        """
        content, tables, config = self.read(folder)
        try:
            return model.model_validate(content), tables, config
        except ValidationError as problem:
            first = problem.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise RunError(
                f"{folder / self.answer} is damaged: {key}: {first['msg']}. Run `{self.command}` again."
            ) from problem

    def read(self, folder: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame], dict[str, Any]]:
        """Return the answer, the tables and the configuration of a folder.

        Raises
        ------
        RunError
            The folder is missing, incomplete or from a newer version.
        """
        files = [self.answer, CONFIG, *(f"{name}.csv" for name in self.tables if self.tables_required)]
        with door(RunError, f"{folder} cannot be read as a {self.noun}"):
            missing = [name for name in files if not (folder / name).is_file()]
            if missing:
                file_list = read_file_list(folder)
                if file_list is not None and file_list.kind != self.noun:
                    raise RunError(f"{folder} is a {file_list.kind} and not a {self.noun}. Give a folder that is one.")
                raise RunError(
                    f"{folder} is not a {self.noun}: {', '.join(missing)} not found. Give a folder that `{self.command}` "
                    "wrote."
                )
            answer = self._read_answer(folder)
            altered = set(damaged_files(folder)).intersection({*files, *(f"{name}.csv" for name in self.tables)})
            if altered:
                raise RunError(
                    f"{folder} is damaged or was edited: {', '.join(sorted(altered))} is not what `{self.command}` wrote. Use "
                    f"an intact copy, or run `{self.command}` again."
                )
            tables = {name: self._read_table(folder, name) for name in self.tables}
            return answer, tables, read_yaml_text((folder / CONFIG).read_text(encoding="utf-8"))

    def _read_answer(self, folder: Path) -> dict[str, Any]:
        path = folder / self.answer
        answer = json.loads(path.read_text(encoding="utf-8"))
        version = answer.get("schema_version", 0) if isinstance(answer, dict) else None
        if type(version) is not int:
            raise RunError(f"{path} is damaged: it holds no answer of `{self.command}`. Use an intact copy.")
        if version > self.schema_version:
            raise RunError(
                f"{folder} has schema version {version}, this program reads up to {self.schema_version}. "
                "Update responder_ml."
            )
        return dict(answer)

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
            f"{name}.csv": csv_text(tables.get(name, self.table(name)), _TEXT_COLUMNS, self.float_format)
            for name in self.tables
        }
        texts[CONFIG] = yaml.safe_dump(dict(config), sort_keys=False)
        texts[self.answer] = json.dumps(answer, indent=2, allow_nan=False) + "\n"
        return texts

    def write(
        self,
        folder: Path,
        answer: Mapping[str, Any],
        tables: Mapping[str, pd.DataFrame],
        config: Mapping[str, Any],
        page: str,
        others: Mapping[str, str] | None = None,
    ) -> None:
        """Write the folder of an answer with its page, the first of ``pages``, and other pages by name; the answer comes last.

        Raises
        ------
        RunError
            The folder holds something else, or cannot be written.
        """
        write_folder(folder, {self.pages[0]: page, **(others or {}), **self.texts(answer, tables, config)}, self.kind)

    def _read_table(self, folder: Path, name: str) -> pd.DataFrame:
        path = folder / f"{name}.csv"
        if not path.is_file():
            return self.table(name)
        types = {column: str for column in _TEXT_COLUMNS if column in self.tables[name]}
        # A gene or a region may well be called NA.
        table = pd.read_csv(path, dtype=types, na_values=[""], keep_default_na=False)
        lacking = [column for column in types if column not in table]
        if lacking:
            raise RunError(f"{path} has no column {', '.join(lacking)}. Use an intact copy.")
        return unwrap_table(table)
