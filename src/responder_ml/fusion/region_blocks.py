"""Early fusion: one model over the regions' features, each region's block made by a builder of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from responder_ml.arrays import Flags, Floats, Indices, Labels, Strings
from responder_ml.errors import FeatureError
from responder_ml.features.builders.builder import Builder, Ranked, Shared
from responder_ml.features.builders.context import Context
from responder_ml.statistics.training_sets import TrainingSets

# Offset between the natural positions of two regions' columns, far more than any builder has.
_OFFSET = 2**32


class RegionBlocks(Builder):
    """The features of several regions side by side; a row is a subject, and a region it lacks is not-a-number.

    Each region's columns are ranked among the training subjects that have the region, and the blocks are interleaved: the best
    column of every region, then the second of every region. A missing value is the mean of the training subjects that have it,
    which is zero once columns are standardised: a missing region has no influence, and no other animal's values replace it.

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
        """Compute once per cohort and region what no training set changes."""
        return SharedBlocks(self, X, genes)

    def blocks(self, X: Floats) -> list[tuple[slice, Flags]]:
        """Return each region's columns, and which rows have it."""
        width = X.shape[1] // len(self.regions)
        blocks = [slice(start, start + width) for start in range(0, X.shape[1], width)]
        return [(columns, ~np.isnan(X[:, columns.start])) for columns in blocks]

    def _fit(self, X: Floats, labels: Labels, genes: Strings, context: Context | None) -> None:
        self.builders_ = []
        self.means_ = []
        for columns, has_region in self.blocks(X):
            fitted = clone(self.builder).fit(X[has_region, columns], labels[has_region], genes=genes[columns])
            self.builders_.append(fitted)
            self.means_.append(fitted.transform(X[has_region, columns]).mean(axis=0))
        self.order_ = interleave([len(builder.position_) for builder in self.builders_])
        positions = [builder.position_ + index * _OFFSET for index, builder in enumerate(self.builders_)]
        names = [
            [f"{region}:{str(name).removeprefix(f'{region}:')}" for name in builder.names_]
            for region, builder in zip(self.regions, self.builders_, strict=True)
        ]
        self.position_ = np.concatenate(positions)[self.order_]
        self.names_ = np.concatenate([np.asarray(of_region, dtype=str) for of_region in names])[self.order_]

    def _transform(self, X: Floats) -> Floats:
        blocks = []
        for (columns, has_region), fitted, mean in zip(self.blocks(X), self.builders_, self.means_, strict=True):
            values = np.tile(mean, (len(X), 1))
            if has_region.any():
                values[has_region] = fitted.transform(X[has_region, columns])
            blocks.append(values)
        return np.asarray(np.concatenate(blocks, axis=1)[:, self.order_], dtype=np.float64)


class SharedBlocks:
    """What every region's builder computes once per cohort, and the interleaved columns of many training sets.

    Parameters
    ----------
    builder
        The builder of the blocks, and the regions.
    X
        Subjects x (regions x genes), not-a-number where a region is missing.
    genes
        Names of the columns.
    """

    def __init__(self, builder: RegionBlocks, X: Floats, genes: Strings) -> None:
        self._has_region = []
        self._shared: list[Shared] = []
        self._starts = []
        for columns, has_region in builder.blocks(X):
            self._has_region.append(has_region)
            self._starts.append(columns.start)
            values = np.ascontiguousarray(X[has_region, columns])
            self._shared.append(builder.builder.share(values, genes[columns]))

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's columns, the regions taking turns."""
        ranked = [
            shared.rank(TrainingSets(sets.rows[:, has_region], sets.labels[:, has_region], sets.alike))
            for shared, has_region in zip(self._shared, self._has_region, strict=True)
        ]
        return [
            self._interleaved([of_region[index] for of_region in ranked], rows) for index, rows in enumerate(sets.rows)
        ]

    def _interleaved(self, ranked: Sequence[Ranked], rows: Flags) -> Ranked:
        lengths = [len(of_region.position) for of_region in ranked]
        order = interleave(lengths)
        region_of = np.repeat(np.arange(len(ranked)), lengths)[order]
        column_of = np.concatenate([np.arange(length) for length in lengths])[order]
        positions = [of_region.position + index * _OFFSET for index, of_region in enumerate(ranked)]

        def values() -> Floats:
            blocks = [
                _filled(of_region.values(), has_region, rows)
                for of_region, has_region in zip(ranked, self._has_region, strict=True)
            ]
            return np.asarray(np.concatenate(blocks, axis=1)[:, order], dtype=np.float64)

        def genes_of(column: int) -> tuple[Indices, Floats]:
            region = region_of[column]
            genes, shares = ranked[region].genes_of(int(column_of[column]))
            return genes + self._starts[region], shares

        return Ranked(np.concatenate(positions)[order], values, genes_of)


def interleave(lengths: Sequence[int]) -> Indices:
    """Return the order in which columns of several blocks, one after another, take turns: every block's first, then second.

    Parameters
    ----------
    lengths
        Number of columns of each block.
    """
    rank = np.concatenate([np.arange(length) for length in lengths])
    return np.asarray(np.argsort(rank, kind="stable"), dtype=np.intp)


def _filled(values: Floats, has_region: Flags, training: Flags) -> Floats:
    """Return a block for all subjects; those without the region have the mean of the training subjects with it."""
    mean: Any = values[training[has_region]].mean(axis=0)
    filled = np.tile(mean, (len(has_region), 1))
    filled[has_region] = values
    return np.asarray(filled, dtype=np.float64)
