"""Composition of the tissue: the mean expression of each cell type's markers in every sample, without labels.

The markers are NeuroExpresso's, of the region where a cohort is of one region. As covariates the many types of neurons are one
class, and the precursors of oligodendrocytes are oligodendrocytes: a dozen animals cannot hold sixteen types constant.

References
----------
Mancarci BO et al. (2017) Cross-laboratory analysis of brain cell type transcriptomes with applications to interpretation of bulk
tissue data. eNeuro 4(6). doi:10.1523/ENEURO.0212-17.2017
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.arrays import Floats
from responder_ml.cohort.endpoint import Endpoint
from responder_ml.errors import EndpointError
from responder_ml.features.facts import cell_type_sets
from responder_ml.features.normalise import log2_expression

COMPOSITION = "composition"
"""Stands in `endpoint.adjust` for one column per class of cells."""
_GLIA = {"Astrocyte": "astrocytes", "Microglia": "microglia", "Endothelial": "endothelium", "Ependymal": "ependyma"}
_OLIGO, _NEURONS = ("Oligo", "OligoPrecursors"), "neurons"
_LEAST_MARKERS = 2


def marker_columns(genes: Sequence[str], sheet: pd.DataFrame) -> dict[str, list[int]]:
    """Return the columns of each cell type's markers, in the species that has more of them, none empty.

    Parameters
    ----------
    genes
        Gene names.
    sheet
        Its column ``region`` says which markers, where all rows are of one region.
    """
    column_of = {str(gene): column for column, gene in enumerate(genes)}
    region = str(sheet["region"].iloc[0]) if "region" in sheet and sheet["region"].nunique() == 1 else None
    by_species = [
        {
            markers.name: [column_of[gene] for gene in markers.up if gene in column_of]
            for markers in cell_type_sets(region, species)
        }
        for species in ("mouse", "human")
    ]
    best = max(by_species, key=lambda sets: sum(map(len, sets.values())))
    return {name: columns for name, columns in best.items() if columns}


def marker_classes(genes: Sequence[str], sheet: pd.DataFrame) -> dict[str, list[int]]:
    """Return the same for classes of cells: kinds of glia, and all neurons together; those with two markers or more."""
    classes: dict[str, list[int]] = {}
    for name, columns in marker_columns(genes, sheet).items():
        of_cells = "oligodendrocytes" if name in _OLIGO else _GLIA.get(name, _NEURONS)
        classes.setdefault(of_cells, []).extend(columns)
    distinct = {name: sorted(set(columns)) for name, columns in classes.items()}
    return {name: columns for name, columns in sorted(distinct.items()) if len(columns) >= _LEAST_MARKERS}


def mean_markers(log2: Floats, columns: Mapping[str, Sequence[int]]) -> Floats:
    """Return the mean log2 expression of each class's markers, samples x classes; missing values are passed over."""
    means = [np.nanmean(log2[:, list(of_class)], axis=1) for of_class in columns.values()]
    return np.column_stack(means) if means else np.empty((len(log2), 0))


def with_composition(cohort: AnnData, endpoint: Endpoint) -> tuple[AnnData, Endpoint]:
    """Return the cohort with columns of its composition in the sheet, and the endpoint that adjusts for them.

    Nothing changes unless ``endpoint.adjust`` names ``composition`` and the sheet has no such column of its own.

    Raises
    ------
    EndpointError
        The genes have no markers.
    """
    if COMPOSITION not in endpoint.adjust or COMPOSITION in cohort.obs:
        return cohort, endpoint
    classes = marker_classes(cohort.var_names.astype(str).tolist(), cohort.obs)
    if not classes:
        raise EndpointError(
            "`endpoint.adjust` names composition, but no markers of cells are among the gene names. Symbols of mouse, rat and "
            "human are known: translate other names with `cohort.genes`, or take composition out."
        )
    log2 = log2_expression(np.asarray(cohort.X, dtype=np.float64), str(cohort.uns["units"]))
    names = [column_name(of_class) for of_class in classes]
    cohort = cohort.copy()
    cohort.obs[names] = mean_markers(log2, classes)
    adjust = tuple(name for column in endpoint.adjust for name in (names if column == COMPOSITION else [column]))
    return cohort, replace(endpoint, adjust=adjust, kinds={**endpoint.kinds, **dict.fromkeys(names, "measurement")})


def column_name(of_class: str) -> str:
    """Return what the column of a class of cells is called in the sheet."""
    return f"{COMPOSITION}: {of_class}"


def markers_of(column: str, genes: Sequence[str], sheet: pd.DataFrame) -> tuple[str, ...]:
    """Return the marker genes behind a column of the composition; none for other columns."""
    by_column = {column_name(of_class): columns for of_class, columns in marker_classes(genes, sheet).items()}
    return tuple(str(genes[index]) for index in by_column.get(column, ()))
