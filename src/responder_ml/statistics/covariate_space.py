"""What covariates span in the rows of many training sets, and columns less what is linear in the covariates.

The coefficients are learnt by least squares of an intercept and the covariates on training rows, and never with the label in
the design. With the label in it the error of the coefficients would be shared by training and held-out rows, and it would
go with the class wherever a covariate does: what is left of pure noise would then tell the classes apart. Without it, and with
normal errors, what is left of the training rows is independent of the coefficients' error.

On training rows the result is that of limma's ``removeBatchEffect(x, covariates=...)``, but for a constant per column.

References
----------
Frisch R, Waugh FV (1933) doi:10.2307/1907330 (regression on what is left of the columns)
Ritchie ME et al. (2015) doi:10.1093/nar/gkv007 (limma)
"""

from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.statistics.columns import rounding_share

# Share of its variation below which a covariate is taken to be a combination of the others.
_LEAST_SINGULAR = 1e-7
# Share of a column's variation on training rows below which covariates determine it: what is left are rounding errors.
_LEAST_LEFT = 1e-12


@dataclass(frozen=True)
class CovariateSpace:
    """The covariates of many training sets.

    Attributes
    ----------
    rows
        Rows of each set, shape ``(n_sets, n_samples)``.
    mean
        Mean of each covariate over the rows, shape ``(n_sets, n_covariates)``.
    slopes
        ``(covariates - mean) @ slopes`` has orthonormal columns over the rows of a set; its columns beyond the set's rank are
        0. Shape ``(n_sets, n_covariates, n_dimensions)``.
    coordinates
        These columns for every sample, shape ``(n_sets, n_samples, n_dimensions)``.
    rank
        Covariates that are no combination of others on the rows, shape ``(n_sets,)``.
    """

    rows: Flags
    mean: Floats
    slopes: Floats
    coordinates: Floats
    rank: Indices

    @classmethod
    def of(cls, rows: Flags, covariates: Floats) -> "CovariateSpace":
        """Learn from the rows of each set alone.

        Parameters
        ----------
        rows
            Rows of each set, shape ``(n_sets, n_samples)``.
        covariates
            Samples x covariates.
        """
        inside = rows[:, :, None]
        count = np.maximum(rows.sum(axis=1), 1)[:, None].astype(np.float64)
        # A value outside the rows may be infinite, and 0 times it is not 0.
        mean = np.where(inside, covariates, 0.0).sum(axis=1) / count
        centred = np.where(inside, covariates - mean[:, None], 0.0)
        spread = np.sqrt(np.sum(centred**2, axis=1) / count)
        varies = spread > rounding_share(covariates.shape[0]) * np.abs(mean)
        share = np.divide(1.0, spread, out=np.zeros_like(spread), where=varies)
        _, singular, axes = np.linalg.svd(centred * share[:, None], full_matrices=False)
        used = singular > _LEAST_SINGULAR * np.sqrt(count)
        inverse = np.divide(1.0, singular, out=np.zeros_like(singular), where=used)
        slopes = share[:, :, None] * axes.transpose(0, 2, 1) * inverse[:, None]
        coordinates = np.matmul(covariates - mean[:, None], slopes)
        return cls(rows, mean, slopes, coordinates, used.sum(axis=1).astype(np.intp))

    @property
    def basis(self) -> Floats:
        """The coordinates of each set's own rows, 0 elsewhere, shape ``(n_dimensions, n_sets, n_samples)``."""
        return np.asarray(np.where(self.rows[:, :, None], self.coordinates, 0.0).transpose(2, 0, 1))

    def residual(self, index: int, values: Floats) -> Floats:
        """Return columns of all samples less what is linear in the covariates, with their mean over the set's rows.

        Parameters
        ----------
        index
            The training set, from whose rows alone the coefficients are learnt.
        values
            Samples x columns. Columns that the covariates determine become constant.
        """
        rows, coordinates = self.rows[index], self.coordinates[index]
        mean, explained, determined = self._explain(index, values[rows])
        residual: Floats = np.asarray(values - coordinates @ explained, dtype=np.float64)
        residual[:, determined] = mean[determined]
        return residual

    def coefficients(self, index: int, values: Floats) -> tuple[Floats, Floats]:
        """Return what makes the same of columns of new samples.

        Parameters
        ----------
        index
            The training set.
        values
            Its rows x columns.

        Returns
        -------
        coefficients
            Units of each column per unit of each covariate, covariates x columns.
        constant
            The value of each column that the covariates determine, not-a-number for the others, shape ``(n_columns,)``.
        """
        mean, explained, determined = self._explain(index, values)
        return np.asarray(self.slopes[index] @ explained), np.where(determined, mean, np.nan)

    def _explain(self, index: int, values: Floats) -> tuple[Floats, Floats, Flags]:
        """Return the mean of each column over the rows, what each dimension explains of it, and what is explained whole."""
        coordinates = self.coordinates[index][self.rows[index]]
        mean = values.mean(axis=0)
        deviations = values - mean
        explained = coordinates.T @ deviations
        residual_squares = np.sum((deviations - coordinates @ explained) ** 2, axis=0)
        return (
            mean,
            explained,
            np.asarray(residual_squares <= _LEAST_LEFT * np.sum(deviations**2, axis=0), dtype=np.bool_),
        )


def adjust(values: Floats, covariates: Floats, mean: Floats, coefficients: Floats, constant: Floats) -> Floats:
    """Return columns of new samples less what is linear in their covariates.

    Parameters
    ----------
    values
        Samples x columns.
    covariates
        Samples x covariates.
    mean
        Mean of each covariate over the training rows.
    coefficients, constant
        From `CovariateSpace.coefficients`.
    """
    adjusted = values - (covariates - mean) @ coefficients
    return np.where(np.isnan(constant), adjusted, constant)
