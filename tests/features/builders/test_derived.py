from dataclasses import replace

import numpy as np
import pytest

from responder_ml.features.builders.derived import Derived, directions, running_score
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.running_scores import running_scores
from responder_ml.features.signatures.frozen_z import frozen_z, gene_scale
from responder_ml.statistics.moderated_t import moderated_t


def test_score_is_the_running_mean_of_signed_z(study):
    labels = study.sets.labels[0]
    builder = Derived(units="counts", max_genes=12).fit(study.counts, labels, genes=study.genes)
    ranking = Genes(units="counts", max_genes=12).fit(study.counts, labels, genes=study.genes)
    log2 = ranking.transform(study.counts)
    t = moderated_t(log2, labels == 1, labels == 0)
    scores = builder.transform(study.counts)
    for length in range(1, 13):
        for sample in range(16):
            parts = [
                np.sign(t[gene]) * (log2[sample, gene] - log2[:, gene].mean()) / log2[:, gene].std(ddof=1)
                for gene in range(length)
            ]
            assert scores[sample, length - 1] == pytest.approx(np.mean(parts), abs=1e-10)
    assert builder.names_[4] == "derived__5"


def test_genes_behind_a_length_are_the_first_so_many(study):
    labels = study.sets.labels[0]
    builder = Derived(units="counts", max_genes=12).fit(study.counts, labels, genes=study.genes)
    genes, shares = builder.genes_of(4)
    np.testing.assert_array_equal(genes, builder.ranking_.names_[:5])
    np.testing.assert_allclose(shares, builder.signs_[:5] / 5)
    above = builder.ranking_.transform(study.counts)[labels == 1].mean(axis=0)
    below = builder.ranking_.transform(study.counts)[labels == 0].mean(axis=0)
    np.testing.assert_array_equal(builder.signs_, np.sign(above - below))


def test_a_gene_without_a_difference_has_no_direction():
    log2 = np.array([[1.0, 5.0, 2.0], [2.0, 5.0, 1.0], [3.0, 5.0, 0.0], [4.0, 5.0, 0.5]])
    signs = directions(log2, np.array([False, False, True, True]), np.array([True, True, False, False]), None)
    np.testing.assert_array_equal(signs, [1, 0, -1])


def test_running_score_by_hand():
    z = np.array([[1.0, 2.0, 4.0]])
    np.testing.assert_allclose(running_score(z, np.array([1.0, -1.0, 0.0])), [[1.0, -0.5, -1.0 / 3.0]])


def test_genes_and_derived_of_the_same_settings_are_ranked_once_and_of_others_each_by_itself(study, monkeypatch):
    import responder_ml.features.builders.genes as module

    counted = []
    rank = module.best_columns
    monkeypatch.setattr(module, "best_columns", lambda *values, **names: counted.append(1) or rank(*values, **names))
    edited = study.counts.copy()
    edited[0, 0] += 1.0
    alone = Derived(units="counts").share(study.counts, study.genes).rank(replace(study.sets, known={}))
    sets = replace(study.sets, known={})
    Genes(units="counts").share(study.counts, study.genes).rank(sets)
    together = Derived(units="counts").share(study.counts, study.genes).rank(sets)
    assert len(counted) == 2
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.values(), other.values())
    Genes(units="counts", min_share=0.5).share(study.counts, study.genes).rank(sets)
    Genes(units="counts").share(edited, study.genes).rank(sets)
    assert len(counted) == 4


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_compiled_loop_does_what_its_steps_do(rng, scale):
    log2 = scale * (rng.normal(size=(13, 90)) + 9.0)
    log2[:, 3], log2[:8, 4], log2[:, 5] = 7.0 * scale, 0.1, 1.0 / 3.0
    training = np.arange(13) < 9
    positive, negative = training & (np.arange(13) % 2 == 0), training & (np.arange(13) % 2 == 1)
    contrast = np.where(positive, 1 / positive.sum(), -1 / negative.sum())[training] * np.sqrt(20 / 9)
    scores = np.empty((90, 13))
    running_scores(np.ascontiguousarray(log2.T), np.flatnonzero(training), contrast, scores)
    mean, spread = gene_scale(log2[training])
    expected = running_score(frozen_z(log2, mean, spread), directions(log2, positive, negative, None))
    np.testing.assert_allclose(scores.T, expected, atol=1e-9)


def test_adjusting_for_a_covariate_turns_to_genes_that_it_does_not_explain(rng):
    import pandas as pd

    from responder_ml.features.builders.context import Context

    drug = np.array(["a"] * 32 + ["b"] * 32)
    labels = np.array([1] * 28 + [0] * 4 + [1] * 4 + [0] * 28, dtype=np.int8)
    log2 = rng.normal(scale=0.5, size=(64, 40))
    log2[:, :5] += 6.0 * (drug == "a")[:, None]
    log2[:, 5:10] += 0.8 * labels[:, None]
    sheet = pd.DataFrame({"subject": [str(index) for index in range(64)], "drug": drug})
    context = Context(sheet, "response", "1", "0", np.empty((0, 40)), sheet.iloc[:0])
    genes = np.arange(40).astype(str)
    plain = Derived(max_genes=5).fit(log2, labels, genes=genes, context=context)
    adjusted = Derived(max_genes=5, covariates=("drug",)).fit(log2, labels, genes=genes, context=context)
    assert set(plain.ranking_.names_) == set(map(str, range(5)))
    assert set(adjusted.ranking_.names_) == set(map(str, range(5, 10)))
    # Where the covariate is the class, no gene says anything, and so does the score.
    sheet["drug"] = np.where(labels == 1, "a", "b")
    nothing = Derived(max_genes=5, covariates=("drug",)).fit(log2, labels, genes=genes, context=context)
    np.testing.assert_array_equal(nothing.transform(log2), 0.0)
