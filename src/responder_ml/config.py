"""One YAML file is one job: read, checked and resolved, with paths relative to the file itself."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from responder_ml.cohort.expression_files import list_files
from responder_ml.cohort.tissue_taken import TissueTaken
from responder_ml.config_problems import explain
from responder_ml.contrasts.study_regions import SheetWords
from responder_ml.endpoint_config import EndpointConfig, Rows, Section
from responder_ml.errors import CohortError, ConfigError
from responder_ml.masking import without_secrets
from responder_ml.parameters import Processes
from responder_ml.plain_yaml import read_yaml_file


class GenesConfig(Section):
    """How gene names of the expression are translated, by a table the user names; see `GeneRules`.

    ``identifier`` and ``gene`` are the table's columns with names as in the expression and names to use.
    """

    map: Path | None = None
    identifier: str | None = None
    gene: str | None = None
    relation: Literal["identifiers", "aliases", "orthologs"] = "identifiers"
    many_to_one: Literal["refuse", "sum", "max", "drop"] = "refuse"
    one_to_many: Literal["refuse", "drop"] = "refuse"
    versions: Literal["keep", "cut"] = "keep"
    repair: bool = False


class CohortConfig(Section):
    """Where the expression and the sample sheet come from.

    ``expression`` is a file, a folder or a pattern such as ``counts/*.tsv.gz``, or a list of these, whose samples are put
    together on the genes that all have. ``sheet`` and ``samples_sheet`` name sheets of workbooks, ``layer`` a layer of an h5ad file
    (or ``raw``). ``spike_ins: drop`` leaves ERCC and other spike-ins out of the genes. ``taken`` says whether tissue was taken
    ``before`` or ``after`` the outcome was known; without it, ``after`` for simulated cohorts and ``unknown`` for files.
    """

    source: Literal["simulated", "table", "h5ad"]
    expression: Path | tuple[Path, ...] | None = None
    samples: Path | None = None
    sheet: str | None = None
    samples_sheet: str | None = None
    layer: str | None = None
    spike_ins: Literal["keep", "drop"] = "keep"
    units: Literal["counts", "log2", "tpm"] = "counts"
    columns: dict[str, str] = Field(default_factory=dict)
    where: Rows = Field(default_factory=dict)
    params: dict[str, Any] = Field(default_factory=dict)
    genes: GenesConfig | None = None
    taken: TissueTaken | None = None

    @property
    def tissue_taken(self) -> TissueTaken:
        """When tissue was taken, against the outcome."""
        return self.taken or ("after" if self.source == "simulated" else "unknown")


class ComponentConfig(Section):
    """A builder or a classifier: its kind, and parameters that belong to the kind's own signature."""

    kind: str
    name: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _kind_alone(cls, value: object) -> object:
        return {"kind": value} if isinstance(value, str) else value


class SearchConfig(Section):
    """Outer folds and repeats, inner folds and repeats, and trials per candidate and outer training set, the fixed form first.

    Folds and repeats that are not named fit the number of subjects: a complete design of all pairs with few, otherwise ten
    repeats of five folds.
    """

    folds: int | None = Field(None, ge=2)
    repeats: int | None = Field(None, ge=1)
    inner_folds: int = Field(3, ge=2)
    inner_repeats: int = Field(2, ge=1)
    trials: int = Field(25, ge=0)


class NullConfig(Section):
    """How many relabellings the null may run, and the level of significance.

    ``auto`` runs all labellings where they are at most 2,000, and otherwise random ones until it is settled whether p is at
    most ``alpha``. A number is the most relabellings; 0 runs none. Every relabelling runs all repeats of the search.
    """

    removed: ClassVar[Mapping[str, str]] = {
        "repeats": "Remove it: the null now runs all repeats of the search (search.repeats).",
        "stop_after": (
            "Remove it: relabellings end once it is settled whether p is at most null.alpha; null.permutations (a number, or "
            "auto) says how many there may be."
        ),
    }

    permutations: int | Literal["auto"] = "auto"
    alpha: float = Field(0.05, gt=0, lt=1)

    @field_validator("permutations", mode="before")
    @classmethod
    def _auto_or_a_budget(cls, value: object) -> object:
        if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise ValueError("write auto, or the most relabellings as a whole number (0 for no null)")


class BehaviourConfig(Section):
    """Social interaction ratios behind the response fractions: a table of its own or, without ``path``, the sample sheet.

    The founding study's own cut-off and rule could not be verified.
    """

    path: Path | None = None
    post: str
    pre: str | None = None
    rule: Literal["post", "delta", "both"] = "post"
    cut: float = 1.0
    delta: float = 0.2


class ClaimsConfig(Section):
    """How the founding study's claims are evaluated.

    ``bagot2017`` calls a gene at p < 0.05 and a fold change of 1.3, which is attributed to the study and unverified; ``fdr``
    at a false discovery rate of 10 %. Columns in ``covariates`` are held constant and residuals rotated; subjects are
    relabelled within ``strata``.
    """

    words: SheetWords = SheetWords()
    covariates: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    preset: Literal["bagot2017", "fdr"] = "bagot2017"
    relabellings: int = Field(2000, ge=1)
    bootstrap: int = Field(200, ge=2)
    alpha: float = Field(0.05, gt=0, lt=1)
    behaviour: BehaviourConfig | None = None


class TrackingConfig(Section):
    """The MLflow store and experiment; ``enabled: false`` for none."""

    enabled: bool = True
    uri: str | None = None
    experiment: str | None = None


class ComputeConfig(Section):
    """Processes on this machine (-1 takes all cores), or the address of a Dask cluster's scheduler.

    ``backend`` is a key of earlier versions; the scheduler alone selects a cluster now.
    """

    workers: Processes = -1
    scheduler: str | None = None
    backend: Literal["processes", "dask"] | None = Field(None, exclude=True)

    @model_validator(mode="after")
    def _scheduler_belongs_to_dask(self) -> Self:
        if self.backend is not None and (self.backend == "dask") != (self.scheduler is not None):
            raise ValueError("backend: dask and scheduler: tcp://HOST:PORT belong together; give the scheduler alone")
        return self


class JobConfig(Section):
    """One training job."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    cohort: CohortConfig
    endpoint: EndpointConfig
    builders: tuple[ComponentConfig, ...] = Field(min_length=1)
    classifiers: tuple[ComponentConfig, ...] = Field(min_length=1)
    search: SearchConfig = SearchConfig()
    null: NullConfig = NullConfig()
    claims: ClaimsConfig = ClaimsConfig()
    tracking: TrackingConfig = TrackingConfig()
    compute: ComputeConfig = ComputeConfig()
    seed: int = Field(7, ge=0)

    def resolved(self) -> dict[str, Any]:
        """Return plain values that are themselves valid input, every default spelt out."""
        return without_secrets(self.model_dump(mode="json", exclude_none=True))


def load_config(path: Path) -> JobConfig:
    """Read and check one job.

    Parameters
    ----------
    path
        YAML file. Relative paths inside it are taken from its own folder.

    Raises
    ------
    ConfigError
        The file is missing, not YAML, or has an unknown key or an impossible value; all findings at once.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> text = '''
    ... name: pfc-response
    ... cohort: {source: simulated, where: {region: PFC}}
    ... endpoint: {column: response, positive: responder, negative: non_responder, strata: [drug]}
    ... builders: [{kind: genes}]
    ... classifiers: [{kind: elastic_net}, {kind: nearest_centroid}]
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "pfc.yaml"
    ...     _ = path.write_text(text)
    ...     job = load_config(path)
    >>> job.search.trials, job.null.alpha
    (25, 0.05)
    """
    job = read_job(with_absolute_paths(read_yaml(path), path.resolve().parent), str(path))
    check_files(job.cohort, path)
    return job


def read_job(content: Mapping[str, Any], source: str) -> JobConfig:
    """Return the job that some keys describe.

    Parameters
    ----------
    content
        Keys and values of a job.
    source
        Where they come from, for messages.

    Raises
    ------
    ConfigError
        There is an unknown key or an impossible value; all findings at once.
    """
    try:
        return JobConfig.model_validate(content)
    except ValidationError as problem:
        findings = "\n".join(f"  - {line}" for line in explain(problem, JobConfig))
        raise ConfigError(f"{source} cannot be used:\n{findings}") from problem


def load_genes(path: Path) -> GenesConfig:
    """Return a translation of gene names: from a YAML file with the keys of ``cohort.genes``, or from a table alone.

    Raises
    ------
    ConfigError
        The YAML file cannot be used.
    """
    if path.suffix.lower() not in (".yaml", ".yml"):
        return GenesConfig(map=path)
    try:
        return GenesConfig.model_validate(_with_path(read_yaml(path), path.resolve().parent))
    except ValidationError as problem:
        findings = "\n".join(f"  - {line}" for line in explain(problem, GenesConfig))
        raise ConfigError(f"{path} cannot be used:\n{findings}") from problem


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the keys of a YAML file.

    Raises
    ------
    ConfigError
        The file is missing, not YAML, or holds no keys.
    """
    try:
        content = read_yaml_file(path)
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}. Give the path of a YAML file.") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as problem:
        raise ConfigError(f"{path} could not be read as YAML: {problem}") from problem
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds no keys. A job needs name, cohort, endpoint, builders and classifiers.")
    # An unquoted `null:` is YAML's word for nothing; here it is the null hypothesis.
    return {"null" if key is None else key: value for key, value in content.items()}


def with_absolute_paths(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a copy whose file names (of the cohort, ``path`` and ``mapping`` elsewhere) start from ``folder``."""
    resolved = dict(content)
    cohort = resolved.get("cohort")
    if isinstance(cohort, dict):
        files = {key: _from_folder(cohort[key], folder) for key in ("expression", "samples") if cohort.get(key)}
        resolved["cohort"] = {**cohort, **files}
        if isinstance(cohort.get("genes"), dict):
            resolved["cohort"]["genes"] = _with_path(cohort["genes"], folder)
    claims = resolved.get("claims")
    if isinstance(claims, dict) and isinstance(claims.get("behaviour"), dict):
        resolved["claims"] = {**claims, "behaviour": _with_path(claims["behaviour"], folder)}
    for family in ("builders", "classifiers"):
        if isinstance(resolved.get(family), list):
            resolved[family] = [_component_paths(component, folder) for component in resolved[family]]
    return resolved


def _from_folder(files: Any, folder: Path) -> Any:
    return [str(folder / str(file)) for file in files] if isinstance(files, list) else str(folder / str(files))


def _component_paths(component: Any, folder: Path) -> Any:
    has_params = isinstance(component, dict) and isinstance(component.get("params"), dict)
    return {**component, "params": _with_path(component["params"], folder)} if has_params else component


def _with_path(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    files = {key: str(folder / values[key]) for key in ("path", "mapping", "map") if isinstance(values.get(key), str)}
    return {**values, **files}


def check_files(cohort: CohortConfig, path: Path) -> None:
    """Refuse a cohort, named in the file ``path``, whose files are not there."""
    needed = {"simulated": (), "table": ("expression", "samples"), "h5ad": ("expression",)}[cohort.source]
    for key in needed:
        named: Path | tuple[Path, ...] | None = getattr(cohort, key)
        if not named:
            raise ConfigError(f"{path}: cohort.source '{cohort.source}' needs cohort.{key}, which is not given.")
        try:
            files = list_files(named)
        except CohortError as problem:
            raise ConfigError(f"{path}: cohort.{key}: {problem}") from problem
        for file in files:
            if not file.is_file():
                raise ConfigError(f"{path}: cohort.{key} is {file}, but there is no such file.{_fetch_hint(file)}")


def _fetch_hint(file: Path) -> str:
    """Return how to get a file whose folder is named after a GEO series."""
    series = file.resolve().parent.name
    hint = f" Download the series first: python -m responder_ml fetch {series} --out {file.resolve().parent}"
    return hint if re.fullmatch(r"GSE\d+", series) else ""
