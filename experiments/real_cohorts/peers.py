"""Other classifiers as one would use them, each fitted to the training rows of an outer fold of the headline."""

import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from scipy.special import logit
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# As many thresholds as pamr tries.
N_THRESHOLDS = 30
INNER_FOLDS = 5

Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]
"""From training rows, their labels, held-out rows and a seed to the decisions on the held-out rows."""


def ridge(train: np.ndarray, labels: np.ndarray, held_out: np.ndarray, seed: int) -> np.ndarray:
    """Fit scikit-learn's logistic regression, C = 1, to all genes standardised on the training rows."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    return model.fit(train, labels).decision_function(held_out)


def shrunken_centroids(train: np.ndarray, labels: np.ndarray, held_out: np.ndarray, seed: int) -> np.ndarray:
    """Fit nearest shrunken centroids; the threshold with the best mean AUROC of inner folds, the largest of equal ones.

    The threshold runs from 0 to where every gene is shrunk to nothing in the training rows.

    References
    ----------
    Tibshirani R et al. (2002) doi:10.1073/pnas.082099299
    """
    varying = train.std(axis=0) > 1e-8
    train, held_out = train[:, varying], held_out[:, varying]
    largest = np.abs(centroids(train, labels).deviations_).max()
    thresholds = np.linspace(0.0, largest, N_THRESHOLDS, endpoint=False)
    folds = StratifiedKFold(min(INNER_FOLDS, np.bincount(labels).min()), shuffle=True, random_state=seed)
    scores = np.zeros(N_THRESHOLDS)
    for fitted, judged in folds.split(train, labels):
        decisions = centroid_decisions(train[fitted], labels[fitted], train[judged], thresholds)
        scores += [roc_auc_score(labels[judged], of_threshold) for of_threshold in decisions]
    best = np.flatnonzero(scores >= scores.max() - 1e-9)[-1]
    return centroid_decisions(train, labels, held_out, thresholds[[best]])[0]


def centroids(train: np.ndarray, labels: np.ndarray) -> NearestCentroid:
    """Return scikit-learn's class centroids with their standardised deviations from the overall centroid, not shrunk."""
    with warnings.catch_warnings():
        # A gene may be constant in the rows of an inner fold.
        warnings.filterwarnings("ignore", message="self.within_class_std_dev_ has at least 1 zero")
        return NearestCentroid().fit(train, labels)


def centroid_decisions(
    train: np.ndarray, labels: np.ndarray, held_out: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    """Return discriminant scores of class 1 against class 0, thresholds x held-out rows.

    The deviations are scikit-learn's; shrinking them here serves all thresholds with one fit. Distances are divided by the pooled
    standard deviations and their median, as in the original method, which scikit-learn leaves out. Priors are equal.
    """
    model = centroids(train, labels)
    scale = model.within_class_std_dev_ + np.median(model.within_class_std_dev_)
    spread = np.sqrt(1 / np.bincount(labels) - 1 / len(labels))[:, None]
    rows = (held_out - train.mean(axis=0)) / scale
    decisions = []
    for threshold in thresholds:
        shrunk = np.sign(model.deviations_) * np.clip(np.abs(model.deviations_) - threshold, 0, None)
        negative, positive = spread * shrunk
        decisions.append(rows @ (positive - negative) - 0.5 * (positive @ positive - negative @ negative))
    return np.array(decisions)


def random_forest(train: np.ndarray, labels: np.ndarray, held_out: np.ndarray, seed: int) -> np.ndarray:
    """Grow scikit-learn's forest of 500 trees, all else by default."""
    return positive_log_odds(RandomForestClassifier(500, random_state=seed, n_jobs=1), train, labels, held_out)


def in_context(train: np.ndarray, labels: np.ndarray, held_out: np.ndarray, seed: int) -> np.ndarray:
    """Show training rows and labels to GeneICL, one forward pass with its first checkpoint on the processor.

    References
    ----------
    https://arxiv.org/abs/2610.08694
    """
    from geneicl import GeneICL

    return positive_log_odds(GeneICL("classification", device="cpu"), train, labels, held_out)


def positive_log_odds(model: BaseEstimator, train: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Return log-odds of class 1 by a model that has probabilities."""
    shares = model.fit(train, labels).predict_proba(held_out)[:, 1].astype(np.float64)
    return logit(np.clip(shares, 1e-6, 1 - 1e-6))


PEERS: dict[str, Fit] = {"ridge": ridge, "shrunken centroids": shrunken_centroids, "random forest": random_forest}
if find_spec("geneicl") is not None:
    PEERS["geneicl"] = in_context
