from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.simulate import mean_score, simulate_cohort
from responder_ml.cohort.simulated_biology import PROGRAMMES, REGIONS, build_biology
from responder_ml.errors import CohortError


def _log2_cpm(cohort):
    return np.log2((cohort.X + 0.5) / (cohort.X.sum(axis=1, keepdims=True) + 1) * 1e6)


def _rows(cohort, region, **wanted):
    rows = (cohort.obs["region"] == region).to_numpy()
    for column, value in wanted.items():
        rows &= (cohort.obs[column] == value).to_numpy()
    return rows


def _difference(cohort, one, other):
    log2 = _log2_cpm(cohort)
    return log2[one].mean(axis=0) - log2[other].mean(axis=0)


@pytest.fixture(scope="module")
def many():
    """As many animals as it takes to see a mean, without runs, whose shares differ between groups."""
    return simulate_cohort(seed=5, replicates=60, n_genes=1500, regions=["PFC", "HIP"], batch_effect=0)


def test_the_cohort_has_the_founding_studys_design(simulated, shared_data):
    assert simulated.shape == (99, 20_000)
    assert simulated.obs["subject"].nunique() == 25
    design = pd.read_csv(shared_data / "gse81672_signatures" / "gse81672_design_counts.tsv", sep="\t")
    design["region"] = design["region"].str.replace("NAC", "NAc")
    columns = ["region", "phenotype", "drug", "response"]
    expected = design.fillna({"response": "none"}).set_index(columns)["n"]
    assert simulated.obs.groupby(columns, observed=True).size().to_dict() == expected.to_dict()


def test_treated_mice_have_the_runs_printed_for_the_hippocampus(simulated, shared_data):
    printed = pd.read_csv(shared_data / "gse81672_signatures" / "gse81672_hip_batch.tsv", sep="\t")
    hip = simulated.obs[simulated.obs["region"] == "HIP"]
    for _, row in printed.iterrows():
        susceptible = hip[hip["phenotype"] == "susceptible"]
        group = susceptible[susceptible["drug"] == row["drug_group"].removesuffix("_susceptible")]
        assert (group["batch"] == f"run{row['sequencing_run']}").sum() == row["n"]
    assert simulated.obs["batch"].nunique() == 4


def test_one_seed_is_one_cohort_and_another_is_another():
    one, same, other = (simulate_cohort(seed=seed, n_genes=300) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.X, same.X)
    pd.testing.assert_frame_equal(one.obs, same.obs)
    assert not np.array_equal(one.X, other.X)
    # Cohorts of two seeds share genes and programmes, so that one can test the other's model.
    pd.testing.assert_frame_equal(one.uns["truth"]["contrasts"], other.uns["truth"]["contrasts"])


def test_every_row_says_simulated(simulated):
    assert simulated.uns["simulated"] is True
    assert simulated.uns["source"].startswith("simulated")
    assert set(simulated.obs["simulated"]) == {"yes"}
    assert all(name.startswith("SIM_") for name in simulated.uns["gene_sets"])


def test_values_are_counts_of_plausible_libraries(simulated):
    np.testing.assert_array_equal(simulated.X, np.rint(simulated.X))
    assert simulated.X.min() == 0
    np.testing.assert_array_equal(simulated.obs["library_size"], simulated.X.sum(axis=1))
    assert simulated.obs["library_size"].between(19e6, 36e6).all()
    expressed = (simulated.X / simulated.X.sum(axis=1, keepdims=True) * 1e6 >= 1).mean(axis=1)
    assert ((expressed > 0.55) & (expressed < 0.75)).all()


def test_counts_vary_more_than_poisson_and_as_their_dispersion_says():
    # One group, no run, no animal: what is left is the negative binomial, and modules for those genes that have one.
    cohort = simulate_cohort(
        seed=2, n_genes=2000, cells={"control/saline/none": 400}, regions=["PFC"], batch_effect=0, animal_effect=0
    )
    truth = cohort.uns["truth"]["genes"]
    scaled = cohort.X / cohort.X.sum(axis=1, keepdims=True)
    free = (truth["gene_set"] == "").to_numpy() & (scaled.mean(axis=0) > 1e-5)
    squared_cv = (scaled.var(axis=0, ddof=1) / scaled.mean(axis=0) ** 2)[free]
    assert np.corrcoef(squared_cv, truth["dispersion"][free])[0, 1] > 0.95
    assert np.median(squared_cv / truth["dispersion"][free]) == pytest.approx(1.0, abs=0.1)


def test_male_mice_lack_xist_and_regions_have_their_markers(simulated):
    cpm = pd.DataFrame(simulated.X / simulated.X.sum(axis=1, keepdims=True) * 1e6, columns=simulated.var_names)
    assert (simulated.obs["sex"] == "male").all()
    assert (cpm["Xist"] < 1).all()
    assert (cpm["Ddx3y"] > 5).all()
    mean = cpm.groupby(simulated.obs["region"].to_numpy()).mean()
    assert mean["Drd2"].idxmax() == "NAc"
    assert mean["Prox1"].idxmax() == "HIP"
    assert mean["Satb2"].idxmax() == "PFC"


def test_genes_of_a_module_are_correlated(simulated):
    log2 = _log2_cpm(simulated)[_rows(simulated, "PFC")]
    column_of = {name: index for index, name in enumerate(simulated.var_names)}

    def mean_correlation(genes):
        matrix = np.corrcoef(log2[:, [column_of[gene] for gene in genes]].T)
        return matrix[np.triu_indices(len(genes), 1)].mean()

    modules = [genes for name, genes in simulated.uns["gene_sets"].items() if "MODULE" in name]
    free = simulated.uns["truth"]["genes"].query("gene_set == '' and baseline_log2_cpm > 2").index[:140]
    assert len(modules) == 35
    assert np.mean([mean_correlation(genes) for genes in modules]) > 0.15
    assert abs(mean_correlation(free)) < 0.05


def test_there_are_sixty_sets_and_no_gene_is_in_two(simulated):
    sets = simulated.uns["gene_sets"]
    assert len(sets) == 60
    members = [gene for genes in sets.values() for gene in genes]
    assert len(members) == len(set(members))
    assert set(members) <= set(simulated.var_names)
    for name in PROGRAMMES:
        up, down = (simulated.uns["truth"]["genes"].loc[sets[f"SIM_{name.upper()}_{half}"]] for half in ("UP", "DN"))
        assert (up[name] > 0).all()
        assert (down[name] < 0).all()


@pytest.mark.parametrize("region", ["PFC", "HIP"])
@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("susceptible-control", {"phenotype": "susceptible", "drug": "saline"}, {"phenotype": "control"}),
        ("resilient-control", {"phenotype": "resilient"}, {"phenotype": "control"}),
        (
            "ketamine_responder-susceptible",
            {"drug": "ketamine", "response": "responder"},
            {"phenotype": "susceptible", "drug": "saline"},
        ),
        (
            "imipramine_responder-imipramine_non_responder",
            {"drug": "imipramine", "response": "responder"},
            {"drug": "imipramine", "response": "non_responder"},
        ),
    ],
)
def test_the_planted_change_is_the_change_that_is_there(many, region, name, one, other):
    planted = many.uns["truth"]["contrasts"][f"{region} {name}"].to_numpy()
    observed = _difference(many, _rows(many, region, **one), _rows(many, region, **other))
    expressed = many.uns["truth"]["genes"]["baseline_log2_cpm"].to_numpy() > 1
    slope, _ = np.polyfit(planted[expressed], observed[expressed], 1)
    assert slope == pytest.approx(1.0, abs=0.15)
    assert np.corrcoef(planted[expressed], observed[expressed])[0, 1] > 0.8


def test_the_biology_follows_the_studys_claims():
    position = {name: index for index, name in enumerate(PROGRAMMES)}
    susceptible = mean_score("PFC", "susceptible", "saline", "none")
    for drug, region in ((drug, region) for drug in ("imipramine", "ketamine") for region in REGIONS):
        base = mean_score(region, "susceptible", "saline", "none")
        responder = mean_score(region, "susceptible", drug, "responder")
        non_responder = mean_score(region, "susceptible", drug, "non_responder")
        susceptibility, resilience, own = (position[name] for name in ("susceptibility", "resilience", "non_response"))
        assert responder[susceptibility] < base[susceptibility] < non_responder[susceptibility]
        assert responder[resilience] > base[resilience] == non_responder[resilience] == 0
        assert non_responder[own] > responder[own] == 0
        here = position[f"{drug}_{region}"]
        assert responder[here] == non_responder[here] > 0 == base[here]
        pfc_gain = mean_score("PFC", "susceptible", drug, "responder") - susceptible
        assert region == "PFC" or abs(pfc_gain[susceptibility]) > abs((responder - base)[susceptibility])


def test_drug_changes_more_than_response(simulated):
    contrasts = simulated.uns["truth"]["contrasts"]
    drug = contrasts["PFC ketamine_non_responder-susceptible"] - contrasts["PFC imipramine_non_responder-susceptible"]
    response = contrasts["PFC ketamine_responder-ketamine_non_responder"]
    assert np.sum(drug**2) > 1.5 * np.sum(response**2)


@pytest.mark.parametrize(
    ("switch", "gene_set", "one", "other"),
    [
        ("effect", "SIM_SUSCEPTIBILITY_UP", {"response": "responder"}, {"response": "non_responder"}),
        ("effect", "SIM_RESILIENCE_DN", {"phenotype": "resilient"}, {"phenotype": "control"}),
        ("drug_effect", "SIM_KETAMINE_PFC_UP", {"drug": "ketamine"}, {"drug": "imipramine"}),
    ],
)
def test_switched_off_effects_are_gone_from_truth_and_counts(switch, gene_set, one, other):
    def change(**switches):
        cohort = simulate_cohort(
            seed=5, replicates=40, n_genes=1500, regions=["PFC"], batch_effect=0, animal_effect=0, **switches
        )
        members = [cohort.var_names.get_loc(gene) for gene in cohort.uns["gene_sets"][gene_set]]
        observed = _difference(cohort, _rows(cohort, "PFC", **one), _rows(cohort, "PFC", **other))[members].mean()
        return observed, cohort.uns["truth"]["genes"]

    on, planted = change()
    off, gone = change(**{switch: 0.0})
    assert abs(on) > 0.25
    assert abs(off) < 0.05
    are_drugs = [name.split("_")[-1] in REGIONS for name in PROGRAMMES]
    switched = [
        name for name, is_drug in zip(PROGRAMMES, are_drugs, strict=True) if is_drug == (switch == "drug_effect")
    ]
    assert (planted[switched] != 0).any().all()
    assert (gone[switched] == 0).all(axis=None)


def test_without_any_effect_runs_and_regions_remain():
    cohort = simulate_cohort(seed=1, effect=0, drug_effect=0, n_genes=3000)
    log2 = _log2_cpm(cohort)
    log2 = log2[:, log2.mean(axis=0) > 1]

    def explained(groups):
        means = pd.DataFrame(log2).groupby(np.asarray(groups)).transform("mean").to_numpy()
        return means.var(axis=0).mean() / log2.var(axis=0).mean()

    rng = np.random.default_rng(0)
    batch = cohort.obs["batch"].to_numpy()
    by_chance = [explained(rng.permutation(batch)) for _ in range(20)]
    assert explained(cohort.obs["region"]) > 0.3
    assert explained(batch) > max(by_chance)


def test_an_animals_regions_resemble_each_other_unless_switched_off():
    def resemblance(animal_effect):
        cohort = simulate_cohort(
            seed=6, n_genes=1500, regions=["PFC", "NAc"], batch_effect=0, effect=0, drug_effect=0,
            animal_effect=animal_effect, replicates=4,
        )  # fmt: skip
        log2 = _log2_cpm(cohort)[:, (cohort.uns["truth"]["genes"]["baseline_log2_cpm"] > 3).to_numpy()]
        pfc, nac = (log2[_rows(cohort, region)] for region in ("PFC", "NAc"))
        order = [np.argsort(cohort.obs["subject"][_rows(cohort, region)].to_numpy()) for region in ("PFC", "NAc")]
        pfc, nac = (part[index] - part.mean(axis=0) for part, index in zip((pfc, nac), order, strict=True))
        return np.mean([np.corrcoef(one, other)[0, 1] for one, other in zip(pfc, nac, strict=True)])

    assert resemblance(1.0) > 0.1
    assert abs(resemblance(0.0)) < 0.05


def test_behaviour_agrees_with_the_labels(simulated):
    sheet = simulated.obs.drop_duplicates("subject")
    susceptible = sheet["phenotype"] == "susceptible"
    np.testing.assert_array_equal(sheet["si_pre"] < 1, susceptible)
    np.testing.assert_array_equal(sheet["si_post"] < 1, susceptible & (sheet["response"] != "responder"))


@pytest.mark.parametrize(
    "cells",
    [
        {"susceptible/ketamine/responder": 10, "susceptible/ketamine/non_responder": 10},
        {("susceptible", "ketamine", "responder"): 10, ("susceptible", "ketamine", "non_responder"): 10},
    ],
)
def test_cells_can_be_chosen(cells):
    cohort = simulate_cohort(seed=1, cells=cells, regions=["HIP"], n_genes=300)
    assert cohort.obs["response"].value_counts().to_dict() == {"responder": 10, "non_responder": 10}


def test_replicates_multiply_every_cell_and_every_loss():
    cohort = simulate_cohort(seed=1, replicates=3, n_genes=300)
    assert cohort.n_obs == 3 * 99
    assert cohort.obs["subject"].nunique() == 75


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_genes": 299}, "n_genes is 299, but .* at least 300"),
        ({"effect": -1}, "effect is -1, but must be 0 or more"),
        ({"drug_effect": float("nan")}, "drug_effect is nan"),
        ({"replicates": 0}, "at least one animal"),
        ({"cells": {"control/saline/none": 0}}, "at least one animal"),
        ({"cells": {"control/saline": 3}}, "no cell 'control/saline'. Did you mean 'control/saline/none'"),
        ({"regions": ["VTA"]}, r"regions are PFC, NAc, AMY, HIP.*\['VTA'\]"),
        ({"regions": ["PFC", "PFC"]}, "each at most once"),
    ],
)
def test_impossible_parameters_are_refused(wrong, message):
    with pytest.raises(CohortError, match=message):
        simulate_cohort(seed=1, **wrong)


def test_the_smallest_biology_still_fills_every_set():
    biology = build_biology(300, 0)
    assert min(len(genes) for genes in biology.gene_sets.values()) == 3
    assert len(set(biology.genes)) == 300
    for one, other in combinations(range(len(PROGRAMMES)), 2):
        assert not np.any((biology.programmes[one] != 0) & (biology.programmes[other] != 0))


def test_an_effect_can_be_left_out_of_a_region_or_a_drug():
    cohort = simulate_cohort(seed=3, n_genes=400, effect_in={"AMY": 0.0, "HIP": 0.5, "ketamine": 0.0})
    plain = simulate_cohort(seed=3, n_genes=400)
    contrasts, all_over = cohort.uns["truth"]["contrasts"], plain.uns["truth"]["contrasts"]
    assert (contrasts["AMY susceptible-control"] == 0).all()
    assert np.allclose(contrasts["HIP susceptible-control"], 0.5 * all_over["HIP susceptible-control"])
    assert contrasts["PFC susceptible-control"].equals(all_over["PFC susceptible-control"])
    assert (contrasts["PFC ketamine_responder-ketamine_non_responder"] == 0).all()
    response = "PFC imipramine_responder-imipramine_non_responder"
    assert contrasts[response].equals(all_over[response])


@pytest.mark.parametrize(("effect_in", "message"), [({"AMG": 0.0}, "Did you mean 'AMY'"), ({"AMY": -1.0}, "0 or more")])
def test_an_effect_in_an_unknown_region_or_drug_is_refused(effect_in, message):
    with pytest.raises(CohortError, match=message):
        simulate_cohort(seed=3, n_genes=400, effect_in=effect_in)


def test_every_animal_keeps_a_library_where_libraries_are_lost():
    cohort = simulate_cohort(seed=3, n_genes=300, lost=0.4)
    assert cohort.n_obs == 99 - round(0.4 * 99)
    assert cohort.obs["subject"].nunique() == 25
    assert simulate_cohort(seed=3, n_genes=300, lost=0.9).obs["subject"].is_unique
    with pytest.raises(CohortError, match="lost is 1"):
        simulate_cohort(seed=3, n_genes=300, lost=1)
