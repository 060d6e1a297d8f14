"""Scores against decoupler and gseapy, on data without ties: their rules for ties depend on a shuffle or on gene order."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.features.signatures import SCORERS

GENES = [f"g{index}" for index in range(400)]
SETS = [f"set{index}" for index in range(9)]

# Peers and what they import warn about themselves.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def frame(rng):
    """Simulated log2 expression, 5 samples x 400 genes."""
    return pd.DataFrame(rng.normal(6.0, 2.0, size=(5, 400)), columns=GENES, index=[f"s{index}" for index in range(5)])


@pytest.fixture
def one_sided(rng):
    table = np.zeros((400, 9))
    for column, size in enumerate(rng.integers(5, 60, size=9)):
        table[rng.permutation(400)[:size], column] = 1.0
    return table


def _network(table):
    rows, columns = np.nonzero(table)
    names = {"source": np.asarray(SETS)[columns], "target": np.asarray(GENES)[rows], "weight": table[rows, columns]}
    return pd.DataFrame(names)


def _peer(method, frame, table):
    decoupler = pytest.importorskip("decoupler")
    result = getattr(decoupler.mt, method)(frame, _network(table), tmin=1)
    scores = result[0] if isinstance(result, tuple) else result
    return scores[SETS].to_numpy()


def _ours(scorer, frame, table, **params):
    fitted = SCORERS[scorer](**params).fit(frame.to_numpy(), members=table)
    return fitted.transform(frame.to_numpy())


def test_mean_z_equals_decouplers_zscore(frame, one_sided, rng):
    for table in (one_sided, one_sided * rng.uniform(0.1, 3.0, size=one_sided.shape)):
        ours = _ours("mean_z", frame, table, against="sample") * np.sqrt(np.count_nonzero(table, axis=0))
        np.testing.assert_allclose(ours, _peer("zscore", frame, table), rtol=0, atol=1e-11)


def test_ulm_equals_decouplers(frame, one_sided, rng):
    for table in (one_sided, one_sided * rng.normal(size=one_sided.shape)):
        np.testing.assert_allclose(_ours("ulm", frame, table), _peer("ulm", frame, table), rtol=0, atol=1e-10)


def test_aucell_equals_decouplers(frame, one_sided):
    # Where decoupler has it, an area is a ratio of whole numbers.
    np.testing.assert_allclose(_ours("aucell", frame, one_sided), _peer("aucell", frame, one_sided), rtol=0, atol=1e-15)


def test_ssgsea_equals_gseapys_enrichment_score(frame, one_sided):
    gseapy = pytest.importorskip("gseapy")
    sets = {
        name: [GENES[row] for row in np.flatnonzero(column)] for name, column in zip(SETS, one_sided.T, strict=True)
    }
    result = gseapy.ssgsea(
        frame.T, sets, outdir=None, sample_norm_method="rank", weight=0.25, min_size=1, max_size=400, threads=1
    )
    scores = result.res2d.pivot(index="Name", columns="Term", values="ES").astype(float)
    expected = scores.loc[frame.index, SETS].to_numpy()
    np.testing.assert_allclose(_ours("ssgsea", frame, one_sided), expected, rtol=0, atol=1e-10)
