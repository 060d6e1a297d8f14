"""How much the sets of genes chosen on different training sets agree, beyond what their sizes alone would give.

With M sets out of p features, ``q_j`` the share of sets that hold feature j and k the mean size of a set,

    stability = 1 - mean_j( M / (M - 1) q_j (1 - q_j) ) / ( k/p (1 - k/p) ).

1 means the same set every time, 0 is expected of sets drawn at random. The interval is the asymptotic one of the paper,
which takes the sets as independent; training sets that share subjects are not, so it is too narrow for folds of one
cohort.

References
----------
Nogueira S, Sechidis K, Brown G (2018) On the stability of feature selection algorithms. JMLR 18(174):1-54.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from responder_ml.arrays import Floats, Indices

_COVERAGE = 0.95


@dataclass(frozen=True)
class Stability:
    """Nogueira's stability with its interval.

    Attributes
    ----------
    value
        At most 1; 0 is expected of random sets; the least possible is ``-1 / (M - 1)`` of M sets.
    low, high
        Asymptotic 95 % interval, cut off at the possible values.
    """

    value: float
    low: float
    high: float


def selection_stability(sets: Sequence[ArrayLike], n_features: int) -> Stability | None:
    """Return the stability of sets of features; None where it is not defined.

    It is not defined with fewer than two sets, or if all sets are empty or all hold every feature.

    Parameters
    ----------
    sets
        Indices of the chosen features, 0 to ``n_features - 1``, each at most once per set.
    n_features
        Number of features to choose from (p).

    Raises
    ------
    ValueError
        An index is out of range or occurs twice in one set.
    """
    # Sorted, so that sums do not depend on the order in which a set is listed.
    chosen = [np.sort(np.asarray(features, dtype=np.intp).ravel()) for features in sets]
    for features in chosen:
        if features.size and (features[0] < 0 or features[-1] >= n_features or not np.diff(features).all()):
            raise ValueError(f"each set must hold distinct indices from 0 to {n_features - 1}")
    sizes = np.array([features.size for features in chosen], dtype=np.float64)
    if len(chosen) < 2 or sizes.sum() in (0, len(chosen) * n_features):
        return None
    return _nogueira(chosen, sizes, n_features)


def top_features(importance: ArrayLike, size: int) -> list[Indices]:
    """Return, for each row, the indices of the largest absolute values, largest first.

    A feature of zero importance is never among the top ones, so a row may give fewer than ``size``. Equal values are
    taken in order of index.

    Parameters
    ----------
    importance
        Models (or repeats) x features, such as mean absolute SHAP values in log-odds.
    size
        Length of the list, at least 1.

    Raises
    ------
    ValueError
        ``size`` is below 1, or an importance is nan.
    """
    table = np.atleast_2d(np.abs(np.asarray(importance, dtype=np.float64)))
    if size < 1 or np.isnan(table).any():
        raise ValueError("top lists need a length of at least 1, and importances that are not nan")
    order = np.argsort(-table, axis=1, kind="stable")[:, :size]
    return [indices[row[indices] > 0] for indices, row in zip(order, table, strict=True)]


def _nogueira(chosen: Sequence[Indices], sizes: Floats, n_features: int) -> Stability:
    n_sets = len(chosen)
    share = np.bincount(np.concatenate(chosen), minlength=n_features) / n_sets
    filled = float(sizes.mean()) / n_features
    by_chance = filled * (1 - filled)
    varied = n_sets / (n_sets - 1) * float(np.sum(share * (1 - share))) / n_features
    value = 1 - varied / by_chance
    agreement = np.array([share[features].sum() for features in chosen])
    influence = (
        agreement / n_features
        - sizes * filled / n_features
        + value / 2 * (2 * sizes * filled / n_features - sizes / n_features - filled + 1)
    ) / by_chance
    error = 2 / n_sets * float(np.sqrt(np.sum((influence - influence.mean()) ** 2)))
    half = float(norm.ppf(0.5 + _COVERAGE / 2)) * error
    return Stability(value, max(value - half, -1 / (n_sets - 1)), min(value + half, 1.0))
