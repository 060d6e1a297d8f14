"""External validation: scores of new samples compared with their labels, which were never used to score."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Indices, Labels
from responder_ml.cohort.sample_sheet import read_sheet, with_canonical_names, with_subjects
from responder_ml.errors import SampleSheetError
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.calibration import calibrate
from responder_ml.evaluation.metrics import OutOfFold, auroc, balanced_accuracy, by_subject


def evaluate_scores(
    table: pd.DataFrame, samples: Path, column: str, classes: tuple[str, str], threshold: float
) -> dict[str, Any] | None:
    """Compare scores with the labels of a sample sheet, with the subject as the unit.

    Parameters
    ----------
    table
        Scores of samples: columns sample, log_odds and abstain.
    samples
        Sample sheet.
    column
        Its column with the labels.
    classes
        Positive and negative class.
    threshold
        Log-odds above which a subject is called positive.

    Returns
    -------
    AUROC with its 95 % interval, accuracy, balanced accuracy, Brier score and counts; None where the sheet has no
    such column or only one of the classes.

    Raises
    ------
    SampleSheetError
        The sheet cannot be read, or lists none of the samples.
    """
    sheet = with_canonical_names(read_sheet(samples), {}, samples.name)
    if column not in sheet.columns:
        return None
    sheet, _ = with_subjects(sheet, samples.name)
    joined = table[["sample", "log_odds", "abstain"]].merge(sheet[["sample", "subject", column]], on="sample")
    if joined.empty:
        raise SampleSheetError(f"None of the {len(table)} scored samples is in {samples.name}. Make the names agree.")
    joined = joined[joined[column].isin(classes)]
    codes, subjects = pd.factorize(joined["subject"])
    subject_of = np.asarray(codes, dtype=np.intp)
    labels = _subject_labels(joined[column] == classes[0], subject_of, len(subjects), samples)
    if len(set(labels.tolist())) < 2:
        return None
    log_odds = by_subject(joined["log_odds"].to_numpy()[None], subject_of, len(subjects))
    thresholds = np.full_like(log_odds, threshold)
    scores = OutOfFold(labels, log_odds, np.zeros(log_odds.shape, dtype=np.intp), thresholds)
    return {
        "samples": len(joined),
        "subjects": len(subjects),
        "positive": int(labels.sum()),
        "negative": int(len(labels) - labels.sum()),
        "abstained": int(joined["abstain"].sum()),
        "auroc": auroc(scores),
        "auroc_ci": list(auroc_interval(scores)),
        "accuracy": float(np.mean((log_odds[0] > threshold) == labels)),
        "balanced_accuracy": balanced_accuracy(scores),
        "brier": calibrate(log_odds[0], labels).brier,
    }


def _subject_labels(is_positive: "pd.Series[bool]", subject_of: Indices, n_subjects: int, samples: Path) -> Labels:
    share = np.bincount(subject_of, weights=is_positive, minlength=n_subjects) / np.bincount(
        subject_of, minlength=n_subjects
    )
    mixed = int(np.sum((share > 0) & (share < 1)))
    if mixed:
        raise SampleSheetError(
            f"{samples.name}: {mixed} subject(s) carry both classes. A subject has one label; correct it."
        )
    return share.astype(np.int8)
