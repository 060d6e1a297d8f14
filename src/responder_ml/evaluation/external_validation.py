"""External validation: scores of new samples compared with their labels, which were never used to score.

References
----------
Newcombe RG (1998) Interval estimation for the difference between independent proportions: comparison of eleven methods.
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from responder_ml.arrays import Indices, Labels
from responder_ml.cohort.behaviour_rule import BehaviourRule, derive_classes
from responder_ml.cohort.sample_sheet import read_sheet, typed, with_canonical_names, with_subjects
from responder_ml.cohort.spelling import looks_like
from responder_ml.errors import SampleSheetError, list_names
from responder_ml.evaluation.auroc_interval import LEVEL, auroc_interval
from responder_ml.evaluation.calibration import calibrate
from responder_ml.evaluation.metrics import OutOfFold, auroc, balanced_accuracy, by_subject

TRAINING = "training"
"""Flag of a sample that was in training."""
_MOST_NAMES = 50
_EMPTY = "(empty)"


@dataclass(frozen=True)
class Classes:
    """The classes of a model, as a sample sheet holds them.

    Attributes
    ----------
    column
        Column with the classes.
    positive, negative
        Its two values.
    measured, rule
        Column of numbers from which the classes were derived, and the rule; None where the sheet holds the classes.
    words
        Class by value, for classes of several values.
    """

    column: str
    positive: str
    negative: str
    measured: str | None = None
    rule: BehaviourRule | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_endpoint(cls, endpoint: Mapping[str, Any]) -> "Classes":
        """Read them from the endpoint in a bundle's manifest."""
        rule = dict(endpoint.get("rule") or {})
        measured = rule.pop("column", None)
        words = {
            str(value): str(endpoint[name])
            for name in ("positive", "negative")
            for value in endpoint.get(f"{name}_values") or ()
        }
        return cls(
            str(endpoint["column"]),
            str(endpoint["positive"]),
            str(endpoint["negative"]),
            measured,
            BehaviourRule(**rule) if rule else None,
            words,
        )

    def of(self, sheet: pd.DataFrame) -> "pd.Series[Any] | None":
        """Return each row's class as text; None where the sheet has no such column."""
        if self.column in sheet.columns:
            return typed(sheet)[self.column].astype(str).str.strip().map(lambda value: self.words.get(value, value))
        if self.rule is None or self.measured is None or self.measured not in sheet.columns:
            return None
        return derive_classes(sheet, self.measured, self.rule, self.positive, self.negative)


@dataclass(frozen=True)
class LabelMatch:
    """What became of the labels of a sample sheet.

    Attributes
    ----------
    column
        Column with the labels.
    matched
        Scored samples that the sheet lists.
    not_in_sheet, not_scored
        Scored samples that the sheet does not list, and rows of the sheet that were not scored: their numbers and the first
        names.
    other_labels
        Labels of matched samples that are none of the two classes, and how often each occurs.
    misspelt
        Those of them that are a class but for case, blanks, punctuation or letters that look alike.
    training
        Matched samples that were in training and take no part, nor do other samples of their subjects.
    same_names
        Subjects of the sheet, others than these, that have the name of a training subject.
    own_subjects
        Whether each sample was taken for a subject of its own, because the sheet has no column of subjects.
    why_not
        Why nothing was evaluated; empty where it was.
    """

    column: str
    matched: int
    not_in_sheet: tuple[int, list[str]]
    not_scored: tuple[int, list[str]]
    other_labels: dict[str, int]
    misspelt: list[str]
    training: list[str]
    same_names: list[str]
    own_subjects: bool
    why_not: str = ""

    def content(self) -> dict[str, Any]:
        """Return plain values for a summary."""
        pairs = {"not_in_sheet": self.not_in_sheet, "not_scored": self.not_scored}
        return asdict(self) | {key: {"count": count, "first": first} for key, (count, first) in pairs.items()}

    def sentences(self) -> list[str]:
        """Return what a reader of the evaluation must know, one sentence each."""
        lines = []
        for (count, first), words in (
            (self.not_in_sheet, "scored sample(s) are not in the sheet"),
            (self.not_scored, "row(s) of the sheet were not scored"),
        ):
            lines += [f"{count} {words}: {_shortened(first, count)}."] if count else []
        if self.other_labels:
            counted = ", ".join(f"'{label}' ({count})" for label, count in list(self.other_labels.items())[:8])
            lines.append(f"Labels in '{self.column}' that are neither class, left out: {counted}.")
        if self.misspelt:
            lines.append(
                f"{list_names(self.misspelt)} differ from a class only by case, blanks, punctuation or letters that look alike; "
                "correct the sheet."
            )
        if self.training:
            lines.append(
                f"{len(self.training)} sample(s) were in training, or are of a subject that was, and are left out of the "
                f"evaluation: {list_names(self.training)}."
            )
        if self.same_names:
            lines.append(
                f"{len(self.same_names)} subject(s) have the name of a training subject: {list_names(self.same_names)}. If they "
                "are the same animals, donors or patients, this is no comparison with new ones."
            )
        if self.own_subjects:
            lines.append(
                "The sheet has no column 'subject', so each sample is taken for a subject of its own; if some are of one "
                "animal, name the column with --columns subject=NAME."
            )
        return lines


def read_sheet_of_samples(samples: Path, known: Mapping[str, str], columns: Mapping[str, str]) -> pd.DataFrame:
    """Read a sample sheet under canonical names.

    Parameters
    ----------
    samples
        The sheet.
    known
        Canonical name: its name in the sheet of the model's training; used where this sheet has it, too.
    columns
        Canonical name: its name in this sheet, as the user says.

    Raises
    ------
    SampleSheetError
        The sheet cannot be read, or a column that the user names is missing.
    """
    sheet = read_sheet(samples)
    usable = {name: column for name, column in known.items() if column in sheet.columns}
    return with_canonical_names(sheet, {**usable, **columns}, samples.name)


def evaluate_scores(
    table: pd.DataFrame,
    sheet: pd.DataFrame,
    source: str,
    classes: Classes,
    threshold: float,
    training_subjects: Collection[str] = (),
) -> tuple[dict[str, Any] | None, LabelMatch]:
    """Compare scores with the labels of a sample sheet, with the subject as the unit.

    Samples that were in training take no part, nor does any other sample of their subjects.

    Parameters
    ----------
    table
        Scores of samples: columns sample, log_odds, abstain and flags.
    sheet
        Sample sheet under canonical names.
    source
        Its name, for messages.
    classes
        The two classes.
    threshold
        Log-odds above which a subject is called positive.
    training_subjects
        Names of the training subjects; subjects of these names are told of.

    Returns
    -------
    evaluation
        AUROC, accuracy and balanced accuracy with 95 % intervals over subjects, Brier score, calibration and counts; None
        where nothing can be compared.
    match
        What became of the labels, and why nothing was evaluated.

    Raises
    ------
    SampleSheetError
        The sheet lists none of the samples, or a subject carries both classes.
    """
    labels = classes.of(sheet)
    rows = sheet[[name for name in ("sample", "subject") if name in sheet.columns]]
    rows = rows.assign(label="" if labels is None else labels)
    joined = table[["sample", "log_odds", "abstain", "flags"]].merge(rows, on="sample")
    if joined.empty:
        raise SampleSheetError(
            f"None of the {len(table)} scored samples is in {source}: scored were {list_names(table['sample'].tolist(), 3)}, the "
            f"sheet has {list_names(sheet['sample'].tolist(), 3)}. Make the names agree, or name the right column with --columns "
            "sample=NAME."
        )
    in_training = joined["flags"].str.split("|").map(lambda flags: TRAINING in flags).astype(bool)
    subjects = joined["subject" if "subject" in joined.columns else "sample"].astype(str)
    in_training = subjects.isin(subjects[in_training])
    other = joined["label"][~joined["label"].isin([classes.positive, classes.negative])]
    match = LabelMatch(
        column=classes.column,
        matched=len(joined),
        not_in_sheet=_counted(table["sample"], sheet["sample"]),
        not_scored=_counted(sheet["sample"], table["sample"]),
        other_labels={} if labels is None else _count_labels(other),
        misspelt=[] if labels is None else _misspelt(other, classes),
        training=joined["sample"][in_training].tolist(),
        same_names=sorted(set(subjects[~in_training]) & set(training_subjects)),
        own_subjects="subject" not in sheet.columns,
    )
    if labels is None:
        columns = ", ".join(str(name) for name in sheet.columns if name != "sample")
        why_not = (
            f"{source} has no column '{classes.column}' with the classes; it has {columns}. Name the right one with "
            f"--columns {classes.column}=NAME."
        )
        return None, _with_reason(match, why_not)
    joined, _ = with_subjects(joined[~in_training & ~joined.index.isin(other.index)], source)
    numbers = [(name, int((joined["label"] == name).sum())) for name in (classes.positive, classes.negative)]
    if min(count for _, count in numbers) == 0:
        counted = " and ".join(f"{count} of '{name}'" for name, count in numbers)
        without = (
            f" ({len(match.training)} samples were in training, or are of subjects that were)" if match.training else ""
        )
        return None, _with_reason(
            match, f"a comparison needs samples of both classes, but there are {counted}{without}."
        )
    return _measure(joined, classes, threshold, source), match


def _measure(joined: pd.DataFrame, classes: Classes, threshold: float, source: str) -> dict[str, Any]:
    codes, subjects = pd.factorize(joined["subject"])
    subject_of = np.asarray(codes, dtype=np.intp)
    labels = _subject_labels(joined["label"] == classes.positive, subject_of, len(subjects), source)
    log_odds = by_subject(joined["log_odds"].to_numpy()[None], subject_of, len(subjects))
    thresholds = np.full_like(log_odds, threshold)
    scores = OutOfFold(labels, log_odds, np.zeros(log_odds.shape, dtype=np.intp), thresholds)
    correct = (log_odds[0] > threshold) == labels
    right_of_class = [correct[labels == label] for label in (1, 0)]
    calibration = calibrate(log_odds[0], labels)
    return {
        "samples": len(joined),
        "subjects": len(subjects),
        "positive": int(labels.sum()),
        "negative": int(len(labels) - labels.sum()),
        "abstained": int(joined["abstain"].sum()),
        "auroc": auroc(scores),
        "auroc_ci": list(auroc_interval(scores)),
        "accuracy": float(np.mean(correct)),
        "accuracy_ci": list(_share_interval(correct)),
        "balanced_accuracy": balanced_accuracy(scores),
        "balanced_accuracy_ci": list(mean_interval(right_of_class)),
        "brier": calibration.brier,
        "calibration_in_the_large": calibration.in_the_large,
        "calibration_slope": calibration.slope,
    }


def _subject_labels(is_positive: "pd.Series[bool]", subject_of: Indices, n_subjects: int, source: str) -> Labels:
    share = np.bincount(subject_of, weights=is_positive, minlength=n_subjects) / np.bincount(
        subject_of, minlength=n_subjects
    )
    mixed = int(np.sum((share > 0) & (share < 1)))
    if mixed:
        raise SampleSheetError(f"{source}: {mixed} subject(s) carry both classes. A subject has one label; correct it.")
    return share.astype(np.int8)


def _share_interval(correct: Labels) -> tuple[float, float]:
    """Return Wilson's interval of the share of subjects called correctly."""
    interval = binomtest(int(np.sum(correct)), len(correct)).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(right_of_class: Sequence[Labels]) -> tuple[float, float]:
    """Return the interval of the mean of the shares of some classes, from Wilson's of each (Newcombe's square-and-add).

    Parameters
    ----------
    right_of_class
        For each class, which of its subjects are called correctly.
    """
    shares = [float(np.mean(right)) for right in right_of_class]
    ends = [_share_interval(right) for right in right_of_class]
    middle = sum(shares) / len(shares)
    below = hypot(*(share - low for share, (low, _) in zip(shares, ends, strict=True))) / len(shares)
    above = hypot(*(high - share for share, (_, high) in zip(shares, ends, strict=True))) / len(shares)
    return middle - below, middle + above


def _counted(names: "pd.Series[Any]", others: "pd.Series[Any]") -> tuple[int, list[str]]:
    """Return how many names the others lack, and the first of them."""
    lacking = names[~names.isin(others)].astype(str).tolist()
    return len(lacking), lacking[:_MOST_NAMES]


def _shortened(first: list[str], count: int) -> str:
    shown = ", ".join(f"'{name}'" for name in first[:5])
    return f"{shown} and {count - 5} more" if count > 5 else shown


def _count_labels(labels: "pd.Series[Any]") -> dict[str, int]:
    counts = labels.where(labels != "", _EMPTY).value_counts()
    return {str(label): int(count) for label, count in counts.items()}


def _misspelt(labels: "pd.Series[Any]", classes: Classes) -> list[str]:
    return [label for label in dict.fromkeys(labels) if looks_like(label, (classes.positive, classes.negative))]


def _with_reason(match: LabelMatch, why_not: str) -> LabelMatch:
    return LabelMatch(**{**vars(match), "why_not": why_not})
