"""What a linear model knows of every gene, in orthogonal coordinates: one for the contrast and one for each residual degree.

Gene-set tests need no more than these. Under the null hypothesis that a gene does not differ, and with normal errors, its
coordinates are interchangeable: any rotation of them is as likely as the observed ones (Langsrud 2005). Rotating the coordinates of
all genes alike keeps their correlation.

References
----------
Langsrud O (2005) Rotation tests. Stat Comput 15:53-60. doi:10.1007/s11222-005-4789-5
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3. doi:10.2202/1544-6115.1027
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtr

from responder_ml.arrays import Floats
from responder_ml.errors import ContrastError
from responder_ml.statistics.columns import constant_columns
from responder_ml.statistics.squeeze import fit_f_dist, squeeze


@dataclass(frozen=True)
class GeneEffects:
    """The coordinates of every gene, and the prior of its variance.

    Attributes
    ----------
    contrast
        Coordinate of the tested coefficient, positive where the gene rises with it; units of the expression, ``(n_genes,)``.
    residuals
        Coordinates of the residuals, genes x residual degrees of freedom.
    prior_df, prior_variance
        Prior of the residual variances; ``prior_df`` may be infinite.
    """

    contrast: Floats = field(repr=False)
    residuals: Floats = field(repr=False)
    prior_df: float
    prior_variance: float

    @classmethod
    def of(cls, expression: Floats, design: Floats) -> "GeneEffects":
        """Fit a linear model to every gene and take its last coefficient as the contrast.

        Parameters
        ----------
        expression
            Samples x genes, log2 units.
        design
            Samples x coefficients, of full rank; the last column is the one that is tested.

        Raises
        ------
        ContrastError
            Values that are not finite, a design that is not of full rank, or one that leaves no residual.
        """
        samples, coefficients = design.shape
        if not np.all(np.isfinite(expression)):
            raise ContrastError("Gene sets are tested on finite expression; some values are missing or infinite.")
        if int(np.linalg.matrix_rank(design)) < coefficients:
            raise ContrastError(
                "The classes cannot be told apart from the covariates or strata: the design is not of full rank. Leave a "
                "covariate out."
            )
        if samples <= coefficients:
            raise ContrastError(
                f"{samples} subjects for {coefficients} coefficients leave nothing to estimate variance from. Use fewer covariates."
            )
        directions, upper = np.linalg.qr(design, mode="complete")
        coordinates = directions.T @ expression
        # What rounding leaves of a gene that never varies would have a direction.
        coordinates[:, constant_columns(expression)] = 0.0
        sign = np.sign(upper[coefficients - 1, coefficients - 1])
        residuals = np.ascontiguousarray(coordinates[coefficients:].T)
        prior_df, prior_variance = fit_f_dist(_mean_squares(residuals), samples - coefficients)
        return cls(sign * coordinates[coefficients - 1], residuals, float(prior_df), float(prior_variance))

    @property
    def df_residual(self) -> int:
        """Residual degrees of freedom."""
        return int(self.residuals.shape[1])

    @cached_property
    def variance(self) -> Floats:
        """Residual variance of each gene."""
        return _mean_squares(self.residuals)

    @property
    def t(self) -> Floats:
        """Moderated t of each gene; 0 for a gene that never varies."""
        error = np.sqrt(squeeze(self.variance, self.df_residual, self.prior_df, self.prior_variance))
        return np.divide(self.contrast, error, out=np.zeros_like(self.contrast), where=error > 0)


def _mean_squares(rows: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", rows, rows) / rows.shape[1], dtype=np.float64)


def z_of_t(t: Floats, df: float) -> Floats:
    """Return the standard normal deviate of the same tail probability as each t.

    Parameters
    ----------
    t
        Any shape.
    df
        Degrees of freedom; may be infinite.
    """
    if np.isinf(df):
        return np.asarray(t, dtype=np.float64)
    size = -ndtri(stdtr(df, -np.abs(t)))
    # Far out, where the tail is less than the smallest number, the approximation is good to five digits.
    size = np.where(np.isfinite(size), size, np.abs(bailey_z(t, df)))
    return np.asarray(np.copysign(size, t), dtype=np.float64)


def bailey_z(t: Floats, df: float) -> Floats:
    """Return Bailey's approximation to `z_of_t`, in a few operations.

    References
    ----------
    Bailey BJR (1980) Accurate normalizing transformations of a Student's t variate. Appl Stat 29:304-306. doi:10.2307/2346905
    """
    factor = (df + 0.125) / (df + 1.125)
    return np.asarray(factor * np.sqrt((df + 19 / 12) * np.log1p(t**2 / (df + 1 / 12))) * np.sign(t), dtype=np.float64)


def check_members(members: Any) -> None:
    """Refuse sets without genes.

    Parameters
    ----------
    members
        ``scipy.sparse`` array of signed weights, genes x sets.

    Raises
    ------
    ContrastError
        Some set has no gene.
    """
    empty = int(np.sum(np.asarray((members != 0).sum(axis=0)) == 0))
    if empty:
        raise ContrastError(f"{empty} of the sets has no gene among those tested. Leave it out.")
