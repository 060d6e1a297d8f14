"""Age, sex and cages of simulated mice: none by default, and as described where a cohort asks for them."""

import numpy as np
import pytest

from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import CohortError


def _pfc(**params):
    return simulate_cohort(seed=7, n_genes=300, regions=["PFC"], **params)


def test_by_default_nothing_is_added_and_no_number_changes():
    plain = _pfc()
    assert not {"age", "cage"} & set(plain.obs.columns)
    assert set(plain.obs["sex"]) == {"male"}
    np.testing.assert_array_equal(plain.X, _pfc(covariate_effect=0.0, cage_effect=0.0).X)


def test_age_and_sex_belong_to_the_animal_and_go_with_response():
    cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC", "NAc"], replicates=20, covariate_effect=1.0)
    sheet = cohort.obs
    assert sheet.groupby("subject")[["age", "sex"]].nunique().max().max() == 1
    responds = sheet["response"] == "responder"
    others = sheet["response"] == "non_responder"
    assert sheet["age"][responds].mean() - sheet["age"][others].mean() == pytest.approx(1.5, abs=0.5)
    assert (sheet["sex"][responds] == "female").mean() > (sheet["sex"][others] == "female").mean() + 0.1


def test_half_of_the_genes_follow_age():
    cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"], replicates=10, effect=0.0, covariate_effect=2.0)
    log2 = np.log2(np.asarray(cohort.X) + 1.0)
    varies = log2.std(axis=0) > 0
    r = np.array([abs(np.corrcoef(cohort.obs["age"], gene)[0, 1]) for gene in log2[:, varies].T])
    follows = (np.arange(300) % 2 == 0)[varies]
    assert np.median(r[follows]) > 2 * np.median(r[~follows])


def test_cages_hold_mice_of_one_phenotype_and_drug():
    sheet = _pfc(replicates=2, cage_effect=1.0).obs
    assert sheet.groupby("cage")[["phenotype", "drug"]].nunique().max().max() == 1
    assert sheet.groupby("cage")["subject"].nunique().between(2, 4).all()


def test_effects_below_zero_are_refused():
    with pytest.raises(CohortError, match="cage_effect is -1"):
        _pfc(cage_effect=-1.0)
