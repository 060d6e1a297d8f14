"""Unbiased products of changes between groups: the part that shared animals and noise put into a product is taken out.

The product of two contrasts of group means, averaged over genes, contains the noise of every animal that both contrasts share. A
*form* is a sum of products of group means, ``sum_gh B_gh mu_g . mu_h``; its estimate uses products of different animals only,

    T = sum_gh B_gh (mean_g . mean_h - [g = h] var_g / n_g),

so its expected value is the true one whatever the effects, the noise of each group, the correlation of genes and the group sizes.
``var_g`` is the group's own variance; each gene is divided by a residual scale computed without that group, since a scale that
contains the animals would make their products look positive. With covariates, means and variances are those of the linear model.

T is a quadratic form of independent animals. Its variance, for normal noise with a covariance S of genes that groups share up to a
factor s_g of their own, is

    Var T = 4 sum_i s_i m_i' S m_i + 2 tr(S^2) sum_ij A_ij^2 s_i s_j,      m_i = sum_j A_ij E(x_j),

with A the form over animals. Both terms are estimated from the residuals of all groups together, so three animals to a group are
judged with the degrees of freedom of the whole region.

References
----------
Chen SX, Qin YL (2010) A two-sample test for high-dimensional data with applications to gene-set testing. Ann Stat 38:808-835.
doi:10.1214/09-AOS716
Rao CR (1971) Estimation of variance and covariance components. J Multivar Anal 1:257-275. doi:10.1016/0047-259X(71)90001-7
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import t as student_t

from responder_ml.arrays import Floats, Indices
from responder_ml.contrasts.group_fits import group_designs
from responder_ml.contrasts.groups import Groups
from responder_ml.statistics.squeeze import fit_f_dist, squeeze

# Least variance of a group, as a share of the pooled one, where few animals or covariates leave an estimate near 0.
_LEAST_VARIANCE = 0.05
_LEVEL = 0.95
# Rounds in which groups' variances and genes' scales are estimated in turn.
_ROUNDS = 3


@dataclass(frozen=True)
class FormEstimates:
    """Estimates of several forms.

    Attributes
    ----------
    value
        Mean product per gene in units of residual variance, one per form.
    covariance
        Their covariance.
    df
        Degrees of freedom of the variances.
    """

    value: Floats
    covariance: Floats
    df: int

    @property
    def limit(self) -> float:
        """Two-sided 95 % limit of t."""
        return float(student_t.ppf((1 + _LEVEL) / 2, self.df))

    @property
    def p_above_zero(self) -> Floats:
        """One-sided p of each form against "not above 0"."""
        error = np.sqrt(np.diag(self.covariance))
        t = np.divide(self.value, error, out=np.zeros_like(self.value), where=error > 0)
        return np.asarray(student_t.sf(t, self.df), dtype=np.float64)

    def share(self) -> tuple[float, tuple[float, float] | None]:
        """Return the ratio of the first form to the second with its 95 % interval (Fieller).

        The interval is None where the second form is not above zero: no share can be told of nothing.

        References
        ----------
        Fieller EC (1954) Some problems in interval estimation. J R Stat Soc B 16:175-185.
        doi:10.1111/j.2517-6161.1954.tb00159.x
        """
        top, bottom = map(float, self.value)
        (vtt, vtb), (_, vbb) = self.covariance.tolist()
        ratio = top / bottom if bottom != 0 else float("nan")
        a = bottom**2 - self.limit**2 * vbb
        if bottom <= 0 or a <= 0:
            return ratio, None
        half = top * bottom - self.limit**2 * vtb
        root = float(np.sqrt(max(half**2 - a * (top**2 - self.limit**2 * vtt), 0.0)))
        return ratio, ((half - root) / a, (half + root) / a)


@dataclass(frozen=True)
class AnimalDesign:
    """A linear model of groups and covariates, and forms of its group means as forms of animals.

    Attributes
    ----------
    groups
        Group of each animal; none is -1.
    covariates
        Animals x covariates, None for none.
    """

    groups: Groups
    covariates: Floats | None = None
    members: Floats = field(init=False, repr=False)
    means: Floats = field(init=False, repr=False)
    fitted: Floats = field(init=False, repr=False)
    residual: Floats = field(init=False, repr=False)
    variances: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Compute what turns animals into group means, residuals and variances."""
        count, codes = len(self.groups.names), self.groups.codes
        design = group_designs(codes[None], count, self.covariates)[0]
        inverse = np.linalg.pinv(design)
        fitted = design @ inverse
        members = (codes[:, None] == np.arange(count)).astype(np.float64)
        residual = np.eye(codes.size) - fitted
        squares = members.T @ residual**2 @ members
        for name, value in (
            ("members", members),
            ("means", inverse[:count]),
            ("fitted", fitted),
            ("residual", residual),
            ("variances", np.linalg.pinv(squares)),
        ):
            object.__setattr__(self, name, value)

    @property
    def df(self) -> int:
        """Residual degrees of freedom."""
        return round(float(np.trace(self.residual)))

    def noise_weights(self, form: Floats) -> Floats:
        """Return how much of each group's variance the plain product of means contains."""
        plain = np.einsum("gi,gh,hi->i", self.means, form, self.means)
        return np.asarray(self.members.T @ plain, dtype=np.float64)

    def animal_form(self, form: Floats) -> Floats:
        """Return the form over animals, without the noise that animals share with themselves."""
        weights = self.variances.T @ self.noise_weights(form)
        own = (self.residual * (self.members @ weights)) @ self.residual
        return np.asarray(self.means.T @ form @ self.means - own, dtype=np.float64)


class TrueChanges:
    """Estimates of forms in one region.

    Parameters
    ----------
    expression
        Animals x genes, log2; every gene varies.
    design
        Groups, each of two animals or more, and covariates.
    """

    def __init__(self, expression: Floats, design: AnimalDesign) -> None:
        self.design = design
        centred = expression - expression.mean(axis=0)
        errors = design.residual @ centred
        squares, leverage = design.members.T @ errors**2, design.members.T @ np.diag(design.residual)
        squares /= self._noise_ratios(squares, leverage)[:, None]
        scale, df_total = _scale(squares.sum(axis=0), float(leverage.sum()))
        self.scale = np.sqrt(scale)
        standard = centred / self.scale
        self.gram = standard @ standard.T / standard.shape[1]
        self.variance, self._squares = self._apart(centred, errors, squares, leverage, df_total)
        pooled = float(np.maximum(self.variance, 0.0) @ leverage / leverage.sum())
        ratio = np.maximum(design.members @ self.variance, _LEAST_VARIANCE * pooled) / pooled
        self._noise = ratio
        # How much more than all groups together a group's noise lies in few directions: a factor that moves this group alone.
        self._excess = np.ones(design.groups.codes.size)
        self._spread, self._dispersion = self._noise_spread(ratio)

    @property
    def dispersion(self) -> float:
        """Sum of squared eigenvalues of the genes' noise covariance: one over the number of independent directions of noise."""
        return self._dispersion

    def value(self, form: Floats) -> float:
        """Return the estimate of one form."""
        between = form - np.diag(np.diag(form))
        shared = self.with_shared_animals(between) - float(self.design.noise_weights(between) @ self.variance)
        return shared + float(np.diag(form) @ self._squares)

    def with_shared_animals(self, form: Floats) -> float:
        """Return the plain product of observed means, the noise of shared animals in it."""
        observed = self.design.means @ self.gram @ self.design.means.T
        return float(np.sum(form * observed))

    def estimate(self, forms: Sequence[Floats]) -> FormEstimates:
        """Return the estimates of several forms and their covariance."""
        animal = np.stack([self.design.animal_form(form) for form in forms])
        noise = self._noise
        slopes = animal @ self._spread.T
        through = animal @ self.design.fitted
        weights = noise[:, None] * noise
        first = 4.0 * np.einsum("i,aik,bik->ab", noise, slopes, slopes) / self.design.df
        first -= 4.0 * self._dispersion * np.einsum("ij,aij,bij->ab", weights, through, through)
        weights = weights * np.sqrt(np.outer(self._excess, self._excess))
        second = 2.0 * self._dispersion * np.einsum("ij,aij,bij->ab", weights, animal, animal)
        return FormEstimates(
            np.array([self.value(form) for form in forms]), _with_positive_variances(first) + second, self.design.df
        )

    def influence(self, form: Floats) -> Floats:
        """Return each animal's part in the estimate around its group's, ``(n_animals,)``: their sum of squares is its variance."""
        slopes = 2.0 * np.einsum("ij,ij->i", self.design.animal_form(form), self.gram)
        members = self.design.members
        sizes = members.sum(axis=0)
        centred = slopes - members @ (members.T @ slopes / sizes)
        return np.asarray(centred * np.sqrt(sizes / np.maximum(sizes - 1.0, 1.0))[self.design.groups.codes])

    def _noise_ratios(self, squares: Floats, leverage: Floats) -> Floats:
        """Return each group's variance over that of all, so that scales with and without a group are on one level."""
        ratios = np.ones(len(squares))
        for _ in range(_ROUNDS):
            scale, _ = _scale((squares / ratios[:, None]).sum(axis=0), float(leverage.sum()))
            ratios = self.design.variances @ np.mean(squares / scale, axis=1)
            ratios = np.maximum(ratios * leverage.sum() / (ratios @ leverage), _LEAST_VARIANCE)
        return ratios

    def _apart(
        self, centred: Floats, errors: Floats, squares: Floats, leverage: Floats, df_total: float
    ) -> tuple[Floats, Floats]:
        """Return each group's variance and the square of its mean without noise, over scales computed without the group.

        A group's mean squared and its variance are divided by one scale that knows neither, so that their difference is right
        whatever the tails of the noise. The mean of 1 / scale is that of an inverse chi-square of the scale's degrees of freedom.
        """
        own, means = self.design.members.T @ errors**2, self.design.means @ centred
        weights = self.design.means**2 @ self.design.members
        variance, square = np.empty(len(own)), np.empty(len(own))
        for group in range(len(own)):
            scale, df = _scale(squares.sum(axis=0) - squares[group], float(leverage.sum() - leverage[group]))
            level = _inverse_mean(df_total) / _inverse_mean(df)
            apart = self.design.variances @ np.mean(own / scale, axis=1) * level
            variance[group] = apart[group]
            square[group] = np.mean(means[group] ** 2 / scale) * level - weights[group] @ apart
        return variance, square

    def _noise_spread(self, ratio: Floats) -> tuple[Floats, float]:
        """Return residual times fitted products of animals, and tr(S^2), of residuals brought to one variance."""
        design, df = self.design, self.design.df
        white = 1.0 / np.sqrt(ratio)
        residual = white[:, None] * (design.residual @ self.gram @ design.residual) * white
        trace, squared = float(np.trace(residual)), float(np.sum(residual**2))
        unbiased = _dispersion(trace, squared, float(df))
        for group in range(design.members.shape[1]):
            members = design.members[:, group] > 0
            part = residual[np.ix_(members, members)]
            own_df = float(np.trace(design.residual[np.ix_(members, members)]))
            # One degree of freedom cannot tell the noise's size from its shape.
            if own_df > 1.5:
                own = _dispersion(float(np.trace(part)), float(np.sum(part**2)), own_df)
                self._excess[members] = max(1.0, own / unbiased)
        spread = white[:, None] * (design.residual @ self.gram @ design.fitted)
        return spread, unbiased


def contrast(names: Sequence[str], plus: str, minus: str) -> Floats:
    """Return the group weights of a contrast: the mean of one group less that of another."""
    weights = np.zeros(len(names))
    weights[names.index(plus)] += 1.0
    weights[names.index(minus)] -= 1.0
    return weights


def product(first: Floats, second: Floats) -> Floats:
    """Return the form of the product of two contrasts."""
    return np.asarray((np.outer(first, second) + np.outer(second, first)) / 2.0, dtype=np.float64)


def merged_gram(expression: Floats, design: Floats) -> Floats:
    """Return the products of animals per gene in units of the squeezed residual variance of a design, animals x animals."""
    centred = expression - expression.mean(axis=0)
    errors = centred - design @ (np.linalg.pinv(design) @ centred)
    scale, _ = _scale((errors**2).sum(axis=0), float(len(design) - np.linalg.matrix_rank(design)))
    standard = centred / np.sqrt(scale)
    return np.asarray(standard @ standard.T / standard.shape[1], dtype=np.float64)


def group_products(gram: Floats, codes: Indices, count: int) -> Floats:
    """Return the products of group means under many labellings, those of a group with itself over different animals.

    Parameters
    ----------
    gram
        Products of animals, ``(n_animals, n_animals)``.
    codes
        Group of each animal under each labelling, labellings x animals; group sizes are the same under all, two or more.
    count
        Number of groups.

    Returns
    -------
    ndarray
        Labellings x groups x groups.
    """
    members = (codes[:, :, None] == np.arange(count)).astype(np.float64)
    sizes = members[0].sum(axis=0)
    sums = np.swapaxes(members, 1, 2) @ (gram @ members)
    own = np.einsum("mig,i->mg", members, np.diag(gram))
    products = sums / np.outer(sizes, sizes)
    index = np.arange(count)
    products[:, index, index] = (sums[:, index, index] - own) / (sizes * (sizes - 1.0))
    return np.asarray(products, dtype=np.float64)


def sizes_of(groups: Groups) -> Mapping[str, int]:
    """Return the number of animals in each group."""
    return {name: groups.size(name) for name in groups.names}


def _scale(squares: Floats, df: float) -> tuple[Floats, float]:
    """Return the squeezed variance of each gene and its degrees of freedom."""
    variance = np.maximum(squares / max(df, 1.0), np.finfo(np.float64).tiny)
    prior_df, prior = fit_f_dist(variance[None], np.array([max(df, 1.0)]))
    squeezed = squeeze(variance[None], np.array([[max(df, 1.0)]]), prior_df[:, None], prior[:, None])[0]
    return np.maximum(squeezed, np.finfo(np.float64).tiny), float(df + prior_df[0])


def _inverse_mean(df: float) -> float:
    return 1.0 if np.isinf(df) else df / max(df - 2.0, 0.5)


def _dispersion(trace: float, squared: float, df: float) -> float:
    """Return the unbiased estimate of tr(S^2) from products of residuals, above 0."""
    unbiased = (squared - trace**2 / df) / ((df - 1.0) * (df + 2.0)) if df > 1.0 else squared
    return max(unbiased, float(np.finfo(np.float64).tiny))


def _with_positive_variances(matrix: Floats) -> Floats:
    """Return the nearest matrix without negative eigenvalues: a difference of estimates may have some."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T, dtype=np.float64)
