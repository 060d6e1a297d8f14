"""A training of several classes in Python: the verdict on all of them, their probabilities, and the run of every two."""

from html import escape
from pathlib import Path

import pandas as pd

from responder_ml.errors import RunError
from responder_ml.evaluation.verdict import Verdict
from responder_ml.library.model import Model, load_bundle
from responder_ml.library.run import Run
from responder_ml.records.classes import PAGE, ClassesResult, ClassesRun
from responder_ml.records.run import read_run


class Classes:
    """What `train` found on several classes, and where it is.

    Parameters
    ----------
    record
        What its folder holds.
    folder
        The folder; the runs of the pairs are beside it.
    bundle
        Folder of the models; None where it is not known.

    Attributes
    ----------
    folder, bundle
        As given.
    """

    def __init__(self, record: ClassesRun, folder: Path, bundle: Path | None = None) -> None:
        self._record = record
        self.folder = folder
        self.bundle = bundle

    @property
    def name(self) -> str:
        """The job's name."""
        return self._record.result.name

    @property
    def result(self) -> ClassesResult:
        """Everything in ``classes.json``, typed."""
        return self._record.result

    @property
    def verdict(self) -> Verdict:
        """The conclusion on all classes: its ``level`` and its ``sentence``."""
        return Verdict(self.result.level, self.result.sentence)

    @property
    def macro_auroc(self) -> float:
        """Mean over every two classes of the out-of-fold AUROC."""
        return self.result.macro_auroc

    @property
    def p_value(self) -> float | None:
        """The p of all classes together; None where no null was run."""
        return None if self.result.null is None else self.result.null.p_value

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the folder by name: ``pairs``, ``predictions`` and ``null``."""
        return self._record.tables

    @property
    def predictions(self) -> pd.DataFrame:
        """One row per subject: its class, the predicted class, and its held-out probability of each class."""
        return self.tables["predictions"]

    def run(self, one: str, other: str) -> Run:
        """Return the run of two of the classes, in either order.

        Raises
        ------
        RunError
            There is no such pair, or its run is not beside the folder.
        """
        for row in self.result.pairs:
            if {row.positive, row.negative} == {one, other}:
                folder = self.folder.with_name(row.run)
                own = row.run.removeprefix(f"{self.folder.name}-")
                return Run(read_run(folder), folder, None if self.bundle is None else self.bundle / own)
        raise RunError(
            f"{self.name} has no pair of '{one}' and '{other}'. Its classes: {', '.join(self.result.classes)}."
        )

    @property
    def model(self) -> Model:
        """The models, which give new samples a probability of each class.

        Raises
        ------
        BundleError
            Their folder is not known or cannot be read.
        """
        return load_bundle("" if self.bundle is None else self.bundle)

    def report(self) -> Path:
        """Return the page, one HTML file that needs nothing else."""
        return self.folder / PAGE

    def __repr__(self) -> str:
        simulated = " on simulated data" * self.result.simulated
        facts = "".join(f"\n  {name}: {value}" for name, value in self._facts().items())
        return f"Classes '{self.name}'{simulated}: {self.verdict.level}{facts}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(fact)}</td></tr>" for name, fact in self._facts().items()
        )
        return f"<div><p><strong>{escape(self.verdict.sentence)}</strong></p><table>{rows}</table></div>"

    def _facts(self) -> dict[str, str]:
        facts = {
            "subjects": ", ".join(f"{count} {name}" for name, count in self.result.classes.items()),
            "mean AUROC of the pairs": f"{self.macro_auroc:.2f}",
        }
        if self.p_value is not None:
            facts["p"] = f"{self.p_value:.2g}"
        return {**facts, "folder": str(self.folder)}
