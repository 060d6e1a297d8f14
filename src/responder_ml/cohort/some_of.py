"""Names in a message: the first few, and how many more."""

from collections.abc import Sequence


def some_of(names: Sequence[str], most: int = 5, quote: str = "'") -> str:
    """Return the first ``most`` names, quoted, and the number of the others.

    Examples
    --------
    >>> some_of(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(f"{quote}{name}{quote}" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
