"""An expression matrix written as gzipped text, genes in rows; equal matrices give equal bytes."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_matrix(path: Path, genes: Sequence[str], samples: Sequence[str], values: NDArray[np.float64]) -> None:
    """Write genes x samples; whole numbers without a decimal point, others in full, and no time stamp."""
    whole = bool(np.all(values == np.rint(values)))
    rows = (values.astype(np.int64) if whole else values).tolist()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=5, fileobj=raw, mtime=0) as packed:
        packed.write(("\t".join(("gene", *samples)) + "\n").encode())
        for gene, row in zip(genes, rows, strict=True):
            packed.write(("\t".join((gene, *map(repr, row))) + "\n").encode())
