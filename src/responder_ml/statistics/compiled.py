"""Loops compiled to machine code on first use, and cached next to the source, or in the user's cache, for the next process."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

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
    options = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy"}
    try:
        machine_code: Callable[P, R] = njit(cache=True, **options)(function)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written: every process compiles for itself.
        machine_code = njit(**options)(function)
    return machine_code
