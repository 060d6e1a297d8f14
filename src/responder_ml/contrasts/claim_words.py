"""The numbers of a claim in words that a biologist reads: the estimate with its interval, what it needs, and what n could show."""

from collections.abc import Mapping

from responder_ml.contrasts.claim_result import ClaimResult

_ESTIMATES: Mapping[str, str] = {
    "stress_change": "stress changes a gene by {value} residual standard deviations (root mean square, {interval})",
    "common_correlation": "the true changes of the two drugs in responders correlate at {value} ({interval})",
    "undone_share": "{value} of the stress change is undone in responders ({interval})",
    "induced_share": "responders have gained {value} of what resilient animals have of their own ({interval})",
    "absent_share": "{value} of the responders' change (squared size) is absent in non-responders ({interval})",
    "own_share": "{value} of the non-responders' change leads away from responders, too ({interval})",
    "change_correlation": "the true changes of responders and non-responders correlate at {value} ({interval})",
    "drug_own_share": "at least {value} of each drug's change in responders is its own ({interval})",
}
"""Sentence of each estimate."""
_SHARES = ("undone_share", "induced_share", "absent_share", "own_share", "drug_own_share")
_FULL: Mapping[str, str] = {
    "R2": "a change of the assumed size",
    "R3": "two drugs that both undo all of the stress change",
    "R4": "a full reversal",
    "R5": "a full induction",
    "R6a": "a complete lack beside a full reversal in responders",
    "R6b": "a change of their own as large as that by stress",
    "R6c": "full opposition",
    "R7": "changes by each drug of its own as large as that by stress",
}


def describe_estimate(line: ClaimResult) -> str:
    """Return a headline line's region, estimate, interval and p, without a full stop."""
    value = _value(line.statistic, line.observed)
    if line.interval is None:
        ends = "interval not determined"
    else:
        ends = f"95 % interval {_value(line.statistic, line.interval[0])} to {_value(line.statistic, line.interval[1])}"
    words = _ESTIMATES[line.statistic].format(value=value, interval=ends)
    p = "unknown" if line.p_value is None else f"{line.p_value:.2g}"
    needs = ""
    if len(line.parts) > 1:
        needs = ", the largest of: " + "; ".join(f"{part.words} ({part.p_value:.2g})" for part in line.parts)
    return f"{line.region}: {words}; p = {p}{needs}"


def describe_full(claim: str, line: ClaimResult) -> str:
    """Return what these animals would show if the claim held in full, and the group size that could show it."""
    sizes = sorted(set(line.n.values()))
    animals = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    chance = f"with {animals} animals a group even {_FULL[claim]} would be found in {line.power or 0.0:.0%} of studies"
    if line.needed is None:
        return f"{chance}, and in fewer than 80% with sixteen times as many"
    return f"{chance}; {line.needed} in the smallest group, the others in proportion, would find it in 80%"


def _value(statistic: str, value: float) -> str:
    text = f"{value:.0%}" if statistic in _SHARES else f"{value:.2f}"
    return text.removeprefix("-") if text.strip("-0.%") == "" else text
