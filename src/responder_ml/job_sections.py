"""The sections of a job but for `endpoint`: every key with its meaning, its default and its unit.

The reference of the configuration and the schema that editors complete from are made of these classes: the text under a key is its
description there.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from responder_ml.cohort.tissue_taken import TissueTaken
from responder_ml.contrasts.study_regions import SheetWords
from responder_ml.endpoint_config import Rows, Section
from responder_ml.parameters import Processes


class GenesConfig(Section):
    """How gene names of the expression are translated, by a table the user names; see `GeneRules`."""

    map: Path | None = None
    """Table of gene names; relative to the YAML file."""
    identifier: str | None = None
    """Its column with names as in the expression; found by the names if not given."""
    gene: str | None = None
    """Its column with names to use."""
    relation: Literal["identifiers", "aliases", "orthologs"] = "identifiers"
    """What the table relates: other names of the same genes, old and other symbols, or genes of two species."""
    many_to_one: Literal["refuse", "sum", "max", "drop"] = "refuse"
    """What is done with several rows of one gene; ``sum`` for counts and TPM only."""
    one_to_many: Literal["refuse", "drop"] = "refuse"
    """What is done with a name of several genes."""
    versions: Literal["keep", "cut"] = "keep"
    """Whether the version after the dot of an Ensembl identifier is cut."""
    repair: bool = False
    """Turn back names that a spreadsheet damaged, such as 1-Mar, where only one gene of the table can have been meant."""


class CohortConfig(Section):
    """Where the expression and the sample sheet come from."""

    source: Literal["simulated", "table", "h5ad"]
    """``table`` for files of expression and samples, ``h5ad`` for an AnnData file, ``simulated`` for no file."""
    expression: Path | tuple[Path, ...] | None = None
    """Samples x genes or genes x samples: a file, a folder or a pattern such as ``counts/*.tsv.gz``, or a list of these, whose
    samples are put together on the genes that all have; relative to the YAML file."""
    samples: Path | None = None
    """Sample sheet, one row per sample; relative to the YAML file. For ``h5ad``, in place of ``obs``."""
    sheet: str | None = None
    """Sheet of the expression's workbook; the first if not given."""
    samples_sheet: str | None = None
    """Sheet of the samples' workbook; the first if not given."""
    layer: str | None = None
    """Layer of an h5ad file to use in place of ``X``, or ``raw``."""
    spike_ins: Literal["keep", "drop"] = "keep"
    """Whether ERCC and other spike-ins stay among the genes."""
    units: Literal["counts", "log2", "tpm"] = "counts"
    """Unit of the expression: reads, log2 of a normalised quantity, or transcripts per million; checked against the values."""
    columns: dict[str, str] = Field(default_factory=dict)
    """The sheet's own names of columns by canonical name, such as ``{sample: sample_id, subject: animal_id}``. Without ``subject``
    each sample is a subject of its own."""
    where: Rows = Field(default_factory=dict)
    """Use only rows whose column has this value, or one of a list, such as ``{region: PFC}``."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the simulator; for ``simulated`` alone."""
    genes: GenesConfig | None = None
    """Translation of gene names; none if not given."""
    taken: TissueTaken | None = None
    """Whether tissue was taken before or after the outcome was known; if not given, ``after`` for simulated cohorts and
    ``unknown`` for files."""
    replicates: Literal["sum", "mean"] | None = None
    """Puts the libraries of one subject and region together, by the ``sum`` of counts or the ``mean``; none if not given."""

    @property
    def tissue_taken(self) -> TissueTaken:
        """When tissue was taken, against the outcome."""
        return self.taken or ("after" if self.source == "simulated" else "unknown")


class ComponentConfig(Section):
    """A builder or a classifier: its kind alone, or its kind with parameters that belong to the kind's own signature."""

    kind: str
    """Its name in `responder-ml list`."""
    name: str | None = None
    """Its name in results, where two are of one kind; the kind if not given."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Its parameters; the reference of builders, scorers and classifiers describes them."""

    @model_validator(mode="before")
    @classmethod
    def _kind_alone(cls, value: object) -> object:
        return {"kind": value} if isinstance(value, str) else value


class SearchConfig(Section):
    """How candidates are tuned and evaluated: folds and repeats of the outer and the inner cross-validation.

    Folds and repeats that are not named fit the number of subjects: a complete design of all pairs with few, otherwise ten
    repeats of five folds.
    """

    folds: int | None = Field(None, ge=2)
    """Outer folds, at most the subjects of the smaller class; fitted to their number if not given."""
    repeats: int | None = Field(None, ge=1)
    """Outer splits, each over all subjects; fitted to their number if not given."""
    inner_folds: int = Field(3, ge=2)
    """Folds of an outer training set in which parameters are tuned."""
    inner_repeats: int = Field(2, ge=1)
    """Splits of an outer training set."""
    trials: int = Field(25, ge=0)
    """Settings tried per candidate and outer training set, the fixed form first; 0 tunes nothing."""
    learning_curve: int | None = Field(None, ge=2, le=10)
    """Sizes of the learning curve, the full one included: models are trained again on fewer of the training subjects. From 4 sizes
    on it can be extrapolated; no curve if not given."""


class NullConfig(Section):
    """How many relabellings the null may run, and the level of significance.

    Every relabelling runs all repeats of the search.
    """

    removed: ClassVar[Mapping[str, str]] = {
        "repeats": "Remove it: the null now runs all repeats of the search (search.repeats).",
        "stop_after": (
            "Remove it: relabellings end once it is settled whether p is at most null.alpha; null.permutations (a number, or "
            "auto) says how many there may be."
        ),
    }

    permutations: int | Literal["auto"] = "auto"
    """``auto`` runs all labellings where they are at most 2,000, otherwise random ones until it is settled whether p is at most
    ``alpha``. A number is the most relabellings; 0 runs none, and the verdict is then not tested."""
    alpha: float = Field(0.05, gt=0, lt=1)
    """Level of significance: evidence is p at or below it."""
    rivals: int | None = Field(None, ge=0)
    """Most relabellings for each line of the table of rival explanations (batch, cage, RIN, depth, sex, composition); 0 for none.
    199 if not given and ``endpoint.adjust`` or ``endpoint.block`` names something, none otherwise."""

    @field_validator("permutations", mode="before")
    @classmethod
    def _auto_or_a_budget(cls, value: object) -> object:
        if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise ValueError("write auto, or the most relabellings as a whole number (0 for no null)")


class BehaviourConfig(Section):
    """Social interaction ratios behind the response fractions.

    The founding study's own cut-off and rule could not be verified.
    """

    path: Path | None = None
    """Table of the behaviour; relative to the YAML file. The sample sheet if not given."""
    post: str
    """Column of the ratio after treatment."""
    pre: str | None = None
    """Column of the ratio before treatment, for rules that compare."""
    rule: Literal["post", "delta", "both"] = "post"
    """An animal responds where its ratio after treatment, its change, or both reach their limit."""
    cut: float = 1.0
    """Limit of the ratio after treatment."""
    delta: float = 0.2
    """Limit of the change of the ratio."""


class ClaimsConfig(Section):
    """How the founding study's claims are evaluated."""

    words: SheetWords = SheetWords()
    """What the sheet calls the study's groups."""
    covariates: tuple[str, ...] = ()
    """Columns held constant in the linear models; residuals are then rotated."""
    strata: tuple[str, ...] = ()
    """Columns within which subjects are relabelled."""
    batch: Literal["auto", "ignore"] = "auto"
    """Without covariates and strata: handle the categories of ``endpoint.nuisance`` as each region allows, or ignore them."""
    preset: Literal["bagot2017", "fdr"] = "bagot2017"
    """When a gene is called: at p < 0.05 and a fold change of 1.3, which is attributed to the study and unverified, or at a false
    discovery rate of 10 %."""
    relabellings: int = Field(2000, ge=1)
    """Most relabellings or rotations of each null."""
    bootstrap: int = Field(200, ge=2)
    """Bootstrap draws of animals behind the ranks of regions."""
    alpha: float = Field(0.05, gt=0, lt=1)
    """Level of significance of the verdicts."""
    behaviour: BehaviourConfig | None = None
    """Behaviour behind claim R1; without it, R1 is not asked."""


class TrackingConfig(Section):
    """The MLflow store that runs are sent to."""

    enabled: bool = True
    """Whether `train` and `study` send their runs."""
    uri: str | None = None
    """Address of the store; MLFLOW_TRACKING_URI if not given, or else ``sqlite:///mlflow.db`` in the current folder."""
    experiment: str | None = None
    """Name of the experiment; responder_ml if not given, where jobs of all regions can be compared."""


class ComputeConfig(Section):
    """Where the work is done; results do not depend on it."""

    workers: Processes = -1
    """Processes on this machine; -1 takes all cores."""
    scheduler: str | None = None
    """Address of a Dask cluster's scheduler, ``tcp://HOST:PORT``, in place of processes here."""
    backend: Literal["processes", "dask"] | None = Field(None, exclude=True)
    """A key of earlier versions, not needed any more: the scheduler alone selects a cluster."""

    @model_validator(mode="after")
    def _scheduler_belongs_to_dask(self) -> Self:
        if self.backend is not None and (self.backend == "dask") != (self.scheduler is not None):
            raise ValueError("backend: dask and scheduler: tcp://HOST:PORT belong together; give the scheduler alone")
        return self
