"""Which genes did more for the predictions than any gene does when subjects are relabelled.

Some gene always leads, on shuffled labels too. A gene is called out where its support, the mean held-out contribution towards the
subject's true class, exceeds what the best gene of nearly all relabelled runs of the procedure reaches. The largest support of
each relabelling is compared, so the chance of calling out any gene where labels mean nothing is at most alpha.

References
----------
Westfall PH, Young SS (1993) Resampling-based multiple testing. Wiley. (the maximum over genes)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.procedure import Observed, Procedure
from responder_ml.evaluation.relabel import count_labellings, draw_labellings
from responder_ml.explanation.attribution import GenesOf, auto_models, contributions
from responder_ml.search.nested import DrawResult
from responder_ml.statistics.seeds import generator

Labels = NDArray[np.int8]

# The fewest relabellings whose maximum-based p can be 0.05: a gene must do better than the best gene of every one.
_RELABELLINGS = 19
_REPEATS = 2


@dataclass(frozen=True)
class CallOut:
    """The bar a gene has to clear.

    Attributes
    ----------
    threshold
        Support that at most a share alpha of relabelled runs reach with their best gene; nan where it was not asked.
    support
        Support of each gene over the same repeats as the relabelled runs.
    """

    threshold: float
    support: "pd.Series[float]"

    def mark(self, genes: pd.DataFrame) -> pd.DataFrame:
        """Return a table of genes with the bar and whether each clears it."""
        clears = genes["gene"].map(self.support).fillna(0.0) > self.threshold
        return genes.assign(null_high=self.threshold, called_out=clears.astype(int))


def call_out(procedure: Procedure, observed: Observed, labelled: LabelledCohort, plan: NullPlan) -> CallOut:
    """Relabel subjects, re-run the whole procedure and compare each gene with the best gene of every relabelled run.

    Parameters
    ----------
    procedure, observed
        The procedure, and what it found on the observed labels.
    labelled
        Labels and strata.
    plan
        Of the null; without one, or with too few labellings, nothing is called out.
    """
    repeats = min(_REPEATS, len(observed.results))
    largest = partial(_largest_support, procedure.genes_of, labelled.subject_of)
    found = contributions(
        auto_models(observed.results[:repeats]), procedure.genes_of, labelled.labels[labelled.subject_of]
    )
    support = pd.Series(found.support.mean(axis=0), index=found.genes)
    if plan.permutations == 0 or count_labellings(labelled.labels, labelled.strata) <= _RELABELLINGS:
        return CallOut(float("nan"), support)
    rng = generator(plan.seed, "call out")
    relabelled = draw_labellings(labelled.labels, labelled.strata, _RELABELLINGS, rng)
    maxima = np.sort(procedure.summaries(largest, list(relabelled), repeats))[::-1]
    allowed = int(np.floor(plan.alpha * (_RELABELLINGS + 1))) - 1
    return CallOut(float(maxima[allowed]) if allowed >= 0 else float("nan"), support)


def _largest_support(
    genes_of: GenesOf, subject_of: NDArray[np.intp], labels: Labels, results: Sequence[DrawResult]
) -> float:
    found = contributions(auto_models(results), genes_of, labels[subject_of])
    return float(found.support.mean(axis=0).max(initial=0.0))
