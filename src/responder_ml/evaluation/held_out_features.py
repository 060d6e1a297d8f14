"""The AUROC to expect of a model with some genes missing: its held-out training rows scored again without them.

A bundle holds the outer models of one repeat and, for each, the features of its held-out rows. These suffice: a feature
that lost all its genes is set to its training mean, as in scoring, and the AUROC compares subjects scored by one model, as
everywhere. For features of single genes this is what scoring does. When missing genes are imputed, a signature that lost
part of its genes keeps the share of its deviation from the mean that its present genes contribute. That is an
approximation, since the bundle does not hold the expression of these rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.search.draw import FoldModel, auto_members
from responder_ml.search.mean_model import Member, ScoringModel, unfitted_model

# The repeat whose outer models a bundle holds.
_REPEAT = 0


@dataclass(frozen=True)
class HeldOutFeatures:
    """Features of the held-out rows of some outer models.

    Attributes
    ----------
    values
        Standardised features of all rows, model by model and row by row, flat.
    model
        Index of the model that the row was held out from, per row.
    subject
        Index of its subject, per row.
    label
        0/1 per row.
    """

    values: Floats
    model: Indices
    subject: Indices
    label: Indices

    @classmethod
    def of(cls, models: Sequence[ScoringModel], labelled: LabelledCohort, fold: Indices) -> Self:
        """Collect the held-out rows of each model.

        Parameters
        ----------
        models
            One per fold.
        labelled
            The training samples.
        fold
            Fold of each sample.
        """
        rows = [np.flatnonzero(fold == number) for number in range(len(models))]
        features = [
            model.standardised(labelled.expression[of_fold]) for model, of_fold in zip(models, rows, strict=True)
        ]
        order = np.concatenate(rows)
        return cls(
            values=np.concatenate([of_fold.ravel() for of_fold in features]),
            model=np.repeat(np.arange(len(models)), [len(of_fold) for of_fold in rows]).astype(np.intp),
            subject=np.asarray(labelled.subject_of[order], dtype=np.intp),
            label=np.asarray(labelled.sample_labels[order], dtype=np.intp),
        )

    def decisions(self, models: Sequence[ScoringModel], present: Flags, policy: str) -> Floats:
        """Return the log-odds of each row from the model it was held out from, with some genes missing.

        Parameters
        ----------
        models
            The outer models.
        present
            Whether each training gene is measured.
        policy
            Policy for missing genes, as for `decide`.

        Raises
        ------
        ValueError
            Rows and models do not fit together.
        """
        parts, start = [], 0
        for number, model in enumerate(models):
            size = int(np.count_nonzero(self.model == number)), len(model.features_)
            values = self.values[start : start + size[0] * size[1]].reshape(size)
            start += size[0] * size[1]
            parts.append(model.classifier_.decision_function(values * _remaining_shares(model, present, policy)))
        if start != len(self.values) or np.any(np.diff(self.model) < 0):
            raise ValueError("the held-out rows do not belong to these models")
        return np.concatenate(parts)

    def auroc(self, models: Sequence[ScoringModel], present: Flags, policy: str) -> float:
        """Return the AUROC over subjects, each scored by the model it was held out from; parameters as for `decisions`."""
        decisions = self.decisions(models, present, policy)
        _, first, of_row = np.unique(self.subject, return_index=True, return_inverse=True)
        means = np.bincount(of_row, weights=decisions) / np.bincount(of_row)
        labels = self.label[first].astype(np.int8)
        return auroc(OutOfFold(labels, means[None], self.model[first][None], np.zeros((1, len(means)))))


def outer_models(procedure: Procedure, observed: ObservedResult, labelled: LabelledCohort) -> tuple[ScoringModel, ...]:
    """Return auto's model of each outer fold of the first repeat in a form that can score new samples.

    The search does not keep the steps from expression to features of a fitted model: those are fitted again here, to the same
    training rows.

    Parameters
    ----------
    procedure, observed
        The procedure, and its result on the observed labels.
    labelled
        Training samples.
    """
    result = observed.results[_REPEAT]
    search_data, labels = procedure.search_data, labelled.sample_labels
    fitted = []
    for members in auto_members([result]):
        model = unfitted_model([_member(procedure, of_fold) for of_fold in members])
        rows = result.fold != members[0].fold
        context = None if search_data.context is None else search_data.context.take(rows)
        fitted.append(model.fit(search_data.expression[rows], labels[rows], genes=search_data.genes, context=context))
    return tuple(fitted)


def _member(procedure: Procedure, of_fold: FoldModel) -> Member:
    candidate, params = procedure.candidates[of_fold.candidate], of_fold.tuned.params
    return Member(
        candidate, params, candidate.length(params, procedure.search_data.expression.shape[1]), of_fold.weight
    )


def held_out_features(
    models: Sequence[ScoringModel], observed: ObservedResult, labelled: LabelledCohort
) -> HeldOutFeatures:
    """Return the held-out rows of `outer_models`."""
    return HeldOutFeatures.of(models, labelled, observed.results[_REPEAT].fold)


def _remaining_shares(model: ScoringModel, present: Flags, policy: str) -> Floats:
    """Return the share of each feature's deviation from its training mean that remains."""
    names = set(model.genes_[present].tolist())
    shares = []
    for genes, parts in model.genes_of_features().values():
        size = np.abs(parts)
        remaining = np.array([str(gene) in names for gene in genes], dtype=np.bool_)
        shares.append(float(size[remaining].sum() / size.sum()) if size.sum() > 0 else 1.0)
    share = np.array(shares)
    return np.where(share >= 1.0 - 1e-12, 1.0, 0.0) if policy == "skip" else share
