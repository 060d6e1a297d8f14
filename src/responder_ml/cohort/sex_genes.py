"""The sex of a sample by its genes: Xist from the silenced X, and genes of the Y.

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

# Where the sheet has both sexes, their medians must differ by this much (log2) for the middle to be a cut-off.
_CLEAR_DIFFERENCE = 2.0
# Where it has one, a gene counts as expressed from this many per million.
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
    genes
        Names of the genes.
    sex
        The sheet's column; male, female, m or f in any case, other words are left out.
    samples
        Names of the samples.
    per_million
        Whether ``log2`` is of counts per million or TPM, which have a common zero.

    Returns
    -------
    The number of samples compared, and those that disagree; None where the genes or the column allow no comparison.
    """
    in_sheet = np.array([_WORDS.get(str(word).strip().lower(), "") for word in sex])
    xist, on_y = _columns_of(genes, _XIST), _columns_of(genes, _ON_Y)
    male, female = in_sheet == "male", in_sheet == "female"
    from_x = _expressed(log2[:, xist], female, male, per_million)
    from_y = _expressed(log2[:, on_y], male, female, per_million)
    if (from_x is None and from_y is None) or not np.any(male | female):
        return None
    disagreements = [
        Disagreement(str(samples[row]), str(in_sheet[row]), _sex_by_genes(from_x, from_y, row))
        for row in np.flatnonzero(male | female).tolist()
        if _disagrees(from_x, row, bool(female[row])) or _disagrees(from_y, row, bool(male[row]))
    ]
    return int(np.sum(male | female)), disagreements


def _columns_of(genes: Sequence[str], identifiers: frozenset[str]) -> list[int]:
    plain = [name.lower().split(".")[0] if name.lower().startswith("ens") else name.lower() for name in genes]
    columns = [column for column, name in enumerate(plain) if name in identifiers]
    numbers_are_ids = any(plain[column].isdigit() for column in columns) and kind_of(genes) == "entrez"
    return [column for column in columns if numbers_are_ids or not plain[column].isdigit()]


def _expressed(values: Floats, having: Flags, lacking: Flags, per_million: bool) -> Flags | None:
    """Tell which samples express the genes; None if that is not clear."""
    if not values.shape[1]:
        return None
    level = values.mean(axis=1)
    if having.any() and lacking.any():
        high, low = np.median(level[having]), np.median(level[lacking])
        return np.asarray(level > (high + low) / 2) if high - low >= _CLEAR_DIFFERENCE else None
    return np.asarray(level > _EXPRESSED) if per_million else None


def _disagrees(expressed: Flags | None, row: int, expected: bool) -> bool:
    return expressed is not None and bool(expressed[row]) != expected


def _sex_by_genes(from_x: Flags | None, from_y: Flags | None, row: int) -> str:
    if from_y is None or from_x is None:
        is_male = bool(from_y[row]) if from_y is not None else from_x is not None and not from_x[row]
        return "male" if is_male else "female"
    words = {(True, True): "both", (True, False): "female", (False, True): "male", (False, False): "neither"}
    return words[bool(from_x[row]), bool(from_y[row])]
