"""Tags that a job and each of its candidates share, so that either can be filtered and grouped by them."""

from collections.abc import Iterator

from responder_ml.records.run import Run
from responder_ml.tracking.items import Tag, tags
from responder_ml.tracking.table import table_of

# Columns of the sample sheet that people sort their jobs by.
_SORTED_BY = ("region", "drug", "sex")


def shared_tags(run: Run) -> Iterator[Tag]:
    """Yield where, what against what, on which data, and by which program.

    Raises nothing: what a run does not say is left out.
    """
    result, endpoint = run.result, run.result.endpoint
    yield from tags(
        {
            "job": run.name,
            **{column: _values(run, column) for column in _SORTED_BY},
            "endpoint": f"{endpoint.positive} vs {endpoint.negative}",
            "strata": ", ".join(endpoint.strata),
            "simulated": "yes" if result.simulated else "no",
            "data_sha256": result.data_sha256,
            "seed": result.seed,
            "responder_ml": result.versions.get("responder_ml") or result.versions.get("responder-ml"),
        }
    )


def _values(run: Run, column: str) -> str:
    """Return the values a column has among the run's samples, or those the job asked for."""
    samples = table_of(run, "samples")
    if column in samples.columns:
        return ", ".join(sorted(map(str, samples[column].dropna().unique())))
    wanted = run.result.endpoint.where.get(column, "")
    return wanted if isinstance(wanted, str) else ", ".join(sorted(map(str, wanted)))
