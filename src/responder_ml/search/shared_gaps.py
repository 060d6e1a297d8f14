"""A builder's work on a cohort with missing values: every training set, inner ones too, fills the gaps from its own rows.

What a builder otherwise computes once for all training sets is then computed for each, which costs time in proportion to
their number; without gaps nothing changes.
"""

import numpy as np

from responder_ml.arrays import Strings
from responder_ml.features.builders.builder import Builder, Ranked, Shared
from responder_ml.search.adjusted_columns import share_adjusted
from responder_ml.search.search_data import SearchData
from responder_ml.statistics.training_sets import TrainingSets


def share_with_gaps(builder: Builder, search_data: SearchData) -> Shared:
    """Return what a builder shares between training sets; where values are missing, one that fills them for each set.

    Where features are adjusted for covariates, its columns are.
    """
    if search_data.gaps is None:
        return share_once(builder, search_data)
    return share_adjusted(SharedWithGaps(builder, search_data), search_data.covariates)


def share_once(builder: Builder, search_data: SearchData) -> Shared:
    """Return the same with gaps as they are filled for all samples together, for what no held-out row is judged by."""
    shared = builder.share(search_data.expression, search_data.genes, search_data.context)
    return share_adjusted(shared, search_data.covariates)


class SharedWithGaps:
    """Ranks columns for each training set after filling the gaps of all samples from that set's rows.

    Parameters
    ----------
    builder
        With ``units``, those of the expression.
    search_data
        With gaps.
    """

    def __init__(self, builder: Builder, search_data: SearchData) -> None:
        self._builder = builder
        self._search_data = search_data
        self._whole = builder.share(search_data.expression, search_data.genes, search_data.context)

    @property
    def names(self) -> Strings:
        """Names of the builder's columns, which do not depend on values."""
        names: Strings = getattr(self._whole, "names")  # noqa: B009 (only builders of signatures have them)
        return names

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return the ranked columns of every training set."""
        data, units = self._search_data, str(getattr(self._builder, "units", "log2"))
        ranked: list[Ranked] = []
        for index in range(len(sets)):
            filled = data.filled_from(np.asarray(sets.rows[index], dtype=np.bool_), units)
            ranked += self._builder.share(filled, data.genes, data.context).rank(sets[index : index + 1])
        return ranked
