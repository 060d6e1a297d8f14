"""The headline again without some genes: does it rest on what handling switches on within minutes?

Immediate-early genes answer to the behavioural test, the handling and the time to sacrifice, which may differ between the classes
for reasons that have nothing to do with the drug. The whole procedure, tuning included, is run anew on expression without them.
"""

from dataclasses import dataclass

import numpy as np

from responder_ml.errors import FeatureError
from responder_ml.evaluation.intervals import corrected_t
from responder_ml.evaluation.metrics import auroc, fold_aurocs
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.features.facts import marker_sets

IMMEDIATE_EARLY = "immediate-early genes"
_KIND = "immediate_early"


@dataclass(frozen=True)
class GeneAblation:
    """The headline with and without some genes, on the same folds.

    Attributes
    ----------
    name
        What they are.
    genes
        Those the data have.
    auroc
        Without them; None where there are none, or where a builder needs them.
    difference, interval
        With less without over the same folds, and its corrected 95 % interval.
    """

    name: str
    genes: tuple[str, ...]
    auroc: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None


def ablate_early_genes(procedure: Procedure, observed: ObservedResult) -> GeneAblation:
    """Run the procedure without immediate-early genes on the labels and folds of the headline.

    Parameters
    ----------
    procedure, observed
        The procedure, and what it found with all genes.
    """
    listed = [gene for each in marker_sets(kinds=(_KIND,)) for gene in each.up]
    genes = procedure.search_data.genes
    early = np.isin(genes, listed)
    found = tuple(str(gene) for gene in genes[early])
    if not found:
        return GeneAblation(IMMEDIATE_EARLY, ())
    try:
        rest = procedure.without(early)
    except FeatureError:
        # A builder of these very genes has nothing to say without them.
        return GeneAblation(IMMEDIATE_EARLY, found)
    again = rest.observe(observed.auto.labels, len(observed.results)).auto
    gaps = fold_aurocs(observed.auto) - fold_aurocs(again)
    gain = corrected_t(gaps, 1.0 / (gaps.shape[1] - 1))
    return GeneAblation(
        IMMEDIATE_EARLY, found, auroc(again), auroc(observed.auto) - auroc(again), (float(gain.low), float(gain.high))
    )
