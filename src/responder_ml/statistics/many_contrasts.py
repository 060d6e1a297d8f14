"""Moderated t of one contrast in each of many linear models, in double precision.

Every model has its own rows, two groups and, optionally, covariates. Its contrast is written as a unit vector over the
samples, orthogonal to the intercept and the covariates: times a gene's values it gives an effect whose variance is the
residual variance. Many models are then a few matrix products.

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3.
doi:10.2202/1544-6115.1027
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Labels
from responder_ml.statistics.columns import rounding_share
from responder_ml.statistics.covariate_space import CovariateSpace
from responder_ml.statistics.squeeze import log_moments, may_need_floor, prior_of_logs

MODELS_PER_BLOCK = 32
"""Models to handle together: their genes then stay in the low tens of megabytes."""
# A group of whose variation covariates leave no more than this share cannot be distinguished from them.
_LEAST_RESIDUAL = 1e-9


@dataclass(frozen=True)
class Designs:
    """One contrast of two groups in each of many linear models.

    Attributes
    ----------
    rows
        Rows of each model, shape ``(n_models, n_samples)``.
    direction
        The contrast, a unit vector that is 0 outside the rows, shape ``(n_models, n_samples)``; all 0 where it cannot be
        estimated: a group is empty, the covariates determine the groups, or no residual is left to estimate variance from.
    nuisance
        Orthonormal basis of intercept and covariates, zeros where there are fewer, shape
        ``(n_nuisance, n_models, n_samples)``.
    df
        Residual degrees of freedom, shape ``(n_models,)``.
    groups
        Rows of the two groups, each of shape ``(n_models, n_samples)``; None where there are covariates.
    """

    rows: Flags
    direction: Floats
    nuisance: Floats
    df: Floats
    groups: tuple[Flags, Flags] | None = None

    @classmethod
    def two_groups(cls, plus: Flags, minus: Flags, covariates: Floats | None = None) -> "Designs":
        """Contrast two groups of rows, plus less minus.

        Parameters
        ----------
        plus, minus
            Rows of the groups, shape ``(n_models, n_samples)``; a row in both counts for neither.
        covariates
            Samples x covariates to adjust for.
        """
        plus, minus = plus & ~minus, minus & ~plus
        rows = plus | minus
        if covariates is not None:
            return cls.of_outcome(rows, plus.astype(np.float64), covariates)
        above, below = plus.sum(axis=1, keepdims=True), minus.sum(axis=1, keepdims=True)
        count = np.maximum(above + below, 1)
        size = np.sqrt(above * below / count)
        direction = size * (plus / np.maximum(above, 1) - minus / np.maximum(below, 1))
        df = count[:, 0] - 2.0
        direction[df < 1] = 0.0
        return cls(rows, direction, (rows / np.sqrt(count))[None], df, (plus, minus))

    @classmethod
    def of_labels(cls, labels: Labels | Floats, covariates: Floats | None = None) -> "Designs":
        """Return the one model of some rows: the contrast of classes 1 and 0, or the slope of a graded outcome (floats).

        Parameters
        ----------
        labels
            Of every row, shape ``(n_samples,)``.
        covariates
            As for `two_groups`.
        """
        one = labels[None]
        if one.dtype.kind == "f":
            return cls.of_outcome(np.ones(one.shape, dtype=np.bool_), one.astype(np.float64), covariates)
        return cls.two_groups(one == 1, one == 0, covariates)

    @classmethod
    def of_outcome(cls, rows: Flags, outcome: Floats, covariates: Floats | None = None) -> "Designs":
        """Test the slope of an outcome, numbers or 0 and 1, in linear models with an intercept and covariates.

        What covariates leave of the outcome is the contrast: a column's product with it is its slope in the model with all of
        them, but for the scale (Frisch and Waugh 1933).

        Parameters
        ----------
        rows
            Rows of each model, shape ``(n_models, n_samples)``.
        outcome
            Of every sample under each model, shape ``(n_models, n_samples)``; values outside the rows are not read.
        covariates
            Samples x covariates to adjust for.
        """
        count = np.maximum(rows.sum(axis=1, keepdims=True), 1)
        values = np.where(rows, outcome, 0.0)
        centred = np.where(rows, values - values.sum(axis=1, keepdims=True) / count, 0.0)
        total = np.sum(centred**2, axis=1)
        nuisance = (rows / np.sqrt(count))[None]
        df = count[:, 0] - 2.0
        if covariates is not None:
            space = CovariateSpace.of(rows, covariates)
            basis = space.basis
            # Twice, since the first subtraction leaves rounding errors of the size of what it takes away.
            for _ in range(2):
                centred = centred - np.sum(np.sum(basis * centred, axis=2, keepdims=True) * basis, axis=0)
            nuisance = np.concatenate([nuisance, basis])
            df = df - space.rank
        residual_squares = np.sum(centred**2, axis=1)
        estimable = (df >= 1) & (residual_squares > _LEAST_RESIDUAL * total) & (total > 0)
        size = np.sqrt(np.where(estimable, residual_squares, 1.0))[:, None]
        return cls(rows, np.where(estimable[:, None], centred / size, 0.0), nuisance, df)


class ManyContrasts:
    """Genes prepared once for the contrasts of many models.

    Parameters
    ----------
    values
        Samples x genes, log2 units.
    """

    def __init__(self, values: Floats) -> None:
        # Sums of squares lose digits to a large mean. The median keeps an extreme sample from moving the others.
        middle = np.median(values, axis=0)
        self._centred = values - middle
        self._centred[np.abs(self._centred) <= rounding_share(len(values)) * np.abs(middle)] = 0.0

    def moderated_t(
        self, designs: Designs, usable: Flags | None = None, shifts: Floats | None = None, *, squeezed: bool = True
    ) -> Floats:
        """Return limma's moderated t, models x genes, rounded; 0 where a model has no contrast or may not use a gene.

        Parameters
        ----------
        designs
            The models; `MODELS_PER_BLOCK` at a time need little memory.
        usable
            Genes each model may use, shape ``(n_models, n_genes)``; the prior is estimated from these.
        shifts
            Number added to every gene of a sample under each model, shape ``(n_models, n_samples)``.
        squeezed
            Whether variances are squeezed towards their common prior; the ordinary t otherwise.
        """
        # Compiled code is slow to load, and commands that only read a job do not need it.
        from responder_ml.statistics.contrast_loops import divide_by_error

        effect, variance = self._effects(designs, shifts)
        if usable is None:
            usable = np.broadcast_to(True, effect.shape)
        estimable = np.any(designs.direction != 0, axis=1) & np.any(usable, axis=1)
        effect[~estimable] = 0.0
        models = np.flatnonzero(estimable)
        added, factor = np.zeros(len(models)), np.ones(len(models))
        if squeezed and len(models) > 0:
            added, factor = _posterior(
                [(variance[model], usable[model]) for model in models.tolist()], designs.df[models]
            )
        for number, model in enumerate(models):
            divide_by_error(effect[model], variance[model], usable[model], added[number], factor[number])
        return effect

    def _effects(self, designs: Designs, shifts: Floats | None) -> tuple[Floats, Floats]:
        """Return effects, whose variance is the residual variance, and residual variances, models x genes."""
        if designs.groups is None:
            return self._adjusted_effects(designs, shifts)
        from responder_ml.statistics.contrast_loops import two_group_effects

        groups = _DistinctGroups(*designs.groups, shifts)
        effect, variance = np.empty((2, len(designs.rows), self._centred.shape[1]))
        two_group_effects(
            self._centred, groups.first, groups.rows, groups.moves, *groups.of_models, designs.df, effect, variance
        )
        return effect, variance

    def _adjusted_effects(self, designs: Designs, shifts: Floats | None) -> tuple[Floats, Floats]:
        from responder_ml.statistics.contrast_loops import LEAST_SHARE, LEAST_VARIANCE

        rows = designs.rows.astype(np.float64)
        effect = designs.direction @ self._centred
        squares = rows @ self._centred**2
        explained = [basis @ self._centred for basis in designs.nuisance]
        if shifts is not None:
            move = rows * shifts
            effect += np.sum(designs.direction * move, axis=1, keepdims=True)
            squares += (2.0 * move) @ self._centred
            squares += np.sum(move**2, axis=1, keepdims=True)
            for part, basis in zip(explained, designs.nuisance, strict=True):
                part += np.sum(basis * move, axis=1, keepdims=True)
        total = squares.copy()
        for part in (effect, *explained):
            squares -= part**2
        # A gene that is constant or determined by covariates has no effect but a rounding error.
        effect[(squares <= LEAST_SHARE * total) & (effect**2 <= LEAST_SHARE * total)] = 0.0
        squares /= np.maximum(designs.df, 1.0)[:, None]
        return effect, np.maximum(squares, LEAST_VARIANCE, out=squares)


class _DistinctGroups:
    """The groups of many models, those that several models have in common once, as `two_group_effects` takes them."""

    def __init__(self, plus: Flags, minus: Flags, shifts: Floats | None) -> None:
        members = np.vstack([plus, minus])
        moves = np.zeros(members.shape) if shifts is None else np.where(members, np.vstack([shifts, shifts]), 0.0)
        known: dict[tuple[bytes, bytes], int] = {}
        keys = [(rows.tobytes(), added.tobytes()) for rows, added in zip(members, moves, strict=True)]
        numbers = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.intp)
        _, distinct = np.unique(numbers, return_index=True)
        group, self.rows = np.nonzero(members[distinct])
        self.moves = moves[distinct][group, self.rows]
        self.first = np.searchsorted(group, np.arange(len(distinct) + 1))
        self.of_models = numbers[: len(plus)], numbers[len(plus) :]


def _posterior(models: Sequence[tuple[Floats, Flags]], df: Floats) -> tuple[Floats, Floats]:
    """Return what squeezing adds to the variances of each model and what it multiplies them by.

    Parameters
    ----------
    models
        The genes' residual variances, and the genes that the prior is estimated from.
    df
        Residual degrees of freedom, shape ``(n_models,)``.
    """
    from responder_ml.statistics.contrast_loops import moments

    lowest, mean, spread, pooled = np.transpose(
        [moments(variance, np.log(variance), usable) for variance, usable in models]
    )
    for number in np.flatnonzero(may_need_floor(lowest, mean, spread)).tolist():
        variance, usable = models[number]
        mean[number], spread[number], pooled[number] = log_moments(variance[usable])
    prior_df, prior_variance = prior_of_logs(mean, spread, pooled, df)
    factor = df / (prior_df + df)
    return (1.0 - factor) * prior_variance, factor


def t_of_own_columns(tables: Sequence[Floats], plus: Flags, minus: Flags, covariates: Floats | None = None) -> Floats:
    """Return moderated t of two groups in the columns of each model's own table, models x columns.

    Parameters
    ----------
    tables
        Samples x columns for each model, all of one shape.
    plus, minus, covariates
        As for `Designs.two_groups`.
    """
    t = np.empty((len(tables), tables[0].shape[1])) if tables else np.empty((0, 0))
    for start in range(0, len(tables), MODELS_PER_BLOCK):
        part = slice(start, start + MODELS_PER_BLOCK)
        # All tables of a block beside one another; each model may use its own columns.
        own = np.repeat(np.eye(len(tables[part]), dtype=bool), t.shape[1], axis=1)
        designs = Designs.two_groups(plus[part], minus[part], covariates)
        t[part] = ManyContrasts(np.hstack(tables[part])).moderated_t(designs, own)[own].reshape(-1, t.shape[1])
    return t


def strongest(t: Floats, count: int) -> Indices:
    """Return the genes with the largest t, then those with the smallest, at most ``count`` on each side of 0.

    Ties go to the lower position.
    """
    return np.concatenate([_largest(t, count), _largest(-t, count)])


def _largest(t: Floats, count: int) -> Indices:
    if count < len(t):
        least = max(float(np.partition(t, len(t) - count)[len(t) - count]), 0.0)
        candidates = np.flatnonzero((t >= least) & (t > 0))
    else:
        candidates = np.flatnonzero(t > 0)
    return candidates[np.argsort(-t[candidates], kind="stable")[:count]]
