"""A simulated cohort with the founding study's design, and the truth planted in it.

It replaces the real data of GSE81672, which no public file holds per sample. Only the design comes from that study: group
sizes, regions and sequencing runs. Results on it say whether the method works, never what ketamine or imipramine do.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.arrays import Floats
from responder_ml.cohort.simulated_behaviour import add_behaviour
from responder_ml.cohort.simulated_biology import (
    DRUGS,
    FEWEST_GENES,
    PROGRAMMES,
    REGIONS,
    STATE_PROGRAMMES,
    Biology,
    build_biology,
)
from responder_ml.cohort.simulated_covariates import add_age_and_sex, add_cages
from responder_ml.cohort.simulated_design import Cell, design_cohort, lose_libraries
from responder_ml.errors import CohortError
from responder_ml.registry import did_you_mean
from responder_ml.statistics.seeds import generator

# Strength of the stress states in a region, and of their change by treatment: largest in PFC, as the study claims.
_STRESS_IN = {"PFC": 1.0, "NAc": 0.8, "AMY": 0.8, "HIP": 0.8}
_RESPONSE_IN = {"PFC": 0.85, "NAc": 0.65, "AMY": 0.6, "HIP": 0.6}
_DRUG_IN = {"PFC": 1.0, "NAc": 0.7, "AMY": 0.7, "HIP": 0.8}

# Standard deviation of a programme's or module's score from library to library, and from animal to animal.
_LIBRARY_SD, _ANIMAL_SD = 0.30, 0.25
_ANIMAL_GENE_SD = 0.05
# Every gene shifts a little from run to run, one in twenty a lot (log2).
_RUN_SD, _RUN_LARGE_SD, _RUN_LARGE_SHARE = 0.08, 0.5, 0.05
_FEWEST_READS, _MOST_READS = 20e6, 35e6
# Sampling of low counts adds to the biological dispersion.
_DISPERSION_OF_ONE_READ = 0.5


def simulate_cohort(
    *,
    seed: int,
    effect: float = 1.0,
    effect_in: Mapping[str, float] | None = None,
    drug_effect: float = 1.0,
    batch_effect: float = 1.0,
    animal_effect: float = 1.0,
    n_genes: int = 20_000,
    replicates: int = 1,
    cells: Mapping[str | Cell, int] | None = None,
    regions: Sequence[str] = REGIONS,
    lost: float = 0.0,
    biology_seed: int = 0,
    covariate_effect: float = 0.0,
    cage_effect: float = 0.0,
    behaviour_effect: float | None = None,
) -> AnnData:
    """Simulate RNA-seq counts of mice after social defeat and treatment.

    By default PFC, NAc, AMY and HIP are sampled from 25 male mice; one control hippocampus is lost, so there are 99 libraries in
    four unbalanced sequencing runs. Susceptible mice express a susceptibility programme and resilient mice a resilience
    programme. Responders to either drug move away from the first and towards the second; non-responders do not, and
    express a programme of their own. Each drug has a programme in each region, in responders and non-responders alike,
    with more and larger effects than response. Scores of programmes and of 38 modules that belong to no group vary from
    animal to animal and library to library, so genes are correlated. Counts are negative binomial.

    Parameters
    ----------
    seed
        Seed of animals, libraries, runs and noise.
    effect
        Multiplies every effect of stress and response; with 0 only drugs, regions and runs have effects.
    effect_in
        Regions or drugs in whose libraries ``effect`` is multiplied by another factor than 1, such as ``{"AMY": 0}`` for an
        amygdala without effects of stress and response, or ``{"ketamine": 0}`` for the same in ketamine-treated mice.
    drug_effect, batch_effect, animal_effect
        Multiply the effects of drugs, of sequencing runs, and of the animal a library comes from; 0 removes them.
    n_genes
        Genes, at least 300.
    replicates
        Multiplies every cell, for larger cohorts.
    cells
        Animals per cell, ``"phenotype/drug/response"`` or a tuple of the three; the founding study's if not given. With
        other cells no control hippocampus is lost.
    regions
        Regions sampled from each animal.
    lost
        Share of libraries that are lost at random, so that animals lack regions; no animal loses its last one.
    biology_seed
        Seed of the genes and programmes. Cohorts that share it share the biology whatever their ``seed``.
    covariate_effect
        Multiplies what age and sex do to genes; both go with response. With 0 all mice are male and there is no age.
    cage_effect
        Multiplies what the cage does to genes; with 0 there are no cages.
    behaviour_effect
        How closely a column ``social_interaction_ratio`` follows each animal's latent susceptibility, against noise of 1; with 0 it
        is unrelated to expression, and without a number there is no such column.

    Returns
    -------
    AnnData
        Counts. ``uns`` has ``units``, ``simulated`` (True), ``source``, ``subject_source``, ``unused_samples`` as for a
        cohort read from files; ``gene_sets``, name to genes; and ``truth``, for tests only: ``genes`` (baseline log2
        CPM, dispersion, gene set and log2 change per unit of each programme) and ``contrasts`` (planted log2 fold
        change per gene of each contrast and region).

    Raises
    ------
    CohortError
        A parameter outside its range.

    Examples
    --------
    >>> cohort = simulate_cohort(seed=7, n_genes=300)
    >>> cohort.shape
    (99, 300)
    >>> cohort.uns["simulated"]
    True
    """
    _check_ranges(
        n_genes,
        effect=effect,
        drug_effect=drug_effect,
        batch_effect=batch_effect,
        animal_effect=animal_effect,
        covariate_effect=covariate_effect,
        cage_effect=cage_effect,
        behaviour_effect=behaviour_effect or 0.0,
    )
    _check_names(effect_in or {})
    biology = build_biology(n_genes, biology_seed)
    sheet = lose_libraries(
        generator(seed, "lost"), design_cohort(generator(seed, "design"), cells, replicates, regions), lost
    )
    strength = np.array([effect if name in STATE_PROGRAMMES else drug_effect for name in PROGRAMMES])
    log2_mean = biology.baseline + biology.region_shift[[REGIONS.index(region) for region in sheet["region"]]]
    scores = _draw_programme_scores(generator(seed, "programmes"), sheet, strength, effect_in or {}, animal_effect)
    log2_mean += scores @ biology.programmes
    latent = scores[:, PROGRAMMES.index("susceptibility")] - scores[:, PROGRAMMES.index("resilience")]
    add_behaviour(generator(seed, "behaviour"), sheet, latent, behaviour_effect)
    log2_mean += _draw_factors(generator(seed, "modules"), sheet, len(biology.modules), animal_effect) @ biology.modules
    log2_mean += _draw_group_shift(generator(seed, "runs"), sheet["batch"], n_genes, large=True) * batch_effect
    log2_mean += _draw_group_shift(generator(seed, "animals"), sheet["subject"], n_genes, large=False) * animal_effect
    log2_mean += add_age_and_sex(generator(seed, "age and sex"), sheet, n_genes, covariate_effect)
    log2_mean += add_cages(generator(seed, "cages"), sheet, n_genes, cage_effect)
    counts = _draw_counts(generator(seed, "counts"), log2_mean, biology.dispersion)
    sheet["library_size"] = counts.sum(axis=1).astype(np.int64)
    sheet["simulated"] = "yes"
    return AnnData(
        X=counts,
        obs=sheet.set_axis(sheet["sample"].to_numpy(), axis=0),
        var=pd.DataFrame(index=biology.genes),
        uns={
            "units": "counts",
            "simulated": True,
            "source": f"simulated (seed {seed}, effect {effect:g}, drug effect {drug_effect:g})",
            "subject_source": "column",
            "unused_samples": [],
            "gene_sets": biology.gene_sets,
            "truth": {
                "genes": _gene_truth(biology, strength),
                "contrasts": _contrast_truth(biology, strength, effect_in or {}, regions),
            },
        },
    )


def mean_score(region: str, phenotype: str, drug: str, response: str) -> Floats:
    """Return the mean score of each of `PROGRAMMES` in one cell and region, before any effect is scaled."""
    change = _RESPONSE_IN[region]
    state = {
        "control": (0.0, 0.0, 0.0),
        "resilient": (0.2, 1.0, 0.0),
        "susceptible": (1.0, 0.0, 0.0),
        "responder": (1.0 - 0.8 * change, 0.7 * change, 0.0),
        "non_responder": (1.0 + 0.2 * change, 0.0, 1.0 * change),
    }[phenotype if response == "none" else response]
    scores = np.zeros(len(PROGRAMMES))
    scores[: len(state)] = np.array(state) * _STRESS_IN[region]
    if drug in DRUGS:
        scores[PROGRAMMES.index(f"{drug}_{region}")] = _DRUG_IN[region]
    return scores


def _draw_programme_scores(
    rng: np.random.Generator,
    sheet: pd.DataFrame,
    strength: Floats,
    effect_in: Mapping[str, float],
    animal_effect: float,
) -> Floats:
    columns = sheet[["region", "phenotype", "drug", "response"]].itertuples(index=False, name=None)
    means = np.stack([_scaled_score(strength, effect_in, *map(str, row)) for row in columns])
    # Drug programmes exist without the drug, too: their genes are correlated in every library.
    return means + _draw_factors(rng, sheet, len(PROGRAMMES), animal_effect)


def _scaled_score(
    strength: Floats, effect_in: Mapping[str, float], region: str, phenotype: str, drug: str, response: str
) -> Floats:
    """Return the mean scores of a cell in a region with every effect scaled."""
    scores = mean_score(region, phenotype, drug, response) * strength
    scores[: len(STATE_PROGRAMMES)] *= effect_in.get(region, 1.0) * effect_in.get(drug, 1.0)
    return scores


def _draw_factors(rng: np.random.Generator, sheet: pd.DataFrame, count: int, animal_effect: float) -> Floats:
    """Return scores that depend on no group: an animal's part, shared by its regions, and a library's own."""
    animal, names = pd.factorize(sheet["subject"])
    shared = rng.normal(0.0, _ANIMAL_SD * animal_effect, (len(names), count))[animal]
    return np.asarray(shared + rng.normal(0.0, _LIBRARY_SD, (len(sheet), count)), dtype=np.float64)


def _draw_group_shift(rng: np.random.Generator, group: "pd.Series[str]", n_genes: int, *, large: bool) -> Floats:
    code, names = pd.factorize(group, sort=True)
    shape = (len(names), n_genes)
    if not large:
        return np.asarray(rng.normal(0.0, _ANIMAL_GENE_SD, shape)[code], dtype=np.float64)
    few = rng.random(n_genes) < _RUN_LARGE_SHARE
    return np.asarray((rng.normal(0.0, 1.0, shape) * np.where(few, _RUN_LARGE_SD, _RUN_SD))[code], dtype=np.float64)


def _draw_counts(rng: np.random.Generator, log2_mean: Floats, dispersion: Floats) -> Floats:
    """Return negative binomial counts of libraries of 20 to 35 million reads."""
    share = np.exp2(log2_mean)
    share /= share.sum(axis=1, keepdims=True)
    mean = share * rng.uniform(_FEWEST_READS, _MOST_READS, (len(share), 1))
    shape = 1.0 / (dispersion + _DISPERSION_OF_ONE_READ / (mean + 1.0))
    return rng.poisson(rng.standard_gamma(shape) * (mean / shape)).astype(np.float64)


def _gene_truth(biology: Biology, strength: Floats) -> pd.DataFrame:
    set_of = {gene: name for name, members in biology.gene_sets.items() for gene in members}
    columns = {
        "gene_set": [set_of.get(gene, "") for gene in biology.genes],
        "baseline_log2_cpm": biology.baseline,
        "dispersion": biology.dispersion,
    }
    planted = dict(zip(PROGRAMMES, biology.programmes * strength[:, None], strict=True))
    return pd.DataFrame({**columns, **planted}, index=biology.genes)


def _contrast_truth(
    biology: Biology, strength: Floats, effect_in: Mapping[str, float], regions: Sequence[str]
) -> pd.DataFrame:
    control, resilient = ("control", "saline", "none"), ("resilient", "saline", "none")
    susceptible = ("susceptible", "saline", "none")
    pairs: dict[str, tuple[Cell, Cell]] = {
        "susceptible-control": (susceptible, control),
        "resilient-control": (resilient, control),
    }
    for drug in DRUGS:
        responder, non_responder = ("susceptible", drug, "responder"), ("susceptible", drug, "non_responder")
        pairs[f"{drug}_responder-susceptible"] = (responder, susceptible)
        pairs[f"{drug}_non_responder-susceptible"] = (non_responder, susceptible)
        pairs[f"{drug}_responder-{drug}_non_responder"] = (responder, non_responder)
    changes = {
        f"{region} {name}": (
            _scaled_score(strength, effect_in, region, *first) - _scaled_score(strength, effect_in, region, *second)
        )
        @ biology.programmes
        for region in regions
        for name, (first, second) in pairs.items()
    }
    return pd.DataFrame(changes, index=biology.genes)


def _check_names(effect_in: Mapping[str, float]) -> None:
    for name, factor in effect_in.items():
        if name not in (*REGIONS, *DRUGS):
            raise CohortError(f"effect_in names '{name}'. {did_you_mean(name, [*REGIONS, *DRUGS])}")
        if not 0 <= factor < np.inf:
            raise CohortError(f"effect_in of {name} is {factor}, but must be 0 or more.")


def _check_ranges(n_genes: int, **strengths: float) -> None:
    if n_genes < FEWEST_GENES:
        raise CohortError(f"n_genes is {n_genes}, but the simulator's modules need at least {FEWEST_GENES}.")
    for name, value in strengths.items():
        if not 0 <= value < np.inf:
            raise CohortError(f"{name} is {value}, but must be 0 or more.")
