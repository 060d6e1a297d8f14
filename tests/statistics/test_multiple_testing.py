from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.statistics.multiple_testing import benjamini_hochberg, holm

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize(("adjust", "column"), [(benjamini_hochberg, "fdr"), (holm, "holm")])
def test_equals_r(adjust, column):
    table = pd.read_csv(GOLDEN / "limma_plain.csv")
    for _, part in table.groupby("contrast"):
        np.testing.assert_allclose(adjust(part["p"]), part[column], rtol=1e-9)


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])


def test_works_along_the_last_axis(rng):
    p = rng.uniform(size=(3, 20))
    for adjust in (benjamini_hochberg, holm):
        np.testing.assert_array_equal(adjust(p), np.stack([adjust(row) for row in p]))
