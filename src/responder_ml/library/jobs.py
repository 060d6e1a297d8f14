"""Jobs made from what a user has in Python: a file, a job, or an AnnData with keywords."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.config import JobConfig, load_config, read_job
from responder_ml.errors import CohortError, ConfigError
from responder_ml.job_sections import CohortConfig
from responder_ml.records.files import moved_when_whole

JobSource: TypeAlias = str | os.PathLike[str] | JobConfig | AnnData

_DEFAULTS: dict[str, Any] = {
    "name": "cohort",
    "builders": ["genes", "all_genes_ridge"],
    "classifiers": ["elastic_net", "nearest_centroid"],
}
_GRADED_DEFAULTS: dict[str, Any] = {"name": "cohort", "builders": ["genes", "all_genes"], "regressors": ["ridge"]}
# What a job says of its cohort; `source` and its files follow from the AnnData.
_OF_COHORT = frozenset(CohortConfig.model_fields) - {"source", "expression", "samples", "params"}


def make_job(source: JobSource, sections: Mapping[str, Any], folder: Path) -> JobConfig:
    """Return a job, with some of its sections replaced.

    Parameters
    ----------
    source
        Path of a YAML file, a job, or an AnnData of samples x genes with the sample sheet in ``obs``.
    sections
        Keys of a job. With an AnnData also keys of ``cohort`` (``units``, ``columns``, ``where``, ``genes``), and ``endpoint`` is
        needed; ``name``, ``builders`` and ``classifiers`` (or ``regressors``) have defaults.
    folder
        Where an AnnData is written, so that the job can be repeated from its files.

    Raises
    ------
    ConfigError
        The file or the keys cannot be used.
    CohortError
        The AnnData has no matrix.
    """
    if isinstance(source, AnnData):
        of_cohort = {key: value for key, value in sections.items() if key in _OF_COHORT}
        others = {key: value for key, value in sections.items() if key not in _OF_COHORT}
        if "cohort" in others:
            raise ConfigError("The cohort is the AnnData. Give units, columns and where as keywords of their own.")
        of_cohort.setdefault("units", str(source.uns.get("units", "counts")))
        endpoint = others.get("endpoint")
        graded = isinstance(endpoint, Mapping) and endpoint.get("kind") == "score"
        content = {**(_GRADED_DEFAULTS if graded else _DEFAULTS), **others}
        content["cohort"] = {"source": "h5ad", **of_cohort}
        # Before the file is written: a misspelt key must leave nothing behind.
        job = read_job(content, "The job")
        path = write_cohort_file(source, folder, job.name, of_cohort.pop("layer", None))
        content["cohort"] = {"source": "h5ad", "expression": path, **of_cohort}
        return read_job(content, "The job")
    job = source if isinstance(source, JobConfig) else load_config(Path(source))
    return read_job({**job.model_dump(exclude_unset=True), **sections}, "The job") if sections else job


def write_cohort_file(data: AnnData, folder: Path, name: str, layer: str | None = None) -> Path:
    """Write the matrix and the sheet of an AnnData, and return the file, named after a digest of what it holds.

    Parameters
    ----------
    data
        Samples x genes.
    folder, name
        Where to, and the first part of the file's name.
    layer
        Layer to write in place of ``X``.

    Raises
    ------
    CohortError
        There is no matrix, or the file cannot be written.
    """
    plain = plain_cohort(data, layer)
    path = folder / f"{name}-{_digest(plain)}.h5ad"
    if not path.is_file():
        try:
            with moved_when_whole(path) as beside:
                plain.write_h5ad(beside)
        except OSError as problem:
            raise CohortError(f"{path} could not be written: {problem}. Free space or choose another out.") from problem
    return path.resolve()


def plain_cohort(data: AnnData, layer: str | None = None) -> AnnData:
    """Return the matrix, the names and the sheet of an AnnData without anything else it may hold.

    Raises
    ------
    CohortError
        There is no matrix.
    """
    if layer is not None and layer not in data.layers:
        raise CohortError(f"The AnnData has no layer '{layer}'. It has: {', '.join(map(str, data.layers)) or 'none'}.")
    matrix = data.X if layer is None else data.layers[layer]
    if matrix is None:
        raise CohortError("The AnnData has no matrix X. Put the expression values into X, or name a layer.")
    obs = pd.DataFrame({str(name): _writable(data.obs[name]) for name in data.obs.columns}, index=data.obs_names)
    uns = {"simulated": True} if data.uns.get("simulated", False) else {}
    return AnnData(X=matrix, obs=obs, var=pd.DataFrame(index=data.var_names), uns=uns)


def _writable(column: pd.Series) -> pd.Series:
    """Return a column as it is where a file can hold it, as text where it is of several types."""
    if column.dtype != object:
        return column
    return column.map(lambda cell: "" if pd.isna(cell) else str(cell)).astype(str)


def _digest(data: AnnData) -> str:
    digest = hashlib.sha256(data.obs.to_csv().encode())
    digest.update("\n".join(data.var_names).encode())
    matrix = data.X.toarray() if hasattr(data.X, "toarray") else data.X
    digest.update(np.ascontiguousarray(matrix).data)
    return digest.hexdigest()[:8]
