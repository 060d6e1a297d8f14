"""Finished units of work, stored in a folder, so that an interrupted job continues where it stopped.

A unit is stored under a key made of everything that decides its result: the function with its arguments (data, candidates, plan,
seed), the unit itself, this package's code and the versions of Python and the libraries. If any of these has changed, the unit is
computed again; nothing else matters.
"""

import hashlib
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from joblib.hashing import NumpyHasher
from scipy import sparse

from responder_ml.errors import RunError
from responder_ml.search.unit_file import read_unit, write_unit
from responder_ml.versions import version_of

_LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "xgboost", "optuna", "shap", "numba", "llvmlite")

Unit = TypeVar("Unit")
Result = TypeVar("Result")
Compute = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]


@dataclass(frozen=True)
class UnitStore:
    """A folder of finished units; it can be sent to other processes of the machine.

    Attributes
    ----------
    folder
        An existing folder.
    """

    folder: Path

    def complete(self, function: Callable[[Unit], Result], units: Sequence[Unit], compute: Compute) -> Iterator[Result]:
        """Yield ``function(unit)`` in the order of the units, computing only those that are not stored.

        Every unit is written by the process that computed it, as soon as it is done, whatever the order.

        Parameters
        ----------
        function, units
            The work to do.
        compute
            Takes a function and units, and returns an iterator over their results, in order.

        Raises
        ------
        RunError
            A unit cannot be written.
        """
        keys, stored = self._look_up(function, units)
        missing = [(key, unit) for key, unit, result in zip(keys, units, stored, strict=True) if result is None]
        with closing(compute(partial(self.compute_and_write, function), missing)) as fresh:  # type: ignore[type-var]
            for result in stored:
                yield next(fresh) if result is None else result[0]

    def complete_here(
        self, function: Callable[[Unit], Result], units: Sequence[Unit], compute: Compute
    ) -> Iterator[Result]:
        """Do as `complete` where the workers cannot see the folder: this process writes every unit as it arrives."""
        keys, stored = self._look_up(function, units)
        missing = [unit for unit, result in zip(units, stored, strict=True) if result is None]
        with closing(compute(function, missing)) as fresh:  # type: ignore[type-var]
            for key, result in zip(keys, stored, strict=True):
                yield self._write(key, next(fresh)) if result is None else result[0]

    def compute_and_write(self, function: Callable[[Unit], Result], keyed_unit: tuple[str, Unit]) -> Result:
        """Compute a unit and write it under its key."""
        key, unit = keyed_unit
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
                "folder with --out. Units finished before are stored, and the same command continues from there."
            ) from problem
        return result

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.unit"


def content_hash(content: Any) -> str:
    """Return 32 hexadecimal digits that differ where the content does."""
    return str(_Hasher("md5").hash(content))


@cache
def code_version() -> str:
    """Return a digest of every file of the package and of the versions of Python and the numerical libraries."""
    digest = hashlib.sha256(platform.python_version().encode())
    for library in _LIBRARIES:
        digest.update(f"{library} {version_of(library)}\n".encode())
    root = Path(__file__).resolve().parents[1]
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            digest.update(f"{path.relative_to(root)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


class _Hasher(NumpyHasher):  # type: ignore[misc]
    """joblib's hasher, but sparse tables are hashed by their content: scipy also caches in them facts already computed."""

    def save(self, obj: Any) -> None:
        if sparse.issparse(obj) and obj.format in ("csr", "csc"):
            obj = (type(obj).__name__, obj.shape, obj.data, obj.indices, obj.indptr)
        super().save(obj)
