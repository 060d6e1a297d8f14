"""Connectivity of a query signature with a profile: XSum, weighted connectivity (WTCS) and Zhang's score.

All work along the last axis; leading axes are labellings. Each is positive where the profile resembles the query and negative where
it opposes it, so reversal is the negative of each. Published p-values permute genes and ignore that genes are correlated; here
the null relabels subjects.

References
----------
Cheng J et al. (2014) Systematic evaluation of connectivity map for disease indications. Genome Med 6:95.
doi:10.1186/s13073-014-0095-1 (XSum)
Subramanian A et al. (2017) A next generation connectivity map. Cell 171:1437-1452. doi:10.1016/j.cell.2017.10.049 (WTCS)
Zhang SD, Gant TW (2008) A simple and robust method for connecting small-molecule drugs using gene-expression signatures.
BMC Bioinformatics 9:258. doi:10.1186/1471-2105-9-258
"""

import numpy as np

from responder_ml.arrays import Flags, Floats, Signs
from responder_ml.contrasts.ranking import Ranking, ranks_of, stable_order


def xsum(query: Signs, profile: Floats, ranking: Ranking, extreme: int) -> Floats:
    """Return the sum of the profile over up genes less that over down genes, among its ``extreme`` largest and smallest values.

    Parameters
    ----------
    query
        1 up, -1 down, 0 outside, ``(..., n_genes)``.
    profile
        Log2 fold changes or t, ``(..., n_genes)``.
    ranking
        Ranking of the profile.
    extreme
        Genes used at each end of the profile, at most half of them.
    """
    is_extreme = ranking.extremes(extreme) != 0
    return np.asarray(
        np.einsum("...g,...g->...", query.astype(np.float64), np.where(is_extreme, profile, 0.0)), dtype=np.float64
    )


def weighted_connectivity(query: Signs, profile: Floats, ranking: Ranking) -> Floats:
    """Return WTCS: half the difference of the weighted enrichment scores of up and down genes; 0 where they have the same sign.

    The enrichment score is the largest deviation from 0 of a running sum over genes from the largest profile value down, which
    rises at a member by its share of the members' absolute profile values and falls elsewhere by one over the number of others.

    Parameters
    ----------
    query, profile, ranking
        As for `xsum`.
    """
    order = ranking.order
    size = np.take_along_axis(np.abs(profile), order, axis=-1)
    ordered = np.take_along_axis(np.broadcast_to(query, profile.shape), order, axis=-1)
    up, down = (_enrichment(ordered == sign, size) for sign in (1, -1))
    return np.where(np.sign(up) * np.sign(down) > 0, 0.0, (up - down) / 2.0)


def zhang(query: Floats, profile: Floats) -> Floats:
    """Return Zhang's connection score with an ordered query, between -1 and 1.

    R_g is the rank of abs(profile) from 1 up, with the profile's sign; s_g likewise within the query's m genes.
    score = sum(s_g R_g) / sum_(i=1..m) (N - i + 1)(m - i + 1)

    Parameters
    ----------
    query
        Signed strength of each gene in the query, 0 outside it, ``(..., n_genes)``.
    profile
        ``(..., n_genes)``.
    """
    members = np.count_nonzero(query, axis=-1)
    total = profile.shape[-1]
    ranked = np.sign(profile) * _rank_of_size(profile)
    outside = (total - members)[..., None]
    ordered = np.sign(query) * np.maximum(_rank_of_size(query) - outside, 0)
    score = np.einsum("...g,...g->...", ordered, ranked)
    # The sum over i of (N - i + 1)(m - i + 1) in closed form, k = m - i + 1.
    m = np.asarray(members, dtype=np.float64)
    largest = m * (m + 1) * (2 * m + 1) / 6.0 + (total - m) * m * (m + 1) / 2.0
    return np.asarray(np.divide(score, largest, out=np.zeros(np.shape(score)), where=largest > 0), dtype=np.float64)


def _enrichment(member: Flags, size: Floats) -> Floats:
    weight = np.where(member, size, 0.0)
    total = weight.sum(axis=-1, keepdims=True)
    others = np.count_nonzero(~member, axis=-1)[..., None]
    steps = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    steps -= np.where(member, 0.0, 1.0 / np.maximum(others, 1))
    running = np.cumsum(steps, axis=-1)
    high, low = running.max(axis=-1), running.min(axis=-1)
    deviation = np.where(high > -low, high, low)
    return np.where(total[..., 0] > 0, deviation, 0.0)


def _rank_of_size(values: Floats) -> Floats:
    """Return ranks of absolute values from 1, ties in order of position."""
    return np.asarray(ranks_of(stable_order(np.abs(values))[0]) + 1.0, dtype=np.float64)
