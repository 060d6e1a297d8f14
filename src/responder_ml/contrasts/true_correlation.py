"""How far two studies agree: the correlation of their observed changes, and that of the true changes behind them.

With changes ``d1`` and ``d2`` (`study_change`), ``T1`` and ``T2`` their squares without noise, and ``C = d1 . d2`` less the
noise of subjects that both studies share,

    r = d1 . d2 / (|d1| |d2|)                    what a plot of the two signatures shows,
    rho = C / sqrt(T1 T2)                        the correlation of the true changes,
    (sqrt(T1 T2) + shared) / (|d1| |d2|)         r if the true changes are the same,
    shared / (|d1| |d2|)                         r if there are none.

The interval of ``rho`` is over subjects: each is left out in turn, of both studies where it is in both, which gives the joint
covariance of C, T1 and T2 (jackknife, class by class). It holds every ``rho0`` in [-1, 1] for which ``C - rho0 sqrt(T1 T2)`` is
within its error of zero, as Fieller's interval of a ratio does: where a study has no signal it is all of [-1, 1].

References
----------
Efron B, Stein C (1981) The jackknife estimate of variance. Ann Stat 9:586-596. doi:10.1214/aos/1176345462
Fieller EC (1954) Some problems in interval estimation. J R Stat Soc B 16:175-185. doi:10.1111/j.2517-6161.1954.tb00159.x
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy.stats import t as student_t

from responder_ml.arrays import Floats, Indices
from responder_ml.contrasts.study_change import ClassCoefficient, StudyChange

# A shared subject of which both models together leave less than this share says nothing of the noise it brings.
_LEAST_SHARE = 0.05
# Class of a subject in the first and in the second study; None where it is not in one.
_Group = tuple[float | None, float | None]

LEVEL = 0.95
"""Level of the interval."""
WHOLE = (-1.0, 1.0)
"""The interval that excludes nothing."""


@dataclass(frozen=True)
class Agreement:
    """How far two studies agree. Squares and products are means per gene, in units of residual variance.

    Attributes
    ----------
    product
        ``d1 . d2``.
    shared_noise
        Its part that shared subjects bring; 0 without any.
    squares
        ``|d1|^2`` and ``|d2|^2``.
    signals
        The same without noise; unbiased, so they may be negative.
    covariance
        Of ``product - shared_noise`` and the two signals, 3 x 3; nan where the class is lost without some subject.
    df
        Degrees of freedom of the interval: of the study that has fewer.
    """

    product: float
    shared_noise: float
    squares: tuple[float, float]
    signals: tuple[float, float]
    covariance: Floats
    df: int

    @property
    def observed(self) -> float:
        """The correlation of the observed changes."""
        return self._share(self.product)

    @property
    def no_effect(self) -> float:
        """The correlation that the observed changes would have without any true effect."""
        return self._share(self.shared_noise)

    @property
    def same_changes(self) -> float:
        """The correlation that the observed changes would have if the true ones were the same; nan without a signal."""
        return self._share(self._signal + self.shared_noise) if self._signal > 0 else nan

    @property
    def true_correlation(self) -> float:
        """The correlation of the true changes, at most 1 in size; nan where a study shows no signal."""
        return float(np.clip(self._true / self._signal, -1.0, 1.0)) if self._signal > 0 else nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `true_correlation`, over subjects."""
        return _fieller(self._true, *self.signals, self.covariance, self.df) if self._signal > 0 else WHOLE

    @property
    def noise_correlation(self) -> float:
        """The correlation of both studies' errors: 0 without shared subjects, and that of their noise in both with them."""
        sizes = [square - signal for square, signal in zip(self.squares, self.signals, strict=True)]
        return float(np.clip(self.shared_noise / sqrt(sizes[0] * sizes[1]), -1.0, 1.0))

    @property
    def is_impossible(self) -> bool:
        """Whether no correlation up to 1 explains how far the studies agree, as where they share animals unknown."""
        if self._signal <= 0 or not np.all(np.isfinite(self.covariance)):
            return False
        low, high = self.interval
        return low == high and self._true > self._signal * (1.0 + 1e-9)

    @property
    def _true(self) -> float:
        return self.product - self.shared_noise

    @property
    def _signal(self) -> float:
        first, second = self.signals
        return sqrt(first * second) if first > 0 and second > 0 else 0.0

    def _share(self, product: float) -> float:
        size = sqrt(self.squares[0] * self.squares[1])
        return product / size if size > 0 else nan


def compare_changes(first: StudyChange, second: StudyChange, partner: Indices | None = None) -> Agreement:
    """Compare the changes of two studies over the same genes.

    Parameters
    ----------
    first, second
        The studies; their genes are the same and in the same order.
    partner
        For each subject of the first its index in the second, -1 where it is not there; none is shared by default.
    """
    size_first, size_second = len(first.design), len(second.design)
    partner = np.full(size_first, -1, dtype=np.intp) if partner is None else partner
    cross = first.standard @ second.standard.T / first.standard.shape[1]
    full = _quantities(first, second, cross, partner, first.coefficient, second.coefficient)
    back = np.full(size_second, -1, dtype=np.intp)
    back[partner[partner >= 0]] = np.flatnonzero(partner >= 0)
    without: list[Floats] = []
    group_of: list[_Group] = []
    for subject in range(size_first):
        one = ClassCoefficient.of(first.design, _all_but(size_first, subject))
        other = int(partner[subject])
        two = second.coefficient if other < 0 else ClassCoefficient.of(second.design, _all_but(size_second, other))
        without.append(_reduced(first, second, cross, partner, one, two))
        group_of.append((_class(first, subject), None if other < 0 else _class(second, other)))
    for subject in np.flatnonzero(back < 0).tolist():
        two = ClassCoefficient.of(second.design, _all_but(size_second, subject))
        without.append(_reduced(first, second, cross, partner, first.coefficient, two))
        group_of.append((None, _class(second, subject)))
    shared_noise = full[1]
    return Agreement(
        product=full[0],
        shared_noise=shared_noise,
        squares=(first.square(first.coefficient), second.square(second.coefficient)),
        signals=(full[2], full[3]),
        covariance=_jackknife(np.array(without), group_of, _class_sizes(first), _class_sizes(second)),
        df=max(min(first.coefficient.df, second.coefficient.df), 1),
    )


def expected_correlation(first: StudyChange, sizes: tuple[int, int], shared_control: int = 0) -> tuple[float, float]:
    """Return the correlation with a second study that has not been done: if its true changes are the same, and with no effect.

    Parameters
    ----------
    first
        The study there is; it has its own number of controls, the negative class.
    sizes
        Subjects of the second study, positive and negative.
    shared_control
        Subjects of the negative class that are in both studies.
    """
    signal = max(first.square(first.coefficient) - first.noise(first.coefficient), 0.0)
    noise = first.noise_of_subject
    second_square = signal + noise * (1.0 / sizes[0] + 1.0 / sizes[1])
    controls = int(np.sum(first.design[:, -1] == 0))
    shared = noise * shared_control / (controls * sizes[1])
    size = sqrt(first.square(first.coefficient) * second_square)
    own = _class_sizes(first)
    alone = shared_control_correlation((own[1.0], controls), sizes, shared_control)
    return ((signal + shared) / size if size > 0 else nan), alone


def shared_control_correlation(first: tuple[int, int], second: tuple[int, int], shared: int) -> float:
    """Return the correlation of two contrasts with no effect at all that share control subjects, from group sizes alone.

    With ``m`` of ``c1`` and ``c2`` controls shared it is ``(m / (c1 c2)) / sqrt((1 / n1 + 1 / c1)(1 / n2 + 1 / c2))``.

    Parameters
    ----------
    first, second
        Subjects of the positive and the negative class of each.
    shared
        Subjects of the negative class that are in both.

    Examples
    --------
    The resilient and susceptible contrasts of the founding cohort, which share their controls, in two regions:

    >>> round(shared_control_correlation((3, 5), (4, 5), 5), 2), round(shared_control_correlation((3, 4), (4, 4), 4), 2)
    (0.41, 0.46)
    """
    (n_first, c_first), (n_second, c_second) = first, second
    size = sqrt((1.0 / n_first + 1.0 / c_first) * (1.0 / n_second + 1.0 / c_second))
    return shared / (c_first * c_second) / size


def _quantities(
    first: StudyChange,
    second: StudyChange,
    cross: Floats,
    partner: Indices,
    one: ClassCoefficient,
    two: ClassCoefficient,
) -> tuple[float, float, float, float]:
    """Return the product, the noise of shared subjects in it, and the two squares without noise."""
    product = float(one.weights @ cross @ two.weights)
    shared = 0.0
    rows = np.flatnonzero(partner >= 0)
    if rows.size:
        others = partner[rows]
        residuals = np.einsum("ij,jk,ik->i", one.residuals[rows], cross, two.residuals[others])
        # What equal variances of 1 would give: with all of a group shared it is 1, with a part of it a little less.
        unit = np.einsum("ij,ij->i", one.residuals[np.ix_(rows, rows)], two.residuals[np.ix_(others, others)])
        residuals = np.divide(residuals, unit, out=np.zeros_like(residuals), where=unit > _LEAST_SHARE)
        correction = sqrt(first.correction * second.correction)
        shared = correction * float((one.weights[rows] * two.weights[others]) @ residuals)
    return product, shared, first.square(one) - first.noise(one), second.square(two) - second.noise(two)


def _reduced(
    first: StudyChange,
    second: StudyChange,
    cross: Floats,
    partner: Indices,
    one: ClassCoefficient | None,
    two: ClassCoefficient | None,
) -> Floats:
    if one is None or two is None:
        return np.full(3, nan)
    product, shared, signal_first, signal_second = _quantities(first, second, cross, partner, one, two)
    return np.array([product - shared, signal_first, signal_second])


def _jackknife(without: Floats, group_of: list[_Group], first: dict[float, int], second: dict[float, int]) -> Floats:
    """Return the covariance of estimates from their values without each subject, group by group.

    A class of m subjects contributes (m - 1) / m times its centred squares. Where only some of a class are in both studies, those
    and the others are centred apart.
    """
    covariance = np.zeros((3, 3))
    for group in dict.fromkeys(group_of):
        values = without[[name == group for name in group_of]]
        count = len(values)
        of_first, of_second = group
        shares = [
            1.0 - 1.0 / sizes[name] for sizes, name in ((first, of_first), (second, of_second)) if name is not None
        ]
        # Centring takes one degree of freedom of each group; a single subject cannot be centred.
        centred = values - values.mean(axis=0) if count > 1 else values - without.mean(axis=0)
        covariance += np.prod(shares) ** (2.0 / len(shares)) * count / max(count - 1.0, 1.0) * centred.T @ centred
    return covariance


def _fieller(product: float, first: float, second: float, covariance: Floats, df: int) -> tuple[float, float]:
    """Return the ends of all rho0 in [-1, 1] with |C - rho0 sqrt(T1 T2)| within t times its error, both signals above 0."""
    if not np.all(np.isfinite(covariance)):
        return WHOLE
    signal = sqrt(first * second)
    slopes = np.array([0.5 * signal / first, 0.5 * signal / second])
    limit = float(student_t.ppf(0.5 + LEVEL / 2, df)) ** 2
    # a rho0^2 - 2 b rho0 + c <= 0; the estimate solves it, so it has roots.
    a = signal**2 - limit * float(slopes @ covariance[1:, 1:] @ slopes)
    b = product * signal - limit * float(covariance[0, 1:] @ slopes)
    c = product**2 - limit * float(covariance[0, 0])
    root = sqrt(max(b**2 - a * c, 0.0))
    if a > 0:
        low, high = (b - root) / a, (b + root) / a
        return float(np.clip(low, -1.0, 1.0)), float(np.clip(high, -1.0, 1.0))
    if a == 0 or b**2 <= a * c:
        return WHOLE
    # All but what lies between the roots.
    before, after = sorted(((b - root) / a, (b + root) / a))
    low = -1.0 if before >= -1.0 else max(after, -1.0)
    high = 1.0 if after <= 1.0 else min(before, 1.0)
    return (low, high) if low <= high else (float(np.sign(product)),) * 2


def _all_but(size: int, index: int) -> Indices:
    return np.delete(np.arange(size), index)


def _class(study: StudyChange, subject: int) -> float:
    return float(study.design[subject, -1])


def _class_sizes(study: StudyChange) -> dict[float, int]:
    values, counts = np.unique(study.design[:, -1], return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
