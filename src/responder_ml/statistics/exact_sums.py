"""Sums of squares of a few columns in double precision, column by column, so that equal columns have equal sums."""

import numpy as np
from numpy.typing import NDArray

from responder_ml.statistics.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def exact_sums(
    by_column: Floats,
    columns: NDArray[np.intp],
    shift: Floats,
    positive: Floats,
    rows: Floats,
    rounding: float,
    between: Floats,
    within: Floats,
) -> None:
    """Write the sums of squares between and within two groups of rows for some columns.

    Parameters
    ----------
    by_column
        Columns x samples.
    columns
        Which of them.
    shift
        Number added to every column of a sample, shape ``(n_samples,)``.
    positive, rows
        1.0 for the rows of the positive group, and for those of either group, else 0.0; shape ``(n_samples,)``.
    rounding
        Share of its mean up to which the deviations of a column are rounding.
    between, within
        Where the results go, shape ``(n_columns,)``.
    """
    n_samples = by_column.shape[1]
    count, above = rows.sum(), positive.sum()
    both = 1.0 / above + 1.0 / (count - above)
    values = np.empty(n_samples)
    for place in range(len(columns)):
        column = by_column[columns[place]]
        total = 0.0
        for sample in range(n_samples):
            values[sample] = column[sample] + shift[sample]
            total += values[sample] * rows[sample]
        mean = total / count
        # What is left adds up to zero over both groups.
        difference, squares = 0.0, 0.0
        for sample in range(n_samples):
            deviation = (values[sample] - mean) * rows[sample]
            difference += deviation * positive[sample]
            squares += deviation * deviation
        if np.sqrt(squares / count) <= rounding * abs(mean):
            difference, squares = 0.0, 0.0
        between[place] = difference * difference * both
        within[place] = max(squares - between[place], 0.0)
