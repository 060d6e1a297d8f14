"""A whole model from expression to log-odds: builder, prefix of its columns, standardisation, classifier."""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from responder_ml.arrays import Floats, Strings
from responder_ml.classifiers.learner import Learner
from responder_ml.errors import FeatureError
from responder_ml.features.builders.builder import Builder, prefix_columns
from responder_ml.features.builders.context import Context
from responder_ml.search.search_data import standardisation
from responder_ml.statistics.covariate_space import CovariateSpace, adjust

Prefixes = list[tuple[Builder, tuple[int, ...]]]
"""Unfitted builders, each with the lengths of the prefixes that a model uses of it."""


class FeatureModel(BaseEstimator, ABC):  # type: ignore[misc]
    """What models from expression to a decision share: features, standardised on the training rows, and a learner on these.

    A fitted model has ``mean_``, ``scale_`` and ``classifier_``, the learner. One that is adjusted for covariates, those of
    the context it was fitted with, has ``covariate_mean_``, ``covariate_coefficients_`` and ``covariate_constant_`` beside them
    (`statistics.covariate_space.adjust`), and needs the covariates of every sample, in the same columns.
    """

    @abstractmethod
    def columns(self, X: Floats) -> Floats:
        """Return the builder's columns as they are, samples x features."""

    @property
    def adjusts(self) -> bool:
        """Whether features are adjusted for covariates."""
        return getattr(self, "covariate_mean_", None) is not None

    @property
    def n_covariates(self) -> int:
        """Number of covariates, columns of words counted by their indicators."""
        return len(self.covariate_mean_) if self.adjusts else 0

    @property
    def mean_covariates(self) -> Floats | None:
        """The training mean of each covariate, shape ``(1, n_covariates)``; None where nothing is adjusted for."""
        return self.covariate_mean_[None] if self.adjusts else None

    def features(self, X: Floats, covariates: Floats | None = None) -> Floats:
        """Return the feature values before standardisation, samples x features.

        Parameters
        ----------
        X
            Samples x genes in the builder's units.
        covariates
            Samples x covariates, if the model is adjusted for any.

        Raises
        ------
        FeatureError
            The model is adjusted for covariates and there are none, or there are some and it is not.
        """
        values = self.columns(X)
        if self.adjusts != (covariates is not None):
            raise FeatureError(
                "This model is adjusted for covariates, which every sample needs: pass them, or `mean_covariates` to leave the "
                "features as they are."
                if self.adjusts
                else "This model is not adjusted for covariates. Leave them out."
            )
        if covariates is None:
            return values
        return adjust(values, covariates, self.covariate_mean_, self.covariate_coefficients_, self.covariate_constant_)

    def standardised(self, X: Floats, covariates: Floats | None = None) -> Floats:
        """Return the columns as the classifier sees them, samples x features, in training standard deviations."""
        return np.asarray((self.features(X, covariates) - self.mean_) / self.scale_, dtype=np.float64)

    def decision_function(self, X: Floats, covariates: Floats | None = None) -> Floats:
        """Return log-odds of the positive class, or the predicted outcome, shape ``(n_samples,)``; covariates as for `features`."""
        return np.asarray(self.classifier_.decision_function(self.standardised(X, covariates)), dtype=np.float64)

    def _learn_adjustment(self, X: Floats, context: Context | None) -> Floats:
        """Learn from training rows what covariates explain of the columns, and return these without it."""
        values = self.columns(X)
        covariates = None if context is None else context.adjusted
        if covariates is None:
            return values
        space = CovariateSpace.of(np.ones((1, len(values)), dtype=np.bool_), covariates)
        self.covariate_mean_ = space.mean[0]
        self.covariate_coefficients_, self.covariate_constant_ = space.coefficients(0, values)
        return self.features(X, covariates)


class LogOddsModel(ClassifierMixin, FeatureModel):  # type: ignore[misc]
    """A model from expression to log-odds of two classes, ``classes_``."""

    def predict_proba(self, X: Floats, covariates: Floats | None = None) -> Floats:
        """Return the probabilities of both classes, shape ``(n_samples, 2)``."""
        positive = expit(self.decision_function(X, covariates))
        return np.column_stack([1.0 - positive, positive])

    def predict(self, X: Floats, covariates: Floats | None = None) -> NDArray[Any]:
        """Return the likelier class of each sample."""
        positive = self.decision_function(X, covariates) > 0
        labels: NDArray[Any] = self.classes_[positive.astype(int)]
        return labels


class PrefixModel(LogOddsModel):
    """The same model as the search fits, but for one training set at a time and by plain steps.

    Parameters
    ----------
    builder
        Unfitted builder.
    classifier
        Unfitted classifier with its parameters set.
    n_features
        Length of the prefix; all columns if the builder offers fewer.

    Attributes
    ----------
    genes_
        Names of the genes it was trained on, in order.
    columns_
        Indices into the builder's ranked columns, in natural order, shape ``(n_used,)``.
    features_
        Names of the columns used.
    mean_, scale_
        Training mean and standard deviation of those columns.
    classes_
        The two labels; the second is positive.
    """

    def __init__(self, builder: Builder, classifier: Learner, n_features: int = 20) -> None:
        self.builder = builder
        self.classifier = classifier
        self.n_features = n_features

    @property
    def by_order(self) -> bool:
        """Whether it uses only the order of genes within a sample."""
        return bool(self.builder.by_order)

    @property
    def prefixes(self) -> Prefixes:
        """The unfitted builder, with the length of the prefix used of it."""
        return [(self.builder, (self.n_features,))]

    def fit(self, X: Floats, y: NDArray[Any], genes: Strings | None = None, context: Context | None = None) -> Self:
        """Learn every step from training rows.

        Parameters
        ----------
        X
            Samples x genes in the builder's units.
        y
            Two classes.
        genes
            Gene names.
        context
            Sample sheet of these rows and the samples outside the endpoint, for builders that use them. It is not stored.
        """
        self.builder_ = clone(self.builder).fit(X, y, genes=genes, context=context)
        self.genes_ = np.asarray(genes, dtype=str) if genes is not None else np.empty(0, dtype=str)
        self.columns_ = prefix_columns(self.builder_.position_, self.n_features, cumulative=self.builder_.cumulative)
        self.features_ = np.asarray(self.builder_.names_, dtype=str)[self.columns_]
        values = self._learn_adjustment(X, context)
        self.mean_, self.scale_ = standardisation(values)
        self.classifier_ = clone(self.classifier).fit((values - self.mean_) / self.scale_, y)
        self.classes_ = self.classifier_.classes_
        return self

    def columns(self, X: Floats) -> Floats:
        """Return the builder's columns as they are, samples x features."""
        check_is_fitted(self, "columns_")
        return np.asarray(self.builder_.transform(X)[:, self.columns_], dtype=np.float64)

    def genes_of_features(self) -> dict[str, tuple[Strings, Floats]]:
        """Return the genes of each feature and each gene's share of it, by the feature's name."""
        return {
            str(name): self.builder_.genes_of(int(column))
            for name, column in zip(self.features_, self.columns_, strict=True)
        }
