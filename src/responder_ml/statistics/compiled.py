"""Loops as machine code: compiled on first use and kept beside the source, or in the user's cache, for the next process."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays when it is first called.

    Sums may be taken in another order than written, which lets the processor add several numbers at once; the order is the
    same for all columns of equal length, so that equal columns keep equal sums.

    What is kept is known by the file the function stands in: it may call only functions and read only constants of that file, and
    whoever changes the options below clears ``__pycache__``.
    """
    options = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy"}
    try:
        found: Callable[P, R] = njit(cache=True, **options)(function)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written: every process compiles for itself.
        found = njit(**options)(function)
    return found
