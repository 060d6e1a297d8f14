"""Expression in ``.h5ad`` files: which of their matrices is meant, read whole or a few samples at a time.

scanpy leaves natural logarithms in ``X`` and puts raw counts into ``layers["counts"]`` or ``raw``. A matrix that contradicts
the declared units while another in the file agrees with them is refused with the other's name.
"""

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd
from anndata import AnnData, read_h5ad

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.grid import contiguous_run
from responder_ml.cohort.h5ad_check import check_h5ad
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import CohortError, ExpressionError, door, list_names

RAW = "raw"
"""Name under which ``raw`` is chosen as a layer."""
_LOOKED_AT = 20


def open_h5ad(path: Path, *, in_file: bool = False) -> AnnData:
    """Read an ``.h5ad`` file.

    Parameters
    ----------
    path
        The file.
    in_file
        Leave the matrix in the file until it is read.

    Raises
    ------
    CohortError
        The file is missing, broken or holds no matrix.
    """
    if not path.is_file():
        raise CohortError(f"There is no file {path}. Check the name and the folder it is in.")
    check_h5ad(path)
    with door(CohortError, f"{path} could not be read as .h5ad"), catch_warnings():
        simplefilter("ignore", UserWarning)  # repeated names are refused later, by name
        data = read_h5ad(path, backed="r" if in_file else None)
    if not _has_matrix(data):
        raise CohortError(f"{path} holds no matrix X. Put the expression values into X.")
    return data


def h5ad_bytes(data: AnnData) -> bytes:
    """Return the content of an ``.h5ad`` file.

    Where the disk is full, the library that writes these files leaves tracebacks on the terminal and no error of the system; what
    is made in memory first is written like any other file.
    """
    import h5py
    from anndata.io import write_elem

    content = io.BytesIO()
    data.strings_to_categoricals()
    with h5py.File(content, "w") as file:
        write_elem(file, "/", data)
    return content.getvalue()


def obs_as_text(data: AnnData) -> pd.DataFrame:
    """Return ``obs`` as a sheet of text, missing cells empty, without its names."""
    obs = data.obs.reset_index(drop=True)
    text = {str(name): ["" if pd.isna(cell) else str(cell).strip() for cell in obs[name]] for name in obs.columns}
    return pd.DataFrame(text, dtype=object)


def with_layer(data: AnnData, layer: str | None, units: str, source: str) -> AnnData:
    """Return the data with the chosen matrix as ``X``.

    Parameters
    ----------
    data
        The file's content.
    layer
        Name of a layer, `RAW`, or None for ``X``.
    units
        Declared.
    source
        File name, for messages.

    Raises
    ------
    CohortError
        There is no such layer.
    ExpressionError
        The matrix is in other units by the file's own marks, or another one in the file is in the declared units.
    """
    chosen = _chosen(data, layer, source)
    if layer in (None, RAW) and units != "counts" and "log1p" in data.uns and not _is_whole(chosen.X):
        base = data.uns["log1p"].get("base") if hasattr(data.uns["log1p"], "get") else None
        if base is None or abs(float(base) - 2.0) > 1e-9:
            scaled = ", scaled to z-scores" if np.nanmin(_first_rows(chosen.X), initial=0) < 0 else ""
            raise ExpressionError(
                f"{source}: its mark uns['log1p'] says that the values are natural logarithms of scanpy's log1p{scaled}, not "
                f"{units}. {_advice(data, layer)}"
            )
    if units == "counts" and not _is_whole(chosen.X) and _layers_of_counts(data, layer):
        raise ExpressionError(f"{source}: {layer or 'X'} holds no counts. {_advice(data, layer)}")
    return chosen


def _chosen(data: AnnData, layer: str | None, source: str) -> AnnData:
    if layer is None or layer == "X":
        return data
    if layer == RAW and data.raw is not None:
        raw = data.raw.to_adata()
        raw.uns = data.uns
        return raw
    if layer not in data.layers:
        has = [*data.layers, *([RAW] if data.raw is not None else [])]
        raise CohortError(
            f"{source} has no layer '{layer}'. It has: {list_names(has) or 'none beside X'}. Correct `layer`."
        )
    chosen = AnnData(data.layers[layer], obs=data.obs, var=data.var)
    chosen.uns = data.uns
    return chosen


def _advice(data: AnnData, layer: str | None) -> str:
    others = _layers_of_counts(data, layer)
    if others:
        return f"Counts are in '{others[0]}': set `cohort.layer: {others[0]}` and `units: counts`."
    return "Divide the values by 0.6931 (the natural logarithm of 2) for log2 values, or give the counts before scanpy's log1p."


def _layers_of_counts(data: AnnData, layer: str | None) -> list[str]:
    names = [name for name in data.layers if name != layer and _is_whole(data.layers[name])]
    with_raw = data.raw is not None and layer != RAW and _is_whole(data.raw.X)
    return [*sorted(names, key=lambda name: name != "counts"), *([RAW] if with_raw else [])]


def _first_rows(matrix: Any) -> Floats:
    rows = matrix[:_LOOKED_AT]
    return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)


def _is_whole(matrix: Any) -> bool:
    """Tell whether the first rows of a matrix hold counts."""
    values = _first_rows(matrix)
    if not np.issubdtype(values.dtype, np.number):
        return False
    return bool(np.all(np.nan_to_num(values) == np.rint(np.nan_to_num(values))) and np.nanmin(values, initial=0) >= 0)


class MatrixGrid:
    """A grid held as an AnnData; usually with samples in rows, but the orientation is looked up as for any other grid."""

    def __init__(self, source: str, data: AnnData) -> None:
        self.source = source
        self.rows: Sequence[str] = [str(name).strip() for name in data.obs_names]
        self.columns: Sequence[str] = [str(name).strip() for name in data.var_names]
        self.notes: Sequence[ReadingNote] = ()
        self.estimated = False
        self._matrix = data.X

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN."""
        return _dense(self._matrix[rows], columns)


class H5adGrid:
    """A grid that stays in its ``.h5ad`` file, which is open only while consecutive rows are read.

    Other selections of rows, and a matrix stored by columns, need the whole matrix in memory.
    """

    def __init__(self, path: Path, units: str) -> None:
        data = open_h5ad(path, in_file=True)
        self.source = path.name
        self.rows: Sequence[str] = [str(name).strip() for name in data.obs_names]
        self.columns: Sequence[str] = [str(name).strip() for name in data.var_names]
        self.notes: Sequence[ReadingNote] = ()
        self.estimated = False
        self._path = path
        self._by_columns = getattr(data.X, "format", "csr") != "csr"
        self._in_memory: MatrixGrid | None = None
        try:
            with self._door():
                with_layer(data, None, units, self.source)
        finally:
            data.file.close()

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN."""
        run = contiguous_run(rows)
        if run is None or self._by_columns:
            self._in_memory = self._in_memory or MatrixGrid(self.source, open_h5ad(self._path))
            return self._in_memory.numbers(rows, columns, genes_in_rows)
        data = open_h5ad(self._path, in_file=True)
        try:
            with self._door():
                return _dense(data.X[run], columns)
        finally:
            data.file.close()

    def _door(self) -> AbstractContextManager[None]:
        # The matrix is read here and not when the file is opened, so damaged parts of it are met here.
        return door(CohortError, f"{self._path} could not be read as .h5ad")


def _has_matrix(data: AnnData) -> bool:
    try:
        return data.X is not None
    except KeyError:  # the file has no matrix
        return False


def _dense(rows: Any, columns: Indices) -> Floats:
    """Return the chosen columns of an array or a sparse matrix."""
    if hasattr(rows, "toarray"):
        if 2 * len(columns) < rows.shape[1]:
            return np.asarray(rows[:, columns].toarray(), dtype=np.float64)
        rows = rows.toarray()
    if not np.array_equal(columns, np.arange(rows.shape[1])):
        rows = rows[:, columns]
    return np.asarray(rows, dtype=np.float64)
