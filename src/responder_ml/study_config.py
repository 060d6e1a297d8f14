"""One YAML file is one study: a job that all share, and the grid of jobs made of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from responder_ml.config import EndpointConfig, JobConfig, Section, check_files, explain, read_yaml, with_absolute_paths
from responder_ml.errors import ConfigError

Where = dict[str, str | list[str]]

_EVERYBODY: dict[str, Where] = {"all": {}}


class StudyEndpoint(EndpointConfig):
    """A question, the rows it is asked of, and parts of these that it is asked of, too, such as one drug's animals."""

    where: Where = Field(default_factory=dict)
    subsets: dict[str, Where] = Field(default_factory=_EVERYBODY.copy, min_length=1)


class GridConfig(Section):
    """Regions x endpoints x each endpoint's own subsets; a region and a subset are rows of the sheet by name."""

    regions: dict[str, Where] = Field(min_length=1)
    endpoints: dict[str, StudyEndpoint] = Field(min_length=1)


class TransferConfig(Section):
    """How many relabellings stand behind the transfers of a job that is evidence; 0 leaves transfer out."""

    permutations: int = Field(499, ge=0)


class StudyConfig(Section):
    """Many jobs that belong to one question.

    ``job`` is a job's YAML file or the sections of one; its name and endpoint are the grid's business.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    job: dict[str, Any]
    grid: GridConfig
    transfer: TransferConfig = TransferConfig()
    fusion: tuple[Literal["late", "early"], ...] = ()

    def resolved(self) -> dict[str, Any]:
        """Return plain values that are themselves valid input."""
        return dict(self.model_dump(mode="json", exclude_none=True))

    @property
    def base(self) -> JobConfig:
        """The first cell's job on the rows that all cells share; for what is set once for the whole study."""
        return JobConfig.model_validate({**self._shared(), "name": self.name})

    def cells(self) -> Iterator["Cell"]:
        """Yield the jobs of the grid, region by region within each subset of each endpoint.

        Raises
        ------
        ConfigError
            Two parts of the grid restrict one column.
        """
        for question, endpoint in self.grid.endpoints.items():
            for subset, rows in endpoint.subsets.items():
                for region, place in self.grid.regions.items():
                    where = _together(self.base.cohort.where, place, endpoint.where, rows)
                    yield Cell(region, question, subset, self._job(f"{region}-{question}-{subset}", endpoint, where))

    def _job(self, name: str, endpoint: StudyEndpoint, where: Where) -> JobConfig:
        shared = self._shared()
        asked = endpoint.model_dump(exclude={"where", "subsets"})
        return JobConfig.model_validate(
            {
                **shared,
                "name": f"{self.name}-{name}".replace(" ", "_"),
                "endpoint": asked,
                "cohort": {**shared["cohort"], "where": where},
            }
        )

    def _shared(self) -> dict[str, Any]:
        first = next(iter(self.grid.endpoints.values())).model_dump(exclude={"where", "subsets"})
        return {"endpoint": first, **self.job, "name": self.name}


@dataclass(frozen=True)
class Cell:
    """One job of the grid, and where it stands."""

    region: str
    endpoint: str
    subset: str
    job: JobConfig

    @property
    def key(self) -> str:
        """What tells the cell from others in every table."""
        return f"{self.region}: {self.column}"

    @property
    def column(self) -> str:
        """The question as asked of one region: the endpoint, and the subset where there are several."""
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
        A file is missing, not YAML, or has an unknown key or an impossible value; all findings at once.
    """
    content, folder = read_yaml(path), path.resolve().parent
    job = content.get("job")
    if isinstance(job, str):
        content = {**content, "job": _without_own(with_absolute_paths(read_yaml(folder / job), (folder / job).parent))}
    elif isinstance(job, dict):
        content = {**content, "job": with_absolute_paths(_null_key(job), folder)}
    try:
        study = StudyConfig.model_validate(content)
    except ValidationError as problem:
        raise ConfigError(_message(path, problem, StudyConfig)) from problem
    try:
        cells = list(study.cells())
    except ValidationError as problem:
        raise ConfigError(_message(path, problem, JobConfig, "its job, ")) from problem
    check_files(cells[0].job.cohort, path)
    names = [cell.job.name for cell in cells]
    if len(set(names)) < len(names):
        raise ConfigError(f"{path}: two jobs of the grid have one name. Rename a region, an endpoint or a subset.")
    return study


def _without_own(job: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in job.items() if key not in ("name", "endpoint")}


def _null_key(job: Mapping[Any, Any]) -> dict[str, Any]:
    return {"null" if key is None else key: value for key, value in job.items()}


def _message(path: Path, problem: ValidationError, model: type[Section], part: str = "") -> str:
    found = "\n".join(f"  - {part}{line}" for line in explain(problem, model))
    return f"{path} cannot be used:\n{found}"


def _together(*restrictions: Mapping[str, str | list[str]]) -> Where:
    where: Where = {}
    for each in restrictions:
        twice = sorted(set(where) & set(each))
        if twice:
            raise ConfigError(
                f"The column '{twice[0]}' is restricted twice, by {where[twice[0]]!r} and by {each[twice[0]]!r}. Each column "
                "may be named by one of: the job's `where`, the region, the endpoint, the subset."
            )
        where |= each
    return where
