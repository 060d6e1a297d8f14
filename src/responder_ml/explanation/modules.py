"""Genes that rise and fall together, gathered into modules: which of them a model takes is arbitrary, their sum is less so.

Among the genes that contribute most, some belong together where the expression of every two of them correlates, whatever the sign
(complete linkage on 1 - |r|). Expression over all subjects of the endpoint is looked at and no label, so modules describe the
cohort; nothing is trained on them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import t

from responder_ml.arrays import Floats, Indices, Strings
from responder_ml.evaluation.metrics import by_subject
from responder_ml.explanation.attribution import Contributions

# Genes looked at: those that contribute most.
_MOST = 200
# Two genes share about two thirds of their variance, and so do not by chance alone: two-sided p of a single pair.
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
    signs: NDArray[np.int8]
    lead_of: dict[str, str]
    members: dict[str, tuple[str, ...]]
    weakest: dict[str, float]


def correlated_modules(found: Contributions, genes: Strings, log2: Floats, subject_of: Indices) -> Modules:
    """Gather the contributing genes into modules.

    Parameters
    ----------
    found
        Contributions of genes.
    genes
        Gene names of the cohort.
    log2
        Log2 expression, samples x genes of the cohort.
    subject_of
        Subject of each sample; a subject's samples are averaged.
    """
    n_subjects = int(subject_of.max()) + 1
    least = max(_LEAST_CORRELATION, _beyond_chance(n_subjects))
    modules = Modules(np.zeros(len(genes), dtype=genes.dtype), np.ones(len(genes), dtype=np.int8), {}, {}, {})
    places = _leading(found, genes)
    values = by_subject(log2[:, places].T, subject_of, n_subjects)
    places, values = places[np.ptp(values, axis=1) > 0], values[np.ptp(values, axis=1) > 0]
    if len(places) < 2:
        return modules
    r = np.corrcoef(values)
    distance = squareform(np.clip(1.0 - np.abs(r), 0.0, None), checks=False)
    member_of = fcluster(linkage(distance, "complete"), 1.0 - least, "distance")
    for module in np.unique(member_of):
        members = np.flatnonzero(member_of == module)
        if len(members) > 1:
            own, signs = genes[places[members]], np.where(r[members[0], members] < 0, -1, 1)
            lead = str(own[0])
            modules.names[places[members]], modules.signs[places[members]] = lead, signs
            modules.lead_of.update(dict.fromkeys(map(str, own), lead))
            modules.members[lead] = tuple(
                f"-{gene}" if sign < 0 else str(gene) for gene, sign in zip(own, signs, strict=True)
            )
            modules.weakest[lead] = float(np.abs(r[np.ix_(members, members)]).min())
    return modules


def _leading(found: Contributions, genes: Strings) -> Indices:
    """Return places in the cohort of the genes that contribute most, largest first."""
    size = found.size.mean(axis=0)
    order = np.lexsort((found.genes, -size))[:_MOST]
    place = {str(gene): index for index, gene in enumerate(genes)}
    return np.array([place[str(found.genes[each])] for each in order if size[each] > 0], dtype=np.intp)


def _beyond_chance(n_subjects: int) -> float:
    """Return the absolute correlation of so many independent pairs of values that has the two-sided p `_CHANCE`."""
    if n_subjects < 4:
        return 1.0
    critical = float(t.isf(_CHANCE / 2, n_subjects - 2))
    return critical / float(np.sqrt(n_subjects - 2 + critical**2))
