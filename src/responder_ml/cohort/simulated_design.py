"""The animals and libraries of a simulated cohort: the founding study's groups, sequencing runs and behaviour; no genes.

References
----------
Bagot RC et al. (2017) Ketamine and imipramine reverse transcriptional signatures of susceptibility and induce
resilience-specific gene expression profiles. Biol Psychiatry 81:285-295. doi:10.1016/j.biopsych.2016.06.012
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from responder_ml.cohort.simulated_biology import DRUGS, REGIONS
from responder_ml.errors import CohortError
from responder_ml.registry import did_you_mean

Cell = tuple[str, str, str]

CELLS: dict[Cell, int] = {
    ("control", "saline", "none"): 5,
    ("resilient", "saline", "none"): 4,
    ("susceptible", "saline", "none"): 3,
    ("susceptible", "imipramine", "responder"): 3,
    ("susceptible", "imipramine", "non_responder"): 4,
    ("susceptible", "ketamine", "responder"): 3,
    ("susceptible", "ketamine", "non_responder"): 3,
}
"""Animals per cell (phenotype, drug, response): 25, each giving four regions; one control hippocampus was lost."""

# Libraries per sequencing run. Printed for the drug groups and saline-treated susceptible mice in the hippocampus of
# GSE81672; the last line, for controls and resilient mice, is invented.
_RUNS = ("run59", "run158", "run206", "run345")
_RUN_SHARES = {"imipramine": (4, 1, 2, 0), "ketamine": (4, 1, 1, 0), "susceptible": (1, 0, 1, 1), "other": (2, 3, 2, 2)}


def design_cohort(
    rng: np.random.Generator, cells: Mapping[str | Cell, int] | None, replicates: int, regions: Sequence[str]
) -> pd.DataFrame:
    """Return one row per library with every column of the sheet that is known before sequencing.

    Parameters
    ----------
    rng
        Source of every draw.
    cells
        Animals per cell, (phenotype, drug, response) or ``"phenotype/drug/response"``; `CELLS` if None.
    replicates
        Multiplies every cell.
    regions
        Regions sampled from each animal.

    Raises
    ------
    CohortError
        An unknown cell or region, or no animal.
    """
    unknown = [region for region in regions if region not in REGIONS]
    if unknown or len(set(regions)) < len(regions) or not regions:
        raise CohortError(f"The simulator's regions are {', '.join(REGIONS)}, each at most once; got {list(regions)}.")
    sizes = CELLS if cells is None else {_cell(key): size for key, size in cells.items()}
    if replicates < 1 or any(size < 0 for size in sizes.values()) or not sum(sizes.values()):
        raise CohortError("The simulator needs at least one animal: cells of 0 or more, replicates of 1 or more.")
    animals = _draw_animals(rng, {cell: size * replicates for cell, size in sizes.items()})
    sheet = pd.concat([animals.assign(region=region) for region in regions], ignore_index=True)
    if cells is None and "HIP" in regions:
        controls = np.flatnonzero((sheet["phenotype"] == "control") & (sheet["region"] == "HIP"))
        remaining = np.setdiff1d(np.arange(len(sheet)), rng.choice(controls, replicates, replace=False))
        sheet = sheet.iloc[remaining].reset_index(drop=True)
    sheet["batch"] = _draw_runs(rng, sheet)
    sheet["rin"] = np.clip(rng.normal(8.8, 0.4, len(sheet)), 7.0, 10.0).round(1)
    sheet.insert(0, "sample", sheet["region"] + "_" + sheet["subject"])
    return sheet[[*_ORDER]]


def lose_libraries(rng: np.random.Generator, sheet: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the sheet without a random share of its libraries; the last library of an animal is never lost.

    Raises
    ------
    CohortError
        The share is not between 0 and 1.
    """
    if not 0 <= share < 1:
        raise CohortError(f"lost is {share}, but must be a share from 0 to below 1.")
    if share == 0:
        return sheet
    order = rng.permutation(len(sheet))
    is_last = ~sheet["subject"].iloc[order].duplicated().to_numpy()
    dropped = order[~is_last][: round(share * len(sheet))]
    return sheet.drop(index=sheet.index[dropped]).reset_index(drop=True)


_ORDER = ("sample", "subject", "region", "phenotype", "drug", "response", "batch", "sex", "rin", "si_pre", "si_post")


def _cell(key: str | Cell) -> Cell:
    parts = tuple(key.split("/")) if isinstance(key, str) else tuple(key)
    if parts not in CELLS:
        known = ["/".join(cell) for cell in CELLS]
        raise CohortError(f"The simulator has no cell '{'/'.join(map(str, parts))}'. {did_you_mean(str(key), known)}")
    return parts


def _draw_animals(rng: np.random.Generator, sizes: Mapping[Cell, int]) -> pd.DataFrame:
    """Return one row per animal; names are in random order, so they carry no information about the group."""
    rows = [cell for cell, size in sizes.items() for _ in range(size)]
    animals = pd.DataFrame(rows, columns=["phenotype", "drug", "response"])
    numbers = rng.permutation(len(animals)) + 1
    width = max(2, len(str(len(animals))))
    animals["subject"] = [f"mouse{number:0{width}d}" for number in numbers]
    animals["sex"] = "male"
    animals["si_pre"] = _draw_ratios(rng, (animals["phenotype"] != "susceptible").to_numpy())
    avoids = (animals["phenotype"] == "susceptible") & (animals["response"] != "responder")
    animals["si_post"] = _draw_ratios(rng, ~avoids.to_numpy())
    return animals.sort_values("subject", ignore_index=True)


def _draw_ratios(
    rng: np.random.Generator, approaches: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> "pd.Series[float]":
    """Return social interaction ratios: 1 or more for mice that approach, below 1 for mice that avoid."""
    count = len(approaches)
    above = 1.0 + rng.gamma(2.0, 0.2, count)
    below = rng.uniform(0.15, 0.94, count)
    return pd.Series(np.where(approaches, above, below).round(2))


def _draw_runs(rng: np.random.Generator, sheet: pd.DataFrame) -> list[str]:
    """Return each library's sequencing run: fixed shares per drug group and region, at random within them."""
    is_susceptible = sheet["phenotype"] == "susceptible"
    group = sheet["drug"].where(sheet["drug"].isin(DRUGS), is_susceptible.map({True: "susceptible", False: "other"}))
    runs = np.empty(len(sheet), dtype=object)
    region_and_group = sheet["region"] + "/" + group
    for key in sorted(set(region_and_group)):
        rows = np.flatnonzero(region_and_group == key)
        runs[rows] = rng.permutation(_quota(len(rows), _RUN_SHARES[key.split("/")[1]]))
    return [str(run) for run in runs]


def _quota(count: int, shares: Sequence[int]) -> list[str]:
    """Return ``count`` runs in these shares, by largest remainder."""
    exact = count * np.array(shares) / sum(shares)
    counts = np.floor(exact).astype(int)
    for run_index in np.argsort(counts - exact, kind="stable")[: count - counts.sum()]:
        counts[run_index] += 1
    return [run for run, times in zip(_RUNS, counts, strict=True) for _ in range(times)]
