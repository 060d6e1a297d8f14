"""Training samples are recognised under any name, depth, scale and order of genes; other samples are not."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.fingerprints import LEAST_PAIRS, Fingerprints

EVERY_GENE = np.ones(800, dtype=bool)


@pytest.fixture(scope="module")
def counts():
    cohort = simulate_cohort(seed=3, n_genes=800, replicates=4, regions=("PFC",))
    return np.asarray(cohort.X, dtype=float)


@pytest.fixture(scope="module")
def fingerprints(counts):
    training = counts[::2]
    return Fingerprints.learn(
        training, np.array([f"s{row}" for row in range(len(training))]), np.arange(len(training)).astype(str)
    )


def _per_million(counts):
    return np.log2((counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 1) * 1e6)


@pytest.mark.parametrize(
    "change",
    [
        lambda counts: counts,
        lambda counts: counts * 3.0,
        _per_million,
        lambda counts: _per_million(counts).round(2),
        lambda counts: counts * np.random.default_rng(1).lognormal(0, 0.005, size=counts.shape),
    ],
    ids=["as it was", "deeper", "log2 per million", "rounded", "with a little noise"],
)
def test_a_training_sample_is_recognised(change, counts, fingerprints):
    nearest = fingerprints.nearest(change(counts[::2]), EVERY_GENE)
    assert nearest.is_copy.all()
    assert nearest.names.tolist() == [f"s{row}" for row in range(len(counts[::2]))]


def test_it_is_recognised_by_half_of_its_genes(counts, fingerprints):
    present = np.random.default_rng(2).random(800) < 0.5
    assert fingerprints.nearest(counts[::2][:, present], present).is_copy.all()
    few = np.arange(800) < 20
    assert np.count_nonzero(few[fingerprints.first] & few[fingerprints.second]) < LEAST_PAIRS
    assert fingerprints.nearest(counts[::2][:, few], few) is None


def test_gaps_do_not_hide_a_training_sample(counts, fingerprints):
    rng = np.random.default_rng(7)
    gappy = np.where(rng.random(counts[::2].shape) < 0.2, np.nan, counts[::2])
    assert fingerprints.nearest(gappy, EVERY_GENE).is_copy.all()
    assert not fingerprints.nearest(
        np.where(rng.random(counts.shape) < 0.2, np.nan, counts)[1::2], EVERY_GENE
    ).is_copy.any()
    assert not fingerprints.nearest(np.full((2, 800), np.nan), EVERY_GENE).is_copy.any()


def test_new_samples_constants_and_noise_are_not_taken_for_training(counts, fingerprints):
    noise = np.random.default_rng(4).poisson(50, size=counts.shape)
    for new in (counts[1::2], np.full_like(counts, 7.0), np.zeros_like(counts), noise):
        nearest = fingerprints.nearest(new, EVERY_GENE)
        assert not nearest.is_copy.any()
        assert np.all(nearest.agreement < fingerprints.least_agreement[0])


def test_copies_within_training_hide_nothing(counts):
    training = np.concatenate([counts[::2], counts[:2]])
    copied = Fingerprints.learn(training, np.arange(len(training)).astype(str), np.arange(len(training)).astype(str))
    assert copied.nearest(_per_million(counts[::2]).round(2), EVERY_GENE).is_copy.all()
    assert not copied.nearest(counts[3::2], EVERY_GENE).is_copy.any()


def test_two_batches_do_not_make_their_samples_copies(counts):
    batch = np.random.default_rng(5).lognormal(0, 1.5, size=800)
    training = np.concatenate([counts[:20:2], counts[20:40:2] * batch])
    learnt = Fingerprints.learn(training, np.arange(20).astype(str), np.arange(20).astype(str))
    assert not learnt.nearest(np.concatenate([counts[1:20:2], counts[21:40:2] * batch]), EVERY_GENE).is_copy.any()
    assert learnt.nearest(training, EVERY_GENE).is_copy.all()


def test_no_value_can_be_read_from_it(counts, fingerprints):
    assert fingerprints.bits.dtype == np.uint8
    again = Fingerprints.learn(_per_million(counts[::2]), fingerprints.names, np.arange(len(counts[::2])).astype(str))
    # Another scale may choose other pairs, but each bit is the order of two genes and nothing else.
    unpacked = np.unpackbits(again.bits, axis=1, count=len(again.first)).astype(bool)
    assert np.array_equal(unpacked, counts[::2][:, again.first] > counts[::2][:, again.second])


@pytest.mark.parametrize("genes", [0, 1, 2, 12])
def test_a_panel_of_few_genes_is_not_compared(genes):
    values = np.random.default_rng(6).normal(size=(9, genes))
    learnt = Fingerprints.learn(values, np.arange(9).astype(str), np.arange(9).astype(str))
    assert np.isfinite(learnt.checksum())
    if len(learnt.first) < LEAST_PAIRS:
        assert learnt.nearest(values, np.ones(genes, dtype=bool)) is None


@pytest.mark.shared
def test_real_mice_are_told_apart_and_found_again(shared_data):
    folder = shared_data / "gse102556_mouse_cvs"
    counts = pd.read_csv(folder / "expression_counts.tsv.gz", sep="\t", index_col=0).T.to_numpy(dtype=float)
    learnt = Fingerprints.learn(
        counts[::2], np.arange(len(counts[::2])).astype(str), np.arange(len(counts[::2])).astype(str)
    )
    every = np.ones(counts.shape[1], dtype=bool)
    assert learnt.nearest(_per_million(counts[::2]).round(2), every).is_copy.all()
    assert not learnt.nearest(counts[1::2], every).is_copy.any()
