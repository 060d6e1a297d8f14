"""Auto as one model from expression to log-odds: the weighted mean of candidates fitted to the same rows.

Candidates of one builder share it and the columns they have in common, so a mean of many is little larger than its builders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from responder_ml.arrays import Floats, Indices, Strings
from responder_ml.classifiers.learner import Learner
from responder_ml.features.builders.builder import Builder, prefix_columns
from responder_ml.features.builders.context import Context
from responder_ml.search.averaging import weighted_sum
from responder_ml.search.candidate import Candidate
from responder_ml.search.prefix_model import FeatureModel, LogOddsModel, Prefixes, PrefixModel
from responder_ml.search.search_data import standardisation


class MeanClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The weighted mean of the log-odds of fitted classifiers, each of which sees its own columns.

    Parameters
    ----------
    classifiers
        Fitted.
    columns
        The columns of each.
    weights
        Of each; they add up to one.
    n_features
        Number of columns of all together.
    """

    def __init__(
        self, classifiers: Sequence[Learner], columns: Sequence[Indices], weights: Floats, n_features: int
    ) -> None:
        self.classifiers = classifiers
        self.columns = columns
        self.weights = weights
        self.n_features = n_features

    @property
    def linear(self) -> bool:
        """Whether the decision is ``intercept_ + X @ coef_``."""
        return all(classifier.linear for classifier in self.classifiers)

    @property
    def coef_(self) -> Floats:
        """Weight of each column, log-odds per standard deviation, shape ``(n_features,)``; only if all are linear."""
        if not self.linear:
            raise AttributeError("a mean with trees in it has no coefficients")
        return weighted_sum(np.stack([self._of_columns(index) for index in range(len(self.columns))]), self._weights())

    @property
    def intercept_(self) -> float:
        """Log-odds at the columns' training means; only if all are linear."""
        if not self.linear:
            raise AttributeError("a mean with trees in it has no intercept")
        intercepts = np.array([float(classifier.intercept_) for classifier in self.classifiers])
        return float(weighted_sum(intercepts, np.asarray(self.weights)))

    def importance(self) -> Floats:
        """Return the size of each column's part in the decision, shape ``(n_features,)``.

        Absolute coefficients where all classifiers are linear. Otherwise the weighted mean of each classifier's shares: of a
        linear one its shares of the absolute coefficients, of trees equal ones.
        """
        if self.linear:
            return np.abs(self.coef_)
        shares = np.zeros((len(self.columns), self.n_features))
        for index, classifier in enumerate(self.classifiers):
            own = np.abs(classifier.coef_) if classifier.linear else np.ones(len(self.columns[index]))
            shares[index, self.columns[index]] = own / own.sum() if own.sum() > 0 else 0.0
        return weighted_sum(shares, self._weights())

    def decision_function(self, X: Floats) -> Floats:
        """Return log-odds of the positive class for standardised columns, shape ``(n_samples,)``."""
        decisions = [
            classifier.decision_function(X[:, columns])
            for classifier, columns in zip(self.classifiers, self.columns, strict=True)
        ]
        return weighted_sum(np.stack(decisions), self._weights())

    def _of_columns(self, index: int) -> Floats:
        coefficients = np.zeros(self.n_features)
        coefficients[self.columns[index]] = self.classifiers[index].coef_
        return coefficients

    def _weights(self) -> Floats:
        return np.asarray(self.weights, dtype=np.float64)[:, None]


class MeanOfMembers(FeatureModel):
    """The weighted mean of the decisions of several candidates fitted to the same rows.

    Parameters
    ----------
    names, builders
        Names of the distinct builders, and these, unfitted.
    builder_of
        Index of each member's builder.
    classifiers
        Unfitted classifier of each member, with its parameters set.
    lengths
        Length of each member's prefix; all columns if its builder offers fewer.
    weights
        Of each member; they add up to one.

    Attributes
    ----------
    genes_
        Names of the genes it was trained on, in order.
    builders_
        The fitted builders.
    columns_
        For each builder, indices into its ranked columns of those that any member uses, in natural order.
    features_
        Names of these columns, builder by builder; the builder's name and a colon come before names that occur in several.
    mean_, scale_
        Their training mean and standard deviation.
    classifier_
        The mean of the fitted classifiers, a `MeanClassifier`.
    """

    def __init__(
        self,
        names: Sequence[str],
        builders: Sequence[Builder],
        builder_of: Sequence[int],
        classifiers: Sequence[Learner],
        lengths: Sequence[int],
        weights: Sequence[float],
    ) -> None:
        self.names = names
        self.builders = builders
        self.builder_of = builder_of
        self.classifiers = classifiers
        self.lengths = lengths
        self.weights = weights

    @property
    def by_order(self) -> bool:
        """Whether it uses only the order of genes within a sample."""
        return all(builder.by_order for builder in self.builders)

    @property
    def prefixes(self) -> Prefixes:
        """Each unfitted builder with the lengths of the prefixes used of it."""
        return [
            (builder, tuple(length for length, of in zip(self.lengths, self.builder_of, strict=True) if of == index))
            for index, builder in enumerate(self.builders)
        ]

    def _fit_members(
        self, builders: Sequence[Builder], X: Floats, y: NDArray[Any], genes: Strings | None, context: Context | None
    ) -> list[Learner]:
        """Learn every further step from training rows, given fitted builders, and return the fitted learners."""
        self.builders_ = list(builders)
        self.genes_ = np.asarray(genes, dtype=str) if genes is not None else np.empty(0, dtype=str)
        prefixes = [
            prefix_columns(self.builders_[of].position_, length, cumulative=self.builders_[of].cumulative)
            for of, length in zip(self.builder_of, self.lengths, strict=True)
        ]
        self.columns_ = []
        for index, builder in enumerate(self.builders_):
            own = [prefix for prefix, of in zip(prefixes, self.builder_of, strict=True) if of == index]
            union = np.unique(np.concatenate(own))
            self.columns_.append(union[np.argsort(builder.position_[union], kind="stable")])
        self.features_ = self._feature_names()
        values = self._learn_adjustment(X, context)
        self.mean_, self.scale_ = standardisation(values)
        standardised = (values - self.mean_) / self.scale_
        start = np.cumsum([0, *(len(columns) for columns in self.columns_)])
        columns = [
            np.asarray(start[of] + _positions(self.columns_[of], prefix), dtype=np.intp)
            for prefix, of in zip(prefixes, self.builder_of, strict=True)
        ]
        fitted = [
            clone(classifier).fit(np.ascontiguousarray(standardised[:, own]), y)
            for classifier, own in zip(self.classifiers, columns, strict=True)
        ]
        self.classifier_ = MeanClassifier(fitted, columns, np.asarray(self.weights), len(self.features_))
        return fitted

    def columns(self, X: Floats) -> Floats:
        """Return the builders' columns as they are, samples x features."""
        check_is_fitted(self, "builders_")
        parts = [
            builder.transform(X)[:, columns] for builder, columns in zip(self.builders_, self.columns_, strict=True)
        ]
        return np.asarray(np.concatenate(parts, axis=1), dtype=np.float64)

    def genes_of_features(self) -> dict[str, tuple[Strings, Floats]]:
        """Return the genes of each feature and each gene's share of it, by the feature's name."""
        parts = [
            builder.genes_of(int(column))
            for builder, columns in zip(self.builders_, self.columns_, strict=True)
            for column in columns
        ]
        return dict(zip(self.features_.tolist(), parts, strict=True))

    def _feature_names(self) -> Strings:
        plain = [
            (name, str(feature))
            for name, builder, columns in zip(self.names, self.builders_, self.columns_, strict=True)
            for feature in np.asarray(builder.names_, dtype=str)[columns]
        ]
        features, counts = np.unique([feature for _, feature in plain], return_counts=True)
        several = set(features[counts > 1].tolist())
        return np.array([f"{name}:{feature}" if feature in several else feature for name, feature in plain], dtype=str)


class MeanModel(LogOddsModel, MeanOfMembers):
    """The weighted mean of the log-odds of several candidates, with the interface of `PrefixModel`.

    Parameters and attributes are those of `MeanOfMembers`; ``classes_`` are the two labels, of which the second is positive.
    """

    def fit(self, X: Floats, y: NDArray[Any], genes: Strings | None = None, context: Context | None = None) -> Self:
        """Learn every step of every member from training rows; parameters as for `PrefixModel.fit`."""
        builders = [clone(builder).fit(X, y, genes=genes, context=context) for builder in self.builders]
        self.classes_ = self._fit_members(builders, X, y, genes, context)[0].classes_
        return self


ScoringModel = PrefixModel | MeanModel
"""A model from expression to log-odds."""


@dataclass(frozen=True)
class Member:
    """A candidate of a mean, with its parameters.

    Attributes
    ----------
    candidate, params
        The candidate, and its tuned or fixed parameters.
    length
        Length of its prefix.
    weight
        Its weight; members of weight 0 are left out.
    """

    candidate: Candidate
    params: Mapping[str, Any]
    length: int
    weight: float


def members_in_use(members: Sequence[Member]) -> list[Member]:
    """Return the members that have a weight, in the order of their names."""
    return sorted((member for member in members if member.weight > 0), key=lambda member: member.candidate.name)


def unfitted_model(members: Sequence[Member]) -> ScoringModel:
    """Return the unfitted mean of candidates: the candidate's own model where only one has a weight.

    Parameters
    ----------
    members
        In any order: they stand in the order of their names.
    """
    used = members_in_use(members)
    if len(used) == 1:
        (only,) = used
        return PrefixModel(only.candidate.builder, only.candidate.make(only.params), only.length)
    return MeanModel(**mean_parameters(used))


def mean_parameters(used: Sequence[Member]) -> dict[str, Any]:
    """Return the parameters of the mean of some members."""
    builders = {member.candidate.builder_name: member.candidate.builder for member in used}
    names = list(builders)
    return {
        "names": names,
        "builders": list(builders.values()),
        "builder_of": [names.index(member.candidate.builder_name) for member in used],
        "classifiers": [member.candidate.make(member.params) for member in used],
        "lengths": [member.length for member in used],
        "weights": [member.weight for member in used],
    }


def _positions(columns: Indices, part: Indices) -> Indices:
    """Return where the entries of ``part`` stand in ``columns``."""
    order = np.argsort(columns, kind="stable")
    return np.asarray(order[np.searchsorted(columns[order], part)], dtype=np.intp)
