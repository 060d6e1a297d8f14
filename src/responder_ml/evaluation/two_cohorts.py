"""Two labelled cohorts matched: their common genes, the subjects in both, and one labelling of all individuals."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Indices, Labels
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.errors import EndpointError, ExpressionError, GeneNameError, list_names
from responder_ml.features.builders.context import Context
from responder_ml.search.search_data import SearchData, context_of
from responder_ml.search.splits import AcrossCohorts


@dataclass(frozen=True)
class TwoCohorts:
    """A cohort to train on and a cohort to test on, over the genes they have in common.

    Attributes
    ----------
    train, test
        Samples and subjects of each. The context of ``train`` has no sample of a subject of ``test``; ``test`` has no
        context, since nothing is learnt from it.
    train_labels, test_labels
        0/1 per subject of each.
    partner
        For each subject of ``train`` its index in ``test``, -1 where it is not in ``test``.
    coverage
        Share of the training cohort's genes that both have.
    """

    train: SearchData
    test: SearchData
    train_labels: Labels
    test_labels: Labels
    partner: Indices
    coverage: float

    @classmethod
    def of(cls, train: LabelledCohort, test: LabelledCohort) -> "TwoCohorts":
        """Match two cohorts.

        Raises
        ------
        ExpressionError
            They are in different units.
        GeneNameError
            They have no gene name in common.
        EndpointError
            A subject of both has different labels.
        """
        _check_units(train, test)
        common = np.isin(train.genes, test.genes)
        genes = train.genes[common]
        if not genes.size:
            raise GeneNameError(
                f"The cohorts have no gene name in common ({list_names(train.genes.tolist())} against "
                f"{list_names(test.genes.tolist())}). Use one kind of identifier in both."
            )
        column_of = {gene: column for column, gene in enumerate(test.genes.tolist())}
        columns = np.array([column_of[gene] for gene in genes.tolist()], dtype=np.intp)
        context = _context_without(context_of(train), common, test.subjects)
        return cls(
            train=SearchData(train.expression[:, common], genes, train.subject_of, train.strata, context),
            test=SearchData(test.expression[:, columns], genes, test.subject_of, test.strata),
            train_labels=train.labels,
            test_labels=test.labels,
            partner=_partners(train, test),
            coverage=float(common.mean()),
        )

    @property
    def n_shared(self) -> int:
        """Number of subjects in both cohorts."""
        return int(np.count_nonzero(self.partner >= 0))

    @property
    def split(self) -> AcrossCohorts:
        """Which subjects of `joined` may be trained on, and which get decisions."""
        n_train, n_test = self.train.n_subjects, self.test.n_subjects
        trains = np.arange(n_train + n_test) < n_train
        partner = np.where(self.partner >= 0, self.partner + n_train, -1)
        return AcrossCohorts(trains, ~trains, np.concatenate([partner, np.full(n_test, -1)]).astype(np.intp))

    def joined(self) -> SearchData:
        """Return the samples of both cohorts; an individual in both is two subjects, one per cohort.

        No row of the test cohort is ever in a training set, so its sheet is not read; copies of the first training
        sample's row take its place.
        """
        train, test = self.train, self.test
        context = train.context
        if context is not None:
            placeholder = context.sheet.iloc[np.zeros(len(test.expression), dtype=np.intp)]
            context = replace(context, sheet=pd.concat([context.sheet, placeholder]))
        return SearchData(
            expression=np.concatenate([train.expression, test.expression]),
            genes=train.genes,
            subject_of=np.concatenate([train.subject_of, test.subject_of + train.n_subjects]),
            strata=np.concatenate([train.strata, test.strata]),
            context=context,
        )

    @property
    def individual_of(self) -> Indices:
        """Return the index of the individual that each subject of `joined` is: the training cohort in order, then the others."""
        n_train, n_test = self.train.n_subjects, self.test.n_subjects
        of_test = np.full(n_test, -1, dtype=np.intp)
        shared = np.flatnonzero(self.partner >= 0)
        of_test[self.partner[shared]] = shared
        of_test[of_test < 0] = n_train + np.arange(n_test - len(shared))
        return np.concatenate([np.arange(n_train), of_test]).astype(np.intp)

    def labels_of_individuals(self) -> Labels:
        """Return the label of each individual."""
        individual = self.individual_of
        labels = np.empty(individual.max() + 1, dtype=np.int8)
        labels[individual] = np.concatenate([self.train_labels, self.test_labels])
        return labels

    def strata_of_individuals(self) -> Indices:
        """Return the stratum of each individual within which labels may be exchanged: membership and stratum in each cohort.

        Labels are exchanged between individuals of one membership only (first cohort, second, both), so every relabelling
        keeps the class sizes of each cohort.
        """
        individual = self.individual_of
        n_train = self.train.n_subjects
        codes = np.full((individual.max() + 1, 2), -1, dtype=np.intp)
        codes[individual[:n_train], 0] = self.train.strata
        codes[individual[n_train:], 1] = self.test.strata
        return np.asarray(np.unique(codes, axis=0, return_inverse=True)[1].ravel(), dtype=np.intp)


def _check_units(train: LabelledCohort, test: LabelledCohort) -> None:
    units = [str(cohort.cohort.uns["units"]) for cohort in (train, test)]
    if units[0] != units[1]:
        raise ExpressionError(
            f"One cohort is in {units[0]}, the other in {units[1]}. A transfer needs cohorts in one unit: give "
            "both in the same unit and declare it, or train on one and `score` the other."
        )


def _partners(train: LabelledCohort, test: LabelledCohort) -> Indices:
    index_of = {name: index for index, name in enumerate(test.subjects)}
    partner = np.array([index_of.get(name, -1) for name in train.subjects], dtype=np.intp)
    both = np.flatnonzero(partner >= 0)
    differ = both[train.labels[both] != test.labels[partner[both]]]
    if differ.size:
        raise EndpointError(
            f"{differ.size} subject(s) are in both cohorts with different labels: "
            f"{list_names([train.subjects[index] for index in differ])}. If they are different animals, give them different "
            "names; if not, correct the sheet."
        )
    return partner


def _context_without(context: Context, genes: Flags, subjects: tuple[str, ...]) -> Context:
    """Return a context over some genes, without the samples of some subjects outside the endpoint."""
    rows = ~context.outside_sheet["subject"].astype(str).isin(subjects).to_numpy()
    return replace(
        context, outside=context.outside[rows][:, genes], outside_sheet=context.outside_sheet.iloc[np.flatnonzero(rows)]
    )
