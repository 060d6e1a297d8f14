"""The AUROC to expect of a model with some genes missing: its held-out training rows scored again without them.

A bundle holds the classifier of every outer model of every repeat and the features of the rows it was held out from. These
suffice: a feature that lost all its genes is set to its training mean, as in scoring, and the AUROC compares subjects scored by one
model, as everywhere. With all genes it is the AUROC of the run. For features of single genes this is what scoring does. When
missing genes are imputed, a signature that lost part of its genes keeps the share of its deviation from the mean that its present
genes contribute. That is an approximation, since the bundle does not hold the expression of these rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.classifiers.learner import Learner
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.search.draw import FoldModel, auto_members
from responder_ml.search.mean_model import MeanClassifier, Member, ScoringModel, unfitted_model

HeldOutClassifier = Learner | MeanClassifier
"""From standardised features to log-odds."""

# The repeat whose outer models a bundle holds whole, to score new samples.
_REPEAT = 0


@dataclass(frozen=True)
class HeldOutFeatures:
    """Features of the held-out rows of all outer models.

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
    repeat
        Repeat of the outer folds, per model.
    n_features
        Number of features, per model.
    feature
        For each feature of each model, flat: its row in the table of shares, in which equal features are one row.
    share_start, share_gene, share
        The table: where each row starts (one more for the end), indices of its genes, and the size of each gene's share.
    """

    values: Floats
    model: Indices
    subject: Indices
    label: Indices
    repeat: Indices
    n_features: Indices
    feature: Indices
    share_start: Indices
    share_gene: Indices
    share: Floats

    @classmethod
    def of_first_format(
        cls, values: Floats, model: Indices, subject: Indices, label: Indices, models: Sequence[ScoringModel]
    ) -> Self:
        """Complete what the first format held: the rows of the outer models of one repeat, which the bundle has whole."""
        index_of = {str(gene): index for index, gene in enumerate(models[0].genes_.tolist())}
        table = _ShareTable()
        feature = [
            table.row([index_of[str(gene)] for gene in genes], shares)
            for fitted in models
            for genes, shares in fitted.genes_of_features().values()
        ]
        return cls(
            values,
            model,
            subject,
            label,
            repeat=np.zeros(len(models), dtype=np.intp),
            n_features=np.array([len(fitted.features_) for fitted in models], dtype=np.intp),
            feature=np.array(feature, dtype=np.intp),
            **table.arrays(),
        )

    def decisions(self, classifiers: Sequence[HeldOutClassifier], present: Flags, policy: str) -> Floats:
        """Return the log-odds of each row from the model it was held out from, with some genes missing.

        Parameters
        ----------
        classifiers
            Of the outer models.
        present
            Whether each training gene is measured.
        policy
            Policy for missing genes, as for `decide`.

        Raises
        ------
        ValueError
            Rows and models do not fit together.
        """
        rows_of = np.bincount(self.model, minlength=len(classifiers))
        sizes = self.n_features
        fits = len(rows_of) == len(sizes) == len(classifiers) and np.sum(rows_of * sizes) == len(self.values)
        if not fits or np.any(np.diff(self.model) < 0) or np.sum(sizes) != len(self.feature):
            raise ValueError("the held-out rows do not belong to these models")
        remaining = self._remaining_shares(present, policy)[self.feature]
        parts, start, first = [], 0, 0
        for classifier, rows, size in zip(classifiers, rows_of, sizes, strict=True):
            values = self.values[start : start + rows * size].reshape(rows, size)
            parts.append(classifier.decision_function(values * remaining[first : first + size]))
            start, first = start + rows * size, first + size
        return np.concatenate(parts)

    def auroc(self, classifiers: Sequence[HeldOutClassifier], present: Flags, policy: str) -> float:
        """Return the AUROC over subjects and repeats, each scored by the model it was held out from; see `decisions`."""
        decisions = self.decisions(classifiers, present, policy)
        repeat = self.repeat[self.model]
        shape = int(repeat.max()) + 1, int(self.subject.max()) + 1
        cell = repeat * shape[1] + self.subject
        count = np.bincount(cell, minlength=shape[0] * shape[1])
        means = np.bincount(cell, weights=decisions, minlength=len(count)) / np.maximum(count, 1)
        # A subject without a held-out row in some repeat is compared with none there: its fold has no other subject.
        folds = np.arange(len(count)) + len(classifiers)
        folds[cell] = self.model
        labels = np.zeros(shape[1], dtype=np.int8)
        labels[self.subject] = self.label
        return auroc(OutOfFold(labels, means.reshape(shape), folds.reshape(shape), np.zeros(shape)))

    def _remaining_shares(self, present: Flags, policy: str) -> Floats:
        """Return, for each row of the table, the share of the feature's deviation from its training mean that remains."""
        starts = self.share_start[:-1]
        whole = np.add.reduceat(self.share, starts)
        there = np.add.reduceat(self.share * present[self.share_gene], starts)
        share = np.divide(there, whole, out=np.ones_like(whole), where=whole > 0)
        return np.where(share >= 1.0 - 1e-12, 1.0, 0.0) if policy == "skip" else share


class _ShareTable:
    """Rows of genes with their shares, each different row once."""

    def __init__(self) -> None:
        self._rows: dict[bytes, int] = {}
        self._genes: list[Indices] = []
        self._shares: list[Floats] = []

    def row(self, genes: Sequence[int] | Indices, shares: Floats) -> int:
        """Return the number of the row of these genes, a new one where there is none."""
        indices, sizes = np.asarray(genes, dtype=np.intp), np.abs(np.asarray(shares, dtype=np.float64))
        key = indices.tobytes() + sizes.tobytes()
        if key not in self._rows:
            self._rows[key] = len(self._genes)
            self._genes.append(indices)
            self._shares.append(sizes)
        return self._rows[key]

    def arrays(self) -> dict[str, Any]:
        """Return the table as fields of `HeldOutFeatures`."""
        return {
            "share_start": np.cumsum([0, *map(len, self._genes)]).astype(np.intp),
            "share_gene": np.concatenate(self._genes),
            "share": np.concatenate(self._shares),
        }


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
        expression = search_data.filled_from(rows, str(labelled.cohort.uns["units"]))
        fitted.append(model.fit(expression[rows], labels[rows], genes=search_data.genes, context=context))
    return tuple(fitted)


def _member(procedure: Procedure, of_fold: FoldModel) -> Member:
    candidate, params = procedure.candidates[of_fold.candidate], of_fold.tuned.params
    return Member(
        candidate, params, candidate.length(params, procedure.search_data.expression.shape[1]), of_fold.weight
    )


def held_out_features(
    observed: ObservedResult, labelled: LabelledCohort
) -> tuple[tuple[MeanClassifier, ...], HeldOutFeatures]:
    """Return the classifier of every outer model of every repeat, and the features of the rows it was held out from."""
    table = _ShareTable()
    classifiers, values, rows, feature = [], [], [], []
    for members in auto_members(observed.results):
        sizes = [len(member.columns) for member in members]
        ends = np.cumsum(sizes)
        columns = [np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)]
        weights = np.array([member.weight for member in members])
        classifiers.append(MeanClassifier([member.classifier for member in members], columns, weights, int(ends[-1])))
        values.append(np.concatenate([member.test_features for member in members], axis=1).ravel())
        rows.append(members[0].test_rows)
        for member in members:
            shares = member.gene_shares
            for start, end in zip(shares.indptr[:-1], shares.indptr[1:], strict=True):
                feature.append(table.row(shares.indices[start:end], shares.data[start:end]))
    every = np.concatenate(rows)
    return tuple(classifiers), HeldOutFeatures(
        values=np.concatenate(values),
        model=np.repeat(np.arange(len(rows)), list(map(len, rows))).astype(np.intp),
        subject=np.asarray(labelled.subject_of[every], dtype=np.intp),
        label=np.asarray(labelled.sample_labels[every], dtype=np.intp),
        repeat=np.array([members[0].repeat for members in auto_members(observed.results)], dtype=np.intp),
        n_features=np.array([classifier.n_features for classifier in classifiers], dtype=np.intp),
        feature=np.array(feature, dtype=np.intp),
        **table.arrays(),
    )
