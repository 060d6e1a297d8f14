"""What a model card says of a run, once: `card` writes it for people and the Hugging Face Hub, `card_json` for programs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from responder_ml.cohort.findings import Finding
from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.evaluation.metrics import METRICS
from responder_ml.records.graded import GradedFinding, JobsOnData
from responder_ml.records.job_lock import JobLock
from responder_ml.records.numbers import RowFilter
from responder_ml.records.result import JobsOnDataRecord, RefitRecord, Result
from responder_ml.records.run import Run
from responder_ml.report.numbers import Value, brief, is_missing, p_text, plain
from responder_ml.report.section import table
from responder_ml.report.verdict import MEANINGS, NAMES, corrected_for_jobs

TASK, REGRESSION = "tabular-classification", "tabular-regression"
"""The tasks, as the Hugging Face Hub names them."""
# Leading genes that a card names at most.
_GENES_LISTED = 10
NOT_RUN = "not run"
"""Instead of a p where there is no null."""
SIMULATED = "Simulated data: nothing here is a finding about real animals, donors or patients."
USERS = "Researchers who compare gene expression between groups of animals, donors or patients."
MISUSE = "Not for diagnosis, for choosing a treatment, or for any decision about a patient."
ONE_COHORT = (
    "One cohort, internal validation only. The result may not hold in another region, drug, paradigm, sex or platform."
)
NEVER_EVALUATED = "The model in the bundle was refitted on all subjects and has itself never been evaluated."
OF_PROCEDURE = (
    "These numbers are of the whole procedure on held-out subjects, the combination of the candidates included."
)
RELABELLED = (
    "Relabelled subjects: labels are exchanged at random and the whole procedure is run again, which shows what chance alone "
    "gives; p is how often that is as good as the result."
)
_BASELINES = "Baselines: simple predictors on the same subjects, which the procedure should surpass."


@dataclass(frozen=True)
class Measure:
    """A number of the card.

    Attributes
    ----------
    label
        What it is.
    value
        The number; missing where it was not computed, which ``absent`` then says in words.
    interval
        Its 95 % interval, None where it has none.
    slice
        The subjects it is of; empty for all.
    metric
        Name of the entry of `METRICS` it is, or key of a graded outcome's headline; empty for other numbers.
    is_p
        Whether it is a p-value, which is written with its significant digits.
    """

    label: str
    value: Value
    interval: Sequence[Value] | None = None
    slice: str = ""
    metric: str = ""
    is_p: bool = False
    absent: str = "not estimated"

    @property
    def text(self) -> str:
        """The number with its interval, in words."""
        if is_missing(self.value):
            return self.absent
        number = p_text(self.value) if self.is_p else plain(self.value)
        if self.interval is None or any(map(is_missing, self.interval)):
            return number
        low, high = self.interval
        return f"{number} (95 % interval {plain(low)} to {plain(high)})"


@dataclass(frozen=True)
class Fact:
    """A line of the card: a key for programs, a label for people, and what is said."""

    key: str
    label: str
    text: str


@dataclass(frozen=True)
class CardFacts:
    """The facts of one card, as plain text; what does not apply is empty.

    Attributes
    ----------
    task_name
        What the model decides between, for the Hub.
    warning
        That data were simulated; empty where they were not.
    verdict, conclusion, meaning
        The verdict's name, its sentence, and what it means for a reader.
    users, use, misuse, timing
        For whom and for what the model is, for what it is not, and what the time of taking tissue allows.
    data
        The question and the data.
    reading
        What the measures mean, one sentence each.
    evaluated
        Of what the measures are.
    architecture, families, inputs, outputs
        The final model, the kinds of classifier it consists of, what it takes and what it gives.
    genes
        Sentences about leading genes.
    limits
        Limits that follow from design and audit.
    task
        As the Hub names it.
    """

    name: str
    task_name: str
    warning: str
    verdict: str
    conclusion: str
    meaning: str
    users: str
    use: str
    misuse: str
    timing: str
    data: tuple[Fact, ...]
    evaluated: str
    reading: tuple[str, ...]
    measures: tuple[Measure, ...]
    architecture: str
    families: tuple[str, ...]
    inputs: str
    outputs: str
    genes: tuple[str, ...]
    limits: tuple[str, ...]
    lock: JobLock | None
    versions: dict[str, str]
    seed: int
    digest: str
    tags: tuple[str, ...]
    task: str = TASK

    @classmethod
    def of(cls, run: Run) -> "CardFacts":
        """Gather the facts of what ``train`` left behind, or `read_run` read back."""
        result = run.result
        endpoint, level = result.endpoint, result.verdict.level
        return cls(
            name=run.name,
            task_name=f"{endpoint.positive} or {endpoint.negative}",
            warning=SIMULATED if result.simulated else "",
            verdict=NAMES.get(level, level),
            conclusion=result.verdict.sentence,
            meaning=MEANINGS.get(level, ""),
            users=USERS,
            use=intended_use(f"discriminate {endpoint.positive} from {endpoint.negative}"),
            misuse=MISUSE,
            timing=describe_timing(endpoint.taken),
            data=tuple(fact for fact in _data(result) if fact.text),
            evaluated=OF_PROCEDURE if result.refit is None else f"{OF_PROCEDURE} {NEVER_EVALUATED}",
            reading=(*(f"{metric.label}: {metric.meaning}." for metric in METRICS), RELABELLED, _BASELINES),
            measures=tuple(_measures(run)),
            architecture="No model was fitted." if result.refit is None else _architecture(result.refit),
            families=final_classifiers(result),
            inputs="" if result.refit is None else f"table of samples and genes, {endpoint.units}",
            outputs="" if result.refit is None else f"log-odds and probability of {endpoint.positive}",
            genes=tuple(_genes(run)),
            limits=tuple(_limits(result)),
            lock=result.lock,
            versions=result.versions,
            seed=result.seed,
            digest=result.data_sha256,
            tags=tags_of(level, simulated=result.simulated),
        )  # fmt: skip


def intended_use(words: str) -> str:
    """Return the sentence on what a model is for, which is to do ``words``, such as ``discriminate responder from control``."""
    return (
        f"Research only: to {words} by gene expression, in samples similar to the training samples (same tissue, "
        "platform and design)."
    )


def tags_of(level: str, *, simulated: bool, task: str = TASK) -> tuple[str, ...]:
    """Return the words by which a model is found, the level of its verdict among them."""
    tags = ("gene-expression", task, "responder-ml", f"verdict:{level}")
    return (*tags, "simulated") if simulated else tags


def rows_used(where: RowFilter) -> str:
    """Return in words which rows of the sheet were used; empty for all."""
    return ", ".join(f"{column} = {_joined(value)}" for column, value in where.items())


def p_label(relabellings: int, smallest: Value) -> str:
    """Return what p is called, with the relabellings that were run and the smallest p they could give."""
    return f"p under relabelled subjects ({relabellings} relabellings, smallest attainable p {p_text(smallest)})"


def _data(result: Result) -> Iterator[Fact]:
    endpoint, n = result.endpoint, result.n
    classes = f"{n.positive} {endpoint.positive}, {n.negative} {endpoint.negative}"
    question = f"{endpoint.positive} (positive) against {endpoint.negative}, column {endpoint.column}"
    yield Fact("question", "Question", question)
    yield Fact("subjects", "Subjects", f"{n.subjects} ({classes}); samples: {n.samples}")
    yield Fact("expression", "Expression", f"{n.genes} genes, {endpoint.units}")
    yield Fact("rows", "Rows selected", rows_used(endpoint.where))
    yield Fact("strata", "Labels permuted within", ", ".join(endpoint.strata))
    yield Fact("nuisances", "Nuisances, which must not explain the result", ", ".join(endpoint.nuisances))
    yield Fact("sha256", "SHA-256 of the data", result.data_sha256)


def _joined(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _measures(run: Run) -> Iterator[Measure]:
    result, headline = run.result, run.result.headline
    auroc, *others = METRICS
    yield Measure(auroc.label, headline.auroc, headline.auroc_ci, metric=auroc.name)
    for metric in others:
        yield Measure(metric.label, headline.metric(metric.name), metric=metric.name)
    if headline.calibration is not None and headline.calibration.slope is not None:
        yield Measure("calibration intercept (0 is right)", headline.calibration.intercept)
        yield Measure("calibration slope (1 is right)", headline.calibration.slope)
    yield from _tests(result)
    if result.split_sensitivity is not None:
        halves = f"when only half of the repeats count ({result.split_sensitivity.halves} halves)"
        for end, value in zip(("smallest", "largest"), result.split_sensitivity.auroc, strict=True):
            yield Measure(f"{end} AUROC {halves}", value)
    rows = table(run, "baselines").to_dict("records")
    intervals = {str(row["name"]): (row["auroc_low"], row["auroc_high"]) for row in rows}
    for baseline in result.baselines:
        yield Measure(f"baseline {baseline.name}: its AUROC", baseline.auroc, intervals.get(baseline.name))
        yield Measure(f"baseline {baseline.name}: AUROC gained over it", baseline.gain, baseline.gain_ci)
    for ablation in result.without:
        yield Measure(f"AUROC without {ablation.name}", ablation.auroc)
        yield Measure(f"AUROC lost without {ablation.name}", ablation.difference, ablation.difference_ci)
    stability = result.stability
    if not is_missing(stability.nogueira):
        yield Measure(f"stability (Nogueira; 1 is perfect) of {stability.of}", stability.nogueira, stability.interval)


def _tests(result: Result) -> Iterator[Measure]:
    """Return what the null and the global test say."""
    null, test = result.null, result.global_test
    if null is None or null.p_value is None:
        yield Measure("p under relabelled subjects", None, is_p=True, absent=NOT_RUN)
    else:
        yield Measure("mean AUROC under relabelled subjects", null.null_mean)
        yield Measure(p_label(null.permutations, null.min_attainable_p), null.p_value, is_p=True)
        if null.conditional is not None and null.conditional.p_value is not None:
            alike = ", ".join((*result.endpoint.strata, *result.endpoint.nuisances))
            yield Measure(
                "p under relabelled subjects",
                null.conditional.p_value,
                slice=f"among subjects alike in {alike}",
                is_p=True,
            )
    if test is not None and test.p_value is not None:
        label = f"p of any difference at all ({test.name} test of {test.genes} genes, no part of the verdict)"
        yield Measure(label, test.p_value, is_p=True)
        if test.conditional is not None and test.conditional.p_value is not None:
            yield Measure(label, test.conditional.p_value, slice="within batches", is_p=True)


def _architecture(refit: RefitRecord) -> str:
    names = ", ".join(member.name for member in refit.members)
    n_members = len(refit.members)
    what = (
        refit.candidate if n_members < 2 else f"The weighted mean of the log-odds of {n_members} candidates ({names})"
    )
    params = "".join(f", {key} = {brief(value)}" for key, value in refit.params.items())
    return f"{what}, {refit.n_features} features{params}."


def final_classifiers(result: Result) -> tuple[str, ...]:
    """Return the kinds of classifier that the final model of a run consists of; none where no model was fitted."""
    if result.refit is None:
        return ()
    names = [member.name for member in result.refit.members] or [result.refit.candidate]
    return tuple(dict.fromkeys(candidate.classifier for candidate in result.candidates if candidate.name in names))


def _genes(run: Run) -> Iterator[str]:
    genes = table(run, "genes").sort_values(["contribution", "gene"], ascending=[False, True])
    leading = leading_genes(genes)
    if not leading:
        return
    yield leading
    called = genes.loc[genes["called_out"] == 1, "gene"]
    if called.empty:
        yield "No gene exceeds the limit from relabelled subjects, so none is called out."
    else:
        yield f"Called out, above the limit from relabelled subjects: {_listed(called)}."


def leading_genes(genes: pd.DataFrame) -> str:
    """Return the sentence on the genes that contributed most, columns ``gene`` and ``contribution``; empty where none did."""
    ordered = genes.sort_values(["contribution", "gene"], ascending=[False, True])
    leading = ordered.loc[ordered["contribution"] > 0, "gene"].head(_GENES_LISTED)
    return "" if leading.empty else f"Leading contributions to held-out predictions (not causes): {_listed(leading)}."


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))


def _limits(result: Result) -> Iterator[str]:
    yield ONE_COHORT
    yield (
        f"Probabilities reflect this cohort's share of {result.endpoint.positive}, which depends on who was sequenced, not on how "
        "often subjects respond."
    )
    yield from limits_of_jobs(result.jobs_on_data, corrected_for_jobs(result))
    yield (
        "The interval of the AUROC is for new subjects like these and models trained on as many; it says nothing of other cohorts."
    )
    yield from limits_of_audit(result.audit)


def limits_of_jobs(jobs: JobsOnDataRecord | JobsOnData | None, corrected_p: float | None) -> Iterator[str]:
    """Yield what it means that several jobs were asked of the data, with p corrected for their number where it is known."""
    if jobs is None or jobs.jobs <= 1:
        return
    corrected = (
        "" if corrected_p is None else f", and p corrected for their number (Bonferroni) is {p_text(corrected_p)}"
    )
    yield (
        f"{jobs.jobs} different jobs were asked of these data so far, this is run {jobs.run}; a result picked from several is "
        f"biased upwards{corrected}."
    )


def limits_of_audit(audit: Iterable[Finding | GradedFinding]) -> Iterator[str]:
    """Yield the warnings and errors of an audit."""
    for finding in audit:
        if finding.severity != "info":
            yield f"{finding.code}: {finding.message}"
