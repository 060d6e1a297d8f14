"""Effects, residual variances and moderated t of many two-group models over all genes, as compiled loops.

Genes are handled in runs that stay in the cache, in double precision. A group that several models have in common, such as the
responders left in training by folds that hold out different non-responders, is added up once.
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.statistics.compiled import compiled

# Genes handled together: sums of some dozens of groups of them fit into the second-level cache.
_WIDTH = 256
# A residual sum of squares up to this share of a gene's total is rounding.
LEAST_SHARE = 1e-12
# Where more than half of the genes are constant, their median variance has no logarithm.
LEAST_VARIANCE = 1e-30
# Digits beyond these are rounding; equal genes must stay tied.
_DECIMALS = 1e9


@compiled
def two_group_effects(
    values: Floats,
    first: Indices,
    rows: Indices,
    moves: Floats,
    plus: Indices,
    minus: Indices,
    df: Floats,
    effect: Floats,
    variance: Floats,
) -> None:
    """Write the effect and the residual variance of every gene under every model.

    Parameters
    ----------
    values
        Samples x genes, less a central value of each gene.
    first
        First entry of each group in ``rows``, and the end.
    rows
        Samples of the groups, one group after the other.
    moves
        Number added to every gene of the sample, for each entry of ``rows``.
    plus, minus
        Groups of each model.
    df
        Residual degrees of freedom, shape ``(n_models,)``; 0 or less where a model has no contrast.
    effect, variance
        Arrays for the results, models x genes. An effect is scaled so that its variance is the residual variance, which
        is at least `LEAST_VARIANCE`.
    """
    n_genes, n_groups = values.shape[1], len(first) - 1
    sums, squares = np.empty((n_groups, _WIDTH)), np.empty((n_groups, _WIDTH))
    for start in range(0, n_genes, _WIDTH):
        width = min(_WIDTH, n_genes - start)
        run = values[:, start : start + width]
        for group in range(n_groups):
            members = slice(first[group], first[group + 1])
            _add_up(run, rows[members], moves[members], sums[group, :width], squares[group, :width])
        for model in range(len(plus)):
            over, under = plus[model], minus[model]
            _compare(
                sums[over, :width],
                squares[over, :width],
                first[over + 1] - first[over],
                sums[under, :width],
                squares[under, :width],
                first[under + 1] - first[under],
                df[model],
                effect[model, start : start + width],
                variance[model, start : start + width],
            )


@compiled
def _add_up(values: Floats, rows: Indices, moves: Floats, sums: Floats, squares: Floats) -> None:
    """Write sums and sums of squares over some samples, four at a time so that they are written less often."""
    sums[:] = 0.0
    squares[:] = 0.0
    entry = 0
    while entry + 4 <= len(rows):
        # Read once: numbers within an array might change with every sum that is written.
        column0, column1 = values[rows[entry]], values[rows[entry + 1]]
        column2, column3 = values[rows[entry + 2]], values[rows[entry + 3]]
        move0, move1, move2, move3 = moves[entry], moves[entry + 1], moves[entry + 2], moves[entry + 3]
        for gene in range(len(sums)):
            a, b = column0[gene] + move0, column1[gene] + move1
            c, d = column2[gene] + move2, column3[gene] + move3
            sums[gene] += (a + b) + (c + d)
            squares[gene] += (a * a + b * b) + (c * c + d * d)
        entry += 4
    while entry < len(rows):
        column, move = values[rows[entry]], moves[entry]
        for gene in range(len(sums)):
            a = column[gene] + move
            sums[gene] += a
            squares[gene] += a * a
        entry += 1


@compiled
def _compare(
    over: Floats,
    squares_over: Floats,
    above: int,
    under: Floats,
    squares_under: Floats,
    below: int,
    df: float,
    effect: Floats,
    variance: Floats,
) -> None:
    """Write effect and residual variance of two groups; a gene that is constant has no effect but a rounding error."""
    share_over, share_under = 1.0 / max(above, 1), 1.0 / max(below, 1)
    size = np.sqrt(above * below / max(above + below, 1)) if df > 0.0 else 0.0
    share_rest = 1.0 / max(df, 1.0)
    for gene in range(len(effect)):
        total = squares_over[gene] + squares_under[gene]
        mean_over, mean_under = over[gene] * share_over, under[gene] * share_under
        rest = total - over[gene] * mean_over - under[gene] * mean_under
        difference = size * (mean_over - mean_under)
        rounding = LEAST_SHARE * total
        effect[gene] = 0.0 if rest <= rounding and difference * difference <= rounding else difference
        variance[gene] = max(rest * share_rest, LEAST_VARIANCE)


@compiled
def moments(variances: Floats, logs: Floats, usable: Flags) -> tuple[float, float, float, float]:
    """Return lowest value, mean and sample variance of the logarithms of the usable genes, and the mean of their variances."""
    count, lowest, total, pooled = 0, np.inf, 0.0, 0.0
    for gene in range(len(logs)):
        if usable[gene]:
            count += 1
            total += logs[gene]
            pooled += variances[gene]
            lowest = min(lowest, logs[gene])
    count = max(count, 1)
    mean, squares = total / count, 0.0
    for gene in range(len(logs)):
        if usable[gene]:
            squares += (logs[gene] - mean) ** 2
    return lowest, mean, squares / max(count - 1, 1), pooled / count


@compiled
def divide_by_error(effects: Floats, variances: Floats, usable: Flags, added: float, factor: float) -> None:
    """Overwrite effects by rounded t, 0 for genes that may not be used.

    Parameters
    ----------
    effects, variances
        Shape ``(n_genes,)``.
    usable
        Genes that may be used.
    added, factor
        The posterior variance is ``added + factor * variance``.
    """
    for gene in range(len(effects)):
        t = np.rint(effects[gene] / np.sqrt(added + factor * variances[gene]) * _DECIMALS) / _DECIMALS
        effects[gene] = t if usable[gene] else 0.0
