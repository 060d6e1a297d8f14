"""What a model is worth with some genes missing: its held-out training rows scored again without them.

A bundle carries the outer models of one repeat and, for each, the features of the rows it did not see. That is little, and
enough: a feature that lost all its genes is set to its training mean, as in scoring, and the AUROC is taken over subjects one
model scored, as everywhere. For features of single genes this is what scoring does. A signature that lost part of its genes
keeps, when missing genes are imputed, the share of its deviation from the mean that its present genes carry: an approximation,
since the rows' expression itself is not carried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.search.prefix_model import PrefixModel

# The repeat whose outer models a bundle carries.
_REPEAT = 0


@dataclass(frozen=True)
class HeldOutFeatures:
    """Held-out rows of some outer models, as these see them.

    Attributes
    ----------
    values
        Standardised features of all rows, model by model and row by row, flat.
    model
        Place of the model that did not see it, per row.
    subject
        Place of its subject, per row.
    label
        0/1 per row.
    """

    values: Floats
    model: Indices
    subject: Indices
    label: Indices

    @classmethod
    def of(cls, models: Sequence[PrefixModel], labelled: LabelledCohort, fold: Indices) -> Self:
        """Take the rows each model did not see.

        Parameters
        ----------
        models
            One per fold.
        labelled
            All training samples.
        fold
            Fold of each sample.
        """
        rows = [np.flatnonzero(fold == number) for number in range(len(models))]
        seen = [model.standardised(labelled.expression[each]) for model, each in zip(models, rows, strict=True)]
        order = np.concatenate(rows)
        return cls(
            values=np.concatenate([each.ravel() for each in seen]),
            model=np.repeat(np.arange(len(models)), [len(each) for each in rows]).astype(np.intp),
            subject=np.asarray(labelled.subject_of[order], dtype=np.intp),
            label=np.asarray(labelled.sample_labels[order], dtype=np.intp),
        )

    def decisions(self, models: Sequence[PrefixModel], found: Flags, missing: str) -> Floats:
        """Return each row's log-odds from the model that did not see it, with some genes missing.

        Parameters
        ----------
        models
            The outer models.
        found
            Whether each training gene is there.
        missing
            Policy, as for `decide`.

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
            parts.append(model.classifier_.decision_function(values * _kept(model, found, missing)))
        if start != len(self.values) or np.any(np.diff(self.model) < 0):
            raise ValueError("the held-out rows do not belong to these models")
        return np.concatenate(parts)

    def auroc(self, models: Sequence[PrefixModel], found: Flags, missing: str) -> float:
        """Return the AUROC over subjects, each scored by the model that did not see it; parameters as `decisions`."""
        decisions = self.decisions(models, found, missing)
        _, first, of_row = np.unique(self.subject, return_index=True, return_inverse=True)
        means = np.bincount(of_row, weights=decisions) / np.bincount(of_row)
        labels = self.label[first].astype(np.int8)
        return auroc(OutOfFold(labels, means[None], self.model[first][None], np.zeros((1, len(means)))))


def outer_models(procedure: Procedure, observed: ObservedResult, labelled: LabelledCohort) -> tuple[PrefixModel, ...]:
    """Return the models of the first repeat's outer folds that can score a stranger, each the fold's own choice.

    The search keeps what it needs of a fitted model, not the steps from expression to features: those are fitted again here, to
    the same training rows.

    Parameters
    ----------
    procedure, observed
        The procedure, and what it found on the observed labels.
    labelled
        Training samples.
    """
    result = observed.results[_REPEAT]
    chosen = sorted(
        (model for model in result.models if result.chosen[model.fold] == model.candidate), key=lambda each: each.fold
    )
    search_data, labels = procedure.search_data, labelled.sample_labels
    fitted = []
    for each in chosen:
        candidate, params, rows = procedure.candidates[each.candidate], each.tuned.params, result.fold != each.fold
        model = PrefixModel(
            candidate.builder, candidate.make(params), candidate.length(params, search_data.expression.shape[1])
        )
        context = None if search_data.context is None else search_data.context.take(rows)
        fitted.append(model.fit(search_data.expression[rows], labels[rows], genes=search_data.genes, context=context))
    return tuple(fitted)


def held_out_features(
    models: Sequence[PrefixModel], observed: ObservedResult, labelled: LabelledCohort
) -> HeldOutFeatures:
    """Return the held-out rows of `outer_models`."""
    return HeldOutFeatures.of(models, labelled, observed.results[_REPEAT].fold)


def _kept(model: PrefixModel, found: Flags, missing: str) -> Floats:
    """Return how much of each feature's deviation from its training mean is left."""
    present = set(model.genes_[found].tolist())
    shares = []
    for members, parts in model.genes_of_features().values():
        size = np.abs(parts)
        there = np.array([str(member) in present for member in members], dtype=np.bool_)
        shares.append(float(size[there].sum() / size.sum()) if size.sum() > 0 else 1.0)
    whole = np.array(shares)
    return np.where(whole >= 1.0 - 1e-12, 1.0, 0.0) if missing == "skip" else whole
