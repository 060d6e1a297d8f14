"""An ``.h5ad`` file checked before anything is computed from it: what its arrays say of themselves is not believed.

The libraries below take the indices of a sparse matrix as they are; indices beyond its width end in numbers read from elsewhere in
memory, or end the process. Here shapes, kinds of numbers, and every index are looked at first, a piece at a time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from responder_ml.cohort.packed_size import check_ratio
from responder_ml.errors import CohortError, door

_PIECE = 2**22
_REAL = "biuf"
_WHOLE = "iu"
_SPARSE = ("csr_matrix", "csc_matrix")
# An h5ad file with more levels, or more entries, was made to hold up its readers.
_MOST_LEVELS, _MOST_ENTRIES = 12, 100_000


def check_h5ad(path: Path) -> None:
    """Refuse a file whose matrices are not what they declare.

    Raises
    ------
    CohortError
        The file is no HDF5, leads to other files, or has a matrix of another shape than its names, of anything but real numbers,
        or with an index out of bounds.
    """
    import h5py

    with door(CohortError, f"{path} could not be read as .h5ad"), h5py.File(path, "r") as file:
        for count, (name, item) in enumerate(_items(file)):
            if count > _MOST_ENTRIES:
                raise CohortError(f"{path} has more than {_MOST_ENTRIES:,} entries, which no .h5ad file has.")
            if isinstance(item, h5py.Dataset) and (item.is_virtual or item.external):
                raise CohortError(f"{path}: '{name}' is stored in another file. Write it again with anndata.")
            if isinstance(item, h5py.Dataset):
                # Parts that were never written take no bytes of the file, and all of their memory.
                check_ratio(path, int(item.size or 0) * item.dtype.itemsize, path.stat().st_size)
        samples = _length(file, "obs")
        matrices = [("X", file, "var"), *((f"layers/{name}", file, "var") for name in file.get("layers", ()))]
        for name, parent, genes in [*matrices, ("raw/X", file, "raw/var")]:
            if name in parent:
                _check_matrix(path, name, parent[name], (samples, _length(file, genes)))


def _items(group: Any, prefix: str = "", level: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield everything below a group; links to other files are refused and never followed."""
    import h5py

    if level > _MOST_LEVELS:
        raise ValueError(f"'{prefix}' lies more than {_MOST_LEVELS} levels deep")
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"'{prefix}{name}' is a link")
        item = group[name]
        yield f"{prefix}{name}", item
        if isinstance(item, h5py.Group):
            yield from _items(item, f"{prefix}{name}/", level + 1)


def _length(file: Any, table: str) -> int | None:
    """Return the number of names of a table; None where they cannot be told, which anndata then refuses."""
    group = file.get(table)
    if group is None or not hasattr(group, "attrs"):
        return None
    index = group.attrs.get("_index")
    if isinstance(index, bytes):
        index = index.decode()
    names = group.get(index) if isinstance(index, str) and hasattr(group, "get") else None
    return None if names is None or not getattr(names, "shape", ()) else int(names.shape[0])


def _check_matrix(path: Path, name: str, matrix: Any, names: tuple[int | None, int | None]) -> None:
    if hasattr(matrix, "shape"):
        if matrix.dtype.kind not in _REAL or matrix.ndim != 2:
            raise CohortError(
                f"{path}: {name} holds {matrix.dtype} in {matrix.ndim} dimension(s), but a table of real numbers is needed. Put "
                "the expression values there."
            )
        shape = tuple(matrix.shape)
    elif matrix.attrs.get("encoding-type") in _SPARSE:
        shape = _check_sparse(path, name, matrix)
    else:
        raise CohortError(f"{path}: {name} is no matrix that is read here. Write it again with anndata.")
    if any(known is not None and known != length for known, length in zip(names, shape, strict=True)):
        raise CohortError(
            f"{path}: {name} is {shape[0]} x {shape[1]}, but there are {names[0]} names of samples and {names[1]} of genes. Write "
            "it again with anndata."
        )


def _check_sparse(path: Path, name: str, matrix: Any) -> tuple[int, int]:
    shape = tuple(int(length) for length in matrix.attrs["shape"])
    data, indices, indptr = (matrix[part] for part in ("data", "indices", "indptr"))
    by_rows = matrix.attrs["encoding-type"] == _SPARSE[0]
    if len(shape) != 2 or min(shape) < 0:
        raise _damaged(path, name, f"its shape is {shape}")
    major, minor = shape if by_rows else shape[::-1]
    if data.dtype.kind not in _REAL:
        raise CohortError(f"{path}: {name} holds {data.dtype}, but real numbers are needed.")
    if (
        indices.dtype.kind not in _WHOLE
        or indptr.dtype.kind not in _WHOLE
        or any(part.ndim != 1 for part in (data, indices, indptr))
    ):
        raise _damaged(path, name, "its indices are no lists of whole numbers")
    if len(indptr) != major + 1 or len(indices) != len(data):
        raise _damaged(path, name, "its parts do not have the lengths its shape asks for")
    _check_starts(path, name, indptr, len(data))
    for piece in _pieces(indices):
        if piece.min() < 0 or piece.max() >= minor:
            raise _damaged(path, name, f"an index lies beyond its {minor} {'columns' if by_rows else 'rows'}")
    return shape[0], shape[1]


def _check_starts(path: Path, name: str, indptr: Any, length: int) -> None:
    before = 0
    for piece in _pieces(indptr):
        # As signed numbers, so that a difference below zero is one.
        starts = piece.astype(np.int64)
        if starts[0] < before or np.any(np.diff(starts) < 0) or starts[-1] > length:
            raise _damaged(path, name, "its rows overlap or lie outside")
        before = int(starts[-1])
    if len(indptr) == 0 or int(indptr[0]) != 0 or before != length:
        raise _damaged(path, name, "its rows do not begin at 0 and end with its values")


def _pieces(dataset: Any) -> Iterator[Any]:
    return (dataset[start : start + _PIECE] for start in range(0, len(dataset), _PIECE))


def _damaged(path: Path, name: str, reason: str) -> CohortError:
    return CohortError(f"{path}: {name} is damaged: {reason}. Write it again with anndata.")
