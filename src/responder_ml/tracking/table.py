"""A table of a run, whether or not it has one."""

import pandas as pd

from responder_ml.records.run import Run, empty_table


def table_of(run: Run, name: str) -> pd.DataFrame:
    """Return a table of a run; one that a job had no rows for is empty, with its columns."""
    return run.tables.get(name, empty_table(name))
