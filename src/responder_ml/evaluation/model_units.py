"""A new table's values in a model's units: converted, aligned by batch, or matched by order alone; otherwise refused.

* The same units, or units that can be converted: converted (`responder_ml.cohort.units`).
* Other units, and a model that uses only the order of genes within a sample (pairs, rank-based scores of gene sets): each
  sample gets the distribution of the typical training sample, with its own order of genes.
* Any other model: log2 values must be per million to become counts or TPM; other values are refused.
* On request (transport), each sample gets the distribution of the typical training sample whatever the model and the units, or
  batches are aligned to the training samples (`batch_alignment`).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from responder_ml.arrays import Floats
from responder_ml.cohort.alignment import MatchedGenes, to_model_units
from responder_ml.errors import ExpressionError
from responder_ml.evaluation.batch_alignment import BatchAlignment

BY_ORDER = (
    "The table is in {units}, the model was trained on {model_units}. The model uses only the order of genes within a "
    "sample, so the order was used and the values were not; what the platform does to the order is not corrected."
)
QUANTILE = (
    "Each sample was given the distribution of the typical training sample, with its own order of genes (--transport quantile): a "
    "frozen quantile normalisation. What differs between platforms or batches in the order of genes is not corrected."
)
Transport = Literal["none", "quantile"]
"""What brings new samples to the training data: nothing, or a frozen quantile mapping of each sample by itself."""
_REMEDY = (
    "Give counts or log2 counts per million; or train with `pairs`, or `gene_sets` with a rank-based scorer, which use only "
    "the order of genes within a sample; or, with enough samples, align them as a batch (--align-batch)."
)
# Offsets and normalisation factors change the sum of a million somewhat; intensities and variance-stabilised counts are far off.
_MILLION_WITHIN = 3.0
_NO_LOG2 = 64.0
# Separates values that are equal in the typical sample, such as those of genes that no sample expresses.
_SEPARATION = 1e-12


class ModelUnits:
    """Converts the values of a table to a model's units.

    Parameters
    ----------
    matched
        The table's genes matched to the model's.
    units, model_units
        Units of the table and of the model.
    typical
        The typical training sample, in the model's units.
    by_order
        Whether the model uses only the order of genes within a sample.
    alignment
        Alignment of the table's batches, if requested.
    transport
        ``quantile`` to give every sample the distribution of the typical training sample.

    Attributes
    ----------
    note
        What a reader must know about the conversion; may be empty.
    """

    def __init__(
        self,
        matched: MatchedGenes,
        units: str,
        model_units: str,
        typical: Floats,
        *,
        by_order: bool,
        alignment: BatchAlignment | None = None,
        transport: Transport = "none",
    ) -> None:
        self._matched, self._units, self._model_units, self._typical = matched, units, model_units, typical
        self._alignment = alignment
        is_mapped = transport == "quantile"
        self._by_order = is_mapped or (by_order and units != model_units and alignment is None)
        self.note = BY_ORDER.format(units=units, model_units=model_units) if self._by_order else ""
        self.note = QUANTILE if is_mapped else self.note

    def convert(self, names: Sequence[str], values: Floats) -> Floats:
        """Return samples x training genes in the model's units, not-a-number where a gene is missing.

        Raises
        ------
        ExpressionError
            Values contradict their units, or cannot be converted to the model's.
        """
        depth = float(self._typical.sum())
        if self._alignment is None and not self._by_order:
            self._check_million(names, values)
            return to_model_units(
                values, self._matched, names, units=self._units, model_units=self._model_units, depth=depth
            )
        to_model_units(
            values, self._matched, names, units=self._units, model_units=self._units, depth=depth, most_gaps=0.0
        )
        if self._alignment is not None:
            return self._matched.insert_missing(self._alignment.align(names, values, self._model_units, depth))
        return self._matched.insert_missing(adopt_distribution(values, self._typical[self._matched.is_present]))

    def _check_million(self, names: Sequence[str], values: Floats) -> None:
        if self._units == self._model_units:
            return
        if self._units != "log2":
            raise ExpressionError(
                f"The table is declared as {self._units}, but the model was trained on {self._model_units}, and one cannot be "
                f"made from the other. {_REMEDY.replace('counts or log2 counts per million', self._model_units)}"
            )
        if not np.all(values < _NO_LOG2):
            # The check of units has the better message.
            return
        expected = 1e6 * self._typical[self._matched.is_present].sum() / max(self._typical.sum(), 1e-300)
        ratio = np.sum(2.0**values, axis=1) / expected
        wrong = np.flatnonzero((ratio > _MILLION_WITHIN) | (ratio < 1.0 / _MILLION_WITHIN))
        if wrong.size:
            raise ExpressionError(
                f"{wrong.size} sample(s) are declared as log2, but are not log2 of a share of a million, which a model of "
                f"{self._model_units} needs (first: '{names[wrong[0]]}', whose genes add up to {ratio[wrong[0]]:.3g} times what "
                f"is expected). Intensities of arrays and variance-stabilised values look like this. {_REMEDY}"
            )


def adopt_distribution(values: Floats, typical: Floats) -> Floats:
    """Return each sample with its own order of genes and the values of the typical sample; ties stay ties.

    Parameters
    ----------
    values
        Samples x genes.
    typical
        Values of the typical training sample for the same genes.
    """
    by_rank = np.sort(typical)
    by_rank = by_rank + _SEPARATION * max(float(np.abs(by_rank).max()), 1.0) * np.arange(len(by_rank))
    ranks = np.arange(1, len(by_rank) + 1)
    return np.stack([np.interp(rankdata(row), ranks, by_rank) for row in values])
