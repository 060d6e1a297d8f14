"""Many training sets of one cohort, each with its own rows and its own labelling, or its own graded outcome."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_ml.arrays import Flags, Floats


@dataclass(frozen=True)
class TrainingSets:
    """Rows and labels of many training sets.

    Attributes
    ----------
    rows
        True where a sample is in the training set, shape ``(n_sets, n_samples)``.
    labels
        1 or 0 for every sample under the set's labelling, shape ``(n_sets, n_samples)``, int8; or its graded outcome, float64.
        Those of samples outside the training set are never read.
    alike
        How many sets in a row, from the first on, have most rows and their labels in common, such as those of one
        cross-validation. A hint that saves time; results do not depend on it beyond rounding.
    longest
        How many ranked columns of each set will be read at most; None for all. A hint that saves time.
    known
        What has been computed for these sets, by an identity of all that it was computed from.
    """

    rows: Flags
    labels: NDArray[np.int8] | Floats
    alike: int = 1
    longest: int | None = None
    known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        """Return the number of training sets."""
        return len(self.rows)

    def __getitem__(self, part: slice) -> "TrainingSets":
        """Return a run of training sets."""
        return TrainingSets(self.rows[part], self.labels[part], self.alike, self.longest)

    @property
    def graded(self) -> bool:
        """Whether the labels are a graded outcome."""
        return self.labels.dtype.kind == "f"

    @property
    def positive(self) -> Flags:
        """Training rows of the positive class, shape ``(n_sets, n_samples)``."""
        return np.asarray(self.rows & (self.labels == 1), dtype=np.bool_)

    @property
    def negative(self) -> Flags:
        """Training rows of the negative class, shape ``(n_sets, n_samples)``."""
        return np.asarray(self.rows & (self.labels == 0), dtype=np.bool_)
