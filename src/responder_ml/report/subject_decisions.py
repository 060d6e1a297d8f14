"""Held-out decisions by subject, from the out-of-fold table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from responder_ml.arrays import Floats, Indices, Strings
from responder_ml.records.run import Run
from responder_ml.report.section import table
from responder_ml.search.candidate import AUTO


@dataclass(frozen=True)
class SubjectDecisions:
    """One procedure's decisions on subjects it had not seen.

    Attributes
    ----------
    subjects
        Names, in order of first appearance, shape ``(n_subjects,)``.
    labels
        1 positive, 0 negative, shape ``(n_subjects,)``.
    log_odds
        Mean over a subject's samples, repeats x subjects.
    folds
        Outer fold that held the subject out, repeats x subjects.
    """

    subjects: Strings
    labels: NDArray[np.int8]
    log_odds: Floats
    folds: Indices

    @property
    def probabilities(self) -> Floats:
        """Probability of the positive class, repeats x subjects."""
        return np.asarray(expit(self.log_odds), dtype=np.float64)

    @property
    def mean_log_odds(self) -> Floats:
        """Mean over repeats, shape ``(n_subjects,)``."""
        return np.asarray(self.log_odds.mean(axis=0), dtype=np.float64)


def subject_decisions(run: Run, candidate: str = AUTO) -> SubjectDecisions | None:
    """Gather a procedure's out-of-fold decisions; None where the run has none.

    Parameters
    ----------
    run
        The run.
    candidate
        Candidate name, or ``auto`` for the whole procedure.
    """
    rows = table(run, "out_of_fold")
    rows = rows[rows["candidate"] == candidate]
    if rows.empty:
        return None
    subjects = rows["subject"].astype(str)
    order = list(dict.fromkeys(subjects))
    grouped = rows.assign(subject=subjects).groupby(["repeat", "subject"], sort=True)

    def matrix(column: str) -> pd.DataFrame:
        return grouped[column].mean().unstack("subject")[order]

    labels = rows.assign(subject=subjects).groupby("subject")["label"].first()[order]
    return SubjectDecisions(
        np.asarray(order, dtype=str),
        labels.to_numpy(dtype=np.int8),
        matrix("log_odds").to_numpy(dtype=np.float64),
        matrix("fold").to_numpy().astype(np.intp),
    )
