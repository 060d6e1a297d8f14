"""The groups of a signature's contrast, found among a cohort's samples.

A group may lie outside the endpoint, inside it, or both. Rows inside count only while they are in training; where a group
names the endpoint's column they are selected by their label, which a null permutes, and not by the sheet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags
from responder_ml.errors import FeatureError
from responder_ml.features.builders.context import Context
from responder_ml.features.builders.reference_contrasts import Contrast, Selection
from responder_ml.statistics.training_sets import TrainingSets

FEWEST = 2
"""Fewest subjects of a group."""


@dataclass(frozen=True)
class Group:
    """Samples of one group.

    Attributes
    ----------
    inside
        Samples of the endpoint that qualify but for their label, shape ``(n_inside,)``.
    outside
        Samples outside the endpoint that belong to it, shape ``(n_outside,)``.
    label
        1 or 0 where only that class of the endpoint belongs to it, else None.
    """

    inside: Flags
    outside: Flags
    label: int | None = None

    def rows(self, sets: TrainingSets) -> Flags:
        """Return the group's rows under each training set: those inside first, then those outside."""
        inside = sets.rows & self.inside
        if self.label is not None:
            inside &= sets.labels == self.label
        return np.hstack([inside, np.broadcast_to(self.outside, (len(sets), len(self.outside)))])


@dataclass(frozen=True)
class Axis:
    """A signature's contrast with the samples of its groups.

    Attributes
    ----------
    plus, minus, apart_from, sign
        As in `Contrast`.
    """

    plus: Group
    minus: Group
    sign: float = 1.0
    apart_from: tuple[Group, Group] | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups of the contrast."""
        return (self.plus, self.minus, *(self.apart_from or ()))

    @property
    def in_training(self) -> bool:
        """Whether rows of the endpoint take part, so that each training set has a version of its own."""
        return any(group.inside.any() for group in self.groups)

    @property
    def sees_labels(self) -> bool:
        """Whether labels of the endpoint take part."""
        return any(group.label is not None and group.inside.any() for group in self.groups)

    def outside_only(self) -> "Axis":
        """Return the same axis over the samples outside alone."""
        plus, minus, *apart = (replace(group, inside=group.inside[:0]) for group in self.groups)
        return replace(self, plus=plus, minus=minus, apart_from=(apart[0], apart[1]) if apart else None)


def class_axis(n_rows: int) -> Axis:
    """Return the contrast of the endpoint's two classes, which needs no sheet."""
    everyone, nobody = np.ones(n_rows, dtype=bool), np.zeros(0, dtype=bool)
    return Axis(Group(everyone, nobody, 1), Group(everyone, nobody, 0))


def find_axes(contrasts: Mapping[str, Contrast], context: Context) -> dict[str, Axis]:
    """Find the groups of every contrast, however small they are.

    Raises
    ------
    FeatureError
        The sample sheet lacks a column.
    """
    return {name: _find_axis(name, contrast, context) for name, contrast in contrasts.items()}


def check_groups(contrasts: Mapping[str, Contrast], context: Context) -> None:
    """Check the groups of every contrast in a whole cohort; a training set may have fewer of a group.

    Raises
    ------
    FeatureError
        The sample sheet lacks a column, a group has too few subjects, or it would carry the endpoint's labels under another
        name.
    """
    for name, contrast in contrasts.items():
        axis = _find_axis(name, contrast, context)
        selections = (contrast.plus, contrast.minus, *(contrast.apart_from or ()))
        for selection, group in zip(selections, axis.groups, strict=True):
            _check_size(name, selection, group, context)
            _check_not_a_label(name, selection, group, context)


def _find_axis(signature: str, contrast: Contrast, context: Context) -> Axis:
    plus, minus = _find(signature, contrast.plus, context), _find(signature, contrast.minus, context)
    apart = contrast.apart_from
    groups = None if apart is None else (_find(signature, apart[0], context), _find(signature, apart[1], context))
    return Axis(plus, minus, contrast.sign, groups)


def _find(signature: str, selection: Selection, context: Context) -> Group:
    _check_columns(signature, selection, context)
    inside = _matching(context.sheet, {key: values for key, values in selection.items() if key != context.column})
    outside = _matching(context.outside_sheet, selection)
    label = None
    if context.column in selection:
        classes = [value in selection[context.column] for value in (context.negative, context.positive)]
        inside &= any(classes)
        label = classes.index(True) if sum(classes) == 1 else None
    return Group(inside, outside, label)


def _matching(sheet: pd.DataFrame, selection: Selection) -> Flags:
    matches = np.ones(len(sheet), dtype=bool)
    for column, values in selection.items():
        matches &= sheet[column].astype(str).isin(values).to_numpy()
    return matches


def _check_columns(signature: str, selection: Selection, context: Context) -> None:
    absent = [column for column in selection if column not in context.sheet.columns]
    if absent:
        raise FeatureError(
            f"Signature '{signature}' selects samples by {', '.join(absent)}, which the sample sheet does not have. It has: "
            f"{', '.join(map(str, context.sheet.columns))}. Rename with `cohort.columns`, define the signature anew under "
            "`contrasts`, or leave it out of `signatures`."
        )


def _check_size(signature: str, selection: Selection, group: Group, context: Context) -> None:
    inside = group.inside
    if group.label is not None:
        named = context.positive if group.label == 1 else context.negative
        inside = inside & (context.sheet[context.column].astype(str) == named).to_numpy()
    subjects = set(context.sheet["subject"][inside]) | set(context.outside_sheet["subject"][group.outside])
    if len(subjects) < FEWEST:
        raise FeatureError(
            f"Signature '{signature}' needs samples with {_describe(selection)}; {len(subjects)} subject(s) found, {FEWEST} "
            "needed. "
            f"{_list_values(selection, context)} Widen `cohort.where`, define the signature anew under `contrasts`, or leave it "
            "out of `signatures`."
        )


def _check_not_a_label(signature: str, selection: Selection, group: Group, context: Context) -> None:
    if group.label is not None or not group.inside.any() or group.inside.all():
        return
    classes = set(context.sheet[context.column].astype(str)[group.inside])
    if len(classes) == 1:
        raise FeatureError(
            f"Signature '{signature}': of the endpoint's samples, {_describe(selection)} selects only those with {context.column} "
            f"{classes.pop()}. It would carry the labels under another name, which no relabelling could undo. Select by "
            f"'{context.column}' itself, or leave the signature out."
        )


def _describe(selection: Selection) -> str:
    return ", ".join(f"{column} {' or '.join(values)}" for column, values in selection.items())


def _list_values(selection: Selection, context: Context) -> str:
    both = pd.concat([context.sheet, context.outside_sheet])
    return " ".join(f"'{column}' has: {', '.join(sorted(set(both[column].astype(str))))}." for column in selection)
