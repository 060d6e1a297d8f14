"""How many values an expression file holds, told before it is read: by its metadata, or by its first lines and its size."""

from collections.abc import Sequence
from pathlib import Path

from responder_ml.cohort.cells import kind_of_file, promised_delimiter, reading
from responder_ml.cohort.delimited import estimate_shape
from responder_ml.cohort.expression_files import list_files
from responder_ml.errors import CohortError


def estimate_size(expression: Path | Sequence[Path]) -> tuple[int, int] | None:
    """Return about how many rows and columns of values an expression file has, or several have side by side.

    Parameters
    ----------
    expression
        A file, a folder or a pattern of files, or several of these.

    Returns
    -------
    Exact for h5ad and Parquet; None for a workbook, which does not tell, and for what cannot be read, which reading explains.
    """
    try:
        shapes = [_shape_of(path) for path in list_files(expression)]
    except CohortError:
        return None
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    return max(rows for rows, _ in known), sum(columns for _, columns in known)


def _shape_of(path: Path) -> tuple[int, int] | None:
    if not path.is_file():
        return None
    with reading(path):
        kind = kind_of_file(path)
        if kind == "h5ad":
            return _shape_of_h5ad(path)
        if kind == "parquet":
            from pyarrow.parquet import read_metadata

            metadata = read_metadata(path)
            return int(metadata.num_rows), int(metadata.num_columns) - 1
        return None if kind == "workbook" else estimate_shape(path, promised_delimiter(path))


def _shape_of_h5ad(path: Path) -> tuple[int, int]:
    import h5py

    with h5py.File(path, "r") as file:
        matrix = file["X"]
        rows, columns = matrix.shape if hasattr(matrix, "shape") else matrix.attrs["shape"]
        return int(rows), int(columns)
