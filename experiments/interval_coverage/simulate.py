"""Cohorts, simple procedures and their true AUROCs, in plain numpy: thousands of cross-validations a minute.

Expression is Gaussian with modules of correlated genes, so that the AUROC of a linear score on infinitely many new subjects is
known exactly: ``Phi(w'd / sqrt(2 w'Sw))`` with difference of means d and covariance S. Other truths (a class of which half
responds, heavy tails) are scored on 4,000 new subjects.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

GENES = 600
MODULES = 20
FRESH = 2_000
"""New subjects of each class."""


@dataclass(frozen=True)
class Truth:
    """What distinguishes the classes.

    Attributes
    ----------
    kind
        ``null``, ``sparse`` (10 genes), ``dense`` (half of the genes, a little each), ``module`` (a latent factor),
        ``half`` (sparse, in half of the positives only), ``tails`` (sparse, t with 3 degrees of freedom), or ``nulltails``.
    effect
        Difference of means, in standard deviations of a gene (of a factor for ``module``).
    """

    kind: str
    effect: float = 0.0

    @property
    def difference(self):
        """Difference of the classes' means, genes."""
        shift = np.zeros(GENES)
        if self.kind in ("sparse", "half", "tails"):
            shift[: 10 * 30 : 30] = self.effect
        elif self.kind == "dense":
            shift[::2] = self.effect
        elif self.kind == "module":
            shift = loadings() @ np.eye(MODULES)[0] * self.effect
        return shift


def loadings():
    """Return genes x modules; each module's genes correlate at 0.5."""
    of_gene = np.arange(GENES) % MODULES
    return np.sqrt(0.5) * np.eye(MODULES)[of_gene]


def draw(truth, positives, negatives, rng):
    """Return expression, subjects x genes, positives first."""
    n = positives + negatives
    noise = np.sqrt(0.5) * rng.standard_normal((n, GENES)) + rng.standard_normal((n, MODULES)) @ loadings().T
    if truth.kind.endswith("tails"):
        noise /= np.sqrt(rng.chisquare(3, (n, 1)) / 3)
    shifted = np.arange(n) < positives
    if truth.kind == "half":
        shifted &= rng.random(n) < 0.5
    return noise + shifted[:, None] * truth.difference


def weights_ranked(x, y, train, top=20):
    """Return the t-ranked diagonal linear discriminant of each training set, sets x genes."""
    mean1, mean0, variance = moments(x, y, train)
    t = (mean1 - mean0) / np.sqrt(variance)
    cut = -np.partition(-np.abs(t), top, axis=1)[:, top : top + 1]
    return np.where(np.abs(t) > cut, (mean1 - mean0) / variance, 0.0)


def weights_all(x, y, train):
    """Return the difference of class means over all genes, sets x genes."""
    mean1, mean0, variance = moments(x, y, train)
    return (mean1 - mean0) / np.sqrt(variance)


def moments(x, y, train):
    """Return both means and the pooled variance, sets x genes."""
    one, zero = train * y, train * (1 - y)
    n1, n0 = one.sum(1, keepdims=True), zero.sum(1, keepdims=True)
    mean1, mean0 = one @ x / n1, zero @ x / n0
    within = (one @ x**2 - n1 * mean1**2 + zero @ x**2 - n0 * mean0**2) / (n1 + n0 - 2)
    return mean1, mean0, within + 0.05


PROCEDURES = {"ranked": weights_ranked, "all": weights_all}


def random_folds(y, folds, repeats, rng):
    """Return stratified folds, repeats x subjects."""
    out = np.empty((repeats, len(y)), dtype=int)
    for repeat in range(repeats):
        start = 0
        for label in (1, 0):
            rows = rng.permutation(np.flatnonzero(y == label))
            out[repeat, rows] = (np.arange(len(rows)) + start) % folds
            start += len(rows)
    return out


def complete_folds(y):
    """Return the design that compares every pair once: smaller class i in fold i, larger class j in (j + round) mod m."""
    small = 1 if y.sum() * 2 <= len(y) else 0
    rows, others = np.flatnonzero(y == small), np.flatnonzero(y != small)
    m = len(rows)
    out = np.empty((m, len(y)), dtype=int)
    out[:, rows] = np.arange(m)
    out[:, others] = (np.arange(len(others)) + np.arange(m)[:, None]) % m
    return out


def cross_validate(truth, x, y, folds, procedure, fresh=None):
    """Return decisions, repeats x subjects, and the mean true AUROC of the models, each weighted by the pairs it ranked."""
    numbers = np.arange(folds.max() + 1)
    train = (folds[:, None, :] != numbers[:, None]).reshape(-1, len(y)).astype(float)
    w = PROCEDURES[procedure](x, y, train)
    scores = (w @ x.T).reshape(len(folds), len(numbers), len(y))
    decisions = np.take_along_axis(scores, folds[:, None, :], axis=1)[:, 0]
    held = 1 - train
    pairs = (held @ y) * (held @ (1 - y))
    return decisions, float(pairs @ true_aurocs(truth, w, fresh) / pairs.sum())


def true_aurocs(truth, w, fresh):
    """Return the AUROC of each score on new subjects."""
    if fresh is None:
        spread = 0.5 * (w**2).sum(1) + ((w @ loadings()) ** 2).sum(1)
        return norm.cdf(w @ truth.difference / np.sqrt(2 * spread))
    scores = fresh @ w.T
    ranks = scores.argsort(0).argsort(0)[:FRESH].sum(0) + FRESH
    return (ranks - FRESH * (FRESH + 1) / 2) / FRESH**2


def fresh_subjects(truth, rng):
    """Return new subjects where the AUROC has no formula."""
    return draw(truth, FRESH, FRESH, rng) if truth.kind in ("half", "tails") else None
