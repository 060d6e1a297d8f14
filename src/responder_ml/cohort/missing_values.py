"""Missing values of a matrix: genes that were not measured are left out by a stated rule, and too many gaps are refused.

The rule looks at no label and at no value: a gene without any value is not measured, and a gene with a gap is left out as long
as enough genes have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import ExpressionError, list_names

LEAST_COMPLETE = 0.8
"""Least share of the measured genes that must be complete."""


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
        raise ExpressionError(_explain_gaps(is_missing[:, is_measured], samples, source))
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
    left = int((~is_missing[worst[without:]].any(axis=0)).sum())
    return (
        f"{message}; leaving out {without} sample(s) ({list_names([samples[row] for row in worst[:without]])}) would keep {left} "
        f"genes and {n_samples - without} samples. Take these samples out of the sample sheet (or with `where`), or write 0 where "
        "nothing was counted."
    )
