"""Sentences about a run that answer items of the guidelines."""

from dataclasses import dataclass

from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.result import Headline, Result
from responder_ml.records.run import Run
from responder_ml.report.numbers import is_missing, p_text, plain
from responder_ml.report.section import table


@dataclass(frozen=True)
class Facts:
    """Sentences about one run."""

    outcome: str
    classes: str
    data: str
    source: str
    preparation: str
    models: str
    validation: str
    separation: str
    tuning: str
    performance: str
    uncertainty: str
    null: str
    baselines: str
    calibration: str
    software: str
    seed: str
    explanation: str
    final_model: str
    audit: str
    timing: str
    clusters: str
    strata: str
    left_out: str
    lock: str

    @classmethod
    def of(cls, run: Run) -> "Facts":
        """Gather the sentences of a run."""
        result, n, endpoint = run.result, run.result.n, run.result.endpoint
        trained = not table(run, "out_of_fold").empty
        return cls(
            outcome=f"Column {endpoint.column}: {endpoint.positive} (positive) against {endpoint.negative}.",
            classes=f"{n.subjects} subjects: {n.positive} {endpoint.positive}, {n.negative} {endpoint.negative}.",
            data=f"{n.samples} samples x {n.genes:,} genes in {endpoint.units}; SHA-256 {result.data_sha256}.",
            source=_source(run),
            preparation=(
                f"Values are read as {endpoint.units}. Normalisation, expression filter, ranking and scaling are learnt from "
                "training rows alone and applied to held-out rows."
            ),
            models=_models(run) if trained else "Nothing was trained.",
            validation=_validation(run) if trained else "Nothing was trained.",
            separation=(
                "Folds split subjects, never samples, so one subject is never on both sides. Everything learnt is learnt again "
                "inside every training set."
            ),
            tuning=_tuning(run) if trained else "Nothing was tuned.",
            performance=_performance(result.headline),
            uncertainty=(
                "95 % intervals are score intervals whose variance allows for cross-validation; paired comparisons use "
                "the corrected resampled t; curves show the spread over repeats."
            ),
            null=_null(run),
            baselines="; ".join(f"{baseline.name} {plain(baseline.auroc)}" for baseline in result.baselines)
            or "None was run.",
            calibration=_calibration(result.headline),
            software=_software(result),
            seed=f"Seed {result.seed}; results do not depend on the number of workers.",
            explanation=_explanation(run),
            final_model=_final_model(result),
            audit=_audit(result),
            timing=describe_timing(endpoint.taken),
            clusters=_clusters(result),
            strata=_strata(result),
            left_out=_left_out(result),
            lock="The job was not locked before it ran." if result.lock is None else result.lock.sentence,
        )


def _source(run: Run) -> str:
    cohort = run.config.get("cohort", {})
    if run.result.simulated:
        return "Simulated data; no animal, donor or patient."
    files = [str(cohort[key]) for key in ("expression", "samples") if cohort.get(key)]
    return f"Read from {cohort.get('source', 'files')}: {', '.join(files) or 'not named'}."


def _models(run: Run) -> str:
    names = [candidate.name for candidate in run.result.candidates]
    return f"{len(names)} candidate(s): {', '.join(names)}; their combination (auto) is part of the procedure."


def _validation(run: Run) -> str:
    search = run.result.search
    return (
        f"Nested cross-validation: {search.repeats} repeats of {search.folds} stratified outer folds of "
        f"subjects; {search.inner_folds} inner folds."
    )


def _tuning(run: Run) -> str:
    trials = run.result.search.trials
    if not trials:
        return "No parameter was tuned: all are fixed in advance."
    return f"{trials} Optuna trials per candidate and outer training set, scored by the mean inner AUROC."


def _performance(headline: Headline) -> str:
    if is_missing(headline.auroc):
        return "Nothing was trained."
    low, high = headline.auroc_ci
    others = ", ".join(f"{metric.label} {plain(headline.metric(metric.name))}" for metric in METRICS[1:])
    return f"AUROC {plain(headline.auroc)} (95 % interval {plain(low)} to {plain(high)}), {others}."


def _null(run: Run) -> str:
    null = run.result.null
    if null is None or null.p_value is None:
        return "No null was run."
    choice = "all" if null.exact else "random"
    text = (
        f"The whole procedure re-run on {null.permutations:,} relabellings ({choice}), null mean {plain(null.null_mean)}, "
        f"p = {p_text(null.p_value)}."
    )
    conditional = null.conditional
    if conditional is not None and conditional.p_value is not None:
        text += f" Among subjects alike in the nuisances p = {p_text(conditional.p_value)}."
    return text


def _calibration(headline: Headline) -> str:
    calibration = headline.calibration
    if calibration is None or calibration.slope is None:
        return f"Brier {plain(headline.metric('brier'))}; intercept and slope are not estimated on so few subjects."
    return f"Brier {plain(headline.metric('brier'))}, intercept {plain(calibration.intercept)}, slope {plain(calibration.slope)}."


def _explanation(run: Run) -> str:
    if table(run, "genes").empty:
        return "No contributions were computed."
    return "SHAP values in log-odds on held-out rows only, by gene, with sign consistency and selection frequency over repeats."


def _final_model(result: Result) -> str:
    refit = result.refit
    if refit is None:
        return "No final model was fitted."
    names = [member.name for member in refit.members]
    what = refit.candidate if len(names) < 2 else f"The mean of {', '.join(names[:-1])} and {names[-1]}"
    return (
        f"{what} on {refit.n_features} features, refitted on all subjects and never evaluated; "
        "stored with its preprocessing as a bundle."
    )


def _audit(result: Result) -> str:
    severe = [finding.code for finding in result.audit if finding.severity != "info"]
    return f"Audit before training: {', '.join(severe)}." if severe else "Audit before training: no warning."


def _software(result: Result) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return f"Versions: {versions}." if versions else "Versions were not recorded."


def _clusters(result: Result) -> str:
    endpoint = result.endpoint
    strata, nuisances = ", ".join(endpoint.strata) or "none", ", ".join(endpoint.nuisances) or "none"
    block = f" Folds keep {endpoint.block} together." if endpoint.block else ""
    return f"Strata, within which labels are exchanged: {strata}. Nuisances, which must not explain the result: {nuisances}.{block}"


def _strata(result: Result) -> str:
    null = result.null
    if null is None or null.conditional is None or null.conditional.p_value is None:
        return "Performance was not computed by stratum or batch."
    return (
        "Performance was not computed by stratum or batch; among subjects alike in them the difference has "
        f"p = {p_text(null.conditional.p_value)}."
    )


def _plain(reason: str) -> str:
    return reason.replace("outside `where`", "outside the rows of this job").replace("`", "")


def _left_out(result: Result) -> str:
    if result.n.left_out is None:
        return "How many samples were not compared was not counted."
    reasons = "; ".join(
        f"{_plain(record.reason)}{f' ({record.value})' if record.value else ''}: {record.count}"
        for record in result.left_out
    )
    return f"{result.n.left_out} samples of the sheet were not compared{f' ({reasons})' if reasons else ''}."
