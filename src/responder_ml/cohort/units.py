"""Units of expression: declared units checked against the values, and values converted to the units of a model.

Units are declared, never guessed: a contradiction between the values and their units is refused. Values are converted only
where a way back exists: log2 counts per million become counts, so that a model of counts treats them like any others, and
``log2(TPM + 1)`` becomes TPM.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.log_scale import explain_other_scale
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import ExpressionError

Units = Literal["counts", "log2", "tpm"]

# 2 to the power of 64: no instrument reads that, while raw intensities, counts and TPM all go far beyond 64.
_LARGEST_LOG2 = 64.0
# Whole numbers above this are counts or rounded intensities; log2 values are never all whole.
_LARGEST_WHOLE_LOG2 = 16.0
# A log2 taken of log2 values between 4 and 20 lies between 2.0 and 4.3 (GSE84183 as Gemma serves it: 2.2 to 4.2); with
# one added before the logarithm it starts at 0. Real log2 expression of many genes spreads far wider.
_DOUBLE_LOG_BELOW = 5.5
_DOUBLE_LOG_ABOVE = 1.5
_FEW_GENES, _MANY_GENES = 20, 1000
# Genes at a sample's floor are its zero counts; a single lowest gene need not be one.
_LEAST_ZEROS = 2
_AT_FLOOR = 1e-6
# Estimated counts leave most genes whole; of normalised values hardly any is.
_LEAST_WHOLE = 0.3
_FEW_LIBRARIES = 4
_ONE_MILLION_WITHIN, _ALIKE_WITHIN = 0.01, 0.001
# Small counts tell best whether an offset was guessed right: four decimals of log2 leave them whole to 0.002.
_SMALL, _LEAST_SMALL, _WHOLE = 50.0, 20, 0.02
_ADVICE_ON_INTENSITIES = (
    "Intensities with negative values, as MAS 4 writes them, are background-subtracted and have no logarithm. Raise all values "
    "below 20 to 20 and take the logarithm to base 2 (R: log2(pmax(x, 20)); numpy: np.log2(np.maximum(x, 20))), then declare "
    "`units: log2`."
)
# From, to.
_CONVERSIONS = (("log2", "counts"), ("log2", "tpm"))


def check_units(
    values: Floats, units: str, *, samples: Sequence[str] | None = None, genes: Sequence[str] | None = None
) -> None:
    """Refuse values that cannot be in the declared units.

    ``counts`` are whole and not negative. ``log2`` values are not all whole numbers, not in the hundreds, and not so
    narrow that a logarithm was taken twice. ``tpm`` are not negative and not log2 values; whether they sum to a million
    is left to the audit, since a subset of genes does not.

    Parameters
    ----------
    values
        Samples x genes, finite.
    units
        ``counts``, ``log2`` or ``tpm``.
    samples, genes
        Names for the messages; positions (from 1) are named without them.

    Raises
    ------
    ExpressionError
        With what was found, what was expected and what to do.
    """
    if units not in get_args(Units):
        raise ExpressionError(f"Units are '{units}', but must be one of {', '.join(get_args(Units))}.")
    if values.size == 0:
        raise ExpressionError(f"The expression matrix is empty: {values.shape[0]} samples x {values.shape[1]} genes.")
    if units == "log2":
        _check_log2(values)
        return
    _check_not_negative(values, units, samples, genes)
    _check_not_silent(values, samples)
    if units == "counts":
        _check_whole(values, samples, genes)
    else:
        _check_tpm(values)


def round_estimated(values: Floats, *, estimated: bool, source: str) -> tuple[Floats, tuple[ReadingNote, ...]]:
    """Return estimated counts as whole numbers, anything else as it is, and what to say.

    Each sample decides for itself: programs that estimate counts (salmon, kallisto, RSEM) leave those of genes without rivals
    whole, while normalised counts, TPM and logarithms hardly have a whole number other than 0.

    Parameters
    ----------
    values
        Samples x genes, declared as counts.
    estimated
        Whether the file is known to hold estimated counts.
    source
        File name, for messages.
    """
    if _are_whole(values) or np.nanmin(values) < 0:
        return values, ()
    is_fractional = (values != np.rint(values)) & ~np.isnan(values)
    whole = ((values > 0) & ~is_fractional).sum(axis=1) / np.maximum((values > 0).sum(axis=1), 1)
    rows = np.ones(len(values), dtype=np.bool_) if estimated else whole >= _LEAST_WHOLE
    if not rows[is_fractional.any(axis=1)].all():
        return values, ()
    note = f"{source}: {is_fractional.mean():.1%} of the values are counts estimated with decimals, and were rounded."
    return np.rint(values), (ReadingNote("info", note),)


def check_library_sizes(values: Floats, units: str) -> list[ReadingNote]:
    """Refuse counts whose libraries all hold one million, and note libraries that are all of one size.

    Parameters
    ----------
    values
        Samples x all genes of the file, in ``units``.
    units
        ``counts``, ``log2`` or ``tpm``.

    Raises
    ------
    ExpressionError
        The counts are TPM or counts per million.
    """
    if units != "counts" or len(values) < _FEW_LIBRARIES:
        return []
    sizes = values.sum(axis=1)
    if np.all(np.abs(sizes / 1e6 - 1.0) < _ONE_MILLION_WITHIN):
        raise ExpressionError(
            f"All {len(sizes)} libraries hold one million ({sizes.min():.0f} to {sizes.max():.0f}), as no sequencer makes them: "
            "these are TPM or counts per million, rounded. Declare `units: tpm`, or give "
            "the counts of the reads."
        )
    if np.all(np.abs(sizes / np.median(sizes) - 1.0) < _ALIKE_WITHIN):
        message = (
            f"All {len(sizes)} libraries are of one size ({sizes.min():.0f} to {sizes.max():.0f}): these counts were normalised or "
            "thinned out before, so that library sizes say nothing."
        )
        return [ReadingNote("warning", message)]
    return []


def convert_units(values: Floats, units: str, model_units: str, depth: float) -> Floats:
    """Convert values to the units a model was trained in.

    A model of counts takes log2 counts per million: they become counts again (`counts_from_log2`), after which the
    model's own normalisation applies as to any counts. A model of TPM takes ``log2(TPM + 1)``. Nothing else can be undone.

    Parameters
    ----------
    values
        Samples x genes in ``units``.
    units, model_units
        Of the values and of the model: ``counts``, ``log2`` or ``tpm``.
    depth
        Typical library size in training, counts, for values from which it cannot be read.

    Raises
    ------
    ExpressionError
        There is no conversion from ``units`` to ``model_units``.
    """
    if units == model_units:
        return values
    if (units, model_units) not in _CONVERSIONS:
        ways = " or ".join([model_units, *(source for source, target in _CONVERSIONS if target == model_units)])
        raise ExpressionError(
            f"The table is declared as {units}, but the model was trained on {model_units}, and one cannot be made from the "
            f"other. Give {ways}" + (" made the way the training values were." if model_units == "log2" else ".")
        )
    if model_units == "tpm":
        return np.asarray(np.maximum(2.0**values - 1.0, 0.0), dtype=np.float64)
    return counts_from_log2(values, depth)


def counts_from_log2(values: Floats, depth: float) -> Floats:
    """Return counts whose log2 counts per million the values are; each sample is treated by itself.

    The floor of a sample, if several genes share it, is where its zero counts lie. With limma's offsets, ``log2((count +
    0.5) / (library + 1) x 1e6)``, the floor gives the library and so the counts; that is accepted if all small counts are
    whole numbers. With any other offset b, ``log2(cpm + b)``, the floor is log2 b, and the counts are those of a library of
    ``depth``. Without a floor limma's offsets and ``depth`` are assumed.

    Parameters
    ----------
    values
        Samples x genes, log2 counts per million.
    depth
        Library size, counts.
    """
    return np.stack([_one_sample(row, depth) for row in values]) if len(values) else values


def _are_whole(values: Floats) -> bool:
    """Tell whether all values that are not missing are whole numbers; row by row, since a copy of a large matrix is large."""
    return all(np.array_equal(row, np.rint(row), equal_nan=True) for row in values)


def _check_not_negative(values: Floats, units: str, samples: Sequence[str] | None, genes: Sequence[str] | None) -> None:
    if values.min() >= 0:
        return
    where = _describe_cell(values, np.argwhere(values < 0)[0], samples, genes)
    advice = (
        _ADVICE_ON_INTENSITIES
        if values.max() > _LARGEST_LOG2
        else "If the values are on a log scale, declare `units: log2`; if background was subtracted, go back to the values "
        "before it."
    )
    raise ExpressionError(
        f"{int(np.sum(values < 0))} value(s) are negative (first: {where}), but {units} cannot be. {advice}"
    )


def _check_not_silent(values: Floats, samples: Sequence[str] | None) -> None:
    silent = np.flatnonzero(values.max(axis=1) == 0)
    if len(silent):
        names = [samples[row] if samples is not None else str(row + 1) for row in silent[:5]]
        raise ExpressionError(
            f"{len(silent)} sample(s) have only zeros: {', '.join(names)}. Take failed libraries out of the "
            "sample sheet."
        )


def _check_whole(values: Floats, samples: Sequence[str] | None, genes: Sequence[str] | None) -> None:
    if _are_whole(values):
        return
    fractional = values != np.rint(values)
    where = _describe_cell(values, np.argwhere(fractional)[0], samples, genes)
    if values.max() <= _LARGEST_LOG2:
        advice = "They look like log2 values: declare `units: log2`."
    else:
        advice = (
            "Estimated counts (salmon, kallisto, RSEM) are rounded here, but too many of these values have decimals: they look "
            "normalised. Give the counts before normalisation, or declare `units: tpm` if they are TPM; rounding does not make "
            "counts of them."
        )
    raise ExpressionError(
        f"{int(fractional.sum())} of {values.size} values are not whole numbers (first: {where}), but counts are. "
        f"{advice}"
    )


def _check_tpm(values: Floats) -> None:
    if values.shape[1] >= _MANY_GENES and values.max() <= 20 and np.any(values != np.rint(values)):
        raise ExpressionError(
            f"The largest of {values.shape[1]} genes is {values.max():.3g}, but TPM add up to a million. "
            "They look like log2 values: declare `units: log2`."
        )


def _check_log2(values: Floats) -> None:
    lowest, highest = float(values.min()), float(values.max())
    span = f"The values run from {lowest:.4g} to {highest:.4g}"
    if highest > _LARGEST_LOG2 and lowest < 0:
        raise ExpressionError(f"{span}, but log2 expression stays below {_LARGEST_LOG2:.0f}. {_ADVICE_ON_INTENSITIES}")
    if highest > _LARGEST_WHOLE_LOG2 and _are_whole(values):
        advice = "If they are counts, declare `units: counts`; otherwise take" if lowest >= 0 else "Take"
        raise ExpressionError(
            f"{span} and all are whole numbers, but log2 values are not. {advice} the logarithm first."
        )
    if highest > _LARGEST_LOG2:
        raise ExpressionError(
            f"{span}, but log2 expression stays below {_LARGEST_LOG2:.0f}. If they are TPM, declare `units: tpm`; if "
            "they are raw intensities or normalised counts, take log2 first (of the value plus a small offset)."
        )
    other = explain_other_scale(values)
    if other:
        raise ExpressionError(f"{span}. {other}")
    if _looks_logged_twice(values.shape[1], lowest, highest):
        raise ExpressionError(
            f"{span} over {values.shape[1]} genes. That is far too narrow for log2 expression, which spans 8 or more: "
            "the logarithm was probably taken twice, or to base 10. Use the values before the second logarithm (2 "
            "to the power of each value undoes it), or multiply log10 values by 3.3219."
        )


def _looks_logged_twice(n_genes: int, lowest: float, highest: float) -> bool:
    """Tell squeezed values from a small panel of weak genes, ratios or standardised values.

    Ratios and standardised values reach below zero. A small panel of weak genes has values near zero, too; a whole
    transcriptome has at least one strong gene.
    """
    if highest >= _DOUBLE_LOG_BELOW or lowest == highest:
        return False
    if n_genes >= _MANY_GENES:
        return lowest >= 0
    return n_genes >= _FEW_GENES and lowest >= _DOUBLE_LOG_ABOVE


def _describe_cell(values: Floats, cell: Indices, samples: Sequence[str] | None, genes: Sequence[str] | None) -> str:
    row, column = int(cell[0]), int(cell[1])
    sample = samples[row] if samples is not None else str(row + 1)
    gene = genes[column] if genes is not None else str(column + 1)
    return f"gene '{gene}', sample '{sample}', {values[row, column]:.6g}"


def _one_sample(row: Floats, depth: float) -> Floats:
    floor = row.min()
    if np.count_nonzero(row <= floor + _AT_FLOOR) < _LEAST_ZEROS:
        return np.asarray(np.maximum(2.0**row * ((depth + 1.0) / 1e6) - 0.5, 0.0), dtype=np.float64)
    counts = 0.5 * 2.0 ** (row - floor) - 0.5
    small = counts[(counts > 0.5) & (counts < _SMALL)]
    if small.size >= _LEAST_SMALL and np.abs(small - np.rint(small)).max() < _WHOLE:
        return np.asarray(np.rint(counts), dtype=np.float64)
    return np.asarray((2.0**row - 2.0**floor) * (depth / 1e6), dtype=np.float64)
