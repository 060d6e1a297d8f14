"""Which cells of a class column mean the positive and the negative class, and who is neither."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags
from responder_ml.cohort.exclusion import Exclusion, exclude_by_value
from responder_ml.cohort.spelling import describe_difference, is_blank, looks_like, match_word, show, skeleton
from responder_ml.errors import EndpointError


def find_classes(
    values: "pd.Series[Any]", column: str, positive: Sequence[str], negative: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of the column that the positive and the negative class consist of.

    Parameters
    ----------
    values
        Cells of the rows in scope.
    column
        Name of the column, for messages.
    positive, negative
        Words of the configuration: one or several per class.

    Raises
    ------
    EndpointError
        A word does not occur, or stands for both classes.
    """
    present = sorted({str(value) for value in values})
    classes = []
    for words in (positive, negative):
        spelt = [match_word(word, present) for word in words]
        for word, occurring in zip(words, spelt, strict=True):
            if occurring is None:
                raise EndpointError(_absent(word, column, present))
        classes.append(tuple(dict.fromkeys(word for word in spelt if word is not None)))
    both = sorted(set(classes[0]) & set(classes[1]))
    if both:
        raise EndpointError(
            f"'{both[0]}' in '{column}' would be of both classes: positive is {' or '.join(positive)}, negative "
            f"{' or '.join(negative)}. Each value belongs to one class; correct `endpoint`."
        )
    return classes[0], classes[1]


def exclude_other_values(
    sheet: pd.DataFrame, column: str, words: Sequence[str], in_scope: Flags, names: tuple[str, str]
) -> list[Exclusion]:
    """Return who is left out because the class column holds neither class.

    Parameters
    ----------
    sheet
        One row per sample, its name as index.
    column
        Of the classes.
    words
        The words of both classes.
    in_scope
        Which rows the endpoint is about.
    names
        What the two classes are called.
    """
    is_neither = in_scope & ~sheet[column].astype(str).isin(words).to_numpy()
    rows = sheet[is_neither]
    return exclude_by_value(
        rows[column],
        rows.index.astype(str).tolist(),
        # Of words whose skeletons are one, none is meant more than the other.
        words if len({skeleton(word) for word in words}) == len(words) else (),
        f"{column} is neither {names[0]} nor {names[1]}",
        f"{column} is blank or missing",
    )


def class_names(values: "pd.Series[Any]", positive: Sequence[str], negative: Sequence[str]) -> "pd.Series[str]":
    """Return each cell's class by the configuration's words joined by "or", empty where it is neither; nothing is raised."""
    present = sorted({str(value) for value in values if not is_blank(value)})
    text, names = values.astype(str), pd.Series("", index=values.index, dtype=object)
    for words in (positive, negative):
        spelt = [match_word(word, present) for word in words]
        names = names.mask(text.isin([word for word in spelt if word is not None]), " or ".join(words))
    return names


def one_word(values: "pd.Series[Any]", words: Sequence[str], name: str) -> "pd.Series[Any]":
    """Return the column with every word of a class of several replaced by the class' name."""
    text = values.astype(str)
    return pd.Series(np.where(text.isin(list(words)), name, text), index=values.index, name=values.name, dtype=object)


def _absent(word: str, column: str, present: Sequence[str]) -> str:
    alike = [other for other in present if looks_like(other, [word])]
    if alike:
        hint = f"'{show(alike[0])}' differs from it by {describe_difference(alike[0], word)}: write one of them as the other."
    elif word in ("True", "False"):
        hint = "YAML reads yes, no, on, off, true and false as true or false: put the sheet's word in quotes in `endpoint`."
    else:
        hint = "Correct `endpoint`, or `cohort.where` if it left the class out."
    shown = ", ".join(show(other) for other in present)
    return f"No sample has '{show(word)}' in '{column}'. These values occur: {shown}. {hint}"
