"""Precision weights for log2 counts per million from the trend of variance with count size.

References
----------
Law CW, Chen Y, Shi W, Smyth GK (2014) voom: precision weights unlock linear model analysis tools for RNA-seq read counts.
Genome Biol 15:R29. doi:10.1186/gb-2014-15-2-r29
"""

from dataclasses import dataclass, field

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.errors import ContrastError
from responder_ml.statistics.linear_model import fit_linear_model
from responder_ml.statistics.lowess import lowess


@dataclass(frozen=True)
class Voom:
    """Log2 expression with a precision for each observation.

    Attributes
    ----------
    expression
        log2((count + 0.5) / (library + 1) x 1e6), samples x genes.
    weights
        Inverse of the predicted variance of each observation, samples x genes.
    size, root_deviation
        The points of the trend in ascending order: mean log2 count, and square root of the residual standard deviation.
    trend
        The smoothed ``root_deviation``.
    """

    expression: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    size: Floats = field(repr=False)
    root_deviation: Floats = field(repr=False)
    trend: Floats = field(repr=False)


def voom(counts: Floats, design: Floats, library: Floats, span: float = 0.5) -> Voom:
    """Return log2 counts per million and their precision weights.

    Every sample takes part in the trend and the weights depend on the design: this is for contrasts of a whole cohort, not for
    features that a model learns from training rows.

    Parameters
    ----------
    counts
        Samples x genes.
    design
        Samples x coefficients, of full rank.
    library
        Effective library size of each sample, counts (column sums times TMM factors).
    span
        Share of genes in each neighbourhood of the trend.

    Raises
    ------
    ContrastError
        Values that are not counts, or a design `fit_linear_model` refuses.
    """
    counts, library = np.asarray(counts, dtype=np.float64), np.asarray(library, dtype=np.float64)
    if not np.all(counts >= 0) or np.any(library <= 0):
        raise ContrastError(
            "voom needs counts of 0 or more and positive library sizes; found others. Give raw counts, not log2 values or TPM."
        )
    log_library = np.log2(library + 1.0)
    expression = np.log2(counts + 0.5) - log_library[:, None] + np.log2(1e6)
    fit = fit_linear_model(expression, design)
    seen = counts.sum(axis=0) > 0
    size = expression.mean(axis=0)[seen] + log_library.mean() - np.log2(1e6)
    order = np.argsort(size, kind="stable")
    size, deviation = size[order], np.sqrt(fit.sigma[seen][order])
    trend = lowess(size, deviation, span)
    fitted_size = design @ fit.effect + log_library[:, None] - np.log2(1e6)
    points, first = np.unique(size, return_index=True)
    return Voom(expression, np.interp(fitted_size, points, trend[first]) ** -4.0, size, deviation, trend)
