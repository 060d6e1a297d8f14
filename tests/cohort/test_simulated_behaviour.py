import numpy as np
import pandas as pd

from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.cohort.simulated_behaviour import COLUMN


def test_the_column_is_written_where_it_is_asked_for_and_changes_nothing_else():
    plain = simulate_cohort(seed=7, n_genes=300)
    with_ratio = simulate_cohort(seed=7, n_genes=300, behaviour_effect=2.0)
    np.testing.assert_array_equal(plain.X, with_ratio.X)
    pd.testing.assert_frame_equal(plain.obs, with_ratio.obs.drop(columns=COLUMN))
    assert COLUMN not in plain.obs
    per_animal = with_ratio.obs.groupby("subject")[COLUMN].nunique()
    assert (per_animal == 1).all()
    assert with_ratio.obs[COLUMN].between(0.05, 4).all()


def test_it_falls_with_susceptibility_unless_its_strength_is_0():
    for strength, least in ((3.0, 0.35), (0.0, -0.15)):
        obs = simulate_cohort(seed=7, n_genes=300, regions=["PFC"], replicates=8, behaviour_effect=strength).obs
        means = obs.groupby("phenotype")[COLUMN].mean()
        assert means["resilient"] - means["susceptible"] > least
        if strength == 0:
            assert abs(means["resilient"] - means["susceptible"]) < 0.15
