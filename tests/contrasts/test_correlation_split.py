from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.contrasts.contrast import Contrast, Groups, contrast_table
from responder_ml.contrasts.correlation_split import split_correlation

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CONTRASTS = [Contrast("stress", "susceptible", "control"), Contrast("drug_effect", "drug", "susceptible")]


def test_equals_genas():
    samples = pd.read_csv(GOLDEN / "limma_samples.csv")
    expression = pd.read_csv(GOLDEN / "limma_voom_expression.csv").set_index("gene").to_numpy().T
    batch = (samples["batch"] == "b").to_numpy(float)[:, None]
    split = split_correlation(contrast_table(expression, Groups.of(samples["group"]), CONTRASTS, batch).fit, 0, 1)
    golden = pd.read_csv(GOLDEN / "limma_genas.csv").iloc[0]
    assert split.technical == pytest.approx(golden["technical"], rel=1e-10)
    # R's optim stops its simplex early.
    assert split.biological == pytest.approx(golden["biological"], abs=2e-3)
    assert split.deviance == pytest.approx(golden["deviance"], rel=1e-3)
    assert split.p == pytest.approx(golden["p"], rel=2e-2)
    found = [split.covariance[0, 0], split.covariance[0, 1], split.covariance[1, 1]]
    np.testing.assert_allclose(found, golden[["v11", "v12", "v22"]].astype(float), atol=2e-3)


@pytest.mark.parametrize("planted", [-0.8, 0.0, 0.8])
def test_tells_planted_from_technical_correlation(rng, planted):
    groups = Groups.of(["control"] * 5 + ["susceptible"] * 3 + ["drug"] * 3)
    stress, drug = rng.multivariate_normal([0, 0], [[1, planted], [planted, 1]], 3000).T
    expression = rng.normal(size=(11, 3000))
    expression[5:8] += stress
    expression[8:] += stress + drug
    split = split_correlation(contrast_table(expression, groups, CONTRASTS).fit, 0, 1)
    assert split.technical == pytest.approx(-0.559, abs=1e-3)
    assert split.biological == pytest.approx(planted, abs=0.07)
