"""Missing values of a matrix: what is left out by a stated rule, what is filled inside folds, and what is refused.

The rule looks at no label and at no value. A gene without any value is not measured and left out. If nearly all other genes are
complete, those with a gap are left out. Otherwise genes with many gaps are left out, and the few gaps of the others are kept as
such: every training set fills them from its own rows, as scoring fills the gaps of a new sample. If that does not do either,
the matrix is refused with what each remedy would leave.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from anndata import AnnData

from responder_ml.arrays import Flags, Floats
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import ExpressionError, list_names

LEAST_COMPLETE = 0.8
"""Least share of the measured genes that must be left."""
MOST_GAPS = 0.2
"""Largest share of its values that a gene, or a sample, may lack and still be filled in."""
GAPS = "is_missing"
"""Layer of a cohort that tells which of its values are filled in because they are missing."""


@dataclass(frozen=True)
class MeasuredGenes:
    """Genes that can be used.

    Attributes
    ----------
    is_usable
        For each name of the axis of the genes.
    notes
        What was left out.
    """

    is_usable: Flags = field(repr=False)
    notes: tuple[ReadingNote, ...] = ()


def leave_out_missing(
    values: Floats, is_gene: Flags, samples: Sequence[str], names: Sequence[str], source: str
) -> MeasuredGenes:
    """Return the genes that can be used.

    Parameters
    ----------
    values
        Samples x names of the axis of the genes, missing cells not-a-number.
    is_gene
        Which names are genes.
    samples, names
        Of the axes.
    source
        File name, for messages.

    Raises
    ------
    ExpressionError
        A value is infinite, a sample has no value, or too few genes are complete.
    """
    _refuse_infinite(values, is_gene, samples, names, source)
    if not np.isnan(values).any():
        return MeasuredGenes(is_gene)
    is_missing = np.isnan(values)
    is_measured = is_gene & ~is_missing.all(axis=0)
    notes = []
    if not is_measured.any():
        raise ExpressionError(
            f"{source}: no gene has a value in any of the {len(values)} samples. Give the measured values."
        )
    n_empty = int(is_gene.sum() - is_measured.sum())
    if n_empty:
        examples = list_names([names[index] for index in np.flatnonzero(is_gene & ~is_measured)[:3]])
        notes.append(
            ReadingNote(
                "info",
                f"{n_empty} of {int(is_gene.sum())} genes have no value in any sample and were left out ({examples}).",
            )
        )
    is_complete = is_measured & ~is_missing.any(axis=0)
    n_measured, n_complete = int(is_measured.sum()), int(is_complete.sum())
    if n_complete < LEAST_COMPLETE * n_measured:
        fillable = is_measured & (is_missing.mean(axis=0) <= MOST_GAPS)
        share_of_sample = is_missing[:, fillable].mean(axis=1) if fillable.any() else np.ones(len(values))
        if fillable.sum() < LEAST_COMPLETE * n_measured or share_of_sample.max() > MOST_GAPS:
            raise ExpressionError(_explain_gaps(is_missing[:, is_measured], samples, source))
        return MeasuredGenes(fillable, (*notes, *_notes_on_filling(is_missing, is_measured, fillable)))
    if n_complete < n_measured:
        gaps = np.flatnonzero(is_measured & ~is_complete)
        notes.append(
            ReadingNote(
                "warning",
                f"{len(gaps)} of {n_measured} measured genes have missing values in some sample and were left out "
                f"({list_names([names[index] for index in gaps[:3]])}).",
            )
        )
    return MeasuredGenes(is_complete, tuple(notes))


def with_stand_ins(values: Floats, units: str) -> tuple[Floats, Flags | None]:
    """Return values in which a gene's mean stands where one is missing, and where that is; None where none is.

    The stand-ins are for what looks at a cohort as a whole, such as the audit; whatever is fitted fills the gaps anew.
    """
    gaps = np.isnan(values)
    if not gaps.any():
        return values, None
    means = np.nanmean(values, axis=0)
    return np.where(gaps, np.rint(means) if units == "counts" else means, values), gaps


def gaps_of(cohort: AnnData) -> Flags | None:
    """Return which values of a cohort are missing, samples x genes; None where none is."""
    if GAPS not in cohort.layers:
        return None
    gaps = np.asarray(cohort.layers[GAPS], dtype=np.bool_)
    return gaps if gaps.any() else None


def without_gaps(cohort: AnnData) -> AnnData:
    """Return a cohort without the genes that have a gap, for analyses that cannot fill them inside folds."""
    gaps = gaps_of(cohort)
    return cohort if gaps is None else cohort[:, ~gaps.any(axis=0)].copy()


def _notes_on_filling(is_missing: Flags, is_measured: Flags, fillable: Flags) -> list[ReadingNote]:
    n_left_out = int(is_measured.sum() - fillable.sum())
    left_out = f" {n_left_out} genes with more gaps were left out." if n_left_out else ""
    message = (
        f"{is_missing[:, fillable].mean():.2%} of the values are missing, in {int(is_missing[:, fillable].any(axis=0).sum())} of "
        f"{int(fillable.sum())} genes, at most {MOST_GAPS:.0%} of a gene: every training set fills them from its own "
        f"samples.{left_out} If what is missing goes with the class, so may what is filled in."
    )
    return [ReadingNote("warning", message)]


def _refuse_infinite(values: Floats, is_gene: Flags, samples: Sequence[str], names: Sequence[str], source: str) -> None:
    is_infinite = np.isinf(values) & is_gene
    if not is_infinite.any():
        return
    row, column = np.argwhere(is_infinite)[0]
    raise ExpressionError(
        f"{source}: {int(is_infinite.sum())} value(s) are infinite, in {int(is_infinite.any(axis=0).sum())} gene(s) and "
        f"{int(is_infinite.any(axis=1).sum())} sample(s) (first: gene '{names[column]}', sample '{samples[row]}'). Infinity comes "
        "from the logarithm of 0 or a division by 0; add an offset before the logarithm."
    )


def _explain_gaps(is_missing: Flags, samples: Sequence[str], source: str) -> str:
    """Say what each remedy would leave: fewer genes, or fewer samples."""
    n_samples, n_genes = is_missing.shape
    complete = int((~is_missing.any(axis=0)).sum())
    worst = np.argsort(-is_missing.sum(axis=1), kind="stable")
    without = next(
        (
            count
            for count in range(1, n_samples // 2 + 1)
            if (~is_missing[worst[count:]].any(axis=0)).sum() >= LEAST_COMPLETE * n_genes
        ),
        None,
    )
    message = (
        f"{source}: {int(is_missing.sum())} value(s) are missing, in {n_genes - complete} of {n_genes} measured genes and "
        f"{int(is_missing.any(axis=1).sum())} of {n_samples} samples. Leaving out these genes would keep {complete} of {n_genes}"
    )
    if without is None:
        return (
            f"{message}, and leaving out samples would not help: no half of them shares {LEAST_COMPLETE:.0%} of the genes. Write 0 "
            "where nothing was counted; otherwise take the values of one platform and one annotation, or of the samples that "
            "were measured alike."
        )
    remaining = int((~is_missing[worst[without:]].any(axis=0)).sum())
    return (
        f"{message}; leaving out {without} sample(s) ({list_names([samples[row] for row in worst[:without]])}) would keep "
        f"{remaining} genes and {n_samples - without} samples. Take these samples out of the sample sheet (or with `where`), "
        "or write 0 where nothing was counted."
    )
