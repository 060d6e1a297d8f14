"""How far the changes of a cohort go along external signatures, for many labellings at once.

Three answers over a signature's genes, s their signed weights and t the cohort's moderated t:

* the weighted cosine ``sum(s t) / (|s| |t|)``: 1 where all changes are those of the signature, -1 where they are its opposite;
* Spearman's correlation of s and t, for signatures whose genes have weights;
* the share of genes that change in the opposite direction (`reversal.reversal_share`).

None of them is judged by random genes, which ignores that genes go together: their values with no effect are those of relabelled
subjects.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from scipy.stats import rankdata

from responder_ml.arrays import Flags, Floats
from responder_ml.contrasts.ranking import ranks_of, stable_order


@dataclass(frozen=True)
class Agreement:
    """Agreement of changes with signatures; every array is labellings x signatures.

    Attributes
    ----------
    cosine
        Weighted cosine; 0 where no gene changes.
    spearman
        Spearman's correlation; not-a-number for signatures without weights.
    reversed
        Share of genes with the opposite sign.
    """

    cosine: Floats = field(repr=False)
    spearman: Floats = field(repr=False)
    reversed: Floats = field(repr=False)


class SignatureWeights:
    """Signatures prepared for many labellings.

    Parameters
    ----------
    weights
        ``scipy.sparse`` array of signed weights, genes x signatures; each has at least one gene.
    ranked
        Whose genes have weights to rank, ``(n_signatures,)``.
    """

    def __init__(self, weights: Any, ranked: Flags) -> None:
        self._weights = sparse.csc_array(weights, dtype=np.float64)
        self._members = abs(self._weights.sign())
        self._length = np.sqrt(np.asarray(self._weights.power(2).sum(axis=0)).ravel())
        self._count = np.asarray(self._members.sum(axis=0)).ravel()
        self._ranks: dict[int, tuple[Any, Floats]] = {}
        for column in np.flatnonzero(ranked).tolist():
            part = slice(self._weights.indptr[column], self._weights.indptr[column + 1])
            centred = rankdata(self._weights.data[part]) - (part.stop - part.start + 1) / 2.0
            length = float(np.sqrt(centred @ centred))
            if length > 0:
                self._ranks[column] = self._weights.indices[part], centred / length

    def agreement(self, t: Floats) -> Agreement:
        """Compare changes with the signatures.

        Parameters
        ----------
        t
            Moderated t, labellings x genes.
        """
        along, squares, signs = t @ self._weights, t**2 @ self._members, np.sign(t)
        scale = np.sqrt(squares) * self._length
        cosine = np.divide(along, scale, out=np.zeros_like(scale), where=scale > 0)
        moved, together = np.abs(signs) @ self._members, signs @ self._weights.sign()
        return Agreement(
            np.clip(cosine, -1.0, 1.0),
            np.stack([self._spearman(t, column) for column in range(len(self._count))], axis=1),
            np.asarray((moved - together) / 2.0 / self._count, dtype=np.float64),
        )

    def _spearman(self, t: Floats, column: int) -> Floats:
        if column not in self._ranks:
            return np.full(len(t), np.nan)
        genes, direction = self._ranks[column]
        changes = t[:, genes]
        order, tied = stable_order(changes)
        ranks = rankdata(changes, axis=-1) if tied else ranks_of(order) + 1.0
        centred = ranks - (len(genes) + 1) / 2.0
        length = np.sqrt(np.sum(centred**2, axis=1))
        along = centred @ direction
        return np.asarray(np.divide(along, length, out=np.zeros_like(along), where=length > 0), dtype=np.float64)
