"""Scores held against labels, which are given after the fact and never used to score."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.bundles.bundle import Bundle
from responder_ml.cohort.sample_sheet import read_sheet, with_canonical_names, with_subjects
from responder_ml.errors import SampleSheetError
from responder_ml.evaluation.calibration import calibrate
from responder_ml.evaluation.intervals import auroc_interval
from responder_ml.evaluation.metrics import OutOfFold, auroc, balanced_accuracy, by_subject


def evaluate(table: pd.DataFrame, samples: Path, bundle: Bundle) -> dict[str, Any] | None:
    """Hold scores against the labels of a sample sheet, with the subject as the unit.

    Returns
    -------
    AUROC with its 95 % subject bootstrap interval, accuracy, balanced accuracy, Brier score and counts; None where the sheet has no
    column with the endpoint's name or only one of its classes.

    Raises
    ------
    SampleSheetError
        The sheet cannot be read, or lists none of the samples.
    """
    sheet = with_canonical_names(read_sheet(samples), {}, samples.name)
    column, (positive, negative) = bundle.manifest["endpoint"]["column"], bundle.classes
    if column not in sheet.columns:
        return None
    sheet, _ = with_subjects(sheet, samples.name)
    joined = table[["sample", "log_odds", "abstain"]].merge(sheet[["sample", "subject", column]], on="sample")
    if joined.empty:
        raise SampleSheetError(f"None of the {len(table)} scored samples is in {samples.name}. Make the names agree.")
    joined = joined[joined[column].isin([positive, negative])]
    subject_of, subjects = pd.factorize(joined["subject"])
    labels = _subject_labels(joined[column] == positive, subject_of, len(subjects), samples)
    if len(set(labels.tolist())) < 2:
        return None
    log_odds = by_subject(joined["log_odds"].to_numpy()[None], np.asarray(subject_of, dtype=np.intp), len(subjects))
    threshold = np.full_like(log_odds, bundle.manifest["threshold"])
    found = OutOfFold(labels, log_odds, np.zeros(log_odds.shape, dtype=np.intp), threshold)
    return {
        "samples": len(joined),
        "subjects": len(subjects),
        "positive": int(labels.sum()),
        "negative": int(len(labels) - labels.sum()),
        "abstained": int(joined["abstain"].sum()),
        "auroc": auroc(found),
        "auroc_ci": list(auroc_interval(found, seed=0)),
        "accuracy": float(np.mean((log_odds[0] > bundle.manifest["threshold"]) == labels)),
        "balanced_accuracy": balanced_accuracy(found),
        "brier": calibrate(log_odds[0], labels).brier,
    }


def _subject_labels(positive: "pd.Series[bool]", subject_of: Any, n_subjects: int, samples: Path) -> NDArray[np.int8]:
    share = np.bincount(subject_of, weights=positive, minlength=n_subjects) / np.bincount(
        subject_of, minlength=n_subjects
    )
    mixed = int(np.sum((share > 0) & (share < 1)))
    if mixed:
        raise SampleSheetError(
            f"{samples.name}: {mixed} subject(s) carry both classes. A subject has one label; correct it."
        )
    return share.astype(np.int8)
