"""One YAML file is one study: a job that all share, and the grid of jobs made of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from responder_ml.config import JobConfig, check_files, read_yaml, with_absolute_paths
from responder_ml.config_problems import explain
from responder_ml.endpoint_config import EndpointConfig, Rows, Section
from responder_ml.errors import ConfigError
from responder_ml.masking import without_secrets

_EVERYBODY: dict[str, Rows] = {"all": {}}


class StudyEndpoint(EndpointConfig):
    """An endpoint, the rows it is restricted to, and subsets of these that make jobs of their own, such as one drug's animals."""

    where: Rows = Field(default_factory=dict)
    """Rows of this endpoint: a column's value, or one of a list."""
    subsets: dict[str, Rows] = Field(default_factory=_EVERYBODY.copy, min_length=1)
    """Named subsets that make jobs of their own, such as ``{ketamine: {drug: ketamine}}``; all rows together if not given."""


class GridConfig(Section):
    """Regions x endpoints x each endpoint's own subsets; regions and subsets are named restrictions to rows of the sheet."""

    regions: dict[str, Rows] = Field(min_length=1)
    """Named restrictions to rows, such as ``{PFC: {region: PFC}}``."""
    endpoints: dict[str, StudyEndpoint] = Field(min_length=1)
    """Named endpoints."""


class TransferConfig(Section):
    """Transfers between the jobs of the grid."""

    permutations: int = Field(499, ge=0)
    """Relabellings of each transfer from a job that is evidence; 0 leaves transfer out."""


class StudyConfig(Section):
    """Many jobs that belong to one question."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the study and of its folder."""
    job: dict[str, Any]
    """What all jobs share: a job's YAML file, or sections of one; names and endpoints come from the grid."""
    grid: GridConfig
    """Regions x endpoints x each endpoint's subsets."""
    transfer: TransferConfig = TransferConfig()
    """How each job's models are tested on the others."""
    fusion: tuple[Literal["late", "early"], ...] = ()
    """Ways of combining all regions of a subject in one model more: of decisions (late) or of features (early)."""

    def resolved(self) -> dict[str, Any]:
        """Return plain values, themselves valid input."""
        settings = self.model_dump(mode="json", exclude_none=True)
        return {**settings, "job": without_secrets(settings["job"])}

    @property
    def base(self) -> JobConfig:
        """The first job on the rows that all jobs share; for what is set once for the whole study."""
        return JobConfig.model_validate({**self._shared(), "name": self.name})

    def planned_jobs(self) -> Iterator["PlannedJob"]:
        """Yield the jobs of the grid, region by region within each subset of each endpoint.

        Raises
        ------
        ConfigError
            Two parts of the grid restrict one column.

        Examples
        --------
        >>> job = {"cohort": {"source": "simulated"}, "builders": [{"kind": "genes"}], "classifiers": [{"kind": "elastic_net"}]}
        >>> response = {"column": "response", "positive": "responder", "negative": "non_responder"}
        >>> grid = {"regions": {"PFC": {"region": "PFC"}, "NAc": {"region": "NAc"}}, "endpoints": {"response": response}}
        >>> study = StudyConfig.model_validate({"name": "regions", "job": job, "grid": grid})
        >>> [planned.name for planned in study.planned_jobs()]
        ['PFC: response', 'NAc: response']
        """
        for name, endpoint in self.grid.endpoints.items():
            for subset, of_subset in endpoint.subsets.items():
                for region, of_region in self.grid.regions.items():
                    where = _combine(self.base.cohort.where, of_region, endpoint.where, of_subset)
                    yield PlannedJob(region, name, subset, self._job(f"{region}-{name}-{subset}", endpoint, where))

    def _job(self, name: str, endpoint: StudyEndpoint, where: Rows) -> JobConfig:
        shared = self._shared()
        return JobConfig.model_validate(
            {
                **shared,
                "name": f"{self.name}-{name}".replace(" ", "_"),
                "endpoint": endpoint.model_dump(exclude={"where", "subsets"}),
                "cohort": {**shared["cohort"], "where": where},
            }
        )

    def _shared(self) -> dict[str, Any]:
        first = next(iter(self.grid.endpoints.values())).model_dump(exclude={"where", "subsets"})
        return {"endpoint": first, **self.job, "name": self.name}


@dataclass(frozen=True)
class PlannedJob:
    """One job of the grid, before anything is computed.

    Attributes
    ----------
    region, endpoint, subset
        Names in the grid.
    config
        The job's configuration.
    """

    region: str
    endpoint: str
    subset: str
    config: JobConfig

    @property
    def name(self) -> str:
        """The job's name in every table."""
        return f"{self.region}: {self.question}"

    @property
    def question(self) -> str:
        """The endpoint, and the subset where there are several."""
        return self.endpoint if self.subset in _EVERYBODY else f"{self.endpoint}, {self.subset}"


def load_study(path: Path) -> StudyConfig:
    """Read and check one study.

    Parameters
    ----------
    path
        YAML file. Relative paths inside it are taken from its own folder; those of a job's file from that file's.

    Raises
    ------
    ConfigError
        A file is missing, not YAML, or has an unknown key or an impossible value; all problems are reported at once.
    """
    content, folder = read_yaml(path), path.resolve().parent
    job = content.get("job")
    if isinstance(job, str):
        shared = with_absolute_paths(read_yaml(folder / job), (folder / job).parent)
        content = {**content, "job": {key: value for key, value in shared.items() if key not in ("name", "endpoint")}}
    elif isinstance(job, dict):
        content = {**content, "job": with_absolute_paths(_null_key(job), folder)}
    try:
        study = StudyConfig.model_validate(content)
    except ValidationError as problem:
        raise ConfigError(_message(path, problem, StudyConfig)) from problem
    try:
        planned_jobs = list(study.planned_jobs())
    except ValidationError as problem:
        raise ConfigError(_message(path, problem, JobConfig, "its job, ")) from problem
    check_files(planned_jobs[0].config.cohort, path)
    names = [planned.config.name for planned in planned_jobs]
    if len(set(names)) < len(names):
        raise ConfigError(f"{path}: two jobs of the grid have the same name. Rename a region, an endpoint or a subset.")
    return study


def _null_key(job: Mapping[Any, Any]) -> dict[str, Any]:
    return {"null" if key is None else key: value for key, value in job.items()}


def _message(path: Path, problem: ValidationError, model: type[Section], part: str = "") -> str:
    problems = "\n".join(f"  - {part}{line}" for line in explain(problem, model))
    return f"{path} cannot be used:\n{problems}"


def _combine(*restrictions: Mapping[str, str | list[str]]) -> Rows:
    where: Rows = {}
    for restriction in restrictions:
        twice = sorted(set(where) & set(restriction))
        if twice:
            raise ConfigError(
                f"The column '{twice[0]}' is restricted twice, by {where[twice[0]]!r} and by {restriction[twice[0]]!r}. Name each "
                "column in one of these only: the job's `where`, the region, the endpoint, the subset."
            )
        where |= restriction
    return where
