"""Finished units of work, kept in a folder, so that an interrupted job goes on where it was.

A unit is found again by all that decides its result: the function with everything it was given (data, candidates, plan, seed), the
unit itself, this package's code and the versions of the libraries. Nothing else has to agree, and whatever has changed
is worked out again.
"""

import hashlib
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from joblib.hashing import NumpyHasher
from scipy import sparse

import responder_ml
from responder_ml.errors import RunError
from responder_ml.search.unit_file import read_unit, write_unit


class _Hasher(NumpyHasher):  # type: ignore[misc]
    """joblib's, but for sparse tables: those remember what was asked of them, which changes nothing they hold."""

    def save(self, obj: Any) -> None:
        if sparse.issparse(obj) and obj.format in ("csr", "csc"):
            obj = (type(obj).__name__, obj.shape, obj.data, obj.indices, obj.indptr)
        super().save(obj)


def content_hash(content: Any) -> str:
    """Return 32 hexadecimal digits that differ where the content does."""
    return str(_Hasher("md5").hash(content))


_LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "xgboost", "optuna", "shap", "numba", "llvmlite")


@cache
def code_version() -> str:
    """Return a digest of every file of the package and of the versions of Python and the numerical libraries."""
    digest = hashlib.sha256(platform.python_version().encode())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    root = Path(responder_ml.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            digest.update(f"{path.relative_to(root)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


Unit = TypeVar("Unit")
Result = TypeVar("Result")
WorkOut = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]


@dataclass(frozen=True)
class UnitStore:
    """A folder of finished units; it can travel to other processes of the machine.

    Attributes
    ----------
    folder
        An existing folder.
    """

    folder: Path

    def complete(
        self, function: Callable[[Unit], Result], units: Sequence[Unit], work_out: WorkOut
    ) -> Iterator[Result]:
        """Yield ``function(unit)`` in the order of the units, working out those only that are not there.

        Every unit is written by the process that worked it out, as soon as it has, whatever the order.

        Parameters
        ----------
        function, units
            The work.
        work_out
            Takes a function and units, and returns an iterator over the results of those, in order.

        Raises
        ------
        RunError
            A unit cannot be written.
        """
        keys, known = self._look_up(function, units)
        missing = [(key, unit) for key, unit, found in zip(keys, units, known, strict=True) if found is None]
        with closing(work_out(partial(self.keep, function), missing)) as fresh:  # type: ignore[type-var]
            for found in known:
                yield next(fresh) if found is None else found[0]

    def complete_here(
        self, function: Callable[[Unit], Result], units: Sequence[Unit], work_out: WorkOut
    ) -> Iterator[Result]:
        """Do the same where those who work cannot see the folder: every unit is written by this process as it arrives."""
        keys, known = self._look_up(function, units)
        missing = [unit for unit, found in zip(units, known, strict=True) if found is None]
        with closing(work_out(function, missing)) as fresh:  # type: ignore[type-var]
            for key, found in zip(keys, known, strict=True):
                yield self._write(key, next(fresh)) if found is None else found[0]

    def keep(self, function: Callable[[Unit], Result], named: tuple[str, Unit]) -> Result:
        """Work a unit out and write it under its key."""
        key, unit = named
        return self._write(key, function(unit))

    def _look_up(
        self, function: Callable[[Unit], Result], units: Sequence[Unit]
    ) -> tuple[list[str], list[tuple[Any] | None]]:
        base = content_hash((code_version(), function))
        keys = [content_hash((base, unit)) for unit in units]
        return keys, [read_unit(self._path(key), key) for key in keys]

    def _write(self, key: str, result: Result) -> Result:
        try:
            write_unit(self._path(key), key, result)
        except OSError as problem:
            raise RunError(
                f"A finished unit of work could not be written to {self.folder}: {problem}. Free space, or choose another "
                "place with --out; what was finished before is kept, and the same command goes on from there."
            ) from problem
        return result

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.unit"
