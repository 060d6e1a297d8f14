"""Sex as the genes tell it: Xist from the silenced X, and genes of the Y.

References
----------
Toker L, Feng M, Pavlidis P (2016) Whose sample is it anyway? Widespread misannotation of samples in transcriptomics
studies. F1000Research 5:2103. doi:10.12688/f1000research.9471.2
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Floats
from responder_ml.cohort.gene_ids import kind_of

# Symbols of mouse and human, Entrez and Ensembl ids; no id of one kind or species means another gene in the other.
_XIST = frozenset({"xist", "213742", "7503", "ensmusg00000086503", "ensg00000229807"})
_ON_Y = frozenset(
    {
        *("ddx3y", "26900", "8653", "ensmusg00000069045", "ensg00000067048"),
        *("kdm5d", "20592", "8284", "uty", "22290", "7404", "eif2s3y", "26908"),
        *("rps4y1", "6192", "ensg00000129824", "eif1ay", "9086"),
    }
)
_WORDS = {"m": "male", "male": "male", "f": "female", "female": "female"}

# Where the sheet knows both sexes, their medians must differ this much (log2) for the middle to be a cut-off.
_CLEAR_DIFFERENCE = 2.0
# Where it knows one, a gene counts as expressed from this many per million.
_EXPRESSED = float(np.log2(3.0))


@dataclass(frozen=True)
class Disagreement:
    """A sample whose genes and sheet disagree.

    Attributes
    ----------
    sample, in_sheet
        Its name, and its sex in the sheet.
    by_genes
        ``male``, ``female``, ``both`` (a mixture) or ``neither``.
    """

    sample: str
    in_sheet: str
    by_genes: str


def compare_sex(
    log2: Floats, genes: Sequence[str], sex: "pd.Series[Any]", samples: Sequence[str], per_million: bool
) -> tuple[int, list[Disagreement]] | None:
    """Compare the sheet's sex with the sex genes.

    Parameters
    ----------
    log2
        Log2 expression, samples x genes.
    genes, samples
        Names along the axes.
    sex
        The sheet's column; male, female, m or f in any case, other words are left out.
    per_million
        Whether ``log2`` is of counts per million or TPM, which have a common zero.

    Returns
    -------
    How many samples could be compared, and those that disagree; None where the genes or the column allow no comparison.
    """
    said = np.array([_WORDS.get(str(word).strip().lower(), "") for word in sex])
    xist, on_y = _find(genes, _XIST), _find(genes, _ON_Y)
    male, female = said == "male", said == "female"
    from_x = _expressed(log2[:, xist], female, male, per_million)
    from_y = _expressed(log2[:, on_y], male, female, per_million)
    if (from_x is None and from_y is None) or not np.any(male | female):
        return None
    found = [
        Disagreement(str(samples[row]), str(said[row]), _name(from_x, from_y, row))
        for row in np.flatnonzero(male | female).tolist()
        if _disagrees(from_x, row, bool(female[row])) or _disagrees(from_y, row, bool(male[row]))
    ]
    return int(np.sum(male | female)), found


def _find(genes: Sequence[str], wanted: frozenset[str]) -> list[int]:
    plain = [name.lower().split(".")[0] if name.lower().startswith("ens") else name.lower() for name in genes]
    found = [place for place, name in enumerate(plain) if name in wanted]
    numbers_are_ids = any(plain[place].isdigit() for place in found) and kind_of(genes) == "entrez"
    return [place for place in found if numbers_are_ids or not plain[place].isdigit()]


def _expressed(values: Floats, having: Flags, lacking: Flags, per_million: bool) -> Flags | None:
    """Tell which samples express the genes, or None if that cannot be told."""
    if not values.shape[1]:
        return None
    level = values.mean(axis=1)
    if having.any() and lacking.any():
        high, low = np.median(level[having]), np.median(level[lacking])
        return np.asarray(level > (high + low) / 2) if high - low >= _CLEAR_DIFFERENCE else None
    return np.asarray(level > _EXPRESSED) if per_million else None


def _disagrees(expressed: Flags | None, row: int, expected: bool) -> bool:
    return expressed is not None and bool(expressed[row]) != expected


def _name(from_x: Flags | None, from_y: Flags | None, row: int) -> str:
    if from_y is None or from_x is None:
        is_male = bool(from_y[row]) if from_y is not None else from_x is not None and not from_x[row]
        return "male" if is_male else "female"
    words = {(True, True): "both", (True, False): "female", (False, True): "male", (False, False): "neither"}
    return words[bool(from_x[row]), bool(from_y[row])]
