"""What units expression values are probably in; the user's word decides, and `check` holds it against the values."""

from typing import NamedTuple

import numpy as np

from responder_ml.arrays import Floats
from responder_ml.cohort.units import check_units
from responder_ml.errors import ExpressionError
from responder_ml.proposal.question import Option, Question

_MILLION = 1e6
_NEAR = 0.05
_LARGEST_LOG2 = 64.0
_ALL_ALIKE = 0.001

INTENSITIES = "intensities"
"""What values of microarrays are before the logarithm; no units of a job."""

_ABOUT = {
    "counts": "reads per gene, whole or estimated (HTSeq, featureCounts, STAR, Salmon, RSEM)",
    "tpm": "transcripts, fragments or reads per million (TPM, FPKM, CPM)",
    "log2": "on a log2 scale (microarrays, VST, log CPM), or standardised",
    INTENSITIES: "of microarrays, before the logarithm: a copy on a log2 scale is written beside the job",
}


class UnitsGuess(NamedTuple):
    """Units and the reason for them.

    Attributes
    ----------
    units
        ``counts``, ``log2``, ``tpm`` or `INTENSITIES`; empty where the values fit several.
    why
        What was seen in the values.
    """

    units: str
    why: str


def guess_units(values: Floats) -> UnitsGuess:
    """Guess the units of samples x genes; genes with a missing value are not looked at."""
    values = values[:, np.isfinite(values).all(axis=0)]
    if not values.size:
        return UnitsGuess("", "every gene has missing values")
    lowest, highest = float(values.min()), float(values.max())
    span = f"values run from {lowest:.4g} to {highest:.4g}"
    sums = values.sum(axis=1)
    to_a_million = bool(np.all(np.abs(sums / _MILLION - 1) < _NEAR))
    if lowest < 0 or highest <= _LARGEST_LOG2:
        if highest > _LARGEST_LOG2:
            return UnitsGuess(INTENSITIES, f"{span}: intensities from which the background was subtracted")
        return UnitsGuess("log2" if _fits(values, "log2") else _counts_or_nothing(values), span)
    if np.all(values == np.rint(values)):
        if np.all(np.abs(sums / _MILLION - 1) < _ALL_ALIKE):
            return UnitsGuess("tpm", "values are whole, but every sample adds up to a million: TPM or CPM, rounded")
        return UnitsGuess("counts", f"all values are whole numbers, up to {highest:,.0f}")
    if to_a_million:
        return UnitsGuess("tpm", "every sample adds up to about a million")
    return UnitsGuess("", f"{span}, are not whole, and samples do not add up to a million")


def ask_for_units(guess: UnitsGuess) -> Question:
    """Return the question to ask where the values do not tell."""
    return Question(
        f"In which units is the expression ({guess.why})?",
        "--units",
        tuple(Option(units, about) for units, about in _ABOUT.items()),
        guess.units or None,
    )


def _counts_or_nothing(values: Floats) -> str:
    return "counts" if _fits(values, "counts") else ""


def _fits(values: Floats, units: str) -> bool:
    try:
        check_units(values, units)
    except ExpressionError:
        return False
    return True
