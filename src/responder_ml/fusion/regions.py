"""One endpoint over several regions: the subject is the row, and each region has samples of some of the subjects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Indices, Labels
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.sample_sheet import Where, rows_where
from responder_ml.errors import EndpointError
from responder_ml.evaluation.small_n import LEAST_TUNED
from responder_ml.features.builders.context import Context
from responder_ml.search.search_data import SearchData, context_of


@dataclass(frozen=True)
class Regions:
    """Subjects of one endpoint and what each region has of them.

    Attributes
    ----------
    subjects
        Names.
    labels
        0/1 of each.
    strata
        Of each: the endpoint's strata and which regions are there, so that folds and relabellings keep both balanced.
    has
        Whether a subject has a region, subjects x regions.
    materials
        By region: its samples, with subjects counted over all regions. A subject without the region has no sample in it.
    """

    subjects: tuple[str, ...]
    labels: Labels
    strata: Indices
    has: Flags
    materials: dict[str, SearchData]

    @classmethod
    def of(cls, labelled: LabelledCohort, places: Mapping[str, Where]) -> "Regions":
        """Split a labelled cohort by region.

        Parameters
        ----------
        labelled
            Samples of all regions.
        places
            Which rows of the sheet each region has.

        Raises
        ------
        EndpointError
            There are fewer than two regions, or one with too few subjects of a class.
        """
        if len(places) < 2:
            raise EndpointError(f"Fusion needs two regions or more, but {', '.join(places) or 'none'} is all there is.")
        rows = {name: rows_where(labelled.cohort.obs, where) for name, where in places.items()}
        has = np.zeros((len(labelled.subjects), len(places)), dtype=bool)
        for column, of_region in enumerate(rows.values()):
            has[labelled.subject_of[of_region], column] = True
        _check_sizes(tuple(places), has, labelled.labels)
        pattern = pd.factorize(pd.MultiIndex.from_arrays([labelled.strata, *has.T]), sort=True)[0]
        strata = np.asarray(pattern, dtype=np.intp)
        context = context_of(labelled)
        materials = {
            name: SearchData(
                labelled.expression[of_region],
                labelled.genes,
                labelled.subject_of[of_region],
                strata,
                _only(context.take(of_region), places[name]),
            )
            for name, of_region in rows.items()
        }
        return cls(labelled.subjects, labelled.labels, strata, has, materials)

    @property
    def missing(self) -> dict[str, int]:
        """Number of subjects that lack each region."""
        return {name: int((~self.has[:, column]).sum()) for column, name in enumerate(self.materials)}

    def side_by_side(self) -> SearchData:
        """Return one row per subject with the regions' genes next to each other, not-a-number where a region is missing.

        Raises
        ------
        EndpointError
            A subject has several samples in one region.
        """
        first = next(iter(self.materials.values()))
        n_genes = len(first.genes)
        wide = np.full((len(self.subjects), n_genes * len(self.materials)), np.nan)
        for column, (name, search_data) in enumerate(self.materials.items()):
            if len(np.unique(search_data.subject_of)) < len(search_data.subject_of):
                raise EndpointError(
                    f"Early fusion takes one sample of a subject in each region, but {name} has several of some. Use late "
                    "fusion, or keep one of them with `where`."
                )
            wide[search_data.subject_of, column * n_genes : (column + 1) * n_genes] = search_data.expression
        genes = np.array([f"{name}:{gene}" for name in self.materials for gene in first.genes])
        return SearchData(wide, genes, np.arange(len(self.subjects)), self.strata)


def _only(context: Context, place: Where) -> Context:
    """Leave those samples outside the endpoint that are of the region."""
    kept = np.ones(len(context.outside), dtype=bool)
    for column, wanted in place.items():
        accepted = [wanted] if isinstance(wanted, str) else list(wanted)
        kept &= context.outside_sheet[column].astype(str).isin(accepted).to_numpy()
    return replace(context, outside=context.outside[kept], outside_sheet=context.outside_sheet[kept])


def _check_sizes(names: tuple[str, ...], has: Flags, labels: Labels) -> None:
    for name, there in zip(names, has.T, strict=True):
        sizes = [int((there & (labels == label)).sum()) for label in (1, 0)]
        if min(sizes) < LEAST_TUNED:
            raise EndpointError(
                f"{name} has {sizes[0]} positive and {sizes[1]} negative subjects, but fusion weighs regions on inner folds and "
                f"needs at least {LEAST_TUNED} of each in every region. Leave the region out, or do without fusion."
            )
