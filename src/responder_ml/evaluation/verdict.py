"""The one-line conclusion of a job, chosen by rule: the first rule that applies gives the verdict."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["underpowered", "no_evidence", "confounded", "evidence", "not_tested"]


@dataclass(frozen=True)
class Verdict:
    """The level of evidence, and a sentence with the numbers it rests on."""

    level: Level
    sentence: str


@dataclass(frozen=True)
class NullSummary:
    """What the verdict needs to know of a null.

    Attributes
    ----------
    p_value, min_attainable_p
        Its p value (None where no null was run), and the smallest p it could have given.
    null_mean
        Mean of the statistic over relabelled subjects.
    p_name
        Name of the p value in the sentence.
    """

    p_value: float | None
    min_attainable_p: float
    null_mean: float | None = None
    p_name: str = "p"


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
        Its out-of-fold AUROC and subject bootstrap interval.
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
    """Return whether no result could be significant, because the smallest attainable p is not below alpha."""
    return min_attainable_p >= alpha


def conclude(
    *,
    question: str,
    auroc: float,
    null: NullSummary,
    conditional: NullSummary | None,
    nuisance: BaselineResult | None,
    best: BaselineResult | None,
    alpha: float,
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
    conditional
        The null with labels permuted within strata and batch; None if no batch is named.
    nuisance
        The best of the baselines that use nuisance columns only; None without such columns.
    best
        The best of all baselines.
    alpha
        Significance level.
    """
    if is_underpowered(null.min_attainable_p, alpha):
        return Verdict(
            "underpowered",
            f"Underpowered: with these subjects no result for {question} can reach {null.p_name} < {alpha:g} (the smallest "
            f"attainable is {_p(null.min_attainable_p)}), so nothing can be concluded from an AUROC of {auroc:.2f}.",
        )
    if null.p_value is None:
        return Verdict("not_tested", f"Not tested: the AUROC for {question} is {auroc:.2f}, but no null was run.")
    numbers = f"AUROC {auroc:.2f} against {_mean(null)} under relabelled subjects, {null.p_name} = {_p(null.p_value)}"
    if null.p_value >= alpha:
        return Verdict("no_evidence", f"No evidence that expression distinguishes {question}: {numbers}{_gain(best)}.")
    reason = _confounding(auroc, conditional, nuisance, alpha)
    if reason:
        return Verdict(
            "confounded", f"Confounded: expression distinguishes {question} ({numbers}), but {reason}{_gain(best)}."
        )
    return Verdict(
        "evidence",
        f"Evidence that expression distinguishes {question}: {numbers}{_within_batches(conditional)}{_gain(best)}.",
    )


def _confounding(
    auroc: float, conditional: NullSummary | None, nuisance: BaselineResult | None, alpha: float
) -> str | None:
    """Return why the nuisance may explain the result; None if it does not."""
    if conditional is not None:
        if conditional.min_attainable_p >= alpha or conditional.p_value is None:
            return (
                "within batches there are too few ways to relabel subjects to separate the effect from batch "
                f"(smallest attainable p {_p(conditional.min_attainable_p)})"
            )
        if conditional.p_value >= alpha:
            return f"within batches the difference does not hold (p = {_p(conditional.p_value)})"
    if nuisance is not None and nuisance.auroc >= auroc:
        return f"{nuisance.name} alone does as well (AUROC {nuisance.auroc:.2f})"
    return None


def _within_batches(conditional: NullSummary | None) -> str:
    if conditional is None or conditional.p_value is None:
        return ""
    return f"; within batches p = {_p(conditional.p_value)}"


def _gain(best: BaselineResult | None) -> str:
    if best is None:
        return ""
    low, high = best.gain_interval
    return (
        f"; gain over the best baseline ({best.name}, AUROC {best.auroc:.2f}) {best.gain:+.2f}, "
        f"95 % interval {low:+.2f} to {high:+.2f}"
    )


def _mean(null: NullSummary) -> str:
    return "an unknown mean" if null.null_mean is None else f"a mean of {null.null_mean:.2f}"


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else f"{value:.1e}"
