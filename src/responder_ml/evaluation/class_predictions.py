"""Which of several classes is predicted, from their probabilities: columns of a table, and how they agree with the labels."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.cohort.sample_sheet import typed, with_subjects
from responder_ml.errors import SampleSheetError, list_names
from responder_ml.evaluation.external_validation import TRAINING, mean_interval
from responder_ml.evaluation.metrics import by_subject

PROBABILITY = "probability:"
"""Begins the name of a class's column of probabilities; the class follows."""


def probability_names(classes: Sequence[str]) -> list[str]:
    """Return the name of each class's column of probabilities."""
    return [f"{PROBABILITY}{name}" for name in classes]


def prediction_columns(classes: Sequence[str], probabilities: Floats) -> dict[str, Any]:
    """Return the probability of each class and the class of the highest, by column.

    Parameters
    ----------
    classes
        Names of the classes.
    probabilities
        Rows x classes.
    """
    return {
        **dict(zip(probability_names(classes), probabilities.T, strict=True)),
        "predicted": np.asarray(classes, dtype=object)[probabilities.argmax(axis=1)],
    }


def count_predictions(observed: Iterable[str], predicted: Iterable[str], classes: Sequence[str]) -> dict[str, Any]:
    """Return the mean over classes of the share that is predicted right, and the table of observed and predicted classes.

    Parameters
    ----------
    observed, predicted
        Classes of each subject; every class is observed.
    classes
        Names of the classes.

    Returns
    -------
    ``balanced_accuracy``, and ``confusion``, subjects by observed (rows) and predicted class (columns).
    """
    from sklearn.metrics import balanced_accuracy_score, confusion_matrix

    return {
        "balanced_accuracy": float(balanced_accuracy_score(list(observed), list(predicted))),
        "confusion": confusion_matrix(list(observed), list(predicted), labels=list(classes)).tolist(),
    }


def evaluate_classes(
    table: pd.DataFrame, sheet: pd.DataFrame, source: str, column: str, classes: Sequence[str]
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Compare scores with the labels of a sample sheet, with the subject as the unit.

    Samples that were in training take no part, nor does any other sample of their subjects.

    Parameters
    ----------
    table
        Scores of samples: ``sample``, ``flags`` and the probability of each class.
    sheet
        Sample sheet under canonical names.
    source
        Its name, for messages.
    column
        Its column with the classes.
    classes
        Names of the classes.

    Returns
    -------
    evaluation
        Subjects, balanced accuracy with its 95 % interval, and the table of observed and predicted classes; None where nothing can
        be compared.
    labels
        ``notes`` on what takes no part, and ``why_not`` nothing was compared.

    Raises
    ------
    SampleSheetError
        A subject carries several classes.
    """
    if column not in sheet.columns:
        return None, {"notes": [], "why_not": f"{source} has no column '{column}' with the classes."}
    labels = typed(sheet)[column].astype(str).str.strip()
    rows = sheet[[name for name in ("sample", "subject") if name in sheet.columns]].assign(observed=labels)
    joined, _ = with_subjects(table.merge(rows, on="sample"), source)
    in_training = joined["flags"].str.split("|").map(lambda flags: TRAINING in flags).astype(bool)
    known = joined["subject"].isin(joined["subject"][in_training])
    other = ~joined["observed"].isin(classes)
    counted = ((known, "in training, or of a subject that was"), (other & ~known, f"of no class in '{column}'"))
    notes = [f"{int(out.sum())} sample(s) are {why}, and are left out." for out, why in counted if out.any()]
    joined = joined[~known & ~other]
    absent = [name for name in classes if name not in set(joined["observed"])]
    if absent:
        return None, {
            "notes": notes,
            "why_not": f"a comparison needs samples of every class, but none is of {list_names(absent)}.",
        }
    codes, subjects = pd.factorize(joined["subject"])
    of_subject = joined.groupby(codes)["observed"]
    mixed = int((of_subject.nunique() > 1).sum())
    if mixed:
        raise SampleSheetError(
            f"{source}: {mixed} subject(s) carry several classes. A subject has one label; correct it."
        )
    probabilities = joined[probability_names(classes)].to_numpy(dtype=np.float64)
    means = by_subject(probabilities.T, np.asarray(codes, dtype=np.intp), len(subjects)).T
    observed, predicted = of_subject.first().to_numpy(), prediction_columns(classes, means)["predicted"]
    right_of_class = [predicted[observed == name] == name for name in classes]
    return {
        "subjects": len(subjects),
        "samples": len(joined),
        **count_predictions(observed, predicted, classes),
        "balanced_accuracy_ci": list(mean_interval(right_of_class)),
    }, {"notes": notes, "why_not": ""}
