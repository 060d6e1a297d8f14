"""What every signature scorer shares: sets in, one frozen score per sample and set out.

`SignatureScorer` validates, stores the sets, goes through the samples in blocks and names the columns. A scorer file holds the
mathematics: module functions on plain arrays, and the two methods that call them, ``_learn`` and ``_score``. Sums over the
genes of every set are one sparse product (`set_sums`), never a dense genes x sets table.

A fitted scorer stores plain arrays of numbers and text, so that a bundle can hold it.
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

# The sums of so many samples over thousands of sets fit in a processor's second-level cache.
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
    """Score each sample on each signature, independently of the other samples.

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
    """Whether the score is a sum over genes, of parts that do not depend on the set's other genes in the sample."""
    sample_wise: ClassVar[bool] = True
    """Whether nothing is learnt from training rows, so that scoring a cohort once serves every training set."""
    by_order: ClassVar[bool] = False
    """Whether only the order of genes within the sample matters, so that values of any platform can be scored."""
    least_samples: ClassVar[int] = 1
    """Fewest training rows from which the score can be learnt."""

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
        """Return the weight of each member's value in an additive score, ``(n_members,)``."""
        return self.weights_

    @final
    def fit(self, X: Floats, y: object = None, members: Any | None = None, names: Sequence[str] | None = None) -> Self:
        """Store the sets and learn what the score needs from training rows.

        Parameters
        ----------
        X
            Training samples x genes, log2 expression.
        y
            Not used: no scorer uses labels.
        members
            Sparse genes x sets table of signed weights, positive for up and negative for down, as
            `responder_ml.features.membership.match_sets_to_genes` returns. If absent, all genes make one set.
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
        return self.parts_of(self.gene_values(X), columns)

    @final
    def gene_values(self, X: Floats) -> Floats:
        """Return samples x genes, of which an additive score is a sum, weighted by the signature.

        They do not depend on the signatures. Where a scorer uses one sample only, those of a cohort serve all signatures.

        Raises
        ------
        FeatureError
            The score is not a sum over genes.
        """
        return self._gene_values(self._validated(X))

    @final
    def scores_of(self, gene_values: Floats) -> Floats:
        """Return the scores of an additive scorer, samples x sets, from `gene_values`."""
        table, scores = self._table(self._member_weights()), np.empty((len(gene_values), self.names_.size))
        for start in range(0, len(gene_values), _SAMPLES_AT_ONCE):
            rows = slice(start, start + _SAMPLES_AT_ONCE)
            scores[rows] = set_sums(gene_values[rows], table)
        return scores

    @final
    def parts_of(self, gene_values: Floats, columns: Sequence[int] | None = None) -> tuple[GeneParts, ...]:
        """Return the same as `gene_parts`, from `gene_values`."""
        weights = self._member_weights()
        chosen = range(self.names_.size) if columns is None else columns
        return tuple(self._parts_of(gene_values, weights, column) for column in chosen)

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
        # Arrays may come from a file, and a sparse product uses its indices unchecked.
        self.members.check_format(full_check=True)
        return np.asarray(validate_data(self, X, dtype=np.float64, order="C", reset=False), dtype=np.float64)

    def _parts_of(self, values: Floats, weights: Floats, column: int) -> GeneParts:
        entries = np.flatnonzero(self.set_of_ == column)
        genes = np.searchsorted(self.gene_starts_, entries, side="right") - 1
        return GeneParts(genes, values[:, genes] * weights[entries], weights[entries])


def set_sums(values: Floats, weights: Any) -> Floats:
    """Return each sample's weighted sum over each set's genes, samples x sets.

    A sample's sums are added up in gene order, whatever the other samples. Fastest for some 20 samples at a time: their
    sums over thousands of sets then fit in a processor's cache.

    Parameters
    ----------
    values
        Samples x genes.
    weights
        ``scipy.sparse.csr_array``, genes x sets.
    """
    # Transposed, the rows of genes become columns that scipy reads once, in storage order.
    return np.asarray((weights.T @ np.ascontiguousarray(values.T)).T, dtype=np.float64)


def side_totals(members: Any, amounts: Floats) -> Floats:
    """Return, for each entry of the sets, the sum of ``amounts`` over all entries on its side of its set.

    Parameters
    ----------
    members
        ``scipy.sparse.csr_array``, genes x sets, signed: positive for up, negative for down.
    amounts
        One number for each stored entry of ``members``.
    """
    # Widened once: counting and indexing would each do it again.
    side = members.indices.astype(np.intp)
    if members.data.min(initial=0.0) < 0:
        side += members.shape[1] * (members.data < 0)
    return np.asarray(np.bincount(side, weights=amounts)[side], dtype=np.float64)


def _check_members(members: Any | None, n_genes: int) -> Any:
    source = sparse.csr_array(np.ones((n_genes, 1)) if members is None else members, dtype=np.float64)
    # A copy, with indices no wider than needed: a product reads one for each member of each set.
    narrow = np.int32 if max(source.nnz, *source.shape) < np.iinfo(np.int32).max else np.int64
    arrays = (source.data.copy(), source.indices.astype(narrow), source.indptr.astype(narrow))
    table = sparse.csr_array(arrays, shape=source.shape)
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
            "Leave them out, and have at least one set."
        )
    return table
