"""Which genes did more for the predictions than any gene does when subjects are relabelled.

Some gene always leads, on shuffled labels too. A gene's support is its held-out contribution towards the subject's true class;
its strength is the support's mean over its standard error between subjects, so that a gene counts that helps with animal after
animal, and not one with a huge say on a few. A gene is called out where its strength exceeds what the strongest gene of nearly all
relabelled runs of the procedure reaches. The strongest gene of each relabelling is compared, so the chance of calling out any gene
where labels mean nothing is at most alpha. Modules of correlated genes are compared with the strongest module in the same way, at a
level of their own. Nothing is called out of a run that, as a whole, does no better than on relabelled subjects: whole first, then
parts.

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
from responder_ml.explanation.attribution import Contributions, auto_models, contributions, explain_models
from responder_ml.explanation.modules import Modules, correlated_modules
from responder_ml.search.nested import DrawResult
from responder_ml.statistics.seeds import generator

_RELABELLINGS = 19
_REPEATS = 2


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
    """The bars to clear, and what stands beside them.

    Attributes
    ----------
    found
        Strengths over the same repeats as the relabelled runs.
    gene_bar, module_bar
        Strength that the best gene, or module, of at most a share alpha of relabelled runs exceeds; nan where not asked.
    """

    found: Strengths
    gene_bar: float
    module_bar: float

    def mark(self, genes: pd.DataFrame) -> pd.DataFrame:
        """Return a table of genes with their modules, their strengths, the bar and whether each clears it."""
        return _marked(genes, self.found.genes, self.gene_bar).assign(
            module=genes["gene"].map(self.found.grouping.lead_of).fillna("")
        )

    def mark_modules(self, modules: pd.DataFrame) -> pd.DataFrame:
        """Return a table of modules with their genes, their strengths, the bar and whether each clears it."""
        grouping = self.found.grouping
        named = modules.rename(columns={"gene": "module"})
        lead = named["module"]
        return _marked(named, self.found.modules, self.module_bar, "module").assign(
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
    whole: NullResult | None,
) -> CallOut:
    """Relabel subjects, re-run the whole procedure and compare each gene with the best gene of every relabelled run.

    Parameters
    ----------
    procedure, observed
        The procedure, and what it found on the observed labels.
    labelled
        Labels and strata.
    log2
        Log2 expression, samples x genes, for the modules.
    plan
        Of the null.
    whole
        The null of the whole procedure. Without one, with p not below alpha, or with too few labellings, nothing is compared.
    """
    repeats = min(_REPEATS, len(observed.results))
    of = partial(_strengths, labelled.genes, labelled.subject_of, log2)
    found = of(labelled.labels, observed.results[:repeats])
    # The fewest whose largest is exceeded with probability alpha.
    count = max(_RELABELLINGS, int(np.ceil(1.0 / plan.alpha)) - 1)
    too_few = count_labellings(labelled.labels, labelled.strata) <= count
    if whole is None or whole.p_value >= plan.alpha or too_few:
        return CallOut(found, float("nan"), float("nan"))
    relabelled = draw_labellings(labelled.labels, labelled.strata, count, generator(plan.seed, "call out"))
    largest = np.array(procedure.summaries(partial(_largest, of), list(relabelled), repeats))
    # Of count + 1 exchangeable maxima the observed one is among the first so many with probability at most alpha.
    allowed = int(np.floor(plan.alpha * (count + 1) + 1e-9))
    gene_bar, module_bar = np.sort(largest, axis=0)[::-1][allowed - 1]
    return CallOut(found, float(gene_bar), float(module_bar))


def strength(found: Contributions, labels: Labels, subject_of: Indices) -> Floats:
    """Return each gene's mean support over its standard error between subjects; 0 where subjects do not differ.

    Parameters
    ----------
    found
        Contributions.
    labels
        0 or 1 of each subject.
    subject_of
        Subject of each sample.
    """
    support = (2.0 * labels - 1.0) * by_subject(found.per_sample.T, subject_of, len(labels))
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
    explained, of_samples = explain_models(auto_models(results)), labels[subject_of]
    found = contributions(explained, genes, of_samples)
    grouping = correlated_modules(found, genes, log2, subject_of)
    grouped = contributions(explained, grouping.names, of_samples, grouping.signs)
    return Strengths(
        pd.Series(strength(found, labels, subject_of), index=found.genes),
        pd.Series(strength(grouped, labels, subject_of), index=grouped.genes),
        grouping,
    )


def _largest(
    of: Callable[[Labels, Sequence[DrawResult]], Strengths], labels: Labels, results: Sequence[DrawResult]
) -> tuple[float, float]:
    """Return the strengths of the strongest gene and module; none is weaker than nothing at all."""
    found = of(labels, results)
    return max(found.genes.max(), 0.0), max(found.modules.max(), 0.0) if len(found.modules) else 0.0


def _marked(table: pd.DataFrame, strengths: "pd.Series[float]", bar: float, key: str = "gene") -> pd.DataFrame:
    reached = table[key].map(strengths).fillna(0.0)
    return table.assign(strength=reached, null_high=bar, called_out=(reached > bar).astype(int))
