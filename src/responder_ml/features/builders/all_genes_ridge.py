"""All detected genes as one signature, weighted jointly: genes that go together share what one of them would get."""

import numpy as np
from scipy.linalg.lapack import dposv

from responder_ml.arrays import Flags, Floats
from responder_ml.features.builders.all_genes import AllGenes, of_length_one
from responder_ml.features.normalise import Normalisation
from responder_ml.parameters import Finite, Positive, Share
from responder_ml.statistics.covariate_space import CovariateSpace

# What covariates leave of the class, per row, where they determine it: rounding errors.
_DETERMINED = 1e-7


class AllGenesRidge(AllGenes):
    """One score per sample: the projection of all detected genes on the ridge regression of the class in the training rows.

    ``w`` minimises ``sum (y - b - z w)^2 + l ||w||^2`` over the training rows, with y the class as 0 or 1, ``z`` as for
    `AllGenes` and ``l`` the penalty times the mean inner product of a row with itself, less what the intercept takes; the score is
    ``z w / ||w||``. The genes enter only through the inner products of samples: ``w = z' (z z' + l I)^-1 (y - mean y)``, one small
    system per training set. With a growing penalty the score becomes that of `AllGenes`, whose weights ignore how genes go
    together; with a small one, directions in which samples vary much whatever their class count less. Covariates of the job are
    in the regression without a penalty.

    Parameters
    ----------
    penalty
        In units of the mean inner product; it is not tuned. From 0.01 to 1 it hardly mattered on real cohorts.
    normalisation, min_expression, min_share, units
        As for `Genes`.

    Attributes
    ----------
    genes_
        Names of the detected genes.
    mean_, scale_, weights_
        As for `AllGenes`.

    References
    ----------
    Hoerl AE, Kennard RW (1970) doi:10.1080/00401706.1970.10488634
    Hastie T, Tibshirani R (2004) doi:10.1093/biostatistics/kxh010 (more genes than samples)
    """

    name = "all_genes_ridge"
    summary = "one signature over all detected genes, weighted jointly by ridge regression in each training set"
    reference = "doi:10.1093/biostatistics/kxh010"
    takes_outcomes = False

    def __init__(
        self,
        penalty: Positive = 0.1,
        normalisation: Normalisation = "tmm",
        min_expression: Finite = 1.0,
        min_share: Share = 0.25,
        units: str = "log2",
    ) -> None:
        super().__init__(normalisation, min_expression, min_share, units)
        self.penalty = penalty

    def row_weights(
        self, products: Floats, positive: Flags, negative: Flags, covariates: Floats | None = None
    ) -> Floats:
        """Return the dual coefficients of the regression; zeros where no gene varies or covariates determine the class."""
        rows = np.flatnonzero(positive | negative)
        weights = np.zeros(len(products))
        target = positive[rows].astype(np.float64)
        # Orthonormal columns that the regression has without a penalty: the intercept, and what covariates span beside it.
        fixed = np.full((len(rows), 1), 1.0 / np.sqrt(len(rows)))
        if covariates is not None:
            inside = positive | negative
            fixed = np.column_stack([fixed, CovariateSpace.of(inside[None], covariates).coordinates[0, rows]])
        remaining = target - fixed @ (fixed.T @ target)
        if np.linalg.norm(remaining) <= _DETERMINED * np.sqrt(len(rows)):
            return weights
        # The inner products of what these columns leave of the genes.
        among = products[rows[:, None], rows]
        along = among @ fixed
        shared = along @ fixed.T
        system = among - shared - shared.T + fixed @ (fixed.T @ along) @ fixed.T
        mean = float(system.trace()) / (len(rows) - float(np.sum(fixed * fixed)))
        if mean > 0:
            system.flat[:: len(rows) + 1] += self.penalty * mean
            _, solution, failed = dposv(system, remaining)
            if failed:
                # Penalties near rounding errors leave a system that is not positive definite.
                solution = np.linalg.lstsq(system, remaining, rcond=None)[0]
            weights[rows] = solution - fixed @ (fixed.T @ solution)
        return weights

    def gene_weights(self, z: Floats, positive: Flags, negative: Flags, covariates: Floats | None = None) -> Floats:
        """Return the coefficients of the genes, of length one, or zeros."""
        return of_length_one(self.row_weights(z @ z.T, positive, negative, covariates) @ z)
