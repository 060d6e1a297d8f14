"""What carries a result: genes and modules with their held-out contributions, and which of them are called out."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.procedure import Observed, Procedure
from responder_ml.explanation.attribution import (
    Contributions,
    HeldOut,
    auto_models,
    contributions,
    explain_models,
)
from responder_ml.explanation.call_out import call_out
from responder_ml.explanation.signatures import signature_table


@dataclass(frozen=True)
class Carriers:
    """What carries a result.

    Attributes
    ----------
    explained
        Auto's outer models, explained on the rows they did not see.
    contributions
        The same gathered by gene.
    genes, modules, signatures
        The run's tables of these names.
    """

    explained: tuple[HeldOut, ...] = field(repr=False)
    contributions: Contributions = field(repr=False)
    genes: pd.DataFrame = field(repr=False)
    modules: pd.DataFrame = field(repr=False)
    signatures: pd.DataFrame = field(repr=False)


def find_carriers(
    procedure: Procedure,
    observed: Observed,
    labelled: LabelledCohort,
    log2: NDArray[np.float64],
    plan: NullPlan,
    whole: NullResult | None,
) -> Carriers:
    """Explain the outer models on held-out rows, gather by gene and by module, and call out what luck does not explain.

    Parameters
    ----------
    procedure, observed
        The procedure, and what it found on the observed labels.
    labelled
        Labels and strata.
    log2
        Log2 expression, samples x genes, for the modules.
    plan, whole
        As for `call_out`.
    """
    explained = explain_models(auto_models(observed.results))
    called = call_out(procedure, observed, labelled, log2, plan, whole)
    grouping = called.found.grouping
    of_genes = contributions(explained, labelled.genes, labelled.sample_labels)
    of_modules = contributions(explained, grouping.names, labelled.sample_labels, grouping.signs)
    return Carriers(
        tuple(explained),
        of_genes,
        called.mark(of_genes.table()),
        called.mark_modules(of_modules.table()),
        signature_table(procedure, observed, labelled.sample_labels),
    )
