"""Opens an expression file of any kind: its axes at once, its cells when they are asked for where the kind allows."""

from pathlib import Path

from responder_ml.cohort.cells import read_cells
from responder_ml.cohort.grid import CellGrid, FileGrid, Grid
from responder_ml.cohort.parquet_grid import open_parquet


def open_grid(path: Path) -> Grid:
    """Read the axes of an expression file and keep its cells at hand.

    Raises
    ------
    CohortError
        The file is missing, of an unknown kind or broken.
    """
    if path.name.lower().endswith(".h5ad"):
        return FileGrid(path)
    streamed = open_parquet(path) if path.name.lower().endswith(".parquet") and path.is_file() else None
    return streamed or CellGrid(read_cells(path))
