"""A builder's columns less what is linear in a job's covariates, for every training set by itself.

The coefficients are learnt from the training rows, inner ones too, without their labels (`statistics.covariate_space`), and act
on the columns after the builder: a product of small matrices per training set, the same for every builder and at scoring.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from responder_ml.arrays import Floats, Strings
from responder_ml.features.builders.builder import Ranked, Shared
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.statistics.covariate_space import CovariateSpace
from responder_ml.statistics.training_sets import TrainingSets

_SPACE = "space of the job's covariates"


def share_adjusted(shared: Shared, covariates: Floats | None) -> Shared:
    """Return what gives adjusted columns, samples x covariates given; the same object where nothing is adjusted for."""
    return shared if covariates is None else SharedAdjusted(shared, covariates)


class SharedAdjusted:
    """Ranked columns of many training sets, adjusted for covariates.

    Parameters
    ----------
    shared
        Ranks the columns.
    covariates
        Of every sample of the cohort, samples x covariates.
    """

    def __init__(self, shared: Shared, covariates: Floats) -> None:
        self._shared = shared
        self._covariates = covariates

    @property
    def names(self) -> Strings:
        """Names of the builder's columns, which do not depend on values."""
        names: Strings = getattr(self._shared, "names")  # noqa: B009 (only builders of signatures have them)
        return names

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return the ranked columns of every training set."""
        # Builders of one job adjust for the same covariates: the space of each training set is found once.
        space = sets.known.get(_SPACE)
        if space is None:
            space = sets.known[_SPACE] = CovariateSpace.of(sets.rows, self._covariates)
        return [_adjusted(ranked, space, index) for index, ranked in enumerate(self._shared.rank(sets))]


def _adjusted(ranked: Ranked, space: CovariateSpace, index: int) -> Ranked:
    def values() -> Floats:
        return space.residual(index, ranked.values())

    parts = ranked.gene_parts
    return replace(ranked, values=values, gene_parts=None if parts is None else _adjusted_parts(parts, space, index))


def _adjusted_parts(
    parts: Callable[[Sequence[int]], tuple[GeneParts, ...]], space: CovariateSpace, index: int
) -> Callable[[Sequence[int]], tuple[GeneParts, ...]]:
    def gene_parts(columns: Sequence[int]) -> tuple[GeneParts, ...]:
        # What is removed from a sum is the sum of what is removed from its parts.
        return tuple(
            GeneParts(of_column.genes, space.residual(index, of_column.values), of_column.weights)
            for of_column in parts(columns)
        )

    return gene_parts
