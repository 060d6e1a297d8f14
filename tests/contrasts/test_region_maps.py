from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.contrasts.groups import Groups
from responder_ml.contrasts.region_maps import fit_contrasts, map_region
from responder_ml.contrasts.rrho2 import rrho2
from responder_ml.contrasts.study_regions import StudyRegion
from responder_ml.errors import ContrastError

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def test_maps_compare_stress_with_each_drug_and_the_drugs(noise, study):
    genes = np.array([f"g{index}" for index in range(400)])
    maps = map_region(StudyRegion("PFC", noise, genes, study, tuple(map(str, range(25)))))
    assert [(map_.first, map_.second) for map_ in maps] == [
        ("susceptible less control", "imipramine responder less susceptible"),
        ("susceptible less control", "ketamine responder less susceptible"),
        ("imipramine responder less susceptible", "ketamine responder less susceptible"),
    ]
    t = fit_contrasts(noise, study, [("susceptible", "control"), ("ketamine responder", "susceptible")]).t
    np.testing.assert_array_equal(maps[1].values.up_down, rrho2(t[0], t[1], 20).up_down)
    # The shared susceptible animals alone make the contrasts oppose each other.
    assert maps[1].values.discordant > maps[1].values.concordant


@pytest.mark.parametrize(("size", "n_maps"), [(2, 3), (1, 1)])
def test_groups_of_two_are_mapped_and_single_animals_are_not(noise, study, size, n_maps):
    group = np.flatnonzero(study.codes == study.code("imipramine responder"))
    codes = study.codes.copy()
    codes[group[size:]] = -1
    maps = map_region(StudyRegion("PFC", noise, np.array([]), Groups(study.names, codes), tuple(map(str, range(25)))))
    assert len(maps) == n_maps
    assert maps[0].values.step == 20


@pytest.fixture(scope="module")
def limma_input():
    samples = pd.read_csv(GOLDEN / "limma_samples.csv")
    expression = pd.read_csv(GOLDEN / "limma_voom_expression.csv").set_index("gene").to_numpy().T
    return expression, Groups.of(samples["group"]), (samples["batch"] == "b").to_numpy(float)[:, None]


def test_contrasts_with_batch_equal_limma(limma_input):
    expression, groups, batch = limma_input
    table = pd.read_csv(GOLDEN / "limma_plain.csv")
    fit = fit_contrasts(expression, groups, [("susceptible", "control"), ("drug", "susceptible")], covariates=batch)
    for row, name in enumerate(["stress", "drug_effect"]):
        golden = table[table["contrast"] == name]
        np.testing.assert_allclose(fit.effect[row], golden["coefficient"], rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose(fit.t[row], golden["t"], rtol=1e-8)
        np.testing.assert_allclose(fit.p[row], golden["p"], rtol=1e-8)


def test_a_group_without_subjects_is_refused_by_name(limma_input):
    expression, groups, _ = limma_input
    with pytest.raises(ContrastError, match="'susceptable' has no subject"):
        fit_contrasts(expression, groups, [("susceptable", "control")])
