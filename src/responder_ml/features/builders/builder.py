"""What every builder shares: fitted once per training set, it names feature columns in its own rank order.

A builder has no tunable parameter. The search tunes how long a prefix of its columns a classifier sees, so all trials of
all classifiers share one fitted builder per training set.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import check_is_fitted, validate_data

from responder_ml.arrays import Floats, Indices, Labels, Strings
from responder_ml.errors import FeatureError
from responder_ml.features.builders.context import Context
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.statistics.training_sets import TrainingSets


@dataclass(frozen=True)
class Ranked:
    """The columns one training set gives rise to, for every sample of the cohort.

    Attributes
    ----------
    position
        Index of each ranked column in the builder's natural order, best first, shape ``(n_ranked,)``.
    values
        Returns samples x ranked columns, best first.
    genes_of
        Returns the indices of the genes of a ranked column and each one's share of it (absolute shares add up to one).
    cumulative
        As for `Builder`.
    gene_parts
        Returns, for some ranked columns, what each gene adds to them in every sample; None where columns are not
        sums over genes, or are single genes.
    """

    position: Indices
    values: Callable[[], Floats]
    genes_of: Callable[[int], tuple[Indices, Floats]]
    cumulative: bool = False
    gene_parts: Callable[[Sequence[int]], tuple[GeneParts, ...]] | None = None


class Shared(Protocol):
    """A builder's work on one cohort that depends on no training set, and the ranking of many training sets at once."""

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return the ranked columns of every training set."""


class Builder(TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Turn expression into named feature columns in rank order.

    Attributes
    ----------
    position_
        Index of each column in the builder's natural order, best first.
    names_
        Name of each column, best first.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]
    shortest: ClassVar[int] = 1
    """Fewest columns worth searching."""
    fixed_length: ClassVar[int] = 20
    """Columns used where the classes are too small to tune anything."""
    of_signatures: ClassVar[bool] = False
    """Whether columns are signatures with fixed names; `share` then returns an object with these in natural order as ``names``."""
    cumulative: ClassVar[bool] = False
    """Whether column k combines the first k ranked things, so that a prefix is its last column alone."""
    takes_outcomes: ClassVar[bool] = False
    """Whether columns can be ranked by a graded outcome, too; others need classes."""
    finite: ClassVar[bool | Literal["allow-nan"]] = True
    """Whether every value must be a finite number."""

    @property
    def by_order(self) -> bool:
        """Whether a fitted builder uses only the order of genes within a sample, whatever the scale."""
        return False

    def check(self, context: Context) -> None:
        """Check, before anything is computed, that the sample sheet has what the builder needs.

        Raises
        ------
        FeatureError
            A column or a group is missing.
        """

    def notes(self, genes: Strings) -> tuple[str, ...]:
        """Return what a reader must know about the builder on these genes, such as the coverage of gene sets.

        Raises
        ------
        FeatureError
            The builder cannot be used on these genes.
        """
        return ()

    @abstractmethod
    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> Shared:
        """Do the part of the work that depends on no training set, once per cohort.

        Parameters
        ----------
        X
            Samples x genes in the cohort's units, every sample of the endpoint. Labels are not passed.
        genes
            Gene names, shape ``(n_genes,)``.
        context
            Sample sheet and samples outside the endpoint, for builders that use them.
        """

    @abstractmethod
    def _fit(self, X: Floats, labels: Any, genes: Strings, context: Context | None) -> None:
        """Learn from training rows ``X`` and 0/1 labels (int8) or a graded outcome (float64); set ``position_`` and ``names_``."""

    @abstractmethod
    def _transform(self, X: Floats) -> Floats:
        """Return samples x columns in rank order."""

    def fit(self, X: Floats, y: NDArray[Any], genes: Strings | None = None, context: Context | None = None) -> Self:
        """Learn the columns and their order from training rows.

        Parameters
        ----------
        X
            Training samples x genes in ``units``.
        y
            Two classes, shape ``(n_samples,)``; the one sorted last is positive.
        genes
            Gene names; the columns' names of a data frame if not given, else ``x0, x1, ...``.
        context
            Sheet of these rows (`Context.take`) and samples outside the endpoint. It is not kept.

        Raises
        ------
        ValueError
            There are not exactly two classes.
        FeatureError
            The data or the context lack what the builder needs.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=self.finite)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) != 2:
            count = f"{len(classes)} class" + ("es" if len(classes) != 1 else "")
            raise ValueError(f"{type(self).__name__} ranks columns between 2 classes, but found {count}.")
        return self._fit_checked(X, codes.astype(np.int8), genes, context)

    def fit_outcome(
        self, X: Floats, outcome: Floats, genes: Strings | None = None, context: Context | None = None
    ) -> Self:
        """Learn the columns and their order from training rows with a graded outcome.

        Parameters
        ----------
        X, genes, context
            As for `fit`.
        outcome
            Finite numbers, shape ``(n_samples,)``.

        Raises
        ------
        FeatureError
            The builder ranks by classes only, or the data or the context lack what it needs.
        """
        if not self.takes_outcomes:
            raise FeatureError(f"The builder '{self.name}' needs classes, and cannot rank columns by a graded outcome.")
        X, outcome = validate_data(self, X, outcome, dtype=np.float64, y_numeric=True, ensure_all_finite=self.finite)
        return self._fit_checked(X, np.asarray(outcome, dtype=np.float64), genes, context)

    def _fit_checked(self, X: Floats, labels: Labels | Floats, genes: Strings | None, context: Context | None) -> Self:
        if genes is None:
            # Those of a data frame, which scikit-learn has just noted.
            numbered = [f"x{index}" for index in range(X.shape[1])]
            genes = np.asarray(getattr(self, "feature_names_in_", numbered), dtype=str)
        if context is not None and len(context.sheet) != len(X):
            raise FeatureError(
                f"The sample sheet has {len(context.sheet)} rows for {len(X)} rows of expression. Pass the sheet of the same rows."
            )
        self._fit(X, labels, np.asarray(genes, dtype=str), context)
        return self

    def transform(self, X: Floats) -> Floats:
        """Return samples x columns, best column first."""
        check_is_fitted(self, "position_")
        return self._transform(validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite=self.finite))

    def __sklearn_tags__(self) -> Any:
        """Declare that two classes are needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the columns' names, best first."""
        check_is_fitted(self, "position_")
        return np.asarray(self.names_, dtype=object)

    def genes_of(self, column: int) -> tuple[Strings, Floats]:
        """Return the genes of a ranked column and each one's share of it (absolute shares add up to one)."""
        check_is_fitted(self, "position_")
        return np.asarray([self.names_[column]], dtype=str), np.ones(1)


def is_graded(labels: Labels | Floats) -> bool:
    """Return whether labels are a graded outcome, and no classes."""
    return labels.dtype.kind == "f"


def prefix_slice(length: int, available: int, *, cumulative: bool) -> slice:
    """Return the slice of the ranked columns that makes a prefix.

    Parameters
    ----------
    length
        Length of the prefix.
    available
        Number of ranked columns.
    cumulative
        Whether the last column of a prefix stands for all of it.
    """
    end = min(length, available)
    return slice(end - 1 if cumulative else 0, end)


def prefix_columns(position: Indices, length: int, *, cumulative: bool) -> Indices:
    """Return indices of a prefix of the ranked columns, sorted as they stand in the builder's natural order.

    Trees draw columns by index and sums round by order, so a prefix must look like the output of any feature selector.

    Parameters
    ----------
    position
        Natural position of each ranked column.
    length, cumulative
        As for `prefix_slice`.
    """
    part = prefix_slice(length, len(position), cumulative=cumulative)
    return np.asarray(part.start + np.argsort(position[part], kind="stable"), dtype=np.intp)
