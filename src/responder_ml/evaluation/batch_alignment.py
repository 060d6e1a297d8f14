"""Alignment of a new batch to the training samples, gene by gene in location and scale; only on request.

The reference is learnt from training rows and frozen. A batch is aligned by its own samples only, so no batch affects
another, and nothing is estimated on pooled data. Alignment assumes that the batch has the same mixture of classes as
training: a batch of responders only would be made to look like a mixture. Batches below `LEAST_BATCH` samples are refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.errors import ExpressionError
from responder_ml.features.normalise import log2_expression

LEAST_BATCH = 8
"""Fewest samples from which location and scale are estimated."""
ASSUMPTION = (
    "Each batch was given the location and scale of the training samples, gene by gene. This assumes that batch and "
    "training have the same mixture of classes; if they differ, the difference itself is removed. A sample's numbers "
    "then depend on the other samples of its batch."
)
_NO_SPREAD = 1e-9


@dataclass(frozen=True)
class BatchReference:
    """Location and scale of each gene over the training samples, log2 scale.

    Attributes
    ----------
    location, scale
        Mean and standard deviation (n - 1), shape ``(n_genes,)``.
    """

    location: Floats
    scale: Floats

    @classmethod
    def learn(cls, values: Floats, units: str) -> "BatchReference":
        """Learn from training samples x genes in ``units``."""
        log2 = log2_expression(values, units)
        return cls(log2.mean(axis=0), log2.std(axis=0, ddof=1))

    def checksum(self) -> float:
        """Return one number that depends on every value of both arrays."""
        weight = 1.0 + np.arange(len(self.location)) / max(len(self.location), 1)
        return float(np.sum(weight * (self.location + 2.0 * self.scale)))


class BatchAlignment:
    """Aligns samples, each by the location and scale of its batch.

    Parameters
    ----------
    reference
        Learnt from training rows.
    present
        Whether the table has each training gene.
    units
        Units of the table.
    batch_of
        Batch of each sample, by name.
    blocks
        Sample names, and values of samples x genes present, a few samples at a time, every sample once.

    Attributes
    ----------
    sizes
        Number of samples of each batch.

    Raises
    ------
    ExpressionError
        A batch has fewer than `LEAST_BATCH` samples.
    """

    def __init__(
        self,
        reference: BatchReference,
        present: Flags,
        units: str,
        batch_of: Mapping[str, str],
        blocks: Iterable[tuple[Sequence[str], Floats]],
    ) -> None:
        self._units, self._batch_of = units, batch_of
        self._location, self._scale = reference.location[present], reference.scale[present]
        self.sizes: dict[str, int] = {}
        for batch in batch_of.values():
            self.sizes[batch] = self.sizes.get(batch, 0) + 1
        check_sizes(self.sizes)
        self._alignment_of = self._learn(blocks)

    def align(self, names: Sequence[str], values: Floats, model_units: str, depth: float) -> Floats:
        """Return samples x genes present in a model's units.

        Parameters
        ----------
        names
            Sample names.
        values
            Samples x genes present, in the table's units.
        model_units
            Units of the model.
        depth
            Library size of the counts returned, where the model is of counts.
        """
        log2 = log2_expression(values, self._units)
        for row, name in enumerate(names):
            centre, factor = self._alignment_of[self._batch_of[name]]
            log2[row] = self._location + (log2[row] - centre) * factor
        if model_units == "log2":
            return log2
        if model_units == "tpm":
            return np.asarray(np.maximum(2.0**log2 - 1.0, 0.0), dtype=np.float64)
        return np.asarray(np.maximum(2.0**log2 * ((depth + 1.0) / 1e6) - 0.5, 0.0), dtype=np.float64)

    def _learn(self, blocks: Iterable[tuple[Sequence[str], Floats]]) -> dict[str, tuple[Floats, Floats]]:
        """Return each batch's mean, and the factor that gives its genes the training scale; 1 where either has none."""
        # Sums of deviations from the training mean lose no digits to the size of the values.
        sums = {batch: np.zeros((2, len(self._location))) for batch in self.sizes}
        for names, values in blocks:
            deviations = log2_expression(values, self._units) - self._location
            for row, name in enumerate(names):
                sums[self._batch_of[name]] += np.stack([deviations[row], deviations[row] ** 2])
        alignment_of = {}
        for batch, (total, squares) in sums.items():
            n = self.sizes[batch]
            scale = np.sqrt(np.maximum(squares - total**2 / n, 0.0) / (n - 1))
            usable = (scale > _NO_SPREAD) & (self._scale > _NO_SPREAD)
            factor = np.divide(self._scale, scale, out=np.ones_like(scale), where=usable)
            alignment_of[batch] = (self._location + total / n, factor)
        return alignment_of


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Refuse batches too small to be aligned.

    Raises
    ------
    ExpressionError
        A batch is too small; the message has the sizes and what to do.
    """
    small = {batch: n for batch, n in sizes.items() if n < LEAST_BATCH}
    if small:
        listed = ", ".join(f"'{batch}' ({n})" for batch, n in list(small.items())[:5])
        raise ExpressionError(
            f"{len(small)} batch(es) have fewer than the {LEAST_BATCH} samples from which location and scale can be estimated: "
            f"{listed}. Score them without --align-batch, or with a model that uses only the order of genes within a "
            "sample (`pairs`, or `gene_sets` with singscore)."
        )
