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
from responder_ml.cohort.known_genes import ON_Y, SILENCED_X, find_group

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
    xist, on_y = find_group(genes, SILENCED_X), find_group(genes, ON_Y)
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
