"""Columns of a matrix: their medians, the size of rounding errors in a constant column, and columns prepared for ranking."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_ml.arrays import Flags, Floats, Indices, Singles

_EPSILON = float(np.finfo(np.float64).eps)
# Numbers in a piece of columns: what is summed repeatedly then fits the second-level cache.
_PIECE_SIZE = 2**18
_NARROWEST, _WIDEST = 64, 512
# Some dozens of samples are enough to locate a column.
_SAMPLES_TO_CENTRE = 32


def median(values: NDArray[Any], axis: int = -1) -> NDArray[Any]:
    """Return medians like `numpy.median`, in a tenth of its time: one element is searched for instead of two or three.

    Parameters
    ----------
    values
        Numbers, none of them missing.
    axis
        The axis along which the median is taken.
    """
    half = values.shape[axis] // 2
    ordered = np.moveaxis(np.partition(values, half, axis=axis), axis, -1)
    upper = ordered[..., half]
    if values.shape[axis] % 2:
        return np.asarray(upper)
    return np.asarray(0.5 * (ordered[..., :half].max(axis=-1) + upper))


def deviations_within(values: Floats, group_of: Indices) -> Floats:
    """Return deviations from the mean of each row's group, such as a matched pair.

    Parameters
    ----------
    values
        Rows x columns.
    group_of
        Group of each row, from 0 without gaps, shape ``(n_rows,)``.
    """
    sums = np.zeros((int(group_of.max()) + 1, values.shape[1]))
    np.add.at(sums, group_of, values)
    return np.asarray(values - (sums / np.bincount(group_of)[:, None])[group_of], dtype=np.float64)


def rounding_share(count: int) -> float:
    """Return the root mean square deviation, as a share of the mean, up to which a column is taken to be constant.

    Parameters
    ----------
    count
        Number of values.
    """
    return (10.0 + count) * _EPSILON


def constant_columns(values: Floats) -> Flags:
    """Return which columns vary by no more than rounding errors: by their standard deviation as a share of the mean.

    Parameters
    ----------
    values
        Rows x columns.
    """
    count, share = len(values), rounding_share(len(values))
    level = np.abs(values.mean(axis=0))
    # A standard deviation is at least the range over the root of twice the count, and the range takes a third of the time.
    narrow = np.flatnonzero(np.ptp(values, axis=0) <= np.sqrt(2.0 * count) * share * level)
    constant = np.zeros(values.shape[1], dtype=np.bool_)
    constant[narrow] = values[:, narrow].std(axis=0) <= share * level[narrow]
    return constant


@dataclass(frozen=True)
class Columns:
    """Columns to rank, prepared once per cohort.

    Attributes
    ----------
    by_column
        The values in double precision, columns x samples, so that the values of a column are contiguous.
    pieces
        The values less the column medians of some samples, in single precision and in the order of `in_pieces`: for choosing
        columns, never for results. The median, unlike the mean, keeps an extreme sample from costing all others their digits.
    """

    by_column: Floats
    pieces: Singles

    @classmethod
    def prepare(cls, values: Floats, chosen: Indices | None = None) -> "Columns":
        """Rearrange, centre and round some columns of ``values`` (samples x columns), all by default."""
        chosen = np.arange(values.shape[1]) if chosen is None else chosen
        by_column = np.empty((len(chosen), len(values)))
        pieces = in_pieces(len(values), len(chosen))
        some = slice(None, None, max(1, len(values) // _SAMPLES_TO_CENTRE))
        # In pieces, so that a large cohort is not held once more than needed.
        for number, piece in enumerate(pieces):
            part = slice(number * piece.shape[1], (number + 1) * piece.shape[1])
            by_column[part] = values.T[chosen[part]]
            middle = median(by_column[part, some])[:, None]
            centred = by_column[part] - middle
            # A rounding error in double precision would look like a difference in single precision.
            centred[np.abs(centred) <= rounding_share(len(values)) * np.abs(middle)] = 0.0
            piece[:, : len(centred)] = centred.T
        return cls(by_column, pieces)

    @property
    def values(self) -> Floats:
        """The values, samples x columns."""
        return self.by_column.T

    def take(self, positions: Indices) -> Floats:
        """Return some columns, samples x positions; the values of each are contiguous."""
        return self.by_column.take(positions, axis=0).T


def in_pieces(n_samples: int, n_columns: int) -> Singles:
    """Return zeros for samples x columns, piece of columns by piece: pieces x samples x columns of a piece."""
    width = int(np.clip(_PIECE_SIZE // n_samples, _NARROWEST, _WIDEST)) // 16 * 16
    return np.zeros((-(-n_columns // width), n_samples, width), np.float32)
