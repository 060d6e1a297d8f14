"""The one-line conclusion of a job, chosen by rule: the first rule that applies gives the verdict.

Evidence is a p of at most alpha. Where there is none, the sentence says what can be excluded: the upper end of the interval of
the AUROC, and the true AUROC A from which on the test would have had 80 % power. The AUROC that a cohort gives is taken as normal
about A, and the test rejects from the null's critical value c on: ``power = Phi((A - c) / s(A))``, so ``A = c + z(0.8) s(A)``. The
spread is the null's about its mean m, which shrinks towards an AUROC of 1 as that of a proportion does,
``s(A) = s sqrt(A (1 - A) / (m (1 - m)))``; `experiments/detectable_auroc` measures the power at A.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, sqrt
from typing import Literal

from scipy.stats import norm

from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.sequential import RISK

Level = Literal["underpowered", "undecided", "no_evidence", "confounded", "not_separable", "evidence", "not_tested"]

P_NAME = "p"
"""What a p that is not corrected is called."""
POWER = 0.8
"""Power with which an AUROC counts as excluded where there is no evidence."""


@dataclass(frozen=True)
class Verdict:
    """The level of evidence, and a sentence with the numbers it rests on."""

    level: Level
    sentence: str

    def despite(self, codes: Sequence[str]) -> "Verdict":
        """Return the verdict of data of whose audit these errors were accepted; unchanged without any."""
        if not codes:
            return self
        return self.adding(f"Trained against the audit, which found: {', '.join(codes)} (accepted).")

    def among_jobs(self, run: int, jobs: int) -> "Verdict":
        """Return the verdict of a job that is one of several on the same data, with its number; unchanged if it is alone.

        Parameters
        ----------
        run, jobs
            Number of the job, counted from 1, and of all jobs so far.
        """
        if jobs == 1:
            return self
        of_all = "" if run == jobs else f" of {jobs}"
        return self.adding(f"Run {run}{of_all} on these data.")

    def adding(self, sentence: str) -> "Verdict":
        """Return the verdict with another sentence at its end."""
        return replace(self, sentence=f"{self.sentence} {sentence}")


@dataclass(frozen=True)
class NullSummary:
    """What the verdict needs to know of a null.

    Attributes
    ----------
    p_value, min_attainable_p
        Its p value (None where no null was run), and the smallest p that these subjects could have given.
    null_mean
        Mean of the statistic over relabelled subjects.
    p_name
        Name of the p value in the sentence.
    settled, p_interval, draws, needed
        Whether it is known on which side of alpha p lies; if not, where it may lie after so many relabellings, and an estimate
        of how many are needed (None if there is none).
    turned_by_one
        Whether p is exact and a single labelling decides on which side of alpha it lies.
    detectable
        True AUROC from which on the test had 80 % power; None where it is not known.
    """

    p_value: float | None
    min_attainable_p: float
    null_mean: float | None = None
    p_name: str = P_NAME
    settled: bool = True
    p_interval: tuple[float, float] | None = None
    draws: int = 0
    needed: int | None = None
    turned_by_one: bool = False
    detectable: float | None = None

    def rejected(self, alpha: float) -> bool:
        """Return whether p is settled and at most alpha."""
        return self.settled and self.p_value is not None and self.p_value <= alpha


def summarise_null(null: NullResult, alpha: float, p_name: str = P_NAME) -> NullSummary:
    """Return what the verdict needs to know of a null.

    Parameters
    ----------
    null
        The null; p and the smallest attainable p are corrected ones where ``p_name`` says so.
    alpha
        Significance level.
    p_name
        Name of the p value in the sentence.
    """
    corrected = p_name != P_NAME
    # How many relabellings were asked for is not the subjects' fault.
    attainable = null.min_attainable_p if corrected or null.exact else _attainable_with_all(null)
    return NullSummary(
        p_value=null.p_value,
        min_attainable_p=attainable,
        null_mean=null.mean,
        p_name=p_name,
        settled=null.settled,
        p_interval=null.p_interval,
        draws=len(null.values),
        needed=null.needed,
        turned_by_one=null.turned_by_one and not corrected,
        detectable=None if corrected else detectable_auroc(null, alpha),
    )


def _attainable_with_all(null: NullResult) -> float:
    return max(1.0 / null.labellings, null.smallest_exact, null.observed_share)


def detectable_auroc(null: NullResult, alpha: float) -> float | None:
    """Return the true AUROC from which on the test has 80 % power; above 1 where none has, None where no p is small enough.

    The larger root of ``(A - c)^2 = k^2 A (1 - A)`` with ``k = z(0.8) s / sqrt(m (1 - m))``; see the module for the symbols.
    """
    critical = null.critical_auroc(alpha)
    if not isfinite(critical) or critical > 1.0:
        return None if not isfinite(critical) else critical
    centre = min(max(null.mean, 0.01), 0.99)
    ratio = (float(norm.ppf(POWER)) * null.sd) ** 2 / (centre * (1.0 - centre))
    linear = 2.0 * critical + ratio
    root = sqrt(max(linear**2 - 4.0 * (1.0 + ratio) * critical**2, 0.0))
    return (linear + root) / (2.0 * (1.0 + ratio))


@dataclass(frozen=True)
class NuisanceSummary:
    """What the verdict needs to know of the nuisances.

    Attributes
    ----------
    names
        In words, such as "batch and library size".
    conditional
        The null with labels exchanged between subjects alike in them; None where it was not run.
    association_p, may_explain
        p of no association with the class, and whether decisions follow them, too (`conditional.NuisanceLinks`).
    baseline
        The best of the baselines that use nuisances only.
    """

    names: str
    conditional: NullSummary | None
    association_p: float
    may_explain: bool
    baseline: "BaselineResult | None"

    @property
    def does_as_well(self) -> bool:
        """Tell whether the nuisances alone do about as well as the headline: the interval of the gain reaches zero."""
        return self.baseline is None or not self.baseline.gain_interval[0] > 0

    def able(self, alpha: float) -> bool:
        """Tell whether the design could show a difference beyond the nuisances."""
        return self.conditional is not None and not is_underpowered(self.conditional.min_attainable_p, alpha)


@dataclass(frozen=True)
class BaselineResult:
    """A baseline on the headline's folds.

    Attributes
    ----------
    name
        Which columns it uses.
    nuisance
        Whether these are declared nuisance columns only.
    auroc, interval
        Its out-of-fold AUROC and its 95 % interval.
    gain, gain_interval
        AUROC of the headline minus that of the baseline, and the 95 % interval of the difference over the same folds,
        corrected for training sets that overlap.
    """

    name: str
    nuisance: bool
    auroc: float
    interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]


def is_underpowered(min_attainable_p: float, alpha: float) -> bool:
    """Return whether no result could be significant, because the smallest attainable p is above alpha."""
    return min_attainable_p > alpha


def conclude(
    *,
    question: str,
    auroc: float,
    null: NullSummary,
    nuisance: NuisanceSummary | None,
    best: BaselineResult | None,
    alpha: float,
    upper: float | None = None,
) -> Verdict:
    """Choose the verdict.

    Parameters
    ----------
    question
        The two classes, such as "responder from non_responder".
    auroc
        AUROC of the headline.
    null
        The null with labels permuted within strata.
    nuisance
        What might explain the result; None without nuisances, and where p does not ask for an explanation.
    best
        The best of all baselines.
    alpha
        Significance level.
    upper
        Upper end of the headline's 95 % interval, for what a verdict of no evidence excludes.
    """
    if is_underpowered(null.min_attainable_p, alpha):
        return Verdict(
            "underpowered",
            f"Underpowered: with these subjects no result for {question} can reach {null.p_name} <= {alpha:g} (the smallest "
            f"attainable is {_p(null.min_attainable_p)}), so nothing can be concluded from an AUROC of {auroc:.2f}.",
        )
    if null.p_value is None:
        return Verdict("not_tested", f"Not tested: the AUROC for {question} is {auroc:.2f}, but no null was run.")
    numbers = (
        f"AUROC {auroc:.2f} against {_mean(null)} under relabelled subjects, "
        f"{null.p_name} = {_p(null.p_value)}{_turned(null)}"
    )
    if not null.settled:
        return Verdict(
            "undecided",
            f"Undecided whether expression distinguishes {question}: {numbers}, which {_unsettled(null, alpha)}"
            f"{_gain(best)}.",
        )
    if not null.rejected(alpha):
        return Verdict(
            "no_evidence",
            f"No evidence that expression distinguishes {question}: {numbers}{_excluded(null, upper)}{_gain(best)}.",
        )
    difference = f"expression distinguishes {question}"
    if nuisance is not None:
        level, reason = _judge_nuisance(nuisance, auroc, alpha)
        if level == "undecided":
            return Verdict(
                level, f"Undecided whether {difference} beyond {nuisance.names}: {numbers}; {reason}{_gain(best)}."
            )
        if level != "evidence":
            word = "Confounded" if level == "confounded" else "Not separable"
            return Verdict(level, f"{word}: {difference} ({numbers}), but {reason}{_gain(best)}.")
        numbers += f"; {reason}" if reason else ""
    return Verdict("evidence", f"Evidence that {difference}: {numbers}{_gain(best)}.")


def _judge_nuisance(nuisance: NuisanceSummary, auroc: float, alpha: float) -> tuple[Level, str]:
    """Return the verdict that the nuisances leave, and why."""
    null, names = nuisance.conditional, nuisance.names
    association = f"{names} and class: p = {_p(nuisance.association_p)}"
    alone = (
        "" if nuisance.baseline is None else f"{nuisance.baseline.name} alone has AUROC {nuisance.baseline.auroc:.2f}"
    )
    if null is None or null.p_value is None:
        return "evidence", ""
    if not nuisance.able(alpha):
        if nuisance.association_p <= alpha and nuisance.does_as_well:
            return "not_separable", (
                f"this design cannot tell it from {names}: among subjects alike in that the smallest attainable p is "
                f"{_p(null.min_attainable_p)} ({association}; {alone}, the headline {auroc:.2f})"
            )
        return "evidence", f"among subjects alike in {names} too few can be relabelled to test it ({association})"
    within = f"among subjects alike in {names} p = {_p(null.p_value)}{_turned(null)}"
    if null.rejected(alpha):
        return "evidence", within
    if not (nuisance.may_explain and nuisance.does_as_well):
        cleared = "decisions do not follow it" if not nuisance.may_explain else alone
        return "evidence", f"{within}, but {names} does not explain it ({association}; {cleared})"
    if not null.settled:
        return "undecided", f"{within}, which {_unsettled(null, alpha)}"
    return "confounded", f"{names} explains it: {alone} (the headline {auroc:.2f}), and {within}"


def _gain(best: BaselineResult | None) -> str:
    if best is None:
        return ""
    low, high = best.gain_interval
    return (
        f"; gain over the best baseline ({best.name}, AUROC {best.auroc:.2f}) {best.gain:+.2f}, "
        f"95 % interval {low:+.2f} to {high:+.2f}"
    )


def _turned(null: NullSummary) -> str:
    return (
        " (it hangs on one labelling: one more or fewer as high would turn the verdict)" if null.turned_by_one else ""
    )


def _unsettled(null: NullSummary, alpha: float) -> str:
    """Return what is known of a p that is not settled, and what it would take."""
    low, high = null.p_interval or (0.0, 1.0)
    confidence = f"confidence {100 * (1 - RISK):g} %"
    interval = f"may lie anywhere from {_p(low)} to {_p(high)} ({confidence}) after {null.draws:,} relabellings"
    if null.needed is None:
        return f"{interval}, too close to {alpha:g} to say how many would settle it"
    return f"{interval}; about {null.needed:,} would settle it (null.permutations: {null.needed})"


def _excluded(null: NullSummary, upper: float | None) -> str:
    """Return what can be excluded although there is no evidence."""
    parts = []
    if upper is not None:
        parts.append(f"the 95 % interval of the AUROC ends at {upper:.2f}")
    if null.detectable is not None:
        if null.detectable > 1.0:
            parts.append(f"not even a true AUROC of 1 would have been detected with {POWER * 100:.0f} % power")
        else:
            parts.append(
                f"a true AUROC of {null.detectable:.2f} would have been detected with {POWER * 100:.0f} % power"
            )
    return f"; {', and '.join(parts)}" if parts else ""


def _mean(null: NullSummary) -> str:
    return "an unknown mean" if null.null_mean is None else f"a mean of {null.null_mean:.2f}"


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else f"{value:.1e}"
