"""Batches named by a sample sheet, aligned to a bundle's training samples: one pass over the table before scoring."""

from collections.abc import Iterable, Sequence

import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.bundles.bundle import Bundle
from responder_ml.cohort.alignment import MatchedGenes, to_model_units
from responder_ml.errors import BundleError, SampleSheetError, list_names
from responder_ml.evaluation.batch_alignment import BatchAlignment
from responder_ml.registry import did_you_mean


def align_batches(
    bundle: Bundle,
    matched: MatchedGenes,
    units: str,
    names: Sequence[str],
    blocks: Iterable[tuple[Sequence[str], Floats]],
    sheet: pd.DataFrame | None,
    column: str,
) -> BatchAlignment:
    """Learn how to move each batch of a table.

    Parameters
    ----------
    bundle
        The model, and the location and scale of its training genes.
    matched, units
        The table's genes matched to the model's, and the table's units.
    names
        Samples of the table.
    blocks
        Names and samples x genes found; all samples, each once.
    sheet, column
        Sample sheet under canonical names, and its column that names the batches.

    Raises
    ------
    BundleError
        The bundle was packed before there was a reference for batches.
    SampleSheetError
        There is no sheet or no such column, or a sample has no batch in it.
    ExpressionError
        A batch is too small, or values contradict the units.
    """
    if bundle.batch is None:
        raise BundleError(
            "This bundle holds no location and scale of its training genes, so no batch can be aligned to them. Train again."
        )
    batch_of = _read_batches(sheet, column, names)
    checked = (_check_units(block, matched, units) for block in blocks)
    return BatchAlignment(bundle.batch, matched.is_present, units, batch_of, checked)


def _read_batches(sheet: pd.DataFrame | None, column: str, names: Sequence[str]) -> dict[str, str]:
    """Return the batch of each sample."""
    if sheet is None:
        raise SampleSheetError(
            "--align-batch names a column of the sample sheet, but no sheet is given. Add --samples."
        )
    if column not in sheet.columns:
        raise SampleSheetError(
            f"The sample sheet has no column '{column}'. {did_you_mean(column, list(sheet.columns))}"
        )
    batch_of = dict(zip(sheet["sample"].astype(str), sheet[column].astype(str), strict=True))
    without = [name for name in names if not batch_of.get(name, "").strip()]
    if without:
        raise SampleSheetError(
            f"The sample sheet has no '{column}' for {len(without)} of {len(names)} samples: {list_names(without)}. Name the "
            "batch of every sample that is to be scored."
        )
    return {name: batch_of[name] for name in names}


def _check_units(
    block: tuple[Sequence[str], Floats], matched: MatchedGenes, units: str
) -> tuple[Sequence[str], Floats]:
    """Return a block unchanged; values that contradict its units are refused."""
    names, values = block
    to_model_units(values, matched, names, units=units, model_units=units, depth=0.0)
    return names, values
