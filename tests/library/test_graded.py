"""A training on a graded outcome in Python: what it holds, how it is read back, and that it scores."""

import shutil

import anndata
import numpy as np
import pytest

import responder_ml as rml
from responder_ml.errors import BundleError, RunError
from responder_ml.records.graded import PAGE, read_graded
from responder_ml.score import score


def test_it_is_read_back_as_it_was_trained(graded_training):
    again = rml.load_run(graded_training.folder, graded_training.bundle)
    assert isinstance(graded_training, rml.Graded)
    assert isinstance(again, rml.Graded)
    assert again.result == graded_training.result == read_graded(graded_training.folder).result
    assert (again.name, again.p_value) == ("ratio", again.result.null.p_value)
    assert again.verdict.sentence == again.result.verdict.sentence
    assert again.headline.concordance == again.result.headline.concordance
    assert again.config["endpoint"]["kind"] == "score"
    assert "Graded 'ratio' on simulated data" in repr(again)
    assert "<table>" in again._repr_html_()
    assert again.genes["contribution"].is_monotonic_decreasing


def test_there_is_one_prediction_for_each_subject(graded_training):
    rows = graded_training.tables["predictions"]
    predictions = graded_training.predictions
    assert len(predictions) == graded_training.result.n.subjects
    own = rows[rows["subject"] == predictions["subject"][3]]
    assert predictions["prediction"][3] == pytest.approx(own["prediction"].mean())
    assert predictions["outcome"][3] == own["outcome"].iloc[0]


def test_the_page_is_written_where_it_is_missing_and_is_the_same(graded_training, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(graded_training.folder, folder)
    page = (folder / PAGE).read_bytes()
    (folder / PAGE).unlink()
    assert rml.load_run(folder).report().read_bytes() == page


def test_its_model_predicts_an_anndata_as_the_command_predicts_a_file(graded_training, tmp_path):
    cohort = rml.simulate(seed=11, n_genes=300, regions=["PFC"])
    new = anndata.AnnData(X=cohort.X, obs=cohort.obs, var=cohort.var)
    new.write_h5ad(tmp_path / "new.h5ad")
    model = graded_training.model
    assert model.classes == ()
    assert "social_interaction_ratio" in repr(model)
    of_command = score(graded_training.bundle, tmp_path / "new.h5ad", anyway=True)
    table = model.score(new, anyway=True)
    np.testing.assert_array_equal(table["predicted"], of_command["predicted"])
    np.testing.assert_array_equal(new.obs["score_predicted"], table["predicted"])
    with pytest.raises(BundleError):
        _ = rml.load_run(graded_training.folder).model


def test_predictions_go_onto_the_anndata_and_another_one_is_refused(graded_training):
    predictions = graded_training.predictions.set_index("subject")["prediction"]
    cohort = rml.simulate(seed=7, n_genes=300, regions=["PFC"])
    graded_training.annotate(cohort)
    known = cohort.obs["subject"].astype(str).isin(predictions.index).to_numpy()
    np.testing.assert_allclose(
        cohort.obs["held_out_prediction"][known], predictions[cohort.obs["subject"].astype(str)[known]]
    )
    assert cohort.uns["responder_ml"]["verdict"] == graded_training.verdict.level
    cohort.obs["subject"] = "x" + cohort.obs["subject"].astype(str)
    with pytest.raises(RunError, match="None of the 25 subjects"):
        graded_training.annotate(cohort)
