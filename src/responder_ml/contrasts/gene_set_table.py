"""One table of both gene-set tests: `roast`, whether a set differs at all, and `camera`, whether more than other genes do."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from responder_ml.arrays import Floats, Indices
from responder_ml.contrasts.camera import camera
from responder_ml.contrasts.gene_effects import GeneEffects
from responder_ml.contrasts.roast import draw_rotations, roast
from responder_ml.errors import ContrastError
from responder_ml.features.membership import Membership
from responder_ml.statistics.multiple_testing import benjamini_hochberg
from responder_ml.statistics.seeds import generator


def tabulate_sets(
    effects: GeneEffects,
    genes: Indices,
    matched: Sequence[Membership],
    rotations: int,
    correlation: float | None,
    seed: int,
) -> pd.DataFrame:
    """Return one row for every set, the smallest p first.

    Parameters
    ----------
    effects, genes
        The linear model of every expressed gene, and the positions of these genes in the cohort.
    matched
        Sets of each file, matched to the cohort's genes.
    rotations
        Number of rotations of `roast`.
    correlation
        As for `camera`.
    seed
        Of the job.

    Raises
    ------
    ContrastError
        No set has a gene that is expressed.
    """
    members = sparse.hstack([membership.weights for membership in matched], format="csr")[genes]
    names = [name for membership in matched for name in membership.names]
    listed = np.concatenate([membership.coverage.loc[list(membership.names), "genes"] for membership in matched])
    size = np.asarray((members != 0).sum(axis=0)).ravel()
    tested = np.flatnonzero(size > 0)
    if not len(tested):
        raise ContrastError(
            "None of the sets has a gene that enough subjects express. Check the sets and the units of the cohort."
        )
    members = members[:, tested]
    drawn = draw_rotations(rotations, effects.df_residual + 1, generator(seed, "gene sets"))
    self_contained, competitive = roast(effects, members, drawn), camera(effects, members, correlation)
    up = self_contained["mean_z"].to_numpy() > 0
    two_sided = np.asarray((members < 0).sum(axis=0)).ravel() > 0
    rows = pd.DataFrame({
        "set": np.array(names, dtype=object)[tested],
        "genes": size[tested],
        "listed": listed[tested],
        "direction": np.where(two_sided, np.where(up, "along", "against"), np.where(up, "up", "down")),
        "mean_z": self_contained["mean_z"],
        "p": self_contained["p"],
        "fdr": benjamini_hochberg(self_contained["p"]),
        "mixed_p": self_contained["p_mixed"],
        "mixed_fdr": benjamini_hochberg(self_contained["p_mixed"]),
        "difference": competitive["difference"],
        "correlation": competitive["correlation"],
        "camera_p": competitive["p"],
        "camera_fdr": _adjusted(competitive["p"]),
    })  # fmt: skip
    strength = -rows["mean_z"].abs()
    order = np.lexsort([rows["set"].astype(str), strength, rows["p"]])
    return rows.iloc[order].reset_index(drop=True)


def _adjusted(p_values: pd.Series) -> Floats:
    """Return adjusted p of the sets that could be tested, not-a-number for the others."""
    adjusted = np.full(len(p_values), np.nan)
    known = p_values.notna().to_numpy()
    adjusted[known] = benjamini_hochberg(p_values[known])
    return adjusted
