"""Matched pairs of a sample sheet: one subject of each class, such as litter mates, or one animal before and after a treatment.

The pair is the unit: its members stay together in every fold, and labels are exchanged within pairs only. What is compared
is the difference within a pair, so whatever its members share (litter, cage, donor, day) can neither help nor hinder.
"""

from collections.abc import Sequence

import pandas as pd

from responder_ml.errors import EndpointError, list_names


def strata_of_pairs(pairs: str, strata: Sequence[str]) -> tuple[str]:
    """Return the strata within which labels of paired subjects are exchanged: the pairs.

    Raises
    ------
    EndpointError
        Other strata are asked for.
    """
    if strata:
        raise EndpointError(
            f"`endpoint.strata` is {', '.join(strata)}, but with `endpoint.pairs` labels are exchanged within pairs, which are "
            "finer than any stratum. Remove `strata`."
        )
    return (pairs,)


def require_whole_pairs(sheet: pd.DataFrame, pairs: str, column: str, positive: str, negative: str) -> None:
    """Refuse pairs that are not one subject of each class.

    Parameters
    ----------
    sheet
        One row per subject.
    pairs, column
        Columns of the pairs and of the classes.
    positive, negative
        The classes.

    Raises
    ------
    EndpointError
        A subject is in no pair, or a pair has other members.
    """
    names = sheet[pairs].astype(object).where(sheet[pairs].notna(), "").astype(str).str.strip()
    blank = sheet["subject"][names == ""].astype(str).tolist()
    if blank:
        raise EndpointError(
            f"`endpoint.pairs` is '{pairs}', which is empty for {list_names(blank)}. Fill it in, or leave them out with `where`."
        )
    counts = pd.crosstab(names, sheet[column].astype(str)).reindex(columns=[positive, negative], fill_value=0)
    broken = [
        f"{name} ({row.iloc[0]} {positive}, {row.iloc[1]} {negative})"
        for name, row in counts.iterrows()
        if tuple(row) != (1, 1)
    ]
    if broken:
        raise EndpointError(
            f"Each pair of '{pairs}' needs one subject of either class, but {len(broken)} of {len(counts)} have not: "
            f"{list_names(broken, quote='')}. Correct the sheet, or leave these pairs out with `where`."
        )
