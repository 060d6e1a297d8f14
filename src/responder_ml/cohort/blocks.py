"""Blocks of a sample sheet: cages, litters or days whose subjects share more than their class, and are not independent.

Subjects of a block stay together in every fold. What labels are exchanged between depends on the design:

* where every block holds one class, as when whole cages are treated, the block is the unit: its subjects are averaged, and the
  labels of whole blocks are exchanged;
* where some blocks hold both classes, labels are exchanged within them; a block of one class keeps its labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from responder_ml.arrays import Indices, Labels
from responder_ml.cohort.spelling import is_blank
from responder_ml.cohort.subjects import require_one_value
from responder_ml.errors import EndpointError, list_names


@dataclass(frozen=True)
class Blocks:
    """The blocks of the subjects that are compared.

    Attributes
    ----------
    column
        Column of the sheet.
    is_unit
        Whether every block holds one class, so that it is the unit.
    mixed, pure
        Number of blocks with both classes, and with one.
    """

    column: str
    is_unit: bool
    mixed: int
    pure: int

    @classmethod
    def read(cls, sheet: pd.DataFrame, units: "pd.Series[str]", column: str, is_positive: Labels) -> "Blocks":
        """Tell how the classes lie in the blocks.

        Parameters
        ----------
        sheet, units
            One row per sample that is compared, and its subject.
        column
            Column of the blocks.
        is_positive
            1 or 0 of each row.

        Raises
        ------
        EndpointError
            A subject is in no block, or in two; or there is one block only.
        """
        blank = [str(unit) for unit, value in zip(units, sheet[column], strict=True) if is_blank(value)]
        if blank:
            raise EndpointError(
                f"`endpoint.block` is '{column}', which is empty for {list_names(sorted(set(blank)))}. Fill it in, or leave them "
                "out with `cohort.where`."
            )
        require_one_value(sheet, units, column, "block", "or name another column as `endpoint.block`")
        shares = pd.Series(is_positive, dtype=float).groupby(sheet[column].astype(str).to_numpy()).mean()
        if len(shares) < 2:
            raise EndpointError(
                f"`endpoint.block` is '{column}', of which all subjects are in one ({shares.index[0]}): it holds together what "
                "must be parted into training and held-out subjects. Take `block` out."
            )
        mixed = int(((shares > 0) & (shares < 1)).sum())
        return cls(column, mixed == 0, mixed, len(shares) - mixed)

    def note(self, labels: Labels, classes: Sequence[str]) -> str:
        """Return one sentence on what the blocks do; labels of the units, and the names of the positive and negative class."""
        if self.is_unit:
            counts = (int(np.sum(labels == 1)), int(np.sum(labels == 0)))
            return (
                f"Each '{self.column}' holds one class, so it is the unit: its subjects are averaged, {counts[0]} are {classes[0]} "
                f"and {counts[1]} {classes[1]}, and labels of whole ones are exchanged. A model of averages scores single subjects "
                "with more noise than it was trained on."
            )
        rest = f"; the {self.pure} of one class keep theirs" if self.pure else ""
        return (
            f"Labels are exchanged within the {self.mixed} of '{self.column}' that hold both classes{rest}. Subjects of one "
            f"'{self.column}' stay together in every fold, and the test statistic compares them with each other alone."
        )


def count_mixed(labels: Labels, blocks: Indices) -> int:
    """Return the number of blocks with subjects of both classes."""
    positive, size = np.bincount(blocks, weights=labels), np.bincount(blocks)
    return int(np.sum((positive > 0) & (positive < size)))
