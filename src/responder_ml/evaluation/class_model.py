"""The linear model of a labelled cohort: log2 expression of its expressed genes, and the design of class, strata and covariates."""

from dataclasses import dataclass, field

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels, Strings
from responder_ml.cohort.covariates import adjusted_covariates
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.global_test import expressed_genes
from responder_ml.features.normalise import Normaliser


@dataclass(frozen=True)
class ClassModel:
    """What a linear model of every expressed gene needs.

    Attributes
    ----------
    log2
        Subjects x genes.
    genes
        Positions of its genes in the cohort.
    names
        Their names.
    others
        What is held constant: strata (pairs and blocks are strata) and covariates, subjects x columns.
    labels, strata
        0/1 label and stratum code of each subject.
    """

    log2: Floats = field(repr=False)
    genes: Indices = field(repr=False)
    names: Strings = field(repr=False)
    others: Floats = field(repr=False)
    labels: Labels
    strata: Indices

    @classmethod
    def of(cls, labelled: LabelledCohort) -> "ClassModel":
        """Normalise the expressed genes and set the design up.

        Parameters
        ----------
        labelled
            One row per subject.
        """
        genes = np.flatnonzero(expressed_genes(labelled))
        log2 = Normaliser(str(labelled.cohort.uns["units"]), "tmm").fit_transform(labelled.expression)[:, genes]
        covariates = adjusted_covariates(labelled)
        strata = np.asarray(labelled.strata[:, None] == np.unique(labelled.strata), dtype=np.float64)
        others = strata if covariates is None else np.column_stack([strata, covariates])
        return cls(log2, genes, labelled.genes[genes], others, labelled.labels, labelled.strata)

    @property
    def design(self) -> Floats:
        """Subjects x coefficients; the last is the class."""
        return np.column_stack([self.others, self.labels.astype(np.float64)])
