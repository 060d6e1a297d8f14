"""Moderated t of every gene under many labellings: variances and their prior are estimated anew for each.

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3. doi:10.2202/1544-6115.1027
"""

from collections.abc import Iterator

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.statistics.squeeze import fit_f_dist, squeeze

# Numbers in a block of labellings x genes, which then stays in the cache.
_BLOCK = 2**18
# Share of a labelling that must be left beyond strata and covariates.
_NOTHING = 1e-9


class RelabelledChange:
    """One study, ready to be relabelled.

    Parameters
    ----------
    log2
        Log2 expression, subjects x genes; every gene varies.
    others
        What is held constant: intercept, strata, covariates; subjects x columns, of any rank.
    """

    def __init__(self, log2: Floats, others: Floats) -> None:
        directions, sizes, _ = np.linalg.svd(others, full_matrices=False)
        self._basis = directions[:, sizes > _NOTHING * sizes.max()]
        centred = log2 - log2.mean(axis=0)
        self._rest = centred - self._basis @ (self._basis.T @ centred)
        self._squares = np.sum(self._rest**2, axis=0)
        self._df = len(log2) - self._basis.shape[1] - 1

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return int(self._rest.shape[1])

    def t(self, labellings: Labels) -> Iterator[Floats]:
        """Yield moderated t less its mean over genes, labellings x genes, block by block.

        A labelling that strata and covariates explain has t = nan.

        Parameters
        ----------
        labellings
            0/1, labellings x subjects.
        """
        step = max(_BLOCK // max(self.n_genes, 1), 1)
        for start in range(0, len(labellings), step):
            classes = labellings[start : start + step].astype(np.float64)
            beyond = classes - (classes @ self._basis) @ self._basis.T
            sizes = np.sqrt(np.einsum("ij,ij->i", beyond, beyond))
            is_lost = sizes <= _NOTHING * np.sqrt(classes.sum(axis=1))
            along = (beyond / np.where(is_lost, 1.0, sizes)[:, None]) @ self._rest
            variance = np.maximum(self._squares - along**2, 0.0) / self._df
            prior_df, prior = fit_f_dist(variance, float(self._df))
            t = along / np.sqrt(squeeze(variance, self._df, prior_df[:, None], prior[:, None]))
            t -= t.mean(axis=1, keepdims=True)
            t[is_lost] = np.nan
            yield t
