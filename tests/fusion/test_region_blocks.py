"""Early fusion's builder: the shared and the plain form agree, blocks take turns, held-out subjects teach nothing."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.errors import FeatureError
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.genes import Genes
from responder_ml.fusion.region_blocks import RegionBlocks, interleave
from responder_ml.fusion.regions import Regions
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.statistics.training_sets import TrainingSets

REGIONS = ("PFC", "NAc", "AMY")


@pytest.fixture
def wide(make_labelled, region_names):
    regions = Regions.of(make_labelled((2.0, 0.0, 1.0), missing=0.2), region_names)
    return regions.side_by_side(), regions.labels


def builder():
    return RegionBlocks(Genes(units="log2", max_genes=10), REGIONS)


def test_columns_take_turns():
    assert interleave([3, 1, 2]).tolist() == [0, 3, 4, 1, 5, 2]


def test_shared_and_plain_forms_agree(wide, rng):
    search_data, labels = wide
    training = np.ones(len(labels), dtype=bool)
    training[rng.choice(len(labels), 6, replace=False)] = False
    sets = TrainingSets(training[None], labels[None])
    (ranked,) = builder().share(search_data.expression, search_data.genes).rank(sets)
    plain = builder().fit(search_data.expression[training], labels[training], genes=search_data.genes)
    assert np.array_equal(ranked.position, plain.position_)
    # No two columns have one natural position, whatever regions they are of.
    assert len(set(ranked.position.tolist())) == len(ranked.position) == 30
    assert ranked.values() == pytest.approx(plain.transform(search_data.expression))
    assert [search_data.genes[ranked.genes_of(i)[0][0]] for i in range(5)] == list(plain.names_[:5])


def test_the_best_gene_of_each_region_comes_first(wide):
    search_data, labels = wide
    fitted = builder().fit(search_data.expression, labels, genes=search_data.genes)
    assert [name.split(":")[0] for name in fitted.names_[:6]] == [*REGIONS, *REGIONS]
    assert fitted.names_[0] == "PFC:g0"


def test_a_missing_region_is_the_mean_of_training_subjects_that_have_it(wide):
    search_data, labels = wide
    fitted = builder().fit(search_data.expression, labels, genes=search_data.genes)
    lacking = np.isnan(search_data.expression[:, 0])
    values = fitted.transform(search_data.expression)[:, 0]
    assert lacking.any()
    assert values[lacking] == pytest.approx(search_data.expression[~lacking, 0].mean())


def test_held_out_subjects_change_no_fitted_state(wide, rng):
    search_data, labels = wide
    training = np.ones(len(labels), dtype=bool)
    training[:5] = False
    edited = search_data.expression.copy()
    edited[:5] = rng.normal(0, 50, edited[:5].shape)
    edited[2, :30] = np.nan
    sets = TrainingSets(training[None], labels[None])
    (one,) = builder().share(search_data.expression, search_data.genes).rank(sets)
    (other,) = builder().share(edited, search_data.genes).rank(sets)
    assert np.array_equal(one.position, other.position)
    assert np.array_equal(one.values()[training], other.values()[training])


def test_held_out_subjects_change_no_fitted_model(wide, rng):
    search_data, labels = wide
    candidate = Candidate("genes", builder(), NearestCentroid)
    plan, draw = SearchPlan(4, 2, 2, seed=1), Draw(labels, 0)

    def search(expression):
        edited = replace(search_data, expression=expression)
        shared = {"genes": candidate.builder.share(expression, search_data.genes)}
        (result,) = search_draws(edited, shared, [candidate], plan, [draw], keep_models=True)
        return result

    before = search(search_data.expression)
    held_out = before.fold == 2
    edited = search_data.expression.copy()
    edited[held_out] = rng.normal(0, 50, edited[held_out].shape)
    after = search(edited)
    one, other = before.models[2], after.models[2]
    assert np.array_equal(one.columns, other.columns)
    assert np.array_equal(one.classifier.coef_, other.classifier.coef_)
    assert one.tuned.value == other.tuned.value
    assert not np.array_equal(before.decisions[:, held_out], after.decisions[:, held_out])
    assert not np.array_equal(before.models[0].classifier.coef_, after.models[0].classifier.coef_)


def test_running_sums_cannot_be_interleaved():
    with pytest.raises(FeatureError, match="running sums"):
        RegionBlocks(Derived(), REGIONS).check(None)
