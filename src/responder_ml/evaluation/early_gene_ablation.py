"""The headline without immediate-early genes: does it rest on genes that handling induces within minutes?

Immediate-early genes respond to the behavioural test, to handling and to the time before sacrifice, which may differ
between the classes for reasons that have nothing to do with the drug. The whole procedure, tuning included, is run again
on expression without them.
"""

from dataclasses import dataclass

import numpy as np

from responder_ml.cohort.known_genes import EARLY, find_group
from responder_ml.errors import FeatureError
from responder_ml.evaluation.intervals import corrected_t
from responder_ml.evaluation.metrics import auroc, fold_aurocs
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.progress import OnProgress

IMMEDIATE_EARLY = "immediate-early genes"


@dataclass(frozen=True)
class GeneAblation:
    """The AUROC of the headline with and without a group of genes, on the same folds.

    Attributes
    ----------
    name
        Name of the group.
    genes
        Genes of the group that the data have.
    auroc
        AUROC without these genes; None where the data have none, or where a builder needs them.
    difference, interval
        AUROC with these genes minus AUROC without them, over the same folds, with the corrected 95 % interval.
    """

    name: str
    genes: tuple[str, ...]
    auroc: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None


def ablate_early_genes(
    procedure: Procedure, observed: ObservedResult, on_progress: OnProgress | None = None
) -> GeneAblation:
    """Run the procedure without immediate-early genes on the labels and folds of the headline.

    Parameters
    ----------
    procedure, observed
        The procedure, and its result with all genes.
    on_progress
        Called after each repeat.
    """
    genes = procedure.search_data.genes
    early = np.zeros(len(genes), dtype=np.bool_)
    early[find_group(genes.tolist(), EARLY)] = True
    present = tuple(str(gene) for gene in genes[early])
    if not present:
        return GeneAblation(IMMEDIATE_EARLY, ())
    try:
        without_early = procedure.without(early)
    except FeatureError:
        # A builder that uses only these genes has no feature without them.
        return GeneAblation(IMMEDIATE_EARLY, present)
    # As many repeats as were observed, whatever the plan says: differences are taken fold by fold.
    ablated = without_early.observe(observed.auto.labels, len(observed.results), on_progress).auto
    differences = fold_aurocs(observed.auto) - fold_aurocs(ablated)
    test = corrected_t(differences, differences.shape[1])
    return GeneAblation(
        IMMEDIATE_EARLY,
        present,
        auroc(ablated),
        auroc(observed.auto) - auroc(ablated),
        (float(test.low), float(test.high)),
    )
