"""One YAML file is one job: read, checked and resolved, with paths relative to the file itself."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from responder_ml.cohort.expression_files import list_files
from responder_ml.config_problems import explain
from responder_ml.endpoint_config import EndpointConfig, Section
from responder_ml.errors import CohortError, ConfigError
from responder_ml.job_sections import (
    ClaimsConfig,
    CohortConfig,
    ComponentConfig,
    ComputeConfig,
    GenesConfig,
    NullConfig,
    SearchConfig,
    TrackingConfig,
)
from responder_ml.masking import without_secrets
from responder_ml.plain_yaml import read_yaml_file


class JobConfig(Section):
    """One training job."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the job, of its run folder and of its bundle: letters, digits, dots, dashes and underscores."""
    cohort: CohortConfig
    """Where the data come from."""
    endpoint: EndpointConfig
    """The question: which two classes, or which graded outcome, of which subjects."""
    builders: tuple[ComponentConfig, ...] = Field(min_length=1)
    """What turns expression into features; every builder is combined with every classifier."""
    classifiers: tuple[ComponentConfig, ...] = ()
    """What tells the classes apart by the features; at least one."""
    regressors: tuple[ComponentConfig, ...] | None = None
    """With ``endpoint.kind: score``, in place of classifiers: what predicts the outcome by the features; at least one."""
    search: SearchConfig = SearchConfig()
    """How candidates are tuned and evaluated."""
    null: NullConfig = NullConfig()
    """The comparison with relabelled subjects."""
    claims: ClaimsConfig = ClaimsConfig()
    """How `claims` evaluates the founding study's claims."""
    tracking: TrackingConfig = TrackingConfig()
    """Where runs are sent to."""
    compute: ComputeConfig = ComputeConfig()
    """Where the work is done."""
    accept: tuple[Annotated[str, Field(pattern=r"^RML\d\d$")], ...] = ()
    """Codes of the audit, such as ``RML09``, whose findings of severity ``error`` do not stop the training; the verdict says so."""
    seed: int = Field(7, ge=0)
    """Seed of every random draw: folds, tuning, relabellings, simulation."""

    @model_validator(mode="after")
    def _learners_of_kind(self) -> Self:
        graded = self.endpoint.kind == "score"
        wanted, other = ("regressors", "classifiers") if graded else ("classifiers", "regressors")
        if getattr(self, other):
            raise ValueError(f"with `endpoint.kind: {self.endpoint.kind}` name {wanted}, and no {other}")
        if not getattr(self, wanted):
            raise ValueError(f"'{wanted}' is missing: name at least one")
        return self

    def resolved(self) -> dict[str, Any]:
        """Return plain values that are themselves valid input, every default spelt out."""
        return without_secrets(self.model_dump(mode="json", exclude_none=True))

    def without_defaults(self) -> dict[str, Any]:
        """Return plain values of what is not as by default, by which a job is known again.

        A key that a later version adds does not make another job of this one.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


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


def accepting(job: JobConfig, codes: Sequence[str]) -> JobConfig:
    """Return a job that also accepts these codes of the audit.

    Raises
    ------
    ConfigError
        One is no code.
    """
    wrong = [code for code in codes if not re.fullmatch(r"RML\d\d", code)]
    if wrong:
        raise ConfigError(f"--accept {wrong[0]} names no finding of the audit. Give its code, such as RML09.")
    return job.model_copy(update={"accept": tuple(dict.fromkeys((*job.accept, *codes)))}) if codes else job


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
        raise ConfigError(
            f"{path} holds no keys. A job needs name, cohort, endpoint, builders and classifiers (or regressors)."
        )
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
    for family in ("builders", "classifiers", "regressors"):
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
