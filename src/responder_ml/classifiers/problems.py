"""Many classification problems in flat arrays, so that a compiled loop can go through them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from numpy.typing import NDArray

from responder_ml.arrays import Floats, Indices


@dataclass(frozen=True)
class Problems:
    """Training columns, what is to be learnt, and held-out columns of many training sets, one after another.

    Attributes
    ----------
    n_columns, n_train, n_test
        Columns, training rows and held-out rows of each set, shape ``(n_sets,)``.
    train, test
        Standardised columns of all sets; those of a set are columns x training rows, and columns x held-out rows.
    target
        Labels 0 or 1, or the graded outcome, of all training rows.
    """

    n_columns: Indices
    n_train: Indices
    n_test: Indices
    train: Floats
    test: Floats
    target: NDArray[Any]

    def __iter__(self) -> Iterator[tuple[Floats, NDArray[Any], Floats]]:
        """Return the training columns, target and held-out columns of each set, rows x columns."""
        sizes = self.n_columns.tolist(), self.n_train.tolist(), self.n_test.tolist()
        fitted = accumulate((columns * rows for columns, rows, _ in zip(*sizes, strict=True)), initial=0)
        held_out = accumulate((columns * rows for columns, _, rows in zip(*sizes, strict=True)), initial=0)
        targets = accumulate(sizes[1], initial=0)
        for columns, n_train, n_test, start, other, first in zip(*sizes, fitted, held_out, targets, strict=False):
            yield (
                self.train[start : start + columns * n_train].reshape(columns, n_train).T,
                self.target[first : first + n_train],
                self.test[other : other + columns * n_test].reshape(columns, n_test).T,
            )
