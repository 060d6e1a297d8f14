"""What a model is worth with genes missing, against scoring the held-out rows again one by one."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.bundles.bundle import read_bundle, write_bundle
from responder_ml.bundles.manifest import manifest_digest
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.errors import BundleError
from responder_ml.evaluation.held_out_features import HeldOutFeatures, held_out_features, outer_models
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.features.missing_genes import fill_missing
from responder_ml.score import score
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.missing_gene_policy import decide
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.concordance import auroc as plain_auroc

GENES = [f"g{index}" for index in range(80)]
CANDIDATES = (
    Candidate("genes", Genes(max_genes=10), CLASSIFIERS["nearest_centroid"]),
    Candidate("pairs", Pairs(n_genes=20, max_pairs=6), CLASSIFIERS["elastic_net"], {"l1_ratio": 0.0}),
)


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(4)
    subject = np.repeat(np.arange(20), 2)
    labels = subject % 2
    values = rng.normal(8, 1, size=(40, 80)) + 0.9 * labels[:, None] * (np.arange(80) < 8)
    sheet = pd.DataFrame(
        {
            "sample": [f"s{row}" for row in range(40)],
            "subject": [f"m{number}" for number in subject],
            "y": np.where(labels, "b", "a"),
        }
    ).set_index("sample", drop=False)
    labelled = label_cohort(
        AnnData(values, obs=sheet, var=pd.DataFrame(index=GENES), uns={"units": "log2"}), Endpoint("y", "b", "a")
    )
    procedure = Procedure(SearchData.of(labelled), CANDIDATES, SearchPlan(4, 3, 6, 2), Workers(1))
    observed = procedure.observe(labelled.labels, 2)
    return procedure, observed, labelled, outer_models(procedure, observed, labelled)


def test_refitted_outer_models_are_those_of_the_search(trained):
    _, observed, labelled, models = trained
    result = observed.results[0]
    assert len(models) == 4
    for fold, model in enumerate(models):
        rows = result.fold == fold
        np.testing.assert_allclose(model.decision_function(labelled.expression[rows]), result.auto[rows], rtol=1e-6)


def test_with_all_genes_it_is_the_out_of_fold_auroc_of_all_repeats(trained):
    _, observed, labelled, _ = trained
    classifiers, rows = held_out_features(observed, labelled)
    assert len(classifiers) == 8
    assert rows.auroc(classifiers, np.ones(80, dtype=bool), "impute") == pytest.approx(auroc(observed.auto))


def test_without_genes_it_is_the_auroc_of_held_out_rows_scored_again_without_them(trained):
    procedure, observed, labelled, _ = trained
    there = np.arange(80) % 3 > 0
    typical = labelled.expression.mean(axis=0)
    right, met = 0.0, 0
    for repeat in observed.results:
        models = outer_models(procedure, ObservedResult((repeat,), {}, observed.auto), labelled)
        for fold, model in enumerate(models):
            rows = repeat.fold == fold
            filled = fill_missing(labelled.expression[rows], there, typical, "log2")
            again = decide(model, filled, there, "skip").log_odds
            subjects = labelled.subject_of[rows]
            names = np.unique(subjects)
            means = np.array([again[subjects == subject].mean() for subject in names])
            labels = labelled.labels[names]
            pairs = int(labels.sum() * (1 - labels).sum())
            right, met = right + plain_auroc(labels, means) * pairs, met + pairs
    classifiers, features = held_out_features(observed, labelled)
    assert features.auroc(classifiers, there, "skip") == pytest.approx(right / met)


def test_losing_every_gene_is_a_coin_toss_and_half_a_feature_keeps_half(trained):
    _, observed, labelled, models = trained
    classifiers, rows = held_out_features(observed, labelled)
    assert rows.auroc(classifiers, np.zeros(80, dtype=bool), "impute") == 0.5
    features = [genes for model in models for genes, _ in model.genes_of_features().values()]
    pair = next(genes for genes in features if len(genes) == 2)
    there = ~np.isin(models[0].genes_, pair[:1])
    whole = rows.decisions(classifiers, np.ones(80, dtype=bool), "impute")
    assert not np.allclose(whole, rows.decisions(classifiers, there, "impute"))


@pytest.mark.parametrize(("policy", "share"), [("impute", 1 / 4), ("skip", 0.0)])
def test_a_feature_that_lost_part_of_its_genes_keeps_the_share_of_the_others_or_nothing(policy, share):
    # The first feature is three parts gene a and one part gene b, against it; the second is gene c alone.
    parts = {"both": (np.array(["a", "b"]), np.array([3.0, -1.0])), "one": (np.array(["c"]), np.array([2.0]))}
    classifier = SimpleNamespace(decision_function=lambda features: features @ np.array([1.0, 10.0]))
    model = SimpleNamespace(
        genes_=np.array(["a", "b", "c"]), features_=["both", "one"], genes_of_features=lambda: parts
    )
    rows = HeldOutFeatures.of_first_format(np.array([4.0, 1.0]), np.array([0]), np.array([0]), np.array([1]), [model])
    assert rows.decisions([classifier], np.array([True, True, True]), policy) == pytest.approx([14.0])
    assert rows.decisions([classifier], np.array([False, True, True]), policy) == pytest.approx([4.0 * share + 10.0])
    assert rows.decisions([classifier], np.array([True, True, False]), policy) == pytest.approx([4.0])


def _bundle(trained, folder, **more):
    procedure, observed, labelled, models = trained
    result = {
        "name": "t", "simulated": True, "endpoint": {}, "n": {"positive": 10, "negative": 10}, "verdict": None, "versions": {}
    }  # fmt: skip
    classifiers, outer = held_out_features(observed, labelled)
    refit = procedure.refit(labelled.labels).model
    own = {"outer_models": models, "held_out_features": outer, "held_out_classifiers": classifiers}
    write_bundle(pack_bundle(refit, labelled, result, **(own | more)), folder)
    return classifiers, outer


def test_a_bundle_gives_the_auroc_expected_on_a_table_that_lacks_genes(trained, tmp_path):
    classifiers, outer = _bundle(trained, tmp_path / "b")
    labelled, models = trained[2], trained[3]
    read = read_bundle(tmp_path / "b")
    used = {gene for feature in read.manifest.features for gene in feature.genes}
    lost = {gene for model in models for gene in model.genes_of_features() if gene in GENES} - used
    measured = [gene for gene in GENES if gene not in lost]
    table = pd.DataFrame(labelled.expression, index=labelled.cohort.obs_names, columns=labelled.genes)[measured]
    table.to_csv(tmp_path / "t.csv")
    scored = score(tmp_path / "b", tmp_path / "t.csv")
    expected = outer.auroc(classifiers, np.isin(labelled.genes, measured), "impute")
    assert scored["expected_auroc"].tolist() == [expected] * 40
    assert scored.attrs["summary"]["expected_auroc"]["at_this_coverage"] == expected
    assert scored["probability_low"].le(scored["probability_high"]).all()


def test_a_bundle_without_held_out_rows_expects_no_auroc_and_gives_the_reason(trained, tmp_path):
    _bundle(trained, tmp_path / "b", held_out_features=None)
    labelled = trained[2]
    pd.DataFrame(labelled.expression, labelled.cohort.obs_names, labelled.genes).to_csv(tmp_path / "t.csv")
    scored = score(tmp_path / "b", tmp_path / "t.csv")
    assert scored["expected_auroc"].isna().all()
    assert "cannot be estimated" in scored.attrs["summary"]["expected_auroc"]


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: replace(rows, values=rows.values[:-1]),
        lambda rows: replace(rows, model=rows.model[::-1]),
        lambda rows: replace(rows, model=rows.model + 1),
        lambda rows: replace(rows, feature=rows.feature[:-1]),
    ],
)
def test_rows_that_do_not_belong_to_the_models_are_refused(trained, tmp_path, change):
    _, observed, labelled, _ = trained
    with pytest.raises(ValueError):
        _bundle(trained, tmp_path / "b", held_out_features=change(held_out_features(observed, labelled)[1]))


def test_a_bundle_with_another_expected_auroc_is_refused(trained, tmp_path):
    _bundle(trained, tmp_path / "b")
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    manifest["check"]["outer_auroc"] = 1.0
    manifest["sha256"] = manifest_digest(manifest)
    (tmp_path / "b" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="other numbers"):
        read_bundle(tmp_path / "b")
