"""One endpoint over several regions: the subject is the row, and each region has samples of some of the subjects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Indices, Labels
from responder_ml.cohort.combine_samples import combine_outside, combine_rows
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.sample_sheet import Where, rows_where
from responder_ml.errors import EndpointError
from responder_ml.evaluation.small_n import LEAST_FUSED
from responder_ml.features.builders.context import Context
from responder_ml.search.search_data import SearchData, context_of


@dataclass(frozen=True)
class Regions:
    """The subjects of one endpoint and the samples each region has of them.

    Attributes
    ----------
    subjects
        Names.
    labels
        0/1 per subject.
    strata
        Code per subject of the endpoint's stratum and of the regions it has, so that folds and relabellings balance both.
    has
        Whether a subject has a region, subjects x regions.
    by_region
        The samples of each region, with subjects numbered over all regions. A subject without the region has no sample in it.
    """

    subjects: tuple[str, ...]
    labels: Labels
    strata: Indices
    has: Flags
    by_region: dict[str, SearchData]

    @classmethod
    def of(cls, labelled: LabelledCohort, selections: Mapping[str, Where]) -> "Regions":
        """Split a labelled cohort by region.

        Parameters
        ----------
        labelled
            Samples of all regions.
        selections
            Which rows of the sheet belong to each region.

        Raises
        ------
        EndpointError
            There are fewer than two regions, or one with too few subjects of a class.
        """
        if len(selections) < 2:
            raise EndpointError(
                f"Fusion needs two regions or more, but the cohort has {', '.join(selections) or 'none'}."
            )
        rows = {name: rows_where(labelled.cohort.obs, where) for name, where in selections.items()}
        has = np.zeros((len(labelled.subjects), len(selections)), dtype=bool)
        for column, of_region in enumerate(rows.values()):
            has[labelled.subject_of[of_region], column] = True
        _check_sizes(tuple(selections), has, labelled.labels)
        pattern = pd.factorize(pd.MultiIndex.from_arrays([labelled.strata, *has.T]), sort=True)[0]
        strata = np.asarray(pattern, dtype=np.intp)
        labelled = replace(labelled, outside=combine_outside(labelled))
        by_region = {
            name: _search_data_of_region(labelled, of_region, strata, selections[name])
            for name, of_region in rows.items()
        }
        return cls(labelled.subjects, labelled.labels, strata, has, by_region)

    @property
    def missing(self) -> dict[str, int]:
        """Number of subjects that lack each region."""
        return {name: int((~self.has[:, column]).sum()) for column, name in enumerate(self.by_region)}

    def side_by_side(self) -> SearchData:
        """Return one row per subject with the regions' genes next to each other, not-a-number where a region is missing."""
        first = next(iter(self.by_region.values()))
        n_genes = len(first.genes)
        wide = np.full((len(self.subjects), n_genes * len(self.by_region)), np.nan)
        for column, search_data in enumerate(self.by_region.values()):
            wide[search_data.subject_of, column * n_genes : (column + 1) * n_genes] = search_data.expression
        genes = np.array([f"{name}:{gene}" for name in self.by_region for gene in first.genes])
        return SearchData(wide, genes, np.arange(len(self.subjects)), self.strata)


def _search_data_of_region(labelled: LabelledCohort, of_region: Flags, strata: Indices, selection: Where) -> SearchData:
    """Return the rows of one region, one per subject that has it, with subjects numbered over all regions."""
    row_of, subjects = pd.factorize(labelled.subject_of[of_region])
    cohort = combine_rows(labelled.cohort[of_region].copy(), row_of, labelled.endpoint.measured)
    context = replace(context_of(labelled), sheet=cohort.obs)
    expression = np.asarray(cohort.X, dtype=np.float64)
    return SearchData(expression, labelled.genes, subjects, strata, _only_outside(context, selection))


def _only_outside(context: Context, selection: Where) -> Context:
    """Restrict the samples outside the endpoint to those of the region."""
    selected = np.ones(len(context.outside), dtype=bool)
    for column, accepted in selection.items():
        values = [accepted] if isinstance(accepted, str) else list(accepted)
        selected &= context.outside_sheet[column].astype(str).isin(values).to_numpy()
    return replace(context, outside=context.outside[selected], outside_sheet=context.outside_sheet[selected])


def _check_sizes(names: tuple[str, ...], has: Flags, labels: Labels) -> None:
    for name, has_region in zip(names, has.T, strict=True):
        sizes = [int((has_region & (labels == label)).sum()) for label in (1, 0)]
        if min(sizes) < LEAST_FUSED:
            raise EndpointError(
                f"{name} has {sizes[0]} positive and {sizes[1]} negative subjects, but fusion weights regions by their inner folds "
                f"and needs at least {LEAST_FUSED} of each in every region. Leave the region out, or do without fusion."
            )
