"""Do external signatures differ between the classes, and do the cohort's own changes go along them?

A signature was fixed before and elsewhere, so its score is one number per subject and nothing is trained. Two questions:

* the score's contrast: the standardised difference between the classes in a linear model with strata and covariates, and the AUROC
  within strata;
* the agreement of every gene's moderated t with the signature (`contrasts.signature_agreement`).

The null of both is the same: classes exchanged between subjects within strata, all ways where they are few. Every statistic is
computed again under each labelling, its mean there is its value with no effect, and p counts labellings whose statistic lies at
least as far from that mean. Without covariates p is exact; with covariates labels are exchanged as if the covariates did not go
with them, and t, which allows for them, keeps p near its level.

p over all signatures are corrected by Westfall and Young's step-down, which knows how signatures that share genes go together.

References
----------
Hedges LV (1981) Distribution theory for Glass's estimator of effect size. J Educ Stat 6:107-128. doi:10.3102/10769986006002107
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import gammaln
from scipy.stats import t as student

from responder_ml.arrays import Flags, Floats, Indices, Labels
from responder_ml.contrasts.signature_agreement import SignatureWeights
from responder_ml.errors import ContrastError
from responder_ml.evaluation.relabel import count_labellings, relabellings, smallest_exact_p
from responder_ml.evaluation.westfall_young import correct_p_values
from responder_ml.statistics.columns import rounding_share
from responder_ml.statistics.concordance import pair_table
from responder_ml.statistics.many_contrasts import MODELS_PER_BLOCK, Designs, ManyContrasts

RELABELLINGS = 2000
"""All labellings where they are no more than this; otherwise so many, the observed one among them."""
MOST_RELABELLINGS = 1_000_000
"""More are refused: they would take days, and memory that nobody has."""
_TAIL = 0.025
# Statistics that differ by less, in spreads of their null, are the same but for rounding.
_ROUNDING = 1e-9
# Share of its variation that a labelling must have beside the covariates.
_LEAST_RESIDUAL = 1e-9


@dataclass(frozen=True)
class RelabelledStatistic:
    """One statistic of every signature beside its values for relabelled subjects; each array has one value per signature.

    Attributes
    ----------
    observed
        Under the observed labels; not-a-number where a signature has no such statistic, as in all other arrays.
    no_effect
        Mean over labellings.
    null_low, null_high
        Ends of the middle 95 % of labellings.
    p_value
        Two-sided p: the share of labellings at least as far from the mean.
    corrected_p
        The same corrected for all signatures.
    """

    observed: Floats
    no_effect: Floats
    null_low: Floats
    null_high: Floats
    p_value: Floats
    corrected_p: Floats

    @classmethod
    def of(cls, values: Floats, judged: Floats | None = None) -> "RelabelledStatistic":
        """Compare the observed values with those of relabelled subjects.

        Parameters
        ----------
        values
            Labellings x signatures, the observed labels first.
        judged
            What p is about, of the same shape, where that is not ``values``.
        """
        low, high = np.quantile(values, [_TAIL, 1 - _TAIL], axis=0)
        known = np.flatnonzero(~np.isnan(values[0]))
        p_value, corrected = np.full((2, values.shape[1]), np.nan)
        if len(known):
            p_values = _two_sided((values if judged is None else judged)[:, known])
            p_value[known], corrected[known] = p_values[:, 0], correct_p_values(p_values)
        return cls(values[0], values.mean(axis=0), low, high, p_value, corrected)


@dataclass(frozen=True)
class SignatureTests:
    """Tests of every signature.

    Attributes
    ----------
    difference
        Standardised difference of the score, positive less negative class (Hedges' g).
    low, high
        95 % interval of the difference.
    standard_error
        Large-sample standard error of the difference, for pooling over cohorts.
    auroc
        Share of pairs of subjects of one stratum in which the positive one has the higher score; one half with no effect.
    cosine, spearman, reversed
        Agreement of the cohort's changes with the signature.
    labellings, run, exact
        Distinct labellings, how many were run, and whether these are all.
    smallest_p
        Smallest p that these labellings allow.
    """

    difference: RelabelledStatistic = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    standard_error: Floats = field(repr=False)
    auroc: Floats = field(repr=False)
    cosine: RelabelledStatistic = field(repr=False)
    spearman: RelabelledStatistic = field(repr=False)
    reversed: RelabelledStatistic = field(repr=False)
    labellings: int
    run: int
    exact: bool
    smallest_p: float


def run_signature_tests(
    scores: Floats,
    log2: Floats,
    weights: Any,
    ranked: Flags,
    labels: Labels,
    strata: Indices,
    covariates: Floats | None,
    most: int,
    seed: int,
) -> SignatureTests:
    """Test every signature.

    Parameters
    ----------
    scores
        Subjects x signatures.
    log2
        Log2 expression, subjects x expressed genes.
    weights
        ``scipy.sparse`` array of signed weights, expressed genes x signatures; each has at least one gene.
    ranked
        Which signatures have weights to rank.
    labels, strata
        0/1 label and stratum code of each subject.
    covariates
        Held constant, subjects x columns; None for none.
    most
        Labellings to run at most.
    seed
        The job's seed.

    Raises
    ------
    ContrastError
        The class cannot be told from strata or covariates, too few subjects remain, or there is one labelling only.
    """
    count = count_labellings(labels, strata)
    model = _HeldConstant.of(labels, strata, covariates)
    if count == 1:
        raise ContrastError(
            "No two subjects of one stratum are of different classes, so no label can be exchanged. Use fewer strata."
        )
    exact = count <= most
    drawn = relabellings(labels, strata, seed, "signatures", most)
    of_scores, of_genes = ManyContrasts(model.residual(scores)), ManyContrasts(model.residual(log2))
    prepared, parts = SignatureWeights(weights, ranked), []
    for start in range(0, len(drawn), MODELS_PER_BLOCK):
        designs = model.designs(drawn[start : start + MODELS_PER_BLOCK])
        agreement = prepared.agreement(of_genes.moderated_t(designs))
        of_classes = of_scores.moderated_t(designs, squeezed=False)
        parts.append((of_classes, agreement.cosine, agreement.spearman, agreement.reversed))
    t, cosine, spearman, opposite = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    varies = np.any(model.residual(scores) != 0, axis=0)
    t[:, ~varies] = np.nan
    size, unbiased = model.inverse_size(labels), hedges_factor(model.df)
    difference = RelabelledStatistic.of(unbiased * np.sqrt(size) * t, t)
    raw = difference.observed / unbiased
    reach = student.ppf(1 - _TAIL, model.df) * np.sqrt(size + raw**2 / (2 * model.df))
    return SignatureTests(
        difference,
        unbiased * (raw - reach),
        unbiased * (raw + reach),
        np.sqrt(size + difference.observed**2 / (2 * len(labels))),
        np.where(varies, auroc_within(model.without_covariates(scores, labels), labels, strata), np.nan),
        RelabelledStatistic.of(cosine),
        RelabelledStatistic.of(spearman),
        RelabelledStatistic.of(opposite),
        labellings=count,
        run=len(drawn),
        exact=exact,
        smallest_p=max(smallest_exact_p(labels, strata), 1.0 / len(drawn)),
    )


def hedges_factor(df: float) -> float:
    """Return what takes the bias from a standardised difference whose variance has so many degrees of freedom."""
    if df < 2:
        return 1.0
    return float(np.exp(gammaln(df / 2) - 0.5 * np.log(df / 2) - gammaln((df - 1) / 2)))


def auroc_within(scores: Floats, labels: Labels, strata: Indices) -> Floats:
    """Return the share of pairs of one stratum in which the positive subject has the higher score; ties count half.

    Parameters
    ----------
    scores
        Subjects x signatures.
    labels, strata
        As for `run_signature_tests`.
    """
    right, met = np.zeros(scores.shape[1]), 0
    for code in np.unique(strata):
        inside = strata == code
        for column in range(scores.shape[1]):
            right[column] += float(pair_table(labels[inside], scores[inside, column]).sum())
        met += int(np.sum(labels[inside] == 1) * np.sum(labels[inside] == 0))
    return np.asarray(right / met if met else np.full(len(right), np.nan), dtype=np.float64)


def _two_sided(values: Floats) -> Floats:
    """Return p of every labelling as if it were the observed one, signatures x labellings."""
    distance = np.abs(values - values.mean(axis=0))
    spread = np.maximum(values.std(axis=0), np.finfo(np.float64).tiny)
    p_values = np.empty(distance.T.shape)
    for column, (of_one, scale) in enumerate(zip(distance.T, spread, strict=True)):
        ordered = np.sort(of_one)
        below = np.searchsorted(ordered, of_one - _ROUNDING * np.maximum(scale, of_one))
        p_values[column] = (len(of_one) - below) / len(of_one)
    return p_values


@dataclass(frozen=True)
class _HeldConstant:
    """What every labelling's model has beside the class: an orthonormal basis of intercept, strata and covariates.

    Taken from classes and values alike, it leaves the coefficient of the class as it is (Frisch and Waugh 1933), at the cost of one
    projection for all labellings.
    """

    basis: Floats
    df: int

    @classmethod
    def of(cls, labels: Labels, strata: Indices, covariates: Floats | None) -> "_HeldConstant":
        columns = [np.asarray(strata[:, None] == np.unique(strata), dtype=np.float64)]
        if covariates is not None:
            columns.append(covariates)
        constant = np.column_stack(columns)
        rank = int(np.linalg.matrix_rank(constant))
        if int(np.linalg.matrix_rank(np.column_stack([constant, labels.astype(np.float64)]))) == rank:
            raise ContrastError(
                "The classes cannot be told apart from the covariates or strata: they go together without exception. Leave a "
                "covariate out."
            )
        if len(labels) <= rank + 1:
            raise ContrastError(
                f"{len(labels)} subjects for {rank + 1} coefficients leave nothing to estimate variance from. Use fewer "
                "covariates."
            )
        directions, _, _ = np.linalg.svd(constant, full_matrices=False)
        return cls(np.ascontiguousarray(directions[:, :rank]), len(labels) - rank - 1)

    def residual(self, values: Floats) -> Floats:
        """Return what is left of columns of values, 0 where that is rounding."""
        rest = np.asarray(values, dtype=np.float64)
        # Twice, since the first subtraction leaves rounding errors of the size of what it takes away.
        for _ in range(2):
            rest = rest - self.basis @ (self.basis.T @ rest)
        rest[:, rest.std(axis=0) <= rounding_share(len(values)) * np.abs(values).max(axis=0, initial=0.0)] = 0.0
        return rest

    def designs(self, labellings: Labels) -> Designs:
        """Return one linear model for each labelling, for values that are residuals."""
        rest = self.residual(labellings.T.astype(np.float64)).T
        length = np.sqrt(np.sum(rest**2, axis=1, keepdims=True))
        # A labelling that goes with the covariates has no contrast.
        estimable = length**2 > _LEAST_RESIDUAL * labellings.shape[1]
        direction = np.where(estimable, rest / np.where(estimable, length, 1.0), 0.0)
        rows = np.ones(labellings.shape, dtype=np.bool_)
        mean = (rows / np.sqrt(labellings.shape[1]))[None]
        return Designs(rows, direction, mean, np.full(len(labellings), float(self.df)))

    def inverse_size(self, labels: Labels) -> float:
        """Return the variance of the class's coefficient over that of the residuals: 1/n + 1/m without strata and covariates."""
        return 1.0 / float(np.sum(self.residual(labels[:, None].astype(np.float64)) ** 2))

    def without_covariates(self, scores: Floats, labels: Labels) -> Floats:
        """Return scores less what strata and covariates add to them in the model with the class."""
        rest = self.residual(labels[:, None].astype(np.float64))
        effect = rest.T @ scores / np.sum(rest**2)
        return np.asarray(self.residual(scores) + (labels[:, None] - rest) * effect, dtype=np.float64)
