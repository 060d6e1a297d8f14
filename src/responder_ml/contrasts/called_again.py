"""Of the genes that one study calls changed, how many a second study will call again, in the same direction.

A gene is called where its p is at most a level and its log2 change at least a size. What lies behind an observed change is taken
from all genes together: the true changes of genes, in units of their standard deviation, follow a mixture of normal
distributions around zero, whose shares are fitted to the observed changes (adaptive shrinkage, Stephens 2017). Observed changes
of genes go together, which makes their spread look like signal, so the variance of the mixture is at most the study's unbiased
signal.

References
----------
Stephens M (2017) False discovery rates: a new deal. Biostatistics 18:275-294. doi:10.1093/biostatistics/kxw041
"""

from dataclasses import dataclass, field
from math import log2, sqrt

import numpy as np
from scipy.special import ndtr
from scipy.stats import t as student_t

from responder_ml.arrays import Flags, Floats
from responder_ml.contrasts.gene_effects import z_of_t
from responder_ml.contrasts.study_change import StudyChange

# Scales of true changes, from a tenth of the noise to beyond the largest observed one, each this much larger than the one before.
_SMALLEST, _STEP = 0.1, 2.0**0.5
_ROUNDS = 200
# Share of the second study's noise that is its own, at least: none is where all its subjects are in the first.
_LEAST_OWN = 1e-9


@dataclass(frozen=True)
class CallRule:
    """When a gene is called changed.

    Attributes
    ----------
    p
        Largest two-sided p of moderated t.
    least_change
        Smallest size of its log2 change. The founding study's is taken to be a factor of 1.3, which is not verified.
    """

    p: float = 0.05
    least_change: float = log2(1.3)

    def called(self, study: StudyChange) -> Flags:
        """Return which genes a study calls, ``(n_genes,)``."""
        return np.asarray((p_values(study) <= self.p) & (np.abs(study.change) >= self.least_change), dtype=np.bool_)

    def threshold(self, sd: Floats, noise: float, df: float) -> Floats:
        """Return the least size of change that is called, in units of each gene's standard deviation.

        Parameters
        ----------
        sd
            Standard deviation of each gene, log2 units.
        noise
            Root of the sum of squared weights of the class coefficient.
        df
            Degrees of freedom of the moderated t.
        """
        return np.maximum(float(student_t.isf(self.p / 2.0, df)) * noise, self.least_change / sd)


@dataclass(frozen=True)
class ChangeMixture:
    """The mixture that the true changes of genes follow, in units of their standard deviation.

    Attributes
    ----------
    scales, shares
        Standard deviation of each part, the first 0, and its share of genes.
    noise
        Standard deviation of the error of an observed change.
    """

    scales: Floats = field(repr=False)
    shares: Floats = field(repr=False)
    noise: float

    @classmethod
    def fit(cls, observed: Floats, noise: float, most_variance: float) -> "ChangeMixture":
        """Fit the shares to observed changes by expectation and maximisation.

        Parameters
        ----------
        observed
            Change of each gene, in units of its standard deviation.
        noise
            Standard deviation of its error.
        most_variance
            The largest variance that the true changes may have; with 0 or less there are none.
        """
        largest = max(2.0 * float(np.max(np.abs(observed), initial=0.0)), noise)
        steps = int(np.ceil(np.log(largest / (_SMALLEST * noise)) / np.log(_STEP))) + 1
        scales = np.concatenate([[0.0], _SMALLEST * noise * _STEP ** np.arange(steps)])
        spread = np.sqrt(noise**2 + scales**2)
        log_density = -0.5 * (observed[:, None] / spread) ** 2 - np.log(spread)
        density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
        shares = np.full(len(scales), 1.0 / len(scales))
        for _ in range(_ROUNDS):
            shares = shares * (density.T @ (1.0 / (density @ shares))) / len(observed)
        variance = float(shares @ scales**2)
        if variance > max(most_variance, 0.0):
            scales = scales * sqrt(max(most_variance, 0.0) / variance)
        return cls(scales, shares, noise)

    def posterior(self, observed: Floats) -> tuple[Floats, Floats, Floats]:
        """Return share and mean of each part given an observed change, genes x parts, and the variance of each part."""
        spread = np.sqrt(self.noise**2 + self.scales**2)
        with np.errstate(divide="ignore"):
            logs = np.log(self.shares) - 0.5 * (observed[:, None] / spread) ** 2 - np.log(spread)
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        shrink = self.scales**2 / spread**2
        return weights / weights.sum(axis=1, keepdims=True), observed[:, None] * shrink, shrink * self.noise**2


@dataclass(frozen=True)
class CalledAgain:
    """What a second study is expected to call of the first one's called genes, in the same direction.

    Attributes
    ----------
    called
        Which genes the first study calls, ``(n_genes,)``.
    if_same
        Probability of each gene to be called again if the true changes are the same, ``(n_genes,)``.
    by_chance
        The same without any true change.
    """

    called: Flags = field(repr=False)
    if_same: Floats = field(repr=False)
    by_chance: Floats = field(repr=False)

    @property
    def n_called(self) -> int:
        """Genes the first study calls."""
        return int(self.called.sum())

    @property
    def expected(self) -> float:
        """Expected number called again if the true changes are the same."""
        return float(self.if_same[self.called].sum())

    @property
    def chance(self) -> float:
        """Expected number called again without any true change."""
        return float(self.by_chance[self.called].sum())


@dataclass(frozen=True)
class SecondStudy:
    """What decides whether a second study calls a gene.

    Attributes
    ----------
    noise
        Root of the sum of squared weights of its class coefficient: ``sqrt(1 / n1 + 1 / n0)`` for two groups.
    df
        Degrees of freedom of its moderated t.
    sd
        Standard deviation of each gene, log2 units.
    shared
        Correlation of both studies' errors, from subjects in both.
    """

    noise: float
    df: float
    sd: Floats = field(repr=False)
    shared: float = 0.0


def call_again(first: StudyChange, signal: float, second: SecondStudy, rule: CallRule) -> CalledAgain:
    """Predict which genes a second study calls in the same direction.

    Parameters
    ----------
    first
        The first study.
    signal
        Its mean squared true change per gene, unbiased; it may be negative.
    second
        The second study.
    rule
        When a gene is called.
    """
    noise = float(np.linalg.norm(first.coefficient.weights))
    observed = z_of_t(first.t, first.total_df) * noise
    size = np.abs(observed)
    least = rule.threshold(second.sd, second.noise, second.df)
    # The part of the first study's error that shared subjects carry into the second.
    carried = second.shared * second.noise / noise
    own = second.noise**2 * max(1.0 - second.shared**2, _LEAST_OWN)
    weights, mean, variance = ChangeMixture.fit(observed, noise, signal).posterior(size)
    centre = (1.0 - carried) * mean + carried * size[:, None]
    spread = np.sqrt((1.0 - carried) ** 2 * variance + own)
    return CalledAgain(
        called=rule.called(first),
        if_same=np.sum(weights * ndtr((centre - least[:, None]) / spread), axis=1),
        by_chance=ndtr((carried * size - least) / sqrt(own)),
    )


def observed_again(first: StudyChange, second: StudyChange, rule: CallRule) -> Flags:
    """Return which genes both studies call in the same direction, ``(n_genes,)``."""
    same = first.change * second.change > 0
    return np.asarray(rule.called(first) & rule.called(second) & same, dtype=np.bool_)


def p_values(study: StudyChange) -> Floats:
    """Return the two-sided p of each gene's moderated t."""
    return np.asarray(2.0 * student_t.sf(np.abs(study.t), study.total_df), dtype=np.float64)
