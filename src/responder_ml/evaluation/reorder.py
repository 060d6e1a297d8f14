"""Relabellings of a graded outcome: its values are exchanged between subjects of one stratum.

Equal values make equal relabellings, so there are as many as distinct orders of the values of every stratum.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import factorial, prod

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.evaluation.relabel import Relabelling


def count_orders(outcome: Floats, strata: Indices) -> int:
    """Return the number of distinct orders, the observed one included: the product of the strata's multinomials.

    Parameters
    ----------
    outcome, strata
        Value and stratum code of each subject, shape ``(n,)``.
    """
    return prod(_arrangements(outcome[rows]) for rows in _rows_of(strata))


def smallest_p(outcome: Floats, strata: Indices) -> float:
    """Return the smallest p that all orders can give a procedure which learns the direction.

    It is one over their number, and twice that where reflecting all values about one centre gives the same values in every
    stratum: the reflected order is then among them, and is learnt just as well.
    """
    count = count_orders(outcome, strata)
    centre = float(outcome.min() + outcome.max())
    size = 1e-9 * max(float(np.ptp(outcome)), np.finfo(float).tiny)
    mirrored = all(
        bool(np.all(np.abs(np.sort(outcome[rows]) - np.sort(centre - outcome[rows])) <= size))
        for rows in _rows_of(strata)
    )
    return min(1.0, (2.0 if mirrored else 1.0) / count) if count < 10**300 else 0.0


def enumerate_orders(outcome: Floats, strata: Indices) -> Floats:
    """Return the outcome in every order once, shape ``(n_orders, n)``, the observed one first; count them before calling this."""
    rows = _rows_of(strata)
    tables = [list(_distinct_orders(sorted(outcome[members].tolist()))) for members in rows]
    orders = np.empty((prod(map(len, tables)), len(outcome)))
    for index, chosen in enumerate(product(*tables)):
        for members, values in zip(rows, chosen, strict=True):
            orders[index, members] = values
    is_observed = (orders == outcome).all(axis=1)
    return np.concatenate([orders[is_observed], orders[~is_observed]])


def draw_orders(outcome: Floats, strata: Indices, count: int, rng: np.random.Generator) -> Floats:
    """Return the outcome in random orders, independent and equally likely, shape ``(count, n)``.

    From one state of ``rng`` the first draws are the same whatever ``count`` is.
    """
    rows = _rows_of(strata)
    drawn = np.tile(outcome, (count, 1))
    for members, stream in zip(rows, rng.spawn(len(rows)), strict=True):
        drawn[:, members] = stream.permuted(drawn[:, members], axis=1)
    return drawn


def _rows_of(strata: Indices) -> list[Indices]:
    return [np.flatnonzero(strata == code) for code in np.unique(strata)]


def _arrangements(values: Floats) -> int:
    _, sizes = np.unique(values, return_counts=True)
    return factorial(len(values)) // prod(factorial(int(size)) for size in sizes)


def _distinct_orders(values: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Yield each order of some sorted values once."""
    if not values:
        yield ()
    for index, value in enumerate(values):
        if index == 0 or value != values[index - 1]:
            for rest in _distinct_orders([*values[:index], *values[index + 1 :]]):
                yield (value, *rest)


OUTCOMES = Relabelling(count_orders, smallest_p, enumerate_orders, draw_orders)
"""Values of a graded outcome are exchanged."""
