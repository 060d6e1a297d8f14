"""A stranger's values on a model's scale: converted, aligned by batch, or by their order alone; otherwise refused.

* The same units, or units that can be converted: converted (`responder_ml.cohort.units`).
* A model that asks only for the order of genes within a sample (pairs, rank-based scores of gene sets), asked about other
  units: each sample is given the distribution of the typical training sample, its order kept.
* Any other model: log2 values must be per million to become counts or TPM; the rest is refused.
* Where the user asked for it, batches are aligned to the training samples instead (`batch_alignment`).
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from responder_ml.arrays import Floats
from responder_ml.cohort.alignment import Matched, to_model_units
from responder_ml.errors import ExpressionError
from responder_ml.evaluation.batch_alignment import BatchAlignment

BY_ORDER = (
    "The table is in {units}, the model was trained on {wanted}. It asks only for the order of genes within a sample, so "
    "the order was kept and the values were not; what the platform does to the order is not corrected."
)
_REMEDY = (
    "Give counts or log2 counts per million; or train with `pairs`, or `gene_sets` with a rank-based scorer, which ask only "
    "for the order of genes within a sample; or, with enough samples, align them as a batch (--align-batch)."
)
# Offsets and normalisation factors move the sum of a million somewhat; intensities and variance-stabilised counts miss it by far.
_MILLION_WITHIN = 3.0
_NO_LOG2 = 64.0
# Keeps values apart that the typical sample has alike, such as genes nobody expresses.
_APART = 1e-12


class ModelUnits:
    """Brings samples x found genes to a model's units.

    Parameters
    ----------
    matched
        The table's genes held against the model's.
    units, wanted
        Of the table and of the model.
    typical
        The typical training sample, in the model's units.
    by_order
        Whether the model asks only for the order of genes within a sample.
    alignment
        Of the table's batches, if that was asked for.

    Attributes
    ----------
    note
        What a reader must know of the way taken; empty where nothing.
    """

    def __init__(
        self,
        matched: Matched,
        units: str,
        wanted: str,
        typical: Floats,
        *,
        by_order: bool,
        alignment: BatchAlignment | None = None,
    ) -> None:
        self._matched, self._units, self._wanted, self._typical = matched, units, wanted, typical
        self._alignment = alignment
        self._by_order = by_order and units != wanted and alignment is None
        self.note = BY_ORDER.format(units=units, wanted=wanted) if self._by_order else ""

    def convert(self, names: Sequence[str], present: Floats) -> Floats:
        """Return samples x training genes in the model's units, not-a-number where a gene is missing.

        Raises
        ------
        ExpressionError
            Values contradict the units, or cannot be brought to the model's.
        """
        depth = float(self._typical.sum())
        if self._alignment is None and not self._by_order:
            self._check_million(names, present)
            return to_model_units(
                present, self._matched, names, units=self._units, wanted_units=self._wanted, depth=depth
            )
        to_model_units(present, self._matched, names, units=self._units, wanted_units=self._units, depth=depth)
        if self._alignment is not None:
            return self._matched.spread(self._alignment.align(names, present, self._wanted, depth))
        return self._matched.spread(adopt_distribution(present, self._typical[self._matched.found]))

    def _check_million(self, names: Sequence[str], present: Floats) -> None:
        if self._units == self._wanted:
            return
        if self._units != "log2":
            raise ExpressionError(
                f"The table is declared as {self._units}, but the model was trained on {self._wanted}, and one cannot be "
                f"made from the other. {_REMEDY.replace('counts or log2 counts per million', self._wanted)}"
            )
        if not np.all(present < _NO_LOG2):
            # Said better by the check of units.
            return
        found = self._matched.found
        expected = 1e6 * self._typical[found].sum() / max(self._typical.sum(), 1e-300)
        ratio = np.sum(2.0**present, axis=1) / expected
        odd = np.flatnonzero((ratio > _MILLION_WITHIN) | (ratio < 1.0 / _MILLION_WITHIN))
        if odd.size:
            raise ExpressionError(
                f"{odd.size} sample(s) are declared as log2, but are not log2 of a share of a million, which a model of "
                f"{self._wanted} needs (first: '{names[odd[0]]}', whose genes add up to {ratio[odd[0]]:.3g} times what "
                f"is expected). Intensities of arrays and variance-stabilised values are such. {_REMEDY}"
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
    steps = np.sort(typical)
    steps = steps + _APART * max(float(np.abs(steps).max()), 1.0) * np.arange(len(steps))
    places = np.arange(1, len(steps) + 1)
    return np.stack([np.interp(rankdata(row), places, steps) for row in values])
