from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.contrasts.contrast import Contrast, Groups, contrast_many, contrast_table
from responder_ml.errors import ContrastError
from responder_ml.statistics.moderated_t import moderated_t

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def _golden(name):
    return pd.read_csv(GOLDEN / f"limma_{name}.csv")


@pytest.fixture(scope="module")
def golden_input():
    samples = _golden("samples")
    expression = _golden("voom_expression").set_index("gene").to_numpy().T
    return expression, Groups.of(samples["group"]), (samples["batch"] == "b").to_numpy(float)[:, None]


def test_table_with_batch_equals_limma(golden_input):
    expression, groups, batch = golden_input
    contrasts = [Contrast("stress", "susceptible", "control"), Contrast("drug_effect", "drug", "susceptible")]
    table = contrast_table(expression, groups, contrasts, covariates=batch)
    golden = _golden("plain")
    for row, contrast in enumerate(contrasts):
        one = golden[golden["contrast"] == contrast.name]
        np.testing.assert_allclose(table.effect[row], one["coefficient"], rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose(table.t[row], one["t"], rtol=1e-8)
        np.testing.assert_allclose(table.p[row], one["p"], rtol=1e-8)
        np.testing.assert_allclose(table.fdr[row], one["fdr"], rtol=1e-8)


def test_two_groups_equal_limma(golden_input):
    expression, groups, _ = golden_input
    plus, minus = (groups.codes == groups.code(name) for name in ("susceptible", "control"))
    effect, t = contrast_many(expression, plus[None], minus[None])
    np.testing.assert_allclose(effect[0], _golden("pair")["coefficient"], rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(t[0], _golden("pair")["t"], rtol=1e-8)


def test_weights_reach_the_linear_model(golden_input):
    expression, groups, batch = golden_input
    weights = _golden("voom_weights").set_index("gene").to_numpy().T
    table = contrast_table(expression, groups, [Contrast("stress", "susceptible", "control")], batch, weights)
    golden = _golden("weighted")
    np.testing.assert_allclose(table.t[0], golden.loc[golden["contrast"] == "susceptible", "t"], rtol=1e-8)


def test_many_labellings_equal_one_at_a_time(rng):
    expression = rng.normal(size=(15, 300)) * rng.gamma(2, size=300) + 20
    codes = rng.permuted(np.tile([0] * 4 + [1] * 5 + [2] * 6, (40, 1)), axis=1)
    effect, t = contrast_many(expression, codes == 0, codes == 1)
    for row, each in enumerate(codes):
        np.testing.assert_allclose(t[row], moderated_t(expression, each == 0, each == 1), rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(
            effect[row], expression[each == 0].mean(0) - expression[each == 1].mean(0), atol=1e-10
        )


def test_empty_label_is_no_group():
    groups = Groups.of(["b", "", "a", "b"])
    assert groups.names == ("a", "b")
    assert groups.codes.tolist() == [1, -1, 0, 1]
    assert groups.size("b") == 2
    assert groups.size("c") == 0


def test_unknown_group_is_refused_with_the_nearest(golden_input):
    expression, groups, _ = golden_input
    with pytest.raises(ContrastError, match="no subject"):
        contrast_table(expression, groups, [Contrast("x", "susceptable", "control")])
    with pytest.raises(ContrastError, match="Did you mean 'susceptible'"):
        groups.code("susceptable")


def test_overlapping_or_empty_masks_are_refused(rng):
    expression, plus = rng.normal(size=(6, 10)), np.array([[True, True, False, False, False, False]])
    for minus in (plus, np.zeros_like(plus)):
        with pytest.raises(ContrastError, match="share no sample"):
            contrast_many(expression, plus, minus)
