"""The result of one run: what ``result.json`` holds, as typed fields that report, tables, screen and tracking read.

The published schema, ``docs/result.schema.json``, is generated from these classes. Numbers that are not finite are null in the
file and None here.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from responder_ml.cohort.findings import Finding
from responder_ml.errors import RunError
from responder_ml.evaluation import metrics
from responder_ml.evaluation.verdict import Verdict
from responder_ml.records.endpoint_record import EndpointRecord
from responder_ml.records.job_lock import JobLock
from responder_ml.records.label_ceiling_record import LabelCeilingRecord
from responder_ml.records.learning_curve_record import LearningCurveRecord
from responder_ml.records.left_out_record import LeftOutRecord
from responder_ml.records.numbers import Interval, Number, finite
from responder_ml.records.stability_record import StabilityRecord
from responder_ml.search.candidate import AUTO

SCHEMA_VERSION = 1


class Record(BaseModel):
    """Part of a result; keys that a later version added are ignored, values do not change."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Counts(Record):
    """Numbers of samples, subjects and genes."""

    samples: int
    subjects: int
    positive: int
    negative: int
    genes: int
    left_out: int | None = None
    """Samples that were not compared, whatever the reason; None in results of versions that did not count them."""


class CalibrationRecord(Record):
    """Calibration of the held-out log-odds; None where there are too few subjects."""

    in_the_large: Number = None
    intercept: Number = None
    slope: Number = None


class Performance(Record):
    """AUROC with its interval, and a number for every other metric of `metrics.METRICS`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    auroc: Number
    auroc_ci: Interval

    @model_validator(mode="before")
    @classmethod
    def _finite_metrics(cls, values: Any) -> Any:
        names = [metric.name for metric in metrics.METRICS if isinstance(values, Mapping) and metric.name in values]
        return {**values, **{name: finite(values[name]) for name in names}} if names else values

    def metric(self, name: str) -> float | None:
        """Return the value of a metric; None where it is not defined or was not measured by the version that wrote it."""
        value: float | None = getattr(self, name, None)
        return value


class Headline(Performance):
    """Performance of the whole procedure: the mean of the candidates' log-odds."""

    candidate: str = AUTO
    calibration: CalibrationRecord | None = None


class CandidateRecord(Performance):
    """Performance of one candidate by itself."""

    name: str
    builder: str
    classifier: str
    chosen_share: float
    """Weight in auto, the mean over outer folds; of versions that chose one candidate, the share of folds in which it was."""


class NullRecord(Record):
    """A null, and where the observed labels stand in it."""

    p_value: Number
    p_interval: Interval
    """Where infinitely many relabellings would put p: with confidence 1 - risk, or 95 % in results without a risk."""
    permutations: int
    """Relabellings that were run."""
    labellings: int | None
    """Distinct labellings there are; None where they are more than 10^15."""
    observed: Number
    """Test statistic of the observed labels; see ``statistic``."""
    leading: str | None = None
    """Whose separation is the largest, auto's or a candidate's; None in results of versions that tested auto alone."""
    null_mean: Number
    null_sd: Number
    """Mean and standard deviation of the AUROC of relabelled subjects."""
    exact: bool
    stopped_early: bool
    """Whether drawing ended before all relabellings that were allowed."""
    min_attainable_p: Number
    settled: bool | None = None
    """Whether it is known on which side of alpha p lies; None in results of versions that did not ask."""
    risk: Number = None
    """Probability that a settled p lies on the other side; 0 where all labellings were run, None likewise."""
    statistic: str = "AUROC within outer folds, ties broken by the Brier score"
    """Name of the test statistic."""


class Null(NullRecord):
    """The null of the headline."""

    conditional: NullRecord | None = None
    """The same within strata and batch; None where it was not run."""


class GlobalPRecord(Record):
    """A global test against relabelled subjects."""

    p_value: Number
    p_interval: Interval
    z: Number
    """Statistic of the observed labels less its mean over relabelled subjects, in their standard deviations."""
    permutations: int
    """Labellings that were run, the observed one included."""
    labellings: int | None
    """Distinct labellings there are; None where they are more than 10^15."""
    exact: bool


class GlobalTestRecord(GlobalPRecord):
    """Whether the classes differ at all, over all expressed genes; no part of the verdict."""

    name: str
    genes: int
    """Genes that entered: expressed, and not constant within strata."""
    conditional: GlobalPRecord | None = None
    """The same within strata and batch; None where no batch is named or no subjects can exchange labels within it."""


class BaselineRecord(Record):
    """A baseline on the folds of the headline."""

    name: str
    auroc: Number
    gain: Number
    """AUROC of the headline minus that of the baseline."""
    gain_ci: Interval


class GeneAblationRecord(Record):
    """The headline without some genes; numbers are None where the data have none of them or a builder needs them."""

    name: str
    genes: list[str]
    auroc: Number = None
    difference: Number = None
    """AUROC with all genes minus AUROC without these."""
    difference_ci: Interval | None = None


class AgreementRecord(Record):
    """Spearman's correlation of the held-out log-odds with the measured behaviour; see `BehaviourAgreement`."""

    spearman: Number
    p_value: Number
    within: Number
    within_p: Number
    permutations: int


class BehaviourRecord(Record):
    """The measured behaviour that the classes were cut from, and the rule."""

    column: str
    cut: float
    margin: float
    above: str
    left_out: int
    """Subjects within the margin, which belong to neither class."""
    agreement: AgreementRecord | None = None


class JobsOnDataRecord(Record):
    """Which of how many different jobs on the same data this is, by the register beside the run folder."""

    run: int
    """Counted from 1, in the order in which the jobs were first asked."""
    jobs: int
    """Different jobs that ask for the same classes of mostly the same samples, this one included."""


class SplitSensitivityRecord(Record):
    """Range of the headline over halves of its repeats: how much it hangs on the splits, not on the subjects."""

    halves: int
    """Halves that were compared."""
    repeats: int
    """Repeats in each."""
    auroc: Interval
    """Smallest and largest AUROC."""
    separation: Interval
    """Smallest and largest separation of the classes by auto, which its test standardises."""


class SearchRecord(Record):
    """What was searched."""

    repeats: int
    folds: int
    complete: bool = False
    """Whether every pair of subjects of different class and one stratum was held out together; see `splits.complete_folds`."""
    inner_folds: int
    inner_repeats: int = 1
    trials: int


class RefitMemberRecord(Record):
    """A candidate of the final model."""

    name: str
    weight: float
    """Its weight in the mean of log-odds."""
    params: dict[str, Any] = {}


class RefitRecord(Record):
    """The final model, fitted to all subjects."""

    candidate: str
    """The candidate; "auto" where the model is the weighted mean of several, its members."""
    params: dict[str, Any] = {}
    """The candidate's parameters; empty for a mean, whose members have their own."""
    n_features: int
    members: list[RefitMemberRecord] = []
    """Empty in runs of versions that chose one candidate."""


class Result(Record):
    """The answer of one run."""

    schema_version: int = SCHEMA_VERSION
    name: str
    """The job's name."""
    simulated: bool
    """Whether the cohort was simulated."""
    endpoint: EndpointRecord
    n: Counts
    headline: Headline
    null: Null | None
    """None where no null was run."""
    global_test: GlobalTestRecord | None = None
    """None where no null was run, or by a version that had no such test."""
    baselines: list[BaselineRecord]
    candidates: list[CandidateRecord]
    audit: list[Finding]
    left_out: list[LeftOutRecord] = []
    """Samples that were not compared, by reason."""
    accepted: list[str] = []
    """Codes of findings of severity error that were accepted by whoever trained."""
    without: list[GeneAblationRecord] = []
    """The headline again without some genes."""
    behaviour: BehaviourRecord | None = None
    """None where the sheet itself gave the classes."""
    verdict: Verdict
    jobs_on_data: JobsOnDataRecord | None = None
    """None where the register could not be used."""
    lock: JobLock | None = None
    """None where the job was not locked."""
    label_ceiling: LabelCeilingRecord | None = None
    learning_curve: LearningCurveRecord | None = None
    split_sensitivity: SplitSensitivityRecord | None = None
    """None with one repeat."""
    stability: StabilityRecord = StabilityRecord()
    search: SearchRecord
    refit: RefitRecord | None = None
    timings: dict[str, float] = {}
    """Seconds per stage."""
    versions: dict[str, str] = {}
    gene_map: dict[str, Any] | None = None
    """How gene names were translated, where that was asked for."""
    data_sha256: str
    """Digest of the data that were used."""
    seed: int

    @classmethod
    def read(cls, content: Any, source: str) -> Self:
        """Check the content of a ``result.json``.

        Parameters
        ----------
        content
            What the JSON file holds.
        source
            Names the folder in messages.

        Raises
        ------
        RunError
            It is not what a run writes.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as problem:
            first = problem.errors()[0]
            key = ".".join(map(str, first["loc"])) or "the file"
            raise RunError(
                f"result.json of {source} is damaged: {key}: {first['msg']}. Train the job again."
            ) from problem

    def content(self) -> dict[str, Any]:
        """Return the plain values that ``result.json`` holds."""
        return self.model_dump(mode="json")

    @classmethod
    def schema_of_file(cls) -> dict[str, Any]:
        """Return the JSON schema of ``result.json``, every registered metric among the numbers of a performance."""
        schema = cls.model_json_schema()
        number = {"anyOf": [{"type": "number"}, {"type": "null"}]}
        for part in (Headline, CandidateRecord):
            properties = schema["$defs"][part.__name__]["properties"]
            for metric in metrics.METRICS[1:]:
                properties[metric.name] = {**number, "description": metric.meaning}
        return schema
