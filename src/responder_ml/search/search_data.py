"""The input of a search: plain arrays of one endpoint, and one training set's columns standardised."""

from dataclasses import dataclass, replace

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.classifiers.learner import Target
from responder_ml.cohort.covariates import adjusted_covariates
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.missing_values import gaps_of
from responder_ml.features.builders.builder import Ranked, prefix_columns, prefix_slice
from responder_ml.features.builders.context import Context
from responder_ml.features.missing_genes import fill_from
from responder_ml.statistics.columns import rounding_share


@dataclass(frozen=True)
class SearchData:
    """Samples, genes and subjects of one endpoint, without labels.

    Attributes
    ----------
    expression
        Samples x genes in the cohort's units.
    genes
        Gene names.
    subject_of
        Subject index of each sample.
    strata
        Stratum code of each subject.
    context
        Sample sheet and samples outside the endpoint, for builders that use them.
    gaps
        Where ``expression`` is filled in because a value is missing, shape of ``expression``; None where nothing is. Every
        training set fills its gaps from its own rows.
    block_of
        Block of each subject, which every fold keeps together; None without any.
    """

    expression: Floats
    genes: Strings
    subject_of: Indices
    strata: Indices
    context: Context | None = None
    gaps: Flags | None = None
    block_of: Indices | None = None

    @classmethod
    def of(cls, labelled: LabelledCohort) -> "SearchData":
        """Take the arrays out of a labelled cohort."""
        expression, context, gaps = labelled.expression, context_of(labelled), gaps_of(labelled.cohort)
        if gaps is not None:
            everybody = np.ones(len(expression), dtype=np.bool_)
            expression = fill_from(expression, gaps, everybody, str(labelled.cohort.uns["units"]))
        of_subjects = labelled.subject_of, labelled.strata
        return cls(expression, labelled.genes, *of_subjects, context, gaps, labelled.block_of)

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return len(self.strata)

    @property
    def covariates(self) -> Floats | None:
        """What features are adjusted for, samples x covariates; None where nothing is."""
        return None if self.context is None else self.context.adjusted

    def without(self, genes: Flags) -> "SearchData":
        """Return the same samples without some genes, boolean over genes."""
        context = self.context
        if context is not None:
            context = replace(context, outside=context.outside[:, ~genes])
        gaps = None if self.gaps is None else self.gaps[:, ~genes]
        return replace(
            self, expression=self.expression[:, ~genes], genes=self.genes[~genes], context=context, gaps=gaps
        )

    def filled_from(self, rows: Flags, units: str) -> Floats:
        """Return the expression of all samples with its gaps filled from some rows alone, boolean over samples."""
        return self.expression if self.gaps is None else fill_from(self.expression, self.gaps, rows, units)

    def rows_of(self, subjects: Flags) -> Flags:
        """Return the samples of some subjects, boolean over samples."""
        return subjects[self.subject_of]


@dataclass(frozen=True)
class Block:
    """One training set's ranked columns, standardised with the training rows' mean and standard deviation.

    Attributes
    ----------
    position
        Natural position of each ranked column.
    train, test
        Standardised columns (best first) of training and held-out rows.
    labels
        0/1 label of each training row, or its graded outcome.
    cumulative
        As for `Ranked`.
    """

    position: Indices
    train: Floats
    test: Floats
    labels: Target
    cumulative: bool = False

    @classmethod
    def build(
        cls,
        ranked: Ranked,
        train: Indices,
        test: Indices,
        labels: Target,
        columns: Indices | None = None,
    ) -> "Block":
        """Standardise columns for the rows of one training set.

        Parameters
        ----------
        ranked
            The columns of this training set.
        train, test
            Training and held-out rows.
        labels
            0/1 per sample, or its graded outcome.
        columns
            Which of the ranked columns to take, in this order; all, best first, by default.
        """
        # Compiled code is slow to load, and checking a job does not need it.
        from responder_ml.search.standardise import standardise

        # Columns x samples, in the order of memory.
        values = np.ascontiguousarray(ranked.values().T)
        columns = np.arange(len(values)) if columns is None else columns
        fitted, held_out = np.empty((len(columns), len(train))), np.empty((len(columns), len(test)))
        standardise(values, columns, train, test, rounding_share(len(train)), fitted, held_out)
        return cls(ranked.position[columns], fitted.T, held_out.T, labels[train], ranked.cumulative)

    def columns(self, length: int) -> Indices:
        """Return the columns of a prefix of the given length, in natural order."""
        return prefix_columns(self.position, length, cumulative=self.cumulative)

    def as_ranked(self, length: int) -> slice:
        """Return the same columns in ranked order, as a slice that needs no copy."""
        return prefix_slice(length, len(self.position), cumulative=self.cumulative)


def context_of(labelled: LabelledCohort) -> Context:
    """Return what builders may use of a labelled cohort beside expression and labels."""
    endpoint, outside = labelled.endpoint, labelled.outside
    return Context(
        sheet=labelled.cohort.obs,
        column=endpoint.column,
        positive=endpoint.positive,
        negative=endpoint.negative,
        outside=np.asarray(outside.X, dtype=np.float64),
        outside_sheet=outside.obs,
        adjusted=adjusted_covariates(labelled),
    )


def standardisation(values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation (divisor n) per column; a constant column is divided by one."""
    mean = values.mean(axis=0)
    deviation = values - mean
    scale = np.sqrt(np.einsum("ij,ij->j", deviation, deviation) / len(deviation))
    return mean, np.where(scale > rounding_share(len(deviation)) * np.abs(mean), scale, 1.0)
