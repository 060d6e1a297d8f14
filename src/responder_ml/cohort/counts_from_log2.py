"""Log2 counts per million turned back into counts, so that a model of counts treats them like any others."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Genes at a sample's floor are its zero counts; a single lowest gene need not be one.
_LEAST_ZEROS = 2
_AT_FLOOR = 1e-6
# Small counts tell best whether an offset was guessed right: four decimals of log2 leave them whole to 0.002.
_SMALL, _LEAST_SMALL, _WHOLE = 50.0, 20, 0.02


def counts_from_log2(values: Floats, depth: float) -> Floats:
    """Return counts whose log2 counts per million the values are; each sample is treated by itself.

    The floor of a sample, if several genes share it, is where its zero counts lie. With limma's offsets, ``log2((count +
    0.5) / (library + 1) x 1e6)``, the floor gives the library and so the counts; that is believed if all small ones come
    out whole. With any other offset b, ``log2(cpm + b)``, the floor is log2 b, and the counts are those of a library of
    ``depth``. Without a floor limma's offsets and ``depth`` are assumed.

    Parameters
    ----------
    values
        Samples x genes, log2 counts per million.
    depth
        Library size, counts.
    """
    return np.stack([_one_sample(row, depth) for row in values]) if len(values) else values


def _one_sample(row: Floats, depth: float) -> Floats:
    floor = row.min()
    if np.count_nonzero(row <= floor + _AT_FLOOR) < _LEAST_ZEROS:
        return np.asarray(np.maximum(2.0**row * ((depth + 1.0) / 1e6) - 0.5, 0.0), dtype=np.float64)
    counts = 0.5 * 2.0 ** (row - floor) - 0.5
    small = counts[(counts > 0.5) & (counts < _SMALL)]
    if small.size >= _LEAST_SMALL and np.abs(small - np.rint(small)).max() < _WHOLE:
        return np.asarray(np.rint(counts), dtype=np.float64)
    return np.asarray((2.0**row - 2.0**floor) * (depth / 1e6), dtype=np.float64)
