"""Modules of correlated genes: which of these genes a model selects is arbitrary, their sum is less so.

Among the genes that contribute most, those form a module of which every two correlate, whatever the sign (complete linkage on
1 - |r|). Correlations are over all subjects of the endpoint and use no label, so modules describe the cohort; nothing is trained
on them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import t

from responder_ml.arrays import Floats, Indices, Signs, Strings
from responder_ml.evaluation.metrics import by_subject
from responder_ml.explanation.attribution import Contributions

# Genes considered: those that contribute most.
_MOST_GENES = 200
# Two genes of a module share about two thirds of their variance, and more than chance explains: two-sided p of one pair.
_LEAST_CORRELATION, _CHANCE = 0.8, 0.001


@dataclass(frozen=True)
class Modules:
    """Modules of at least two genes.

    Attributes
    ----------
    names
        The leading gene of each gene's module, empty for genes in none; shape ``(n_genes,)`` of the cohort.
    signs
        -1 for genes that fall as the leading one rises, else 1, shape ``(n_genes,)``.
    lead_of
        Leading gene by gene, of genes in a module.
    members
        Genes of each module by its leading gene, largest contribution first; a minus before genes with sign -1.
    weakest
        Least absolute correlation within each module, by the leading gene.
    """

    names: Strings
    signs: Signs
    lead_of: dict[str, str]
    members: dict[str, tuple[str, ...]]
    weakest: dict[str, float]


def correlated_modules(contributions: Contributions, genes: Strings, log2: Floats, subject_of: Indices) -> Modules:
    """Gather the contributing genes into modules.

    Parameters
    ----------
    contributions
        Of genes.
    genes
        Gene names of the cohort.
    log2
        Log2 expression, samples x genes of the cohort.
    subject_of
        Subject of each sample; a subject's samples are averaged.
    """
    n_subjects = int(subject_of.max()) + 1
    least = max(_LEAST_CORRELATION, _critical_correlation(n_subjects))
    modules = Modules(np.zeros(len(genes), dtype=genes.dtype), np.ones(len(genes), dtype=np.int8), {}, {}, {})
    leading = _leading_genes(contributions, genes)
    values = by_subject(log2[:, leading].T, subject_of, n_subjects)
    varies = np.ptp(values, axis=1) > 0
    leading, values = leading[varies], values[varies]
    if len(leading) < 2:
        return modules
    r = np.corrcoef(values)
    distance = squareform(np.clip(1.0 - np.abs(r), 0.0, None), checks=False)
    member_of = fcluster(linkage(distance, "complete"), 1.0 - least, "distance")
    for module in np.unique(member_of):
        members = np.flatnonzero(member_of == module)
        if len(members) > 1:
            own, signs = genes[leading[members]], np.where(r[members[0], members] < 0, -1, 1)
            lead = str(own[0])
            modules.names[leading[members]], modules.signs[leading[members]] = lead, signs
            modules.lead_of.update(dict.fromkeys(map(str, own), lead))
            modules.members[lead] = tuple(
                f"-{gene}" if sign < 0 else str(gene) for gene, sign in zip(own, signs, strict=True)
            )
            modules.weakest[lead] = float(np.abs(r[np.ix_(members, members)]).min())
    return modules


def _leading_genes(contributions: Contributions, genes: Strings) -> Indices:
    """Return the indices in the cohort of the genes that contribute most, largest first."""
    magnitude = contributions.magnitude.mean(axis=0)
    order = np.lexsort((contributions.genes, -magnitude))[:_MOST_GENES]
    index_of = {str(gene): index for index, gene in enumerate(genes)}
    return np.array(
        [index_of[str(contributions.genes[column])] for column in order if magnitude[column] > 0], dtype=np.intp
    )


def _critical_correlation(n_subjects: int) -> float:
    """Return the absolute correlation over ``n_subjects`` independent pairs of values whose two-sided p is `_CHANCE`."""
    if n_subjects < 4:
        return 1.0
    critical = float(t.isf(_CHANCE / 2, n_subjects - 2))
    return critical / float(np.sqrt(n_subjects - 2 + critical**2))
