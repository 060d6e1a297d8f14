"""The running scores of one training set's list of genes, as one compiled loop."""

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.statistics.compiled import compiled

_EPSILON = float(np.finfo(np.float64).eps)
# As `derived.directions` rounds.
_DECIMALS = 1e9


@compiled
def running_scores(by_gene: Floats, train: Indices, contrast: Floats, scores: Floats) -> None:
    """Write the mean over the first k genes of their signed z, for k = 1, 2, ...

    Does what `gene_scale`, `directions`, `frozen_z` and `running_score` do one after the other.

    Parameters
    ----------
    by_gene
        Genes x samples, log2 units, best gene first.
    train
        Training samples.
    contrast
        Each training sample's share of the difference between the classes, shape ``(n_train,)``.
    scores
        Array for the results, lengths x samples.
    """
    count, n_samples = len(train), by_gene.shape[1]
    total = np.zeros(n_samples)
    for gene in range(len(by_gene)):
        values = by_gene[gene]
        mean, difference, squares = 0.0, 0.0, 0.0
        for row in range(count):
            mean += values[train[row]]
            difference += contrast[row] * values[train[row]]
        mean /= count
        for row in range(count):
            squares += (values[train[row]] - mean) ** 2
        variance = squares / (count - 1)
        is_constant = variance <= count * _EPSILON * variance + (count * _EPSILON * mean) ** 2
        direction = np.sign(np.rint(difference * _DECIMALS))
        factor = 0.0 if is_constant else direction / np.sqrt(variance)
        share = 1.0 / (gene + 1)
        for sample in range(n_samples):
            total[sample] += factor * (values[sample] - mean)
            scores[gene, sample] = total[sample] * share
