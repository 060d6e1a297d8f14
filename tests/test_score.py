"""Scores of new samples: their own numbers, what the table says, missing genes, other platforms, and what is refused."""

import json
import re
import shutil
from contextlib import suppress
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import (
    BundleError,
    CohortError,
    CoverageError,
    EndpointError,
    ExpressionError,
    ResponderError,
    RunError,
    SampleSheetError,
)
from responder_ml.evaluation.calibration_line import CalibrationLine
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.records.ownership import FILE_LIST, FileList
from responder_ml.score import score
from responder_ml.search.prefix_model import PrefixModel

RESPONSE = Endpoint("response", "responder", "non_responder")
NUMBERS = ["probability", "log_odds", "reference_correlation", "distance", "distance_percentile"]


VERDICT = {"level": "evidence", "sentence": "The verdict."}


def _bundle(labelled, folder, builder, classifier, length, verdict=VERDICT, **options):
    model = PrefixModel(builder, classifier, length)
    model.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes)
    positive = int(labelled.labels.sum())
    result = {
        "name": folder.name,
        "simulated": bool(labelled.cohort.uns.get("simulated", False)),
        "endpoint": {"units": labelled.cohort.uns["units"]},
        "n": {"positive": positive, "negative": len(labelled.labels) - positive},
        "verdict": verdict,
        "versions": {},
    }
    write_bundle(pack_bundle(model, labelled, result, **options), folder)
    return model


def _frame(cohort, rows=slice(None)):
    return pd.DataFrame(cohort.X, index=cohort.obs_names, columns=cohort.var_names).iloc[rows]


@pytest.fixture(scope="module")
def simulated():
    """Simulated PFC of two drugs' responders and non-responders: 26 animals to train on, 52 held out."""
    cohort = simulate_cohort(seed=5, n_genes=1200, replicates=6, regions=("PFC", "NAc"))
    treated = cohort[cohort.obs["response"].isin(["responder", "non_responder"])]
    pfc = treated[treated.obs["region"] == "PFC"].copy()
    nac = treated[treated.obs["region"] == "NAc"].copy()
    train = np.arange(pfc.n_obs) % 3 == 0
    return pfc[train].copy(), pfc[~train].copy(), nac


@pytest.fixture(scope="module")
def folder(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "sim"
    _bundle(label_cohort(simulated[0], RESPONSE), folder, Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 30)
    return folder


@pytest.fixture(scope="module")
def held_out(simulated):
    return _frame(simulated[1])


@pytest.fixture(scope="module")
def expected(folder, held_out, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "held_out.csv"
    held_out.to_csv(path)
    return score(folder, path).set_index("sample")


def _write(table, path):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".h5ad":
        AnnData(table).write_h5ad(path)
    else:
        table.to_csv(path, sep="\t" if ".tsv" in path.name else ",")
    return path


def _scores(folder, table, tmp_path, name="table.csv", **options):
    return score(folder, _write(table, tmp_path / name), **options).set_index("sample")


def _assert_same(scores, expected, tolerance=1e-12):
    assert scores.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(scores[NUMBERS], expected[NUMBERS], rtol=tolerance, atol=tolerance)
    assert scores["predicted"].tolist() == expected["predicted"].tolist()
    assert scores["flags"].tolist() == expected["flags"].tolist()


# Real data


def _golub(shared_data):
    folder = shared_data / "microarray" / "golub"
    raw = pd.read_csv(folder / "expression.tsv.gz", sep="\t", index_col=0)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str).set_index("sample_id")
    log2 = np.log2(np.maximum(raw, 20)).T.rename(index=str).loc[sheet.index]
    return log2, sheet


def test_golub_trained_on_its_training_split_holds_on_its_test_split(shared_data, tmp_path):
    log2, sheet = _golub(shared_data)
    train = sheet["split"] == "train"
    cohort = AnnData(log2[train], obs=sheet[train].assign(subject=sheet.index[train]), uns={"units": "log2"})
    labelled = label_cohort(cohort, Endpoint("label", "AML", "ALL"))
    _bundle(labelled, tmp_path / "golub", Genes(units="log2"), CLASSIFIERS["elastic_net"](C=0.01), 50)
    sheet[~train].to_csv(tmp_path / "test.tsv", sep="\t", index_label="sample_id")
    table = _scores(tmp_path / "golub", log2[~train].T, tmp_path, samples=tmp_path / "test.tsv")
    evaluation = table.attrs["summary"]["evaluation"]
    assert (evaluation["positive"], evaluation["negative"]) == (14, 20)
    assert evaluation["accuracy"] >= 0.90
    assert evaluation["auroc"] >= 0.95
    assert evaluation["auroc_ci"][0] <= evaluation["auroc"] <= evaluation["auroc_ci"][1]
    assert evaluation["accuracy"] == np.mean(table["predicted"] == sheet["label"][~train])


def test_males_are_scored_by_a_model_of_females_whatever_the_units(shared_data, tmp_path):
    counts, sheet = _nac_and_pfc(shared_data)
    nac = sheet[sheet["region"] == "NAc"]
    female, male = nac[nac["sex"] == "female"], nac[nac["sex"] == "male"]
    train = counts.loc[female.index]
    cohort = AnnData(train, obs=female.assign(subject=female.index), uns={"units": "counts"})
    labelled = label_cohort(cohort, Endpoint("group", "stress_CVS", "control"))
    _bundle(labelled, tmp_path / "females", Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 50)
    male.to_csv(tmp_path / "males.csv", index_label="sample_id")
    test = counts.loc[male.index]
    table = _scores(tmp_path / "females", test.T, tmp_path, "males.tsv", samples=tmp_path / "males.csv")
    assert table.attrs["summary"]["evaluation"]["auroc"] >= 0.75
    log2 = np.log2((test + 0.5).div(test.sum(axis=1) + 1, axis=0) * 1e6)
    _assert_same(_scores(tmp_path / "females", log2, tmp_path, "log2.h5ad", units="log2"), table)
    other_offset = np.log2(test.div(test.sum(axis=1), axis=0) * 1e6 + 1)
    scores = _scores(tmp_path / "females", other_offset, tmp_path, "other.h5ad", units="log2")
    np.testing.assert_allclose(scores["log_odds"], table["log_odds"], atol=0.01)


def _nac_and_pfc(shared_data):
    folder = shared_data / "gse102556_mouse_cvs"
    counts = pd.read_csv(folder / "expression_counts.tsv.gz", sep="\t", index_col=0).rename(index=str)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str).set_index("sample_id")
    return counts.T.astype(float).loc[sheet.index], sheet


@pytest.mark.shared
def test_a_model_of_half_the_nac_mice_knows_the_other_half_and_not_prefrontal_cortex(shared_data, tmp_path, rng):
    counts, sheet = _nac_and_pfc(shared_data)
    nac = sheet[sheet["region"] == "NAc"]
    flagged = []
    for part in range(3):
        train = nac.groupby(["group", "sex"]).sample(frac=0.5, random_state=part)
        cohort = AnnData(counts.loc[train.index], obs=train.assign(subject=train.index), uns={"units": "counts"})
        labelled = label_cohort(cohort, Endpoint("group", "stress_CVS", "control"))
        folder = tmp_path / f"half{part}"
        _bundle(labelled, folder, Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 50)
        scores = _scores(folder, counts.drop(index=train.index), tmp_path, "others.h5ad")
        own = scores.index.isin(nac.index)
        flagged += scores["abstain"][own].tolist()
        assert scores["abstain"][~own].all()
    assert len(flagged) == 60
    assert np.mean(flagged) <= 0.05
    test = counts.loc[nac.index.difference(train.index)]
    noise = pd.DataFrame(rng.permuted(test, axis=1), test.index, test.columns)
    assert _scores(folder, noise, tmp_path, "noise.h5ad")["abstain"].all()
    renamed = test.set_axis(rng.permutation(test.columns), axis=1)
    assert _scores(folder, renamed, tmp_path, "renamed.h5ad")["abstain"].all()
    with pytest.raises(CoverageError):
        _scores(folder, test.loc[:, rng.random(test.shape[1]) < 0.3], tmp_path, "part.h5ad")


# A sample's numbers are its own


def test_alone_in_a_batch_or_in_another_order(folder, held_out, expected, tmp_path):
    _assert_same(_scores(folder, held_out.iloc[::-1], tmp_path).loc[expected.index], expected)
    for sample in (0, 17, 51):
        alone = _scores(folder, held_out.iloc[[sample]], tmp_path)
        _assert_same(alone, expected.iloc[[sample]])


def test_more_samples_than_a_block_holds(folder, held_out, expected, tmp_path):
    many = pd.concat([held_out.rename(index=lambda name, part=part: f"{name}.{part}") for part in range(6)])
    scores = _scores(folder, many, tmp_path, "many.h5ad")
    assert len(scores) == 312
    np.testing.assert_allclose(scores["log_odds"], np.tile(expected["log_odds"], 6), rtol=1e-12)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.tsv.gz", "t.parquet", "t.h5ad", "genes_in_rows.csv"])
def test_every_format_and_orientation_gives_the_same_numbers(name, folder, held_out, expected, tmp_path):
    table = held_out.T if name.startswith("genes") else held_out
    _assert_same(_scores(folder, table, tmp_path, name), expected)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**16), extra=st.integers(0, 50))
def test_gene_order_and_further_genes_change_nothing(folder, held_out, expected, tmp_path, seed, extra):
    rng = np.random.default_rng(seed)
    more = pd.DataFrame(
        rng.poisson(1000, size=(len(held_out), extra)).astype(float),
        index=held_out.index,
        columns=[f"Novel{index}" for index in range(extra)],
    )
    wider = pd.concat([held_out, more], axis=1)
    _assert_same(_scores(folder, wider.iloc[:, rng.permutation(wider.shape[1])], tmp_path, "t.h5ad"), expected)


def test_labels_are_evaluated_and_never_used(folder, held_out, expected, simulated, tmp_path, rng):
    sheet = simulated[1].obs[["sample", "subject", "response"]]
    sheet.to_csv(tmp_path / "right.csv", index=False)
    sheet.assign(response=rng.permutation(sheet["response"])).to_csv(tmp_path / "shuffled.csv", index=False)
    right = _scores(folder, held_out, tmp_path, samples=tmp_path / "right.csv")
    shuffled = _scores(folder, held_out, tmp_path, samples=tmp_path / "shuffled.csv")
    _assert_same(right, expected, 0.0)
    _assert_same(shuffled, expected, 0.0)
    evaluation = right.attrs["summary"]["evaluation"]
    assert evaluation["auroc"] > 0.8
    assert shuffled.attrs["summary"]["evaluation"]["auroc"] < evaluation["auroc"]
    assert evaluation["samples"] == evaluation["subjects"] == 52
    assert right.attrs["summary"]["labels"]["why_not"] == ""
    assert expected.attrs["summary"].get("evaluation") is None


def test_a_sheet_that_cannot_be_used_leaves_no_table(folder, held_out, simulated, tmp_path):
    simulated[1].obs[["sample", "response"]].assign(subject="m1").to_csv(tmp_path / "sheet.csv", index=False)
    with pytest.raises(SampleSheetError, match="both classes"):
        _scores(folder, held_out, tmp_path, samples=tmp_path / "sheet.csv", out=tmp_path / "scores.csv")
    assert not (tmp_path / "scores.csv").exists()


# What the table says


def _columns_of_the_docs():
    """Return the names in the first column of the first table of docs/scoring.md, in order."""
    text = (Path(__file__).parents[1] / "docs" / "scoring.md").read_text()
    rows = text.partition("## The table")[2].partition("\n## ")[0].splitlines()
    names = [name for row in rows if row.startswith("| `") for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert names[-1] == "feature:NAME"
    return names[:-1]


def test_the_columns_are_the_ones_described(folder, expected):
    table = expected.reset_index()
    described = _columns_of_the_docs()
    for absent in ("probability_low", "probability_high", "prediction_set"):
        described.remove(absent)
    assert [name for name in table if not name.startswith("feature:")] == described
    features = [name for name in table if name.startswith("feature:")]
    assert len(features) == 20
    np.testing.assert_allclose(table["probability"], expit(table["log_odds"]))
    assert (table["predicted"] == np.where(table["log_odds"] > 0, "responder", "non_responder")).all()
    summary = expected.attrs["summary"]
    assert summary["simulated"] is True
    assert summary["verdict"] == "The verdict."
    assert "impossible" in summary["prediction_sets"]
    weights = {
        feature["name"]: feature["weight"] for feature in json.loads((folder / "manifest.json").read_text())["features"]
    }
    shown = [weights[name.removeprefix("feature:")] for name in features]
    assert shown == sorted(weights.values(), reverse=True)[:20]


def test_the_threshold_of_the_bundle_decides(simulated, held_out, expected, tmp_path):
    labelled = label_cohort(simulated[0], RESPONSE)
    cut = float(expected["log_odds"].median())
    classifier = CLASSIFIERS["elastic_net"](C=0.01)
    _bundle(labelled, tmp_path / "cut", Genes(units="counts"), classifier, 30, threshold=cut)
    scores = _scores(tmp_path / "cut", held_out, tmp_path)
    assert (scores["predicted"] == "responder").sum() == 26


def test_a_prior_shifts_all_log_odds_by_the_same(folder, held_out, expected, simulated, tmp_path):
    share = np.mean(simulated[0].obs["response"] == "responder")
    scores = _scores(folder, held_out, tmp_path, prior=0.1)
    np.testing.assert_allclose(scores["log_odds"] - expected["log_odds"], logit(0.1) - logit(share))
    # Bayes by hand for one sample.
    old = expected["probability"].iloc[0]
    positive, negative = old * 0.1 / share, (1 - old) * 0.9 / (1 - share)
    assert scores["probability"].iloc[0] == pytest.approx(positive / (positive + negative))
    same = _scores(folder, held_out, tmp_path, prior=float(share))
    np.testing.assert_allclose(same["log_odds"], expected["log_odds"], atol=1e-12)


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.2, 7.0])
def test_a_prior_that_is_no_share_is_refused(prior, folder, held_out, tmp_path):
    with pytest.raises(EndpointError, match="prior"):
        _scores(folder, held_out, tmp_path, prior=prior)


def test_outer_models_give_an_interval_and_held_out_decisions_give_sets(simulated, held_out, tmp_path, rng):
    labelled = label_cohort(simulated[0], RESPONSE)
    outer = []
    for fold in range(4):
        is_train = np.arange(len(labelled.subjects)) % 4 != fold
        model = PrefixModel(Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 30)
        outer.append(model.fit(labelled.expression[is_train], labelled.sample_labels[is_train], genes=labelled.genes))
    decisions = np.where(labelled.labels == 1, 1.0, -1.0) + rng.normal(size=(2, len(labelled.labels)))
    flat = np.zeros_like(decisions)
    observed = OutOfFold(labelled.labels, decisions, flat.astype(int), flat)
    classifier = CLASSIFIERS["elastic_net"](C=0.01)
    _bundle(labelled, tmp_path / "b", Genes(units="counts"), classifier, 30, outer_models=outer, out_of_fold=observed)
    table = _scores(tmp_path / "b", held_out, tmp_path)
    assert [name for name in table.reset_index() if not name.startswith("feature:")] == _columns_of_the_docs()
    refit = PrefixModel(Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 30)
    refit.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes)
    of_models = np.stack([model.decision_function(held_out[labelled.genes].to_numpy()) for model in (refit, *outer)])
    line = CalibrationLine.learn(decisions.mean(axis=0), labelled.labels)
    scored = of_models.mean(axis=0)
    np.testing.assert_allclose(table["log_odds"], line.log_odds(scored), rtol=1e-9)
    half = line.half_width(scored, of_models[1:])
    np.testing.assert_allclose(table["probability_low"], expit(table["log_odds"] - half), rtol=1e-9)
    np.testing.assert_allclose(table["probability_high"], expit(table["log_odds"] + half), rtol=1e-9)
    assert (table["probability_low"] <= table["probability"]).all()
    assert (table["probability"] <= table["probability_high"]).all()
    means = decisions.mean(axis=0)
    for log_odds, prediction_set in zip(scored, table["prediction_set"], strict=True):
        positive, negative = means[labelled.labels == 1], means[labelled.labels == 0]
        expected = []
        if (1 + np.sum(positive <= log_odds)) / (len(positive) + 1) > 0.1:
            expected.append("responder")
        if (1 + np.sum(negative >= log_odds)) / (len(negative) + 1) > 0.1:
            expected.append("non_responder")
        assert prediction_set == "|".join(expected)


# Missing genes


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """A log2 model of single genes and one of signatures, and samples for them."""
    rng = np.random.default_rng(8)
    genes = [f"Gene{index}" for index in range(60)]
    labels = np.arange(20) % 2
    log2 = (
        rng.normal(8, 2, size=60) + rng.normal(size=(20, 60)) + np.where(np.arange(60) < 12, 1.5, 0) * labels[:, None]
    )
    names = [f"s{index}" for index in range(20)]
    sheet = pd.DataFrame({"sample": names, "subject": names, "y": np.where(labels, "b", "a")}, index=names)
    cohort = AnnData(log2, obs=sheet, var=pd.DataFrame(index=genes), uns={"units": "log2"})
    labelled = label_cohort(cohort, Endpoint("y", "b", "a"))
    folder = tmp_path_factory.mktemp("panel")
    sets = folder / "sets.gmt"
    sets.write_text("\n".join(f"SET{n}\t.\t" + "\t".join(genes[n * 6 : n * 6 + 6]) for n in range(4)))
    classifier = CLASSIFIERS["elastic_net"](C=0.1)
    single = _bundle(labelled, folder / "single", Genes(units="log2"), classifier, 10)
    signatures = _bundle(
        labelled, folder / "signatures", GeneSets(str(sets), scorer="mean_z", units="log2"), classifier, 4
    )
    fresh = pd.DataFrame(rng.normal(8, 2, size=(5, 60)), index=[f"n{index}" for index in range(5)], columns=genes)
    return folder, single, signatures, fresh, log2.mean(axis=0)


@pytest.mark.parametrize("missing", ["impute", "skip"])
def test_a_missing_gene_contributes_nothing(missing, panel, tmp_path):
    folder, single, _, fresh, _ = panel
    lost = np.argmin(np.abs(single.classifier_.coef_))
    scores = _scores(folder / "single", fresh.drop(columns=single.features_[lost]), tmp_path, missing=missing)
    contribution = single.standardised(fresh[single.genes_].to_numpy())[:, lost] * single.classifier_.coef_[lost]
    np.testing.assert_allclose(
        scores["log_odds"], single.decision_function(fresh[single.genes_].to_numpy()) - contribution
    )
    weight = np.abs(single.classifier_.coef_)
    np.testing.assert_allclose(scores["coverage"], 1 - weight[lost] / weight.sum())
    np.testing.assert_allclose(scores["gene_coverage"], 59 / 60)
    assert scores.attrs["summary"]["missing_genes"] == [single.features_[lost]]


def test_a_signature_keeps_its_other_genes_or_is_left_out_as_requested(panel, tmp_path):
    folder, _, model, fresh, typical = panel
    table = fresh.drop(columns="Gene0")
    filled = fresh.assign(Gene0=typical[0])
    imputed = _scores(folder / "signatures", table, tmp_path, missing="impute")
    np.testing.assert_allclose(imputed["log_odds"], model.decision_function(filled[model.genes_].to_numpy()))
    holds = np.array(["Gene0" in genes for genes, _ in model.genes_of_features().values()])
    assert holds.sum() == 1
    skipped = _scores(folder / "signatures", table, tmp_path, missing="skip")
    standardised = np.where(holds, 0.0, model.standardised(filled[model.genes_].to_numpy()))
    np.testing.assert_allclose(skipped["log_odds"], model.classifier_.decision_function(standardised))
    name = f"feature:{model.features_[holds][0]}"
    assert skipped[name].isna().all()
    assert imputed[name].notna().all()


def test_a_missing_gene_can_be_refused(panel, tmp_path):
    folder, single, _, fresh, _ = panel
    lost = str(single.features_[np.argmin(np.abs(single.classifier_.coef_))])
    with pytest.raises(CoverageError, match=lost):
        _scores(folder / "single", fresh.drop(columns=lost), tmp_path, missing="refuse")
    other = next(gene for gene in fresh if gene not in single.features_)
    scores = _scores(folder / "single", fresh.drop(columns=other), tmp_path, missing="refuse")
    np.testing.assert_allclose(scores["log_odds"], single.decision_function(fresh[single.genes_].to_numpy()))
    with pytest.raises(CoverageError, match="zero"):
        _scores(folder / "single", fresh, tmp_path, missing="zero")


def test_counts_without_a_third_of_the_other_genes_score_nearly_the_same(folder, held_out, expected, tmp_path, rng):
    features = {feature["name"] for feature in json.loads((folder / "manifest.json").read_text())["features"]}
    genes = [gene for gene in held_out if gene in features or rng.random() > 0.33]
    scores = _scores(folder, held_out[genes], tmp_path)
    assert (scores["coverage"] == 1).all()
    assert (scores["gene_coverage"] < 0.75).all()
    np.testing.assert_allclose(scores["log_odds"], expected["log_odds"], atol=0.05 * expected["log_odds"].std())


# Other platforms, other batches


def _intensities(held_out, rng):
    """Log2 intensities as of an array: another scale for every gene, and no share of a million."""
    per_million = held_out.div(held_out.sum(axis=1), axis=0) * 1e6
    return np.log2(per_million + 20) * 0.8 + 6 + rng.normal(0, 0.3, held_out.shape[1])


def test_intensities_are_refused_by_a_model_of_counts(folder, held_out, tmp_path, rng):
    with pytest.raises(ExpressionError, match="pairs"):
        _scores(folder, _intensities(held_out, rng), tmp_path, units="log2")


@pytest.mark.parametrize("kind", ["pairs", "gene_sets"])
def test_a_model_of_orders_scores_any_scale_and_says_so(kind, simulated, held_out, tmp_path):
    labelled = label_cohort(simulated[0], RESPONSE)
    sets = tmp_path / "sets.gmt"
    genes = labelled.genes
    sets.write_text("".join(f"SET{n}\t.\t" + "\t".join(genes[n * 20 : n * 20 + 20]) + "\n" for n in range(30)))
    builder = Pairs(units="counts") if kind == "pairs" else GeneSets(str(sets), units="counts")
    _bundle(labelled, tmp_path / "orders", builder, CLASSIFIERS["nearest_centroid"](), 5)
    expected = _scores(tmp_path / "orders", held_out, tmp_path)
    assert expected.attrs["summary"]["by_order"] is None
    scores = _scores(tmp_path / "orders", np.sqrt(held_out) / 30 + 0.1, tmp_path, units="log2")
    np.testing.assert_allclose(scores["log_odds"], expected["log_odds"], rtol=1e-6, atol=1e-6)
    assert "order" in scores.attrs["summary"]["by_order"]


def test_a_batch_is_aligned_only_when_asked_and_each_by_itself(folder, held_out, expected, simulated, tmp_path, rng):
    arrays = _intensities(held_out, rng)
    sheet = simulated[1].obs[["sample", "response"]].assign(batch=["a", "b"] * 26)
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    options = {"units": "log2", "samples": tmp_path / "sheet.csv", "align_batch": "batch"}
    scores = _scores(folder, arrays, tmp_path, **options)
    assert scores.attrs["summary"]["aligned_batches"]["sizes"] == {"a": 26, "b": 26}
    assert "mixture of classes" in scores.attrs["summary"]["aligned_batches"]["assumption"]
    assert np.corrcoef(scores["log_odds"], expected["log_odds"])[0, 1] > 0.8
    arrays.iloc[1::2] += 1.5
    again = _scores(folder, arrays, tmp_path, **options)
    np.testing.assert_allclose(again["log_odds"], scores["log_odds"], atol=1e-6)
    sheet.assign(batch=["a"] * 45 + ["few"] * 7).to_csv(tmp_path / "sheet.csv", index=False)
    with pytest.raises(ExpressionError, match=r"'few' \(7\)"):
        _scores(folder, arrays, tmp_path, **options)


def test_a_quantile_mapping_is_frozen_and_said(folder, held_out, expected, tmp_path):
    distorted = np.sqrt(held_out) / 30 + 0.1
    mapped = _scores(folder, held_out, tmp_path, transport="quantile")
    again = _scores(folder, distorted, tmp_path, units="log2", transport="quantile")
    # Only the order of genes is used: another scale changes nothing, nor do other samples.
    np.testing.assert_allclose(again["log_odds"], mapped["log_odds"], atol=1e-6)
    alone = _scores(folder, held_out.iloc[[3]], tmp_path, transport="quantile")
    _assert_same(alone, mapped.iloc[[3]])
    assert np.corrcoef(mapped["log_odds"], expected["log_odds"])[0, 1] > 0.8
    assert "frozen" in mapped.attrs["summary"]["by_order"]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"transport": "combat"}, "none, quantile"), ({"transport": "quantile", "align_batch": "batch"}, "Choose one")],
)
def test_an_unknown_transport_and_two_at_once_are_refused(options, words, folder, tmp_path):
    with pytest.raises(ExpressionError, match=words):
        score(folder, tmp_path / "no table.csv", **options)


@pytest.mark.parametrize(
    ("column", "rows", "words"),
    [("batsh", 52, "Did you mean 'batch'"), ("batch", 40, "12 of 52 samples"), ("batch", 0, "no sheet is given")],
)
def test_batches_that_are_not_named_are_refused(column, rows, words, folder, held_out, simulated, tmp_path):
    sheet = simulated[1].obs[["sample"]].assign(batch="a").iloc[:rows]
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    samples = tmp_path / "sheet.csv" if rows else None
    with pytest.raises(SampleSheetError, match=words):
        _scores(folder, held_out, tmp_path, samples=samples, align_batch=column)


# Entitled to an opinion?


def test_few_held_out_samples_of_the_training_kind_are_flagged(expected):
    assert expected["abstain"].mean() <= 0.05


def test_few_of_many_simulated_held_out_samples_are_flagged(tmp_path):
    flagged = []
    for seed in (100, 101):
        cohort = simulate_cohort(seed=seed, n_genes=600, replicates=12, regions=("PFC", "NAc"))
        treated = cohort[cohort.obs["response"].isin(["responder", "non_responder"])]
        for region in ("PFC", "NAc"):
            home = treated[treated.obs["region"] == region].copy()
            train = np.arange(home.n_obs) % 6 == 0
            folder = tmp_path / f"{region}{seed}"
            labelled = label_cohort(home[train].copy(), RESPONSE)
            _bundle(labelled, folder, Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 30)
            flagged += _scores(folder, _frame(home[~train]), tmp_path, "t.parquet")["abstain"].tolist()
    assert len(flagged) > 500
    assert np.mean(flagged) <= 0.05


def test_noise_is_flagged(folder, held_out, tmp_path, rng):
    noise = held_out.copy()
    noise[:] = rng.poisson(held_out.to_numpy().mean(), size=held_out.shape)
    scores = _scores(folder, noise, tmp_path)
    assert scores["abstain"].all()
    assert (scores["reason"].str.contains("correlates")).all()


def test_values_shuffled_within_samples_are_flagged(folder, held_out, tmp_path, rng):
    scores = _scores(folder, pd.DataFrame(rng.permuted(held_out, axis=1), held_out.index, held_out.columns), tmp_path)
    assert scores["abstain"].all()


def test_permuted_gene_names_are_flagged(folder, held_out, tmp_path, rng):
    scores = _scores(folder, held_out.set_axis(rng.permutation(held_out.columns), axis=1), tmp_path)
    assert scores["abstain"].all()
    assert scores["flags"].str.contains("profile").all()


def test_another_region_is_flagged(folder, simulated, tmp_path):
    scores = _scores(folder, _frame(simulated[2]), tmp_path)
    assert scores["flags"].str.contains("region").all()
    assert scores["reason"].str.contains("markers of region_", regex=False).all()


def test_another_tissue_is_flagged(folder, held_out, tmp_path, rng):
    # Genes keep their distribution over the transcriptome, but 30 % of them change by several-fold, as between organs.
    change = np.where(rng.random(held_out.shape[1]) < 0.3, rng.normal(0, 2.5, held_out.shape[1]), 0.0)
    other = pd.DataFrame(rng.poisson(held_out * 2.0**change), held_out.index, held_out.columns)
    scores = _scores(folder, other, tmp_path)
    assert scores["flags"].str.contains("profile").all()


def test_shallow_libraries_are_flagged(folder, held_out, tmp_path, rng):
    shallow = pd.DataFrame(rng.binomial(held_out.to_numpy().astype(int), 0.01), held_out.index, held_out.columns)
    assert _scores(folder, shallow, tmp_path)["flags"].str.contains("depth").all()


def test_a_third_of_the_genes_is_refused(folder, held_out, tmp_path, rng):
    genes = held_out.columns[rng.random(held_out.shape[1]) < 0.3]
    with pytest.raises(CoverageError, match="are needed"):
        _scores(folder, held_out[genes], tmp_path, out=tmp_path / "scores.csv")
    assert not (tmp_path / "scores.csv").exists()


def test_a_column_that_is_no_gene_of_the_model_is_not_read(folder, held_out, expected, tmp_path):
    _assert_same(_scores(folder, held_out.assign(group="control", notes=np.nan), tmp_path), expected)


# Damaged tables


def _cell(value):
    def change(table):
        table = table.astype(object)
        table.iloc[2, 3] = value
        return table

    return change


TABLES = {
    "a word": _cell("high"),
    "a sample of gaps": lambda table: table.apply(lambda gene: gene.where(np.arange(len(gene)) != 1)),
    "infinity": _cell(np.inf),
    "a negative count": _cell(-1.0),
    "normalised counts": lambda table: table * 1.37,
    "a decimal comma": _cell("1,5"),
    "a date": _cell("2026-01-02"),
    "a number with a unit": _cell("12 reads"),
    "log2 values, undeclared": lambda table: np.log2(table + 1),
    "no samples": lambda table: table.iloc[:0],
    "no genes": lambda table: table.iloc[:, :0],
    "one sample twice": lambda table: table.rename(index={table.index[1]: table.index[0]}),
    "one gene twice": lambda table: table.rename(columns={table.columns[1]: table.columns[0]}),
    "a sample without a name": lambda table: table.rename(index={table.index[0]: ""}),
    "a gene turned into a date": lambda table: table.rename(columns={table.columns[0]: "1-Mar"}),
    "names of another kind": lambda table: table.set_axis([str(1000 + i) for i in range(table.shape[1])], axis=1),
    "names in capitals": lambda table: table.set_axis(table.columns.str.upper() + "X", axis=1),
    "half the genes": lambda table: table.iloc[:, : table.shape[1] // 2 - 1],
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_damaged_table_ends_in_a_clear_error(kind, folder, held_out, tmp_path):
    out = tmp_path / "scores.csv"
    with pytest.raises(ResponderError) as refusal:
        _scores(folder, TABLES[kind](held_out.copy()), tmp_path, out=out)
    assert len(str(refusal.value)) > 30
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b""),
        ("t.csv", b"\n\n\n"),
        ("t.csv", b"\xff\xfe\x00\x01"),
        ("t.csv", b"sample,Gene1\ns1,1,2,3\ns2\n"),
        ("t.tsv.gz", b"not gzip"),
        ("t.parquet", b"PAR1 but not"),
        ("t.h5ad", b"\x89HDF but not"),
        ("t.xlsx", b"PK but not"),
        ("t.docx", b"anything"),
    ],
)
def test_a_broken_file_ends_in_a_clear_error(name, content, folder, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CohortError) as refusal:
        score(folder, tmp_path / name)
    assert name in str(refusal.value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
def test_a_changed_byte_or_a_cut_ends_in_our_error_or_in_numbers(folder, held_out, tmp_path, share, byte, cut):
    content = bytearray(held_out.iloc[:3].to_csv().encode())
    position = int(share * len(content))
    content[position] = byte
    (tmp_path / "t.csv").write_bytes(bytes(content[:position] if cut else content))
    with suppress(ResponderError):
        scores = score(folder, tmp_path / "t.csv")
        assert np.isfinite(scores["log_odds"]).all()


# What a score is worth


def _bundle_with(verdict, simulated, folder):
    labelled = label_cohort(simulated[0], RESPONSE)
    _bundle(labelled, folder, Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 30, verdict=verdict)


def test_a_bundle_without_evidence_scores_only_when_asked_twice(simulated, held_out, tmp_path):
    _bundle_with({"level": "no_evidence", "sentence": "No evidence."}, simulated, tmp_path / "b")
    with pytest.raises(BundleError, match="--anyway"):
        _scores(tmp_path / "b", held_out, tmp_path, out=tmp_path / "scores.csv")
    assert not (tmp_path / "scores.csv").exists()
    scores = _scores(tmp_path / "b", held_out, tmp_path, anyway=True)
    assert set(scores["verdict"]) == {"no_evidence"}
    assert scores["worth"].str.contains("used all the same").all()


def test_a_bundle_that_carries_no_verdict_scores_and_says_so(simulated, held_out, tmp_path):
    _bundle_with(None, simulated, tmp_path / "b")
    scores = _scores(tmp_path / "b", held_out, tmp_path)
    assert set(scores["verdict"]) == {"unknown"}
    assert scores["worth"].str.contains("carries no verdict").all()


# Have we met?


def test_training_samples_are_recognised_whatever_their_name_and_take_no_part(folder, simulated, held_out, tmp_path):
    own = _frame(simulated[0])
    renamed = own.set_axis([f"other{row}" for row in range(len(own))])
    both = pd.concat([renamed, held_out]).iloc[:, ::-1]
    labels = [*simulated[0].obs["response"], *simulated[1].obs["response"]]
    pd.DataFrame({"sample": both.index, "response": labels}).to_csv(tmp_path / "sheet.csv", index=False)
    scores = _scores(folder, both, tmp_path, samples=tmp_path / "sheet.csv")
    is_own = scores.index.str.startswith("other")
    assert scores["flags"].str.startswith("training")[is_own].all()
    assert not scores["flags"].str.contains("training")[~is_own].any()
    assert scores["abstain"][is_own].all()
    assert scores["nearest_training"][is_own].tolist() == own.index.tolist()
    assert scores["reason"].iloc[0].startswith(f"same expression as training sample {own.index[0]}")
    summary = scores.attrs["summary"]
    assert summary["training"] == renamed.index.tolist()
    assert summary["evaluation"]["samples"] == len(held_out)
    assert summary["labels"]["training"] == renamed.index.tolist()


def test_of_training_samples_alone_nothing_is_claimed(folder, simulated, tmp_path):
    own = _frame(simulated[0])
    simulated[0].obs[["sample", "response"]].to_csv(tmp_path / "sheet.csv", index=False)
    half = own.loc[:, np.random.default_rng(0).random(own.shape[1]) < 0.9]
    per_million = np.log2((half + 0.5).div(half.sum(axis=1) + 1, axis=0) * 1e6)
    for table, units in ((own, "counts"), (half, "counts"), (per_million, "log2")):
        scores = _scores(folder, table, tmp_path, units=units, samples=tmp_path / "sheet.csv")
        assert scores.attrs["summary"]["evaluation"] is None
        assert "26 samples were in training, or" in scores.attrs["summary"]["labels"]["why_not"]


# Output


@pytest.mark.parametrize("name", ["table.csv", "sheet.csv", "link.csv", "table.summary.json"])
def test_nothing_that_is_read_is_written_over(name, folder, held_out, simulated, tmp_path):
    _write(held_out, tmp_path / "table.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "table.csv")
    simulated[1].obs[["sample", "response"]].to_csv(tmp_path / "sheet.csv", index=False)
    sheet = tmp_path / "sheet.csv"
    if name == "table.summary.json":
        sheet = Path(sheet.rename(tmp_path / name))
        name = "table.tsv"
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(CohortError, match="is the same file as"):
        score(folder, tmp_path / "table.csv", samples=sheet, out=tmp_path / name)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("has_list", [True, False])
@pytest.mark.parametrize("inside", ["bundle/s.csv", "bundle/new/s.csv", "run/s.csv", "run/candidates.csv"])
def test_nothing_is_written_into_a_bundle_or_a_run(inside, has_list, folder, held_out, tmp_path):
    shutil.copytree(folder, tmp_path / "bundle")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "candidates.csv").write_text("name\n")
    (tmp_path / "run" / "result.json").write_text('{"schema_version": 1, "name": "x", "versions": {}, "seed": 1}')
    (tmp_path / "run" / FILE_LIST).write_text(FileList("run", {"result.json": "0"}).text())
    if not has_list:
        (tmp_path / "run" / FILE_LIST).unlink()
        (tmp_path / "bundle" / FILE_LIST).unlink()
    _write(held_out, tmp_path / "table.csv")
    for options in ({"out": tmp_path / inside}, {"report": tmp_path / f"{inside}.html"}):
        with pytest.raises(RunError, match=r"would lie in .*, a (bundle|run) that this program wrote"):
            score(folder, tmp_path / "table.csv", **options)
    assert not (tmp_path / "bundle" / "new").exists()


@pytest.mark.parametrize("name", ["s.csv", "s.tsv", "s.parquet", "s.h5ad"])
def test_the_table_and_its_summary_are_written(name, folder, held_out, expected, tmp_path):
    out = tmp_path / "new" / name
    _scores(folder, held_out, tmp_path, "t.h5ad", out=out)
    if name.endswith("parquet"):
        table = pd.read_parquet(out)
    elif name.endswith("h5ad"):
        data = anndata.read_h5ad(out)
        # The user's own file with columns added.
        np.testing.assert_array_equal(data.X, held_out.to_numpy())
        table = data.obs.rename(columns=lambda column: column.removeprefix("score_"))
        table = table.rename_axis("sample").reset_index()
    else:
        table = pd.read_csv(out, sep="\t" if name.endswith("tsv") else ",", keep_default_na=False, na_values=[""])
    np.testing.assert_allclose(table.set_index("sample")["log_odds"], expected["log_odds"])
    summary = json.loads((out.parent / "s.summary.json").read_text())
    assert summary["samples"] == 52
    assert summary["simulated"] is True
    assert sorted(path.name for path in out.parent.iterdir()) == sorted([name, "s.summary.json"])


def test_table_and_page_do_not_share_a_file(folder, tmp_path):
    with pytest.raises(CohortError, match="one file"):
        score(folder, tmp_path / "no table.csv", out=tmp_path / "a.csv", report=tmp_path / "." / "a.csv")


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(CohortError, match="docx"):
        score(tmp_path / "no bundle", tmp_path / "no table.csv", out=tmp_path / "scores.docx")
