from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.procedure import Procedure
from responder_ml.explanation.attribution import explain_auto, shap_values
from responder_ml.explanation.explain import _by_signature, explain_run, signature_table
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import FoldModel, SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

N, GENES = 24, 60
LABELS = np.array([0, 1] * (N // 2), dtype=np.int8)
NULL = NullPlan(permutations=99, alpha=0.05, seed=4)


@pytest.fixture
def sets(tmp_path):
    names = [f"g{index}" for index in range(GENES)]
    path = tmp_path / "sets.gmt"
    path.write_text("\n".join("\t".join(line) for line in (["S", "", *names[:8]], ["T", "", *names[30:40]])) + "\n")
    return str(path)


def _observed(rng, builders, kinds):
    values = rng.normal(size=(N, GENES))
    values[:, :8] += 2.0 * LABELS[:, None]
    names = np.array([f"g{index}" for index in range(GENES)])
    search_data = SearchData(values, names, np.arange(N), np.zeros(N, dtype=int))
    candidates = [Candidate(builder.name, builder, CLASSIFIERS[kind]) for builder in builders for kind in kinds]
    procedure = Procedure(search_data, candidates, SearchPlan(3, 2, 2, 1), Workers(1))
    return procedure, procedure.observe(LABELS, 2)


def test_signatures_are_named_and_the_planted_one_leads(rng, sets):
    procedure, observed = _observed(rng, [Genes(), GeneSets(path=sets)], ["nearest_centroid"])
    table = signature_table(procedure, observed, LABELS)
    assert table["builder"].unique().tolist() == ["gene_sets"]
    assert table["signature"].tolist()[0] == "S"
    first = table.iloc[0]
    assert first["direction"] > 0
    assert first["support"] > 0
    assert first["sign_consistency"] == 1


@pytest.mark.parametrize("weights", [(0.25, 0.25, 0.125, 0.375), (0.5, 0.5, 0.0, 0.0)])
def test_the_mean_of_a_builders_own_models_is_explained_whatever_auto_gives_them(rng, sets, weights):
    procedure, observed = _observed(rng, [Genes(), GeneSets(path=sets)], ["nearest_centroid", "elastic_net"])
    results = tuple(
        replace(result, models=tuple(replace(model, weight=weights[model.candidate]) for model in result.models))
        for result in observed.results
    )
    table = signature_table(procedure, replace(observed, results=results), LABELS).set_index("signature")
    shares = np.array(weights[2:]) / sum(weights[2:]) if sum(weights[2:]) else np.array([0.5, 0.5])
    names, size = procedure.signature_names("gene_sets"), 0.0
    for result in results:
        for fold in range(3):
            mean = 0.0
            for model in result.models:
                if model.fold == fold and model.candidate >= 2:
                    values = shap_values(model.classifier, model.test_features).values
                    mean += shares[model.candidate - 2] * values[:, names[model.columns] == "S"].sum(axis=1)
            size += np.abs(mean).sum() / N / len(results)
    assert table.loc["S", "contribution"] == pytest.approx(size)


def test_genes_are_no_signatures(rng):
    procedure, observed = _observed(rng, [Genes()], ["nearest_centroid"])
    assert procedure.signature_names("genes") is None
    assert signature_table(procedure, observed, LABELS).empty


def test_a_run_is_explained_by_auto_gene_by_gene_and_called_out(rng, sets):
    procedure, observed = _observed(rng, [Genes(), GeneSets(path=sets)], ["nearest_centroid"])
    search_data = procedure.search_data
    labelled = SimpleNamespace(
        genes=search_data.genes,
        subject_of=search_data.subject_of,
        labels=LABELS,
        sample_labels=LABELS,
        strata=search_data.strata,
    )
    explained = explain_run(procedure, observed, labelled, search_data.expression, NULL, None)
    assert [(fold.repeat, fold.fold) for fold in explained.folds] == [
        (fold.repeat, fold.fold) for fold in explain_auto(observed.results)
    ]
    bases = np.zeros(N)
    for fold in explained.folds:
        bases[fold.rows] += fold.base / len(observed.results)
    np.testing.assert_allclose(
        explained.contributions.per_sample.sum(axis=1) + bases, observed.auto.decisions.mean(axis=0), atol=1e-9
    )
    assert explained.genes["gene"].tolist() == explained.contributions.table()["gene"].tolist()
    assert {"module", "strength", "null_high", "called_out"} <= set(explained.genes)
    assert {"module", "genes", "n_genes", "weakest_correlation", "strength"} <= set(explained.modules)
    pd.testing.assert_frame_equal(explained.signatures, signature_table(procedure, observed, LABELS))


def test_signatures_keep_their_values_whatever_the_order_of_the_models_columns(rng):
    features = rng.normal(size=(N, 3))
    classifier = CLASSIFIERS["elastic_net"]().fit(features, LABELS)
    columns, rows = np.array([3, 0, 2]), np.arange(4)
    model = FoldModel(0, 1, 2, columns, rows, features[:4], classifier, None, np.empty(0), None)
    explained = _by_signature(model)
    values = shap_values(classifier, features[:4])
    assert explained.genes.tolist() == [0, 2, 3]
    assert (explained.repeat, explained.fold, explained.base) == (1, 2, values.base)
    for index, signature in enumerate(explained.genes):
        column = columns.tolist().index(signature)
        np.testing.assert_array_equal(explained.values[:, index], values.values[:, column])
        signed = values.values[:, column] * np.sign(features[:4, column])
        np.testing.assert_array_equal(explained.signed[:, index], signed)
