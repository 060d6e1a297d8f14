"""Early fusion: one model over the regions' features, each region's block made by a builder of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.errors import FeatureError
from responder_ml.features.builders.builder import Builder, Ranked, Shared
from responder_ml.features.builders.context import Context
from responder_ml.statistics.training_sets import TrainingSets

# Natural places of one region's columns, far more than any builder has.
_PLACES = 2**32


class RegionBlocks(Builder):
    """The features of several regions side by side; a row is a subject, and a region it lacks is not-a-number.

    Each region's columns are ranked among the training subjects that have the region, and the blocks are interleaved: the best
    column of every region, then the second of every region. A missing value is the mean of the training subjects that have it,
    which is zero once columns are standardised: a missing region says nothing, and no other animal's values stand in for it.

    Parameters
    ----------
    builder
        Unfitted builder of every block. It is given no sample sheet, since a subject has several rows in it.
    regions
        Names, in the order of the blocks.
    """

    name = "region_blocks"
    summary = "features of several regions side by side, one row per subject"
    reference = "doi:10.1016/S0893-6080(05)80023-1"
    finite = "allow-nan"

    def __init__(self, builder: Builder, regions: Sequence[str]) -> None:
        self.builder = builder
        self.regions = regions

    def check(self, context: Context) -> None:
        """Refuse a builder whose prefix is one column alone.

        Raises
        ------
        FeatureError
            The builder's columns cannot be interleaved.
        """
        if self.builder.cumulative:
            raise FeatureError(
                f"Early fusion puts columns of regions side by side, which '{self.builder.name}' does not allow: its columns are "
                "running sums. Leave the builder out, or use late fusion."
            )

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedBlocks":
        """Do once per cohort and region what no training set changes."""
        return SharedBlocks(self, X, genes)

    def blocks(self, X: Floats) -> list[tuple[slice, Flags]]:
        """Return each region's columns, and which rows have it."""
        width = X.shape[1] // len(self.regions)
        parts = [slice(start, start + width) for start in range(0, X.shape[1], width)]
        return [(part, ~np.isnan(X[:, part.start])) for part in parts]

    def _fit(self, X: Floats, labels: NDArray[np.int8], genes: Strings, context: Context | None) -> None:
        self.builders_ = []
        self.means_ = []
        for part, there in self.blocks(X):
            fitted = clone(self.builder).fit(X[there, part], labels[there], genes=genes[part])
            self.builders_.append(fitted)
            self.means_.append(fitted.transform(X[there, part]).mean(axis=0))
        self.order_ = interleave([len(each.position_) for each in self.builders_])
        positions = [each.position_ + index * _PLACES for index, each in enumerate(self.builders_)]
        names = [
            [f"{region}:{str(name).removeprefix(f'{region}:')}" for name in each.names_]
            for region, each in zip(self.regions, self.builders_, strict=True)
        ]
        self.position_ = np.concatenate(positions)[self.order_]
        self.names_ = np.concatenate([np.asarray(each, dtype=str) for each in names])[self.order_]

    def _transform(self, X: Floats) -> Floats:
        parts = []
        for (part, there), fitted, mean in zip(self.blocks(X), self.builders_, self.means_, strict=True):
            values = np.tile(mean, (len(X), 1))
            if there.any():
                values[there] = fitted.transform(X[there, part])
            parts.append(values)
        return np.asarray(np.concatenate(parts, axis=1)[:, self.order_], dtype=np.float64)


class SharedBlocks:
    """Every region's shared work, and the interleaved columns of many training sets.

    Parameters
    ----------
    builder
        Gives builder and regions.
    X
        Subjects x (regions x genes), not-a-number where a region is missing.
    genes
        Names of the columns.
    """

    def __init__(self, builder: RegionBlocks, X: Floats, genes: Strings) -> None:
        self._there = []
        self._shared: list[Shared] = []
        self._starts = []
        for part, there in builder.blocks(X):
            self._there.append(there)
            self._starts.append(part.start)
            self._shared.append(builder.builder.share(np.ascontiguousarray(X[there, part]), genes[part]))

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's columns, the regions taking turns."""
        found = [
            shared.rank(TrainingSets(sets.rows[:, there], sets.labels[:, there], sets.alike))
            for shared, there in zip(self._shared, self._there, strict=True)
        ]
        return [self._together([of_region[index] for of_region in found], rows) for index, rows in enumerate(sets.rows)]

    def _together(self, ranked: Sequence[Ranked], rows: Flags) -> Ranked:
        order = interleave([len(each.position) for each in ranked])
        owner = np.repeat(np.arange(len(ranked)), [len(each.position) for each in ranked])[order]
        place = np.concatenate([np.arange(len(each.position)) for each in ranked])[order]
        position = np.concatenate([each.position + index * _PLACES for index, each in enumerate(ranked)])[order]

        def values() -> Floats:
            parts = [_filled(each.values(), there, rows) for each, there in zip(ranked, self._there, strict=True)]
            return np.asarray(np.concatenate(parts, axis=1)[:, order], dtype=np.float64)

        def genes_of(column: int) -> tuple[Indices, Floats]:
            genes, shares = ranked[owner[column]].genes_of(int(place[column]))
            return genes + self._starts[owner[column]], shares

        return Ranked(position, values, genes_of)


def interleave(lengths: Sequence[int]) -> Indices:
    """Return the order in which columns of several blocks, one after another, take turns: every block's first, then second.

    Parameters
    ----------
    lengths
        Columns of each block.
    """
    rank = np.concatenate([np.arange(length) for length in lengths])
    return np.asarray(np.argsort(rank, kind="stable"), dtype=np.intp)


def _filled(values: Floats, there: Flags, training: Flags) -> Floats:
    """Return a block for all subjects; those without the region have the mean of the training subjects with it."""
    mean: Any = values[training[there]].mean(axis=0)
    filled = np.tile(mean, (len(there), 1))
    filled[there] = values
    return np.asarray(filled, dtype=np.float64)
