"""Describe the cohort of a job by Croissant: its files with checksums and the columns of its sheet, never their values."""

from pathlib import Path

import pandas as pd

from responder_ml.cohort.expression_files import list_files
from responder_ml.cohort.h5ad import obs_as_text, open_h5ad
from responder_ml.cohort.sample_sheet import read_sheet, typed, with_canonical_names
from responder_ml.cohort.tissue_taken import describe_timing
from responder_ml.config import JobConfig
from responder_ml.errors import ConfigError
from responder_ml.records.files import write_text
from responder_ml.records.ownership import check_output_file, refuse_inside
from responder_ml.report.croissant import SheetColumn, is_croissant, render_croissant

OPTION = "--croissant"
MISSING = (
    "A job does not say licence, address, citation and date of its data. Before you publish the description, add license, url, "
    "citeAs and datePublished to it, and give each file its address."
)
"""What the description lacks, said where it is written."""
_OF_ROWS = "obs_names"
_YES = ("yes", "true", "1")


def check_description(job: JobConfig, path: Path, config: Path) -> None:
    """Refuse what cannot be described or written, before any work.

    Parameters
    ----------
    job, config
        Configuration and its file.
    path
        File to write.

    Raises
    ------
    ConfigError
        The cohort is simulated and has no files.
    RunError
        The file is an input, or was not written by this program.
    """
    cohort = job.cohort
    if cohort.source == "simulated" or cohort.expression is None:
        raise ConfigError(
            "Croissant describes files, and cohort.source 'simulated' has none. Write them with `simulate --out FOLDER --config "
            "CONFIG`, and give `check` a job with `source: table` that reads them."
        )
    inputs = {"the job": config, "the sample sheet": cohort.samples}
    inputs |= {f"the expression {file.name}": file for file in list_files(cohort.expression)}
    check_output_file(path, inputs, is_croissant, OPTION)
    refuse_inside(path)


def write_description(job: JobConfig, path: Path) -> None:
    """Write the description of a job's cohort.

    Parameters
    ----------
    job
        Configuration whose data are known to be readable.
    path
        File to write.

    Raises
    ------
    ConfigError
        The cohort has no files.
    RunError
        The file cannot be written.
    """
    cohort = job.cohort
    if cohort.expression is None:
        raise ConfigError("cohort.expression is not given, so there is no file to describe.")
    files = list_files(cohort.expression)
    sheet, columns, marked = _sheet(job, files[0])
    named = with_canonical_names(sheet, columns, (cohort.samples or files[0]).name)
    originals = {name: columns.get(name, name) for name in map(str, named.columns)}
    originals["sample"] = _sample_column(sheet, columns)
    simulated = marked or ("simulated" in named and bool(named["simulated"].str.lower().isin(_YES).any()))
    text = render_croissant(
        name=job.name,
        description=_description(job, len(named), simulated),
        units=cohort.units,
        expression=files,
        sheet=cohort.samples,
        columns=[
            SheetColumn(str(name), originals[str(name)], values.dtype.kind) for name, values in typed(named).items()
        ],
    )
    write_text(path, text)


def _sheet(job: JobConfig, expression: Path) -> tuple[pd.DataFrame, dict[str, str], bool]:
    """Return the sheet as text, names of its columns by canonical name, and whether the file itself says that it is simulated."""
    cohort = job.cohort
    columns = dict(cohort.columns)
    data = open_h5ad(expression) if cohort.source == "h5ad" else None
    simulated = data is not None and bool(data.uns.get("simulated", False))
    if cohort.samples is not None:
        return read_sheet(cohort.samples, cohort.samples_sheet), columns, simulated
    if data is None:
        raise ConfigError("cohort.source 'table' needs cohort.samples, which is not given.")
    sheet = obs_as_text(data)
    if "sample" not in columns:
        sheet = sheet.drop(columns="sample", errors="ignore")
        sheet.insert(0, _OF_ROWS, data.obs_names.astype(str))
        columns["sample"] = _OF_ROWS
    return sheet, columns, simulated


def _sample_column(sheet: pd.DataFrame, columns: dict[str, str]) -> str:
    """Return the sheet's own name of the column of samples."""
    names = [str(name) for name in sheet.columns]
    return columns.get("sample") or next(
        name for wanted in ("sample", "sample_id") for name in names if name.lower() == wanted
    )


def _description(job: JobConfig, n_samples: int, simulated: bool) -> str:
    where = ", ".join(
        f"{column} = {value if isinstance(value, str) else ' or '.join(value)}"
        for column, value in job.cohort.where.items()
    )
    sentences = (
        "Simulated data: nothing here is of real animals, donors or patients." if simulated else "",
        f"Gene expression ({job.cohort.units}) and a sheet of {n_samples} samples.",
        f"The job {job.name} uses the rows with {where}." if where else "",
        describe_timing(job.cohort.tissue_taken),
        "Files are named from the folder that holds them all.",
    )
    return " ".join(filter(None, sentences))
