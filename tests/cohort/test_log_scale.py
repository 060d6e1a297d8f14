import numpy as np
import pytest

from responder_ml.cohort.log_scale import explain_other_scale


@pytest.fixture
def counts(rng):
    depth = rng.uniform(0.5, 2, size=(12, 1))
    return rng.poisson(rng.lognormal(2, 1.5, size=(1, 800)) * depth).astype(float)


def _per(counts, total):
    return counts / counts.sum(axis=1, keepdims=True) * total


@pytest.mark.parametrize("decimals", [None, 4])
@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (lambda counts: np.log2(counts + 1), ""),
        (lambda counts: np.log2(_per(counts, 1e6) + 1), ""),
        (lambda counts: np.log2(_per(counts, 1e6) + 0.5), ""),
        (lambda counts: np.log2((counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 1) * 1e6), ""),
        (lambda counts: np.log1p(_per(counts, 1e4)), "natural logarithms"),
        (lambda counts: np.log1p(_per(counts, 1e4))[:, :300], "natural logarithms"),
        (lambda counts: np.log1p(counts), "natural logarithms"),
        (lambda counts: np.log1p(_per(counts * np.linspace(0.9, 1.1, 800), 1e6)), "natural logarithms"),
        (lambda counts: np.log10(_per(counts, 1e6) + 1), "to base 10"),
        (lambda counts: _scaled(np.log2(counts + 1), 0), "z-scores"),
        (lambda counts: _scaled(np.log2(counts + 1), 1), "z-scores"),
        (lambda counts: counts.argsort(axis=1).argsort(axis=1) / 799, "ranks or quantiles"),
        (lambda counts: counts.argsort(axis=1).argsort(axis=1) / 7.99, "ranks or quantiles"),
    ],
)
def test_each_scale_is_told_by_its_own_mark(counts, scale, words, decimals):
    values = scale(counts) if decimals is None else np.round(scale(counts), decimals)
    explained = explain_other_scale(values)
    assert (words in explained) if words else explained == ""


def _scaled(values, ddof):
    deviation = values.std(axis=0, ddof=ddof)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def test_ordinary_arrays_and_noise_are_not_suspected(rng):
    for values in (
        rng.normal(8, 2, size=(20, 500)),
        rng.normal(0, 1, size=(20, 500)),
        rng.normal(0, 1, size=(200, 500)),
        rng.gamma(4, 2, size=(20, 500)),
        np.round(rng.normal(8, 2, size=(20, 500)), 2),
        rng.uniform(0, 1, size=(3, 500)),
    ):
        assert explain_other_scale(values) == ""


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    ["gse146446_duloxetine/expression_vst", "gse224705_pathmed/expression_log2", "classifyr_asthma/expression_vst"],
)
def test_real_log2_values_are_not_suspected(shared_data, name):
    import pandas as pd

    table = pd.read_csv(shared_data / f"{name}.tsv.gz", sep="\t", index_col=0)
    assert explain_other_scale(table.to_numpy().T) == ""
