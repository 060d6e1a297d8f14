"""Loops compiled to machine code on first use, and cached next to the source, or in the user's cache, for the next process."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays when it is first called.

    Sums may be computed in another order than written, so that the processor can add several numbers at once; the order is the
    same for all columns of equal length, so that equal columns have equal sums.

    The cache is renewed when the file of the function changes, and only then: the function may call only functions and read only
    constants of that file, and ``__pycache__`` must be cleared when the options below change.
    """
    options: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy"}
    try:
        machine_code: Any = njit(cache=True, **options)(function)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written: every process compiles for itself.
        machine_code = njit(**options)(function)
    cache = getattr(machine_code, "_cache", None)
    if cache is not None:
        machine_code._cache = _OptionalCache(cache)
    compiled_function: Callable[P, R] = machine_code
    return compiled_function


class _OptionalCache:
    """Numba's cache on disk, which may be full or read-only: then every process compiles for itself."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def save_overload(self, *arguments: Any) -> None:
        """Store machine code where that is possible."""
        with suppress(OSError):
            self._cache.save_overload(*arguments)
