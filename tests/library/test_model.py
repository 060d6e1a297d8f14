import numpy as np
import pandas as pd
import pytest

import responder_ml as rml
from responder_ml.errors import BundleError


@pytest.fixture
def new():
    return rml.simulate(seed=8, effect=2.0, n_genes=400, regions=["PFC"])


def test_either_orientation_of_a_data_frame_scores_alike(run, new):
    frame = new.to_df()
    scores = run.model.score(frame)
    assert scores.equals(run.model.score(frame.T))
    assert list(scores["sample"]) == list(new.obs_names)


def test_scores_go_back_on_the_anndata(run, new, tmp_path):
    before = new.obs.copy()
    scores = run.model.score(new)
    assert np.array_equal(new.obs["score_probability"], scores["probability"])
    assert new.uns["score"]["samples"] == new.n_obs
    pd.testing.assert_frame_equal(new.obs[before.columns], before)
    new.write_h5ad(tmp_path / "scored.h5ad")


def test_a_layer_can_be_scored(run, new):
    of_x = run.model.score(new.copy())
    new.layers["counts"], new.X = new.X.copy(), None
    assert run.model.score(new, layer="counts").equals(of_x)


def test_a_model_says_what_it_is(run):
    model = run.model
    assert repr(model) == (
        "Model 'pfc': responder against non_responder, 400 genes in counts, trained on simulated data"
    )
    assert model.manifest["endpoint"]["column"] == "response"


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError):
        rml.load_bundle(tmp_path)
