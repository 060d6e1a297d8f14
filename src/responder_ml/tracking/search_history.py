"""How the search of one candidate went: its trials averaged over outer folds, and what mattered among its parameters."""

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.tracking.items import Metric, metrics, series

_STUDY = ["repeat", "fold"]


def search_items(trials: pd.DataFrame) -> Iterator[Metric]:
    """Yield the history and the importances of one candidate's search.

    Parameters
    ----------
    trials
        The candidate's rows of the run's table ``trials``.
    """
    if trials.empty:
        return
    ordered = trials.sort_values([*_STUDY, "trial"])
    best = ordered.groupby(_STUDY)["value"].cummax()
    for key, values in (("search/inner_auroc_by_trial", ordered["value"]), ("search/best_inner_auroc_so_far", best)):
        means = values.groupby(ordered["trial"]).mean()
        yield from series(key, zip(means.index, means, strict=True))
    yield from metrics(
        {f"search/spearman_with_inner_auroc.{name}": value for name, value in importances(ordered).items()}
    )


def importances(trials: pd.DataFrame) -> dict[str, float]:
    """Return each numeric parameter's Spearman correlation with the trial's value, averaged over outer folds.

    A cheap and signed stand-in for an importance: it sees trends, not optima in the middle of a range. A search where
    the parameter or the value never changed says nothing and is left out.

    Parameters
    ----------
    trials
        Rows of the table ``trials``, of one candidate.
    """
    settings = pd.DataFrame([json.loads(text) for text in trials["params"]], index=trials.index)
    found = {}
    for name in settings.select_dtypes("number").columns:
        studies = trials[[*_STUDY, "value"]].assign(setting=settings[name]).dropna().groupby(_STUDY)
        ranks = studies[["setting", "value"]].rank()
        correlations = [_correlation(ranks.loc[rows].to_numpy()) for rows in studies.groups.values()]
        known = [each for each in correlations if each is not None]
        if known:
            found[str(name)] = float(np.mean(known))
    return found


def _correlation(pairs: Floats) -> float | None:
    """Return the Pearson correlation of two columns, shape ``(n, 2)``; None where one is constant."""
    if np.any(np.ptp(pairs, axis=0) == 0):
        return None
    return float(np.corrcoef(pairs[:, 0], pairs[:, 1])[0, 1])
