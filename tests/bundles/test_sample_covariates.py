"""An adjusted bundle: its covariates are written, asked for when samples are scored, and watched."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from responder_ml.bundles.bundle import read_bundle, write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import BundleError, SampleSheetError
from responder_ml.evaluation.composition import with_composition
from responder_ml.features.builders.genes import Genes
from responder_ml.library.model import load_bundle
from responder_ml.score import score
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import context_of
from responder_ml.serve import ServedBundle

RESULT = {
    "name": "adjusted", "simulated": True, "endpoint": {"units": "counts"}, "n": {}, "versions": {},
    "verdict": {"level": "evidence", "sentence": "Simulated."},
}  # fmt: skip


def _train(cohort, adjust, folder):
    endpoint = Endpoint("response", "responder", "non_responder", adjust=adjust)
    labelled = label_cohort(*with_composition(cohort, endpoint))
    model = PrefixModel(Genes(units="counts"), CLASSIFIERS["nearest_centroid"](), 20)
    context = context_of(labelled)
    model.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes, context=context)
    write_bundle(pack_bundle(model, labelled, RESULT), folder)
    return model, labelled, context


@pytest.fixture(scope="module")
def cohort():
    """Simulated: PFC of 26 mice, half of them to score, with a sex and an age; the age changes half of the genes."""
    everything = simulate_cohort(seed=5, n_genes=400, replicates=4, regions=("PFC",))
    cohort = everything[everything.obs["response"].isin(["responder", "non_responder"])].copy()
    rng = np.random.default_rng(11)
    cohort.obs["sex"] = rng.choice(["f", "m"], cohort.n_obs)
    cohort.obs["age"] = rng.normal(10, 2, cohort.n_obs).round(2)
    cohort.X[:, ::2] = np.round(cohort.X[:, ::2] * np.exp2(0.3 * (cohort.obs["age"].to_numpy()[:, None] - 10)))
    return cohort


@pytest.fixture(scope="module")
def trained(cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "adjusted"
    return folder, *_train(cohort[::2].copy(), ("sex", "age"), folder)


@pytest.fixture(scope="module")
def files(cohort, tmp_path_factory):
    folder, new = tmp_path_factory.mktemp("new"), cohort[1::2]
    table = pd.DataFrame(np.asarray(new.X), index=new.obs_names.astype(str), columns=new.var_names)
    table.to_csv(folder / "counts.csv")
    sheet = new.obs[["sex", "age"]].assign(sample=new.obs_names.astype(str))
    sheet.to_csv(folder / "samples.csv", index=False)
    return folder / "counts.csv", folder / "samples.csv", table, sheet


def test_scores_are_those_of_the_model_with_the_covariates_of_the_sheet(trained, files):
    folder, model, _, _ = trained
    counts, samples, table, sheet = files
    scores = score(folder, counts, samples=samples)
    covariates = np.column_stack([sheet["sex"] == "m", sheet["age"]]).astype(float)
    order = [model.genes_.tolist().index(gene) for gene in table.columns]
    values = np.empty(table.shape)
    values[:, order] = table.to_numpy()
    expected = model.decision_function(values, covariates)
    np.testing.assert_allclose(scores["log_odds"], expected, rtol=1e-9)
    assert not np.allclose(expected, model.decision_function(values, np.repeat(model.mean_covariates, len(values), 0)))
    assert scores.attrs["summary"]["covariates"] == ["sex", "age"]


def test_the_bundle_says_what_it_is_adjusted_for_in_a_format_that_older_programs_refuse(trained, cohort, tmp_path):
    folder, _, labelled, _ = trained
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format_version"] == 3
    sex, age = manifest["covariates"]
    assert (sex["name"], sex["levels"], age["kind"]) == ("sex", ["f", "m"], "measurement")
    assert (age["least"], age["greatest"]) == (labelled.cohort.obs["age"].min(), labelled.cohort.obs["age"].max())
    _train(cohort[::2].copy(), (), tmp_path / "plain")
    assert json.loads((tmp_path / "plain" / "manifest.json").read_text())["format_version"] == 2


def test_a_manifest_of_other_covariates_than_the_model_is_refused(trained, tmp_path):
    bundle = read_bundle(trained[0])
    fewer = bundle.manifest.model_copy(update={"covariates": bundle.manifest.covariates[:1]})
    write_bundle(replace(bundle, manifest=fewer), tmp_path / "forged")
    with pytest.raises(BundleError, match="covariates"):
        read_bundle(tmp_path / "forged")


def test_without_covariates_scoring_is_refused_or_done_at_the_training_mean_and_said(trained, files):
    folder, model, _, _ = trained
    counts, _, table, _ = files
    with pytest.raises(SampleSheetError, match=r"adjusted for sex, age.*--samples.*--without-covariates"):
        score(folder, counts)
    scores = score(folder, counts, without_covariates=True)
    assert "training mean of sex, age" in scores.attrs["summary"]["without_covariates"]
    values = table[model.genes_].to_numpy()
    at_mean = model.decision_function(values, np.repeat(model.mean_covariates, len(table), axis=0))
    np.testing.assert_allclose(scores["log_odds"], at_mean, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sheet: sheet.drop(columns="age"), "adjusted for age, which the sample sheet does not have"),
        (lambda sheet: sheet.iloc[1:], "does not list 1 of"),
        (lambda sheet: sheet.assign(sex="male"), "training knew f, m"),
        (lambda sheet: sheet.assign(age=""), "'age' is empty"),
    ],
)
def test_a_sheet_that_lacks_a_covariate_is_refused(trained, files, tmp_path, change, message):
    counts, _, _, sheet = files
    change(sheet).to_csv(tmp_path / "samples.csv", index=False)
    with pytest.raises(SampleSheetError, match=message):
        score(trained[0], counts, samples=tmp_path / "samples.csv")


def test_a_covariate_beyond_training_is_flagged(trained, files, tmp_path):
    counts, _, _, sheet = files
    ages = sheet["age"].where(np.arange(len(sheet)) > 0, 40.0)
    sheet.assign(age=ages).to_csv(tmp_path / "samples.csv", index=False)
    first = score(trained[0], counts, samples=tmp_path / "samples.csv").iloc[0]
    assert "covariate" in first["flags"].split("|")
    assert "age is 40, outside" in first["reason"]
    assert first["abstain"]


def test_a_posted_table_carries_the_covariates(trained, files):
    folder, counts, samples = trained[0], *files[:2]
    table, sheet = files[2:]
    served = ServedBundle(read_bundle(folder))
    answer = served.predict(table.assign(sex=sheet["sex"], age=sheet["age"]))
    np.testing.assert_allclose(
        answer["log_odds"].astype(float), score(folder, counts, samples=samples)["log_odds"], rtol=1e-12
    )
    with pytest.raises(SampleSheetError, match="adjusted for age"):
        served.predict(table.assign(sex=sheet["sex"]))


def test_covariates_of_an_anndata_are_taken_from_its_sheet(trained, files, cohort):
    counts, samples = files[:2]
    scores = load_bundle(trained[0]).score(cohort[1::2].copy())
    np.testing.assert_allclose(scores["log_odds"], score(trained[0], counts, samples=samples)["log_odds"], rtol=1e-9)


def test_a_plain_bundle_has_no_covariates_to_do_without(cohort, files, tmp_path):
    _train(cohort[::2].copy(), (), tmp_path / "plain")
    with pytest.raises(SampleSheetError, match="not adjusted"):
        score(tmp_path / "plain", files[0], without_covariates=True)


def test_composition_is_measured_by_markers_and_needs_no_sheet(cohort, files, tmp_path):
    model, labelled, context = _train(cohort[::2].copy(), ("composition",), tmp_path / "composition")
    names = [name for name in labelled.endpoint.adjust if name.startswith("composition: ")]
    assert names == list(labelled.endpoint.adjust)
    assert names
    described = read_bundle(tmp_path / "composition").covariates
    assert all(len(covariate.markers) >= 2 for covariate in described)
    # A training sample gets from its expression what the sheet of training had.
    table = pd.DataFrame(labelled.expression, index=labelled.cohort.obs_names, columns=labelled.genes)
    table.to_csv(tmp_path / "training.csv")
    scores = score(tmp_path / "composition", tmp_path / "training.csv")
    expected = model.decision_function(labelled.expression, context.adjusted)
    np.testing.assert_allclose(scores["log_odds"], expected, rtol=1e-7)
