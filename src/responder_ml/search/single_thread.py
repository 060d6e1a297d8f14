"""One numerical thread, so that results and loads do not depend on how many units are worked out side by side."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Unit = TypeVar("Unit")
Result = TypeVar("Result")


def single_threaded(function: Callable[[Unit], Result], unit: Unit) -> Result:
    """Return ``function(unit)``, worked out by numerical libraries on one thread."""
    with _numerical_threads().limit(limits=1):
        return function(unit)


@cache
def _numerical_threads() -> ThreadpoolController:
    """Return the process's numerical libraries; looking for them takes longer than a small unit does."""
    return ThreadpoolController()
