"""The headline without immediate-early genes, on simulated values where they carry everything, or nothing."""

import numpy as np
import pytest
from scipy.stats import t as student

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation.early_gene_ablation import ablate_early_genes
from responder_ml.evaluation.metrics import auroc, fold_aurocs
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

LABELS = np.tile([1, 0], 10).astype(np.int8)
EARLY = ("Fos", "Egr1", "Arc")


def _procedure(values, genes, builder=None):
    search_data = SearchData(values, np.array(genes), np.arange(20), np.zeros(20, dtype=np.intp))
    builder = builder or Genes(units="log2")
    candidate = Candidate("genes", builder, NearestCentroid, {}, "nearest_centroid")
    return Procedure(search_data, [candidate], SearchPlan(4, 2, 2, 7), Workers(1))


@pytest.fixture
def values(rng):
    return rng.normal(size=(20, 23))


def _names(early=EARLY):
    return [*early, *(f"g{number}" for number in range(23 - len(early)))]


def test_what_rests_on_early_genes_falls_without_them(values):
    values[:, :3] += 4.0 * LABELS[:, None]
    procedure = _procedure(values, _names())
    observed = procedure.observe(LABELS, 2)
    ablation = ablate_early_genes(procedure, observed)
    assert set(ablation.genes) == set(EARLY)
    assert ablation.auroc < 0.8 < auroc(observed.auto)
    assert ablation.difference == pytest.approx(auroc(observed.auto) - ablation.auroc)
    assert ablation.interval[0] < ablation.difference < ablation.interval[1]


def test_it_is_the_procedure_on_expression_that_never_had_them(values):
    values[:, 10] += 2.0 * LABELS
    procedure = _procedure(values, _names())
    observed = procedure.observe(LABELS, 2)
    ablation = ablate_early_genes(procedure, observed)
    never = _procedure(values[:, 3:], _names()[3:])
    again = never.observe(LABELS, 2).auto
    assert ablation.auroc == auroc(again)
    # Four folds: a test set is a third of its training set; 2 x 4 differences.
    differences = (fold_aurocs(observed.auto) - fold_aurocs(again)).ravel()
    half = student.ppf(0.975, 7) * np.sqrt(1 / 8 + 1 / 3) * differences.std(ddof=1)
    assert differences.std() > 0
    assert ablation.interval == pytest.approx((differences.mean() - half, differences.mean() + half))


def test_data_without_early_genes_have_no_ablation(values):
    procedure = _procedure(values, _names(early=()))
    ablation = ablate_early_genes(procedure, procedure.observe(LABELS, 1))
    assert (ablation.genes, ablation.auroc) == ((), None)


def test_a_builder_of_these_very_genes_cannot_do_without(values):
    builder = GeneSets(markers=["immediate_early"], min_genes=1, min_coverage=0.1, units="log2")
    procedure = _procedure(values, _names(), builder)
    ablation = ablate_early_genes(procedure, procedure.observe(LABELS, 1))
    assert set(ablation.genes) == set(EARLY)
    assert ablation.auroc is None
