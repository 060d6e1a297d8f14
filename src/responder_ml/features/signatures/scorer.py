"""What every signature scorer shares: sets in, one frozen score per sample and set out.

The shell validates, keeps the sets, walks through the samples and names the columns. A scorer file holds the maths:
module functions on plain arrays, and two holes that call them, ``_learn`` and ``_score``.

What is kept after fitting are plain arrays of numbers and text, so that a bundle can hold a scorer.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from responder_ml.arrays import Floats, Indices
from responder_ml.errors import FeatureError

# The sums of so many samples over thousands of sets stay in a processor's second-level cache.
_SAMPLES_AT_ONCE = 20


@dataclass(frozen=True)
class GeneParts:
    """What each gene of one signature adds to its score.

    Attributes
    ----------
    genes
        Columns of the expression, shape ``(n_members,)``.
    values
        Samples x members; a row adds up to the sample's score.
    weights
        Weight with which each gene's own value enters; its sign says whether more of the gene raises the score.
        Shape ``(n_members,)``.
    """

    genes: Indices
    values: Floats
    weights: Floats


class SignatureScorer(TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Score samples on signatures, each sample by itself.

    Attributes
    ----------
    gene_starts_, set_of_, member_weight_
        The sets as a compressed sparse genes x sets table: where each gene's entries start, shape ``(n_genes + 1,)``,
        and for each entry its set and its signed weight.
    names_
        Name of each set.

    Notes
    -----
    A sample's score depends on the sample, the sets and what was learnt from the training rows, and on nothing else.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]
    additive: ClassVar[bool] = False
    """Is the score a sum over genes, of parts that do not depend on the set's other genes in the sample?"""
    sample_wise: ClassVar[bool] = True
    """Is nothing learnt from training rows, so that one pass over a cohort serves every training set?"""
    by_order: ClassVar[bool] = False
    """Does only the order of genes within the sample matter, so that any platform's values will do?"""
    least_samples: ClassVar[int] = 1
    """Fewest training rows that give the score its numbers."""

    weights_: Floats

    @abstractmethod
    def _learn(self, X: Floats) -> None:
        """Set what depends on the training rows ``X``, or on the sets alone."""

    @abstractmethod
    def _score(self, X: Floats) -> Floats:
        """Return samples x sets."""

    def _gene_values(self, X: Floats) -> Floats:
        """Return samples x genes, of which an additive score is a sum weighted by `_member_weights`."""
        raise FeatureError(
            f"A {self.name} score is not a sum over genes. Choose an additive scorer to resolve signatures to genes."
        )

    def _member_weights(self) -> Floats:
        """Return what multiplies each member's value in an additive score, ``(n_members,)``."""
        return self.weights_

    @final
    def fit(self, X: Floats, y: object = None, members: Any | None = None, names: Sequence[str] | None = None) -> Self:
        """Keep the sets and learn what the score needs from training rows.

        Parameters
        ----------
        X
            Training samples x genes, log2 expression.
        y
            Not used: no scorer sees a label.
        members
            Sparse genes x sets table of signed weights, positive for up and negative for down, as
            `responder_ml.features.gene_sets.members` returns. If absent, all genes make one set.
        names
            Name of each set; numbers if absent.

        Raises
        ------
        FeatureError
            The sets do not fit the genes, a set has no gene, or a weight is not finite.
        """
        X = validate_data(self, X, dtype=np.float64, order="C", ensure_min_samples=self.least_samples)
        table = _check_members(members, X.shape[1])
        self.gene_starts_, self.set_of_, self.member_weight_ = table.indptr, table.indices, table.data
        self.names_ = np.asarray([str(index) for index in range(table.shape[1])] if names is None else names, dtype=str)
        if self.names_.shape != (table.shape[1],):
            raise FeatureError(f"There are {self.names_.size} names for {table.shape[1]} sets. Give one for each set.")
        self._learn(X)
        return self

    @final
    def transform(self, X: Floats) -> Floats:
        """Return scores, samples x sets.

        Parameters
        ----------
        X
            Samples x genes, in the order and units of the training rows.
        """
        X = self._validated(X)
        scores = np.empty((len(X), self.names_.size))
        for start in range(0, len(X), _SAMPLES_AT_ONCE):
            rows = slice(start, start + _SAMPLES_AT_ONCE)
            scores[rows] = self._score(X[rows])
        return scores

    @final
    def gene_parts(self, X: Floats, columns: Sequence[int] | None = None) -> tuple[GeneParts, ...]:
        """Return what each gene adds to the score of each signature.

        Parameters
        ----------
        X
            Samples x genes.
        columns
            Which signatures; all if absent.

        Raises
        ------
        FeatureError
            The score is not a sum over genes.
        """
        values = self._gene_values(self._validated(X))
        chosen = range(self.names_.size) if columns is None else columns
        weights = self._member_weights()
        return tuple(self._parts_of(values, weights, column) for column in chosen)

    @final
    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the scores: scorer, two underscores, signature."""
        check_is_fitted(self, "names_")
        return np.asarray([f"{self.name}__{name}" for name in self.names_], dtype=object)

    @property
    def members(self) -> Any:
        """The signed weights of the sets, a sparse genes x sets table."""
        return self._table(self.member_weight_)

    def _table(self, entries: Floats) -> Any:
        """Return a sparse genes x sets table with one number for each member of each set."""
        shape = (self.n_features_in_, self.names_.size)
        return sparse.csr_array((entries, self.set_of_, self.gene_starts_), shape=shape)

    def _validated(self, X: Floats) -> Floats:
        check_is_fitted(self, "names_")
        # Arrays may come from a file, and a sparse product follows its indices unchecked.
        self.members.check_format(full_check=True)
        return np.asarray(validate_data(self, X, dtype=np.float64, order="C", reset=False), dtype=np.float64)

    def _parts_of(self, values: Floats, weights: Floats, column: int) -> GeneParts:
        entries = np.flatnonzero(self.set_of_ == column)
        genes = np.searchsorted(self.gene_starts_, entries, side="right") - 1
        return GeneParts(genes, values[:, genes] * weights[entries], weights[entries])


def _check_members(members: Any | None, n_genes: int) -> Any:
    given = sparse.csr_array(np.ones((n_genes, 1)) if members is None else members, dtype=np.float64)
    # Of its own, and with positions no wider than needed: a product reads one for each member of each set.
    narrow = np.int32 if max(given.nnz, *given.shape) < np.iinfo(np.int32).max else np.int64
    arrays = (given.data.copy(), given.indices.astype(narrow), given.indptr.astype(narrow))
    table = sparse.csr_array(arrays, shape=given.shape)
    table.sum_duplicates()
    if not table.data.all():
        table.eliminate_zeros()
    if table.shape[0] != n_genes:
        raise FeatureError(
            f"The sets are over {table.shape[0]} genes, the expression has {n_genes}. "
            "Build the sets on the genes of this expression, in the same order."
        )
    if not np.all(np.isfinite(table.data)):
        raise FeatureError("Some weights of the sets are not finite. Give finite numbers.")
    has_gene = np.zeros(table.shape[1], dtype=bool)
    has_gene[table.indices] = True
    empty = np.flatnonzero(~has_gene)
    if empty.size or table.shape[1] == 0:
        shown = ", ".join(map(str, empty[:5].tolist()))
        raise FeatureError(
            f"{empty.size} of {table.shape[1]} sets have no gene (columns {shown}). "
            "Leave them out, and keep at least one."
        )
    return table
