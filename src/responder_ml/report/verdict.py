"""The verdict, and the two comparisons it is based on: relabelled subjects and simple baselines."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.records.result import NullRecord, Result
from responder_ml.records.run import Run
from responder_ml.report.figures.forest import Row, forest
from responder_ml.report.figures.null_distribution import null_distribution
from responder_ml.report.numbers import p_text, plain
from responder_ml.report.section import Section, table

NAMES = {
    "evidence": "Evidence",
    "confounded": "Confounded",
    "not_separable": "Not separable",
    "no_evidence": "No evidence",
    "underpowered": "Underpowered",
    "undecided": "Undecided",
    "not_tested": "Not tested",
}
"""Name of each level of the verdict, as printed."""

MEANINGS = {
    "evidence": (
        "The difference is larger than relabelled subjects give, and no nuisance was shown to explain it. "
        "The result is valid for these subjects and this tissue; a second cohort must confirm it."
    ),
    "confounded": (
        "Expression separates the classes here, but batch, library size or another nuisance explains it: it is associated with "
        "the class, the model follows it, it does about as well alone, and among subjects alike in it no difference can be shown."
    ),
    "not_separable": (
        "Expression separates the classes here, but class and batch or another nuisance are so nearly the same in this design that "
        "no method can tell which of them the model sees. Other subjects, spread over the batches, could."
    ),
    "no_evidence": (
        "Relabelled subjects reach this AUROC often enough for chance to explain it. This does not prove that the classes do not "
        "differ: small cohorts miss real differences. Genes and figures below may show noise."
    ),
    "underpowered": (
        "There are too few subjects for any result to count as evidence, whatever its AUROC. The results below describe "
        "these subjects only."
    ),
    "undecided": (
        "The relabellings that were allowed do not show on which side of the level of significance p lies. This is no result in "
        "either direction; allow more relabellings (null.permutations)."
    ),
    "not_tested": "No null was run, so this AUROC cannot be distinguished from chance. Set null.permutations above 0 to test it.",
}
"""What each level means for a reader."""
_ANSWERS = {
    "evidence": (
        "Yes: expression tells {positive} from {negative} better than shuffled labels do (p = {p}). The AUROC is {auroc} here; "
        "the true one may lie anywhere from {low} to {high}."
    ),
    "confounded": "The two can be told apart (p = {p}), but {nuisances} explains it as well as expression does.",
    "not_separable": "The two can be told apart (p = {p}), but in this design nobody can say whether by class or by {nuisances}.",
    "no_evidence": "No: shuffled labels do as well (p = {p}). An AUROC of {auroc} is no more than chance gives here.",
    "underpowered": "Too few subjects: even a perfect result could not be told from chance.",
    "undecided": "Not settled yet: too few relabellings were run to say yes or no.",
    "not_tested": "Not tested: nothing was compared with shuffled labels.",
}
"""The verdict in one plain sentence, for the top of the page."""
_NULLS = {"unconditional": "strata", "conditional": "batch"}
_PREDICTORS = {
    "majority": "the training odds for every subject; no predictor",
    "random signatures": "random genes, as many and as highly expressed as the model's",
    "depth and quality": "library size, detected genes, and RIN where known",
    "drug": "the drug given",
    "cell-type markers": "mean of a few markers of each cell type: tissue composition alone",
    "all nuisance columns": "all nuisances together",
}


class Verdict(Section):
    """The conclusion in one sentence, with its meaning and its numbers."""

    title = "Verdict"
    anchor = "verdict"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return the sentence, its meaning and its numbers."""
        result = run.result
        level = result.verdict.level
        severe = [finding for finding in result.audit if finding.severity in ("error", "warning")]
        return {
            "level": level,
            "name": NAMES.get(level, level),
            "answer": answer(result),
            "sentence": result.verdict.sentence,
            "meaning": MEANINGS.get(level, ""),
            "headline": result.headline,
            "null": result.null,
            "global_test": result.global_test,
            "n": result.n,
            "endpoint": result.endpoint,
            "cautions": len(severe),
            "sensitivity": result.split_sensitivity,
            "jobs": result.jobs_on_data,
            "lock": result.lock,
            "corrected_p": corrected_for_jobs(result),
            "claims": _asks_for_response(run),
            "timing": describe_timing(result.endpoint.taken),
        }


def answer(result: Result) -> str:
    """Return the verdict in one plain sentence, empty for a level of another version."""
    headline, null, endpoint = result.headline, result.null, result.endpoint
    low, high = headline.auroc_ci
    return _ANSWERS.get(result.verdict.level, "").format(
        positive=endpoint.positive,
        negative=endpoint.negative,
        p=p_text(None if null is None else null.p_value),
        auroc=plain(headline.auroc),
        low=plain(low),
        high=plain(high),
        nuisances=" or ".join(endpoint.nuisances) or "a nuisance",
    )


def _asks_for_response(run: Run) -> bool:
    """Tell whether the classes are those of the founding study's claims, so that `claims` asks more of the same animals."""
    words = run.config.get("claims", {}).get("words", {})
    endpoint = run.result.endpoint
    return {endpoint.positive, endpoint.negative} == {words.get("responder"), words.get("non_responder")}


def corrected_for_jobs(result: Result) -> float | None:
    """Return p times the number of jobs on these data (Bonferroni), at most 1; None where either is not known."""
    if result.null is None or result.null.p_value is None or result.jobs_on_data is None:
        return None
    return min(1.0, result.null.p_value * result.jobs_on_data.jobs)


class Null(Section):
    """The observed value among relabelled ones, with and without batch held fixed."""

    title = "Null: the procedure on relabelled subjects"
    anchor = "null"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return both nulls and their figures."""
        null = run.result.null
        if null is None or null.p_value is None:
            return (
                "The null was not run, so the AUROC cannot be compared with chance. Set null.permutations above 0 in the "
                "configuration to relabel subjects and run the whole procedure again on each relabelling."
            )
        conditional = null.conditional
        return {
            "null": null,
            "conditional": conditional,
            "strata": run.result.endpoint.strata,
            "nuisance": run.result.endpoint.nuisances,
            "alpha": run.config.get("null", {}).get("alpha"),
            "headline": run.result.headline.auroc,
            "figure": _null_figure(run, "unconditional", null),
            "conditional_figure": _null_figure(run, "conditional", conditional) if conditional else None,
        }


def _null_figure(run: Run, kind: str, null: NullRecord) -> Markup | None:
    rows = table(run, "null")
    # Earlier versions tested the AUROC itself.
    of_auroc = "statistic" not in rows or not rows["statistic"].notna().any()
    column = "auroc" if of_auroc else "statistic"
    values = rows.loc[rows["kind"].astype(str).str.startswith(kind), column].to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values) or null.observed is None:
        return None
    mean, observed = float(values.mean()), float(null.observed)
    facts: dict[str, Any] = {}
    if not of_auroc:
        ends = [*values, observed]
        facts = {"words": "test statistic", "limits": (float(np.floor(min(ends))), float(np.ceil(max(ends) + 1e-9)))}
    return null_distribution(f"null-{_NULLS[kind]}", values, reaching(null, len(values)), observed, mean, **facts)


def reaching(null: NullRecord, draws: int) -> int:
    """Return how many relabellings are at or above the observed value, from p.

    The record rounds the observed value, so comparing it with equal AUROCs is not exact; the count is therefore derived from p.
    p is C / B where all labellings were run, else (C + 1) / (B + 1). Earlier versions stopped with C / B; their records hold no
    risk.
    """
    p_value = null.p_value or 0.0
    if null.exact or (null.stopped_early and null.risk is None):
        return round(p_value * draws)
    return max(round(p_value * (draws + 1)) - 1, 0)


class Baselines(Section):
    """AUROC of every baseline, and the gain of the procedure over it."""

    title = "Baselines: simple competitors on the same folds"
    anchor = "baselines"

    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the baselines with the headline's gain over each."""
        rows = table(run, "baselines").to_dict("records")
        headline = run.result.headline
        if not rows or headline.auroc is None:
            return "No baseline was run, because no model was trained to compare it with."
        low, high = headline.auroc_ci
        drawn = [Row("this procedure", headline.auroc, low, high, leading=True)]
        drawn += [Row(row["name"], row["auroc"], row["auroc_low"], row["auroc_high"]) for row in rows]
        best = max(rows, key=lambda row: row["auroc"])
        alt = f"AUROC of this procedure, {headline.auroc:.2f}, above {len(rows)} baselines; best is {best['name']}."
        for row in rows:
            row["explained"] = _PREDICTORS.get(row["name"], f"the column {row['name']} of the sample sheet alone")
        return {
            "rows": rows,
            "best": best,
            "headline": headline,
            "n": run.result.n,
            "without": run.result.without,
            "rivals": table(run, "rivals").to_dict("records"),
            "figure": forest("baselines-forest", drawn, ("AUROC, 95 % interval", "this procedure", "baseline"), alt),
        }
