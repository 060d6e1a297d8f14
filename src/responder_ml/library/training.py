"""What every training in Python has: a name, a verdict, tables, a configuration, a model, and a folder with them."""

from abc import ABC, abstractmethod
from html import escape
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import pandas as pd

from responder_ml.evaluation.verdict import Verdict
from responder_ml.library.model import Model, load_bundle


class TrainingRecord(Protocol):
    """What a folder of `train` holds, of whatever kind."""

    @property
    def name(self) -> str:
        """The job's name."""

    @property
    def result(self) -> Any:
        """The content of its JSON file, which says whether data are ``simulated``."""

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Its tables by name."""

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration."""


RecordT = TypeVar("RecordT", bound=TrainingRecord)


class Training(ABC, Generic[RecordT]):
    """What one `train` found, and where it is.

    Parameters
    ----------
    record
        What its folder holds.
    folder
        The folder.
    bundle
        Folder of the model; None where it is not known.

    Attributes
    ----------
    folder, bundle
        As given.
    """

    def __init__(self, record: RecordT, folder: Path, bundle: Path | None = None) -> None:
        self._record = record
        self.folder = folder
        self.bundle = bundle

    @property
    def name(self) -> str:
        """The job's name."""
        return self._record.name

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration, itself valid input of `train`."""
        return self._record.config

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the folder by name; docs/run_folder.md describes them."""
        return self._record.tables

    @property
    @abstractmethod
    def verdict(self) -> Verdict:
        """The conclusion: its ``level`` (``evidence``, ``no_evidence``, ...) and its ``sentence``."""

    @property
    def model(self) -> Model:
        """The model that was refitted to all subjects, for new samples.

        Raises
        ------
        BundleError
            Its folder is not known or cannot be read.
        """
        return load_bundle("" if self.bundle is None else self.bundle)

    def __repr__(self) -> str:
        simulated = " on simulated data" * self._record.result.simulated
        facts = "".join(f"\n  {name}: {fact}" for name, fact in self._facts().items())
        return f"{type(self).__name__} '{self.name}'{simulated}: {self.verdict.level}{facts}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(fact)}</td></tr>" for name, fact in self._facts().items()
        )
        simulated = "<p><strong>Simulated data.</strong></p>" * self._record.result.simulated
        return f"<div>{simulated}<p><strong>{escape(self.verdict.sentence)}</strong></p><table>{rows}</table></div>"

    @abstractmethod
    def _facts(self) -> dict[str, str]:
        """Return what stands below the verdict, by name."""
