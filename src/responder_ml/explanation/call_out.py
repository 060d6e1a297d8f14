"""Which genes helped the predictions more than any gene does when subjects are relabelled.

Some gene always ranks first, on shuffled labels too. A gene's support is its held-out contribution towards the subject's true
class; its strength is the mean support over its standard error between subjects, so that a gene is strong if it helps with most
animals, and not if it contributes much to a few. A gene is called out where its strength exceeds what the strongest gene of nearly
all relabelled runs of the procedure reaches. The strongest gene of each relabelling is compared, so the chance of calling out any
gene where labels carry no information is at most alpha. Modules of correlated genes are compared with the strongest module in the
same way, at an alpha of their own. Nothing is called out of a run that, as a whole, does no better than on relabelled subjects.

References
----------
Westfall PH, Young SS (1993) Resampling-based multiple testing. Wiley. (the maximum over genes)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats, Indices, Labels, Strings
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.evaluation.metrics import by_subject
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.evaluation.relabel import count_labellings, draw_labellings
from responder_ml.explanation.attribution import Contributions, explain_auto, gather_contributions
from responder_ml.explanation.modules import Modules, correlated_modules
from responder_ml.progress import OnProgress
from responder_ml.search.draw import DrawResult
from responder_ml.statistics.seeds import generator

_RELABELLINGS = 19
REPEATS = 2
"""Repeats of the outer folds in each relabelled run, at most."""


@dataclass(frozen=True)
class Strengths:
    """How consistently genes and modules helped under one labelling.

    Attributes
    ----------
    genes, modules
        Strength by name.
    grouping
        The modules.
    """

    genes: "pd.Series[float]"
    modules: "pd.Series[float]"
    grouping: Modules


@dataclass(frozen=True)
class CallOut:
    """The strengths of genes and modules, and the thresholds to exceed.

    Attributes
    ----------
    strengths
        Over as many repeats as in the relabelled runs.
    gene_threshold, module_threshold
        Strength that the strongest gene, or module, of at most a share alpha of relabelled runs exceeds; nan where nothing was
        compared.
    """

    strengths: Strengths
    gene_threshold: float
    module_threshold: float

    def mark(self, genes: pd.DataFrame) -> pd.DataFrame:
        """Return a table of genes with their modules, their strengths, the threshold and whether each exceeds it."""
        return _marked(genes, self.strengths.genes, self.gene_threshold).assign(
            module=genes["gene"].map(self.strengths.grouping.lead_of).fillna("")
        )

    def mark_modules(self, modules: pd.DataFrame) -> pd.DataFrame:
        """Return a table of modules with their genes, their strengths, the threshold and whether each exceeds it."""
        grouping = self.strengths.grouping
        named = modules.rename(columns={"gene": "module"})
        lead = named["module"]
        return _marked(named, self.strengths.modules, self.module_threshold, "module").assign(
            genes=lead.map({name: " ".join(genes) for name, genes in grouping.members.items()}),
            n_genes=lead.map({name: len(genes) for name, genes in grouping.members.items()}),
            weakest_correlation=lead.map(grouping.weakest),
        )


def call_out(
    procedure: Procedure,
    observed: ObservedResult,
    labelled: LabelledCohort,
    log2: Floats,
    plan: NullPlan,
    null: NullResult | None,
    on_progress: OnProgress | None = None,
) -> CallOut:
    """Relabel subjects, re-run the whole procedure and compare each gene with the best gene of every relabelled run.

    Parameters
    ----------
    procedure, observed
        The procedure, and its result on the observed labels.
    labelled
        Labels and strata.
    log2
        Log2 expression, samples x genes, for the modules.
    plan
        The plan of the null: alpha and seed.
    null
        The null of the whole procedure. Without one, where it is not rejected, or with too few labellings, nothing is compared.
    on_progress
        Called after each block of relabelled runs.
    """
    repeats = min(REPEATS, len(observed.results))
    strengths_of = partial(_strengths, labelled.genes, labelled.subject_of, log2)
    strengths = strengths_of(labelled.labels, observed.results[:repeats])
    count = compared_relabellings(plan.alpha)
    too_few = count_labellings(labelled.labels, labelled.strata) <= count
    if null is None or not null.rejected(plan.alpha) or too_few:
        return CallOut(strengths, float("nan"), float("nan"))
    relabelled = draw_labellings(labelled.labels, labelled.strata, count, generator(plan.seed, "call out"))
    largest = np.array(procedure.summaries(partial(_largest, strengths_of), list(relabelled), repeats, on_progress))
    # Of count + 1 exchangeable maxima the observed one is among the first so many with probability at most alpha.
    allowed = int(np.floor(plan.alpha * (count + 1) + 1e-9))
    gene_threshold, module_threshold = np.sort(largest, axis=0)[::-1][allowed - 1]
    return CallOut(strengths, float(gene_threshold), float(module_threshold))


def compared_relabellings(alpha: float) -> int:
    """Return the fewest relabellings whose maximum is exceeded with a probability of at most alpha."""
    return max(_RELABELLINGS, int(np.ceil(1.0 / alpha)) - 1)


def strength(contributions: Contributions, labels: Labels, subject_of: Indices) -> Floats:
    """Return each gene's mean support over its standard error between subjects; 0 where subjects do not differ.

    Parameters
    ----------
    contributions
        Of genes or modules.
    labels
        0 or 1 of each subject.
    subject_of
        Subject of each sample.
    """
    support = (2.0 * labels - 1.0) * by_subject(contributions.per_sample.T, subject_of, len(labels))
    error = support.std(axis=1, ddof=1) / np.sqrt(len(labels))
    over = np.divide(support.mean(axis=1), error, out=np.zeros(len(support)), where=error > 0)
    return np.asarray(over, dtype=np.float64)


def _strengths(
    genes: Strings,
    subject_of: Indices,
    log2: Floats,
    labels: Labels,
    results: Sequence[DrawResult],
) -> Strengths:
    explanations, sample_labels = explain_auto(results), labels[subject_of]
    of_genes = gather_contributions(explanations, genes, sample_labels)
    grouping = correlated_modules(of_genes, genes, log2, subject_of)
    of_modules = gather_contributions(explanations, grouping.names, sample_labels, grouping.signs)
    return Strengths(
        pd.Series(strength(of_genes, labels, subject_of), index=of_genes.genes),
        pd.Series(strength(of_modules, labels, subject_of), index=of_modules.genes),
        grouping,
    )


def _largest(
    strengths_of: Callable[[Labels, Sequence[DrawResult]], Strengths], labels: Labels, results: Sequence[DrawResult]
) -> tuple[float, float]:
    """Return the strengths of the strongest gene and module, at least 0."""
    strengths = strengths_of(labels, results)
    return max(strengths.genes.max(), 0.0), max(strengths.modules.max(), 0.0) if len(strengths.modules) else 0.0


def _marked(table: pd.DataFrame, strengths: "pd.Series[float]", threshold: float, key: str = "gene") -> pd.DataFrame:
    strength = table[key].map(strengths).fillna(0.0)
    return table.assign(strength=strength, null_high=threshold, called_out=(strength > threshold).astype(int))
