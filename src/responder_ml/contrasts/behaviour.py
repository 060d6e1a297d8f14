"""Claim R1 from a table of animals: who was given what, and how near each came to the other mouse."""

import numpy as np
import pandas as pd

from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.response_fraction import ResponseRule, responds, response_fractions
from responder_ml.contrasts.study_regions import SheetWords
from responder_ml.exceptions import ContrastError


def response_lines(
    table: pd.DataFrame, post: str, pre: str | None, rule: ResponseRule, words: SheetWords
) -> list[ClaimResult]:
    """Return the response fractions of susceptible animals by drug, and their differences.

    Parameters
    ----------
    table
        One row per animal or several that agree: ``subject``, ``drug``, ``phenotype`` unless all are susceptible, and the
        ratio's column.
    post, pre
        Columns of the ratio after and, where the rule needs it, before treatment.
    rule
        When an animal counts as a responder.
    words
        What the table calls the groups.

    Raises
    ------
    ContrastError
        A column is missing, a ratio is not a number, or an animal has two values.
    """
    ratios = [post] if pre is None else [post, pre]
    missing = [name for name in ("subject", "drug", *ratios) if name not in table]
    if missing:
        raise ContrastError(
            f"The behaviour table needs the column(s) {', '.join(missing)}. It has: {', '.join(map(str, table.columns))}. "
            "Correct `claims.behaviour`."
        )
    if "phenotype" in table:
        table = table[table["phenotype"].astype(str) == words.susceptible]
    animals = table[["subject", "drug", *ratios]].drop_duplicates()
    twice = animals.loc[animals["subject"].duplicated(), "subject"].astype(str).tolist()
    if twice:
        raise ContrastError(
            f"The behaviour table gives {', '.join(twice[:5])} two different ratios or drugs. Give each animal once."
        )
    values = animals[ratios].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    responder = responds(values[:, 0], rule, None if pre is None else values[:, 1])
    return response_fractions(animals["drug"].astype(str).tolist(), responder, words.vehicle)
