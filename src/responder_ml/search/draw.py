"""A draw, one labelling of the subjects with one set of folds, and what its nested search gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.classifiers.learner import Learner, Target
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.search.averaging import weighted_sum
from responder_ml.search.tune import Tuned


@dataclass(frozen=True)
class SearchPlan:
    """The size of a search, and its seed.

    Attributes
    ----------
    folds, inner_folds
        Outer and inner folds of subjects.
    trials
        Optuna trials per candidate and outer training set; 0 means fixed forms, nothing tuned.
    seed
        The seed from which all others are derived.
    repeats
        Repeats of the outer folds, in the headline and in every relabelling alike.
    inner_repeats
        Repeats of the inner folds.
    complete
        Whether the outer folds are a complete design, which holds out every pair of subjects of different class and of
        one stratum together and has no random number; see `splits.complete_folds`.
    paired
        Whether the strata are matched pairs, whose members stay together in every fold.
    """

    folds: int
    inner_folds: int
    trials: int
    seed: int
    repeats: int = 1
    inner_repeats: int = 1
    complete: bool = False
    paired: bool = False

    def smallest_training(self, n_subjects: int) -> int:
        """Return about the fewest subjects of a training set, inner ones too, with folds of equal size."""
        outer = n_subjects - -(-n_subjects // self.folds)
        return outer if self.trials == 0 else outer - -(-outer // self.inner_folds)


@dataclass(frozen=True)
class Draw:
    """One labelling of the subjects, and the number that names its folds.

    Attributes
    ----------
    labels
        0/1 per subject, or `splits.NEITHER`: what folds are balanced by.
    repeat
        Draws of the same number and the same labelling have the same folds.
    outcome
        A graded outcome that is learnt in place of the labels, shape ``(n_subjects,)``; None where these are learnt.
    """

    labels: Labels
    repeat: int
    outcome: Floats | None = None

    @property
    def target(self) -> Target:
        """What is learnt of each subject: its label, or its outcome."""
        return self.labels if self.outcome is None else self.outcome


@dataclass(frozen=True)
class FoldModel:
    """A candidate fitted to one outer training set, with the features of the held-out rows.

    Attributes
    ----------
    candidate
        Index of the candidate.
    repeat, fold
        Which outer fold was held out.
    columns
        Natural positions of the features, in the order of the classifier's columns.
    test_rows
        Held-out samples.
    test_features
        Their standardised features, rows x features.
    classifier
        The fitted classifier.
    tuned
        The result of the inner search.
    inner_decisions
        Log-odds of each training subject from the inner models of the best trial, which did not see it; not-a-number
        for held-out subjects, empty where nothing was tuned. Shape ``(n_subjects,)``.
    gene_shares
        ``scipy.sparse.csr_array`` of each gene's share of each feature, features x genes.
    gene_parts
        What each gene adds to each standardised feature of the held-out rows: a feature is the sum of its parts. None
        where features are single genes or no sums over genes, for trees, and for models that auto does not use.
    weight
        Weight of the model in auto's decisions on the held-out rows.
    """

    candidate: int
    repeat: int
    fold: int
    columns: Indices
    test_rows: Indices
    test_features: Floats
    classifier: Learner
    tuned: Tuned
    inner_decisions: Floats
    gene_shares: Any
    gene_parts: tuple[GeneParts, ...] | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class DrawResult:
    """Out-of-fold decisions of one draw.

    Attributes
    ----------
    fold
        Outer fold of each sample.
    decisions
        Log-odds of each candidate (rows) for each sample, from the model that did not see its subject.
    inner_scores
        Best inner objective of each candidate (rows) in each outer fold (columns).
    weights
        Weight of each candidate (rows) in "auto" in each outer fold (columns); columns add up to one.
    models
        Fitted models, if they were requested.
    """

    fold: Indices
    decisions: Floats
    inner_scores: Floats
    weights: Floats
    models: tuple[FoldModel, ...] = ()

    @property
    def auto(self) -> Floats:
        """Log-odds per sample of the mean of the candidates, as weighted within each outer training set."""
        return weighted_sum(self.decisions, self.weights[:, self.fold])

    def members(self, fold: int) -> tuple[FoldModel, ...]:
        """Return the models that auto averages in one outer fold: the fitted ones whose weight is above 0."""
        return tuple(model for model in self.models if model.fold == fold and model.weight > 0)

    def inner_decisions(self, fold: int) -> Floats:
        """Return auto's log-odds of each subject from the inner models of one outer training set.

        Not-a-number for held-out subjects; empty where nothing was tuned or no model was kept.
        """
        members = self.members(fold)
        if not members or not all(model.inner_decisions.size for model in members):
            return np.empty(0)
        weights = np.array([[model.weight] for model in members])
        return weighted_sum(np.stack([model.inner_decisions for model in members]), weights)


def auto_members(results: Sequence[DrawResult]) -> list[tuple[FoldModel, ...]]:
    """Return, for every outer fold of every repeat, the models that auto averages."""
    return [
        result.members(fold)
        for result in results
        for fold in sorted({model.fold for model in result.models if model.weight > 0})
    ]
