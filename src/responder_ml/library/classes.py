"""A training of several classes in Python: the verdict on all of them, their probabilities, and the run of every two."""

from pathlib import Path

import pandas as pd

from responder_ml.errors import RunError
from responder_ml.evaluation.verdict import Verdict
from responder_ml.library.run import Run
from responder_ml.library.training import Training
from responder_ml.records.classes import PAGE, ClassesResult, ClassesRun
from responder_ml.records.run import read_run


class Classes(Training[ClassesRun]):
    """What `train` found on several classes; the runs of the pairs are beside its folder."""

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

    def report(self) -> Path:
        """Return the page, one HTML file that needs nothing else."""
        return self.folder / PAGE

    def _facts(self) -> dict[str, str]:
        facts = {
            "subjects": ", ".join(f"{count} {name}" for name, count in self.result.classes.items()),
            "mean AUROC of the pairs": f"{self.macro_auroc:.2f}",
        }
        if self.p_value is not None:
            facts["p"] = f"{self.p_value:.2g}"
        return {**facts, "folder": str(self.folder)}
