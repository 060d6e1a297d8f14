import numpy as np
import pytest
from matplotlib.figure import Figure

import responder_ml as rml
from responder_ml.errors import BundleError, RunError


def test_a_run_reads_back_as_it_was(run):
    read = rml.load_run(run.folder, run.bundle)
    assert repr(read) == repr(run)
    assert read.genes["gene"].tolist() == run.genes["gene"].tolist()


def test_its_notebook_view_leads_with_the_verdict_and_escapes_names(run):
    view = run._repr_html_()
    assert view.startswith("<div><p><strong>Simulated data.")
    assert run.verdict.sentence[:40] in view


@pytest.mark.parametrize("name", ["roc", "null", "candidates", "genes", "heat_map"])
def test_every_figure_is_painted_on_the_figure_given(run, name):
    figure = Figure()
    axes = getattr(run.figures, name)(figure)
    assert axes is figure.axes[0]
    assert axes.has_data()


def test_figures_stand_side_by_side(run):
    left, right = Figure(figsize=(8, 5), layout="constrained").subfigures(1, 2)
    assert run.figures.roc(left).figure is left
    assert run.figures.null(right).get_xlabel()


def test_the_report_is_one_page_beside_the_tables(run):
    assert run.report().read_text().lower().startswith("<!doctype html>")
    assert run.report().parent == run.folder


def test_held_out_decisions_go_back_on_the_anndata(run, cohort):
    data = cohort.copy()
    run.annotate(data)
    took_part = data.obs["held_out_log_odds"].notna()
    assert took_part.sum() == run.result.n.samples
    assert data.uns["responder_ml"]["verdict"] == run.verdict.level
    responders = data.obs["response"] == "responder"
    mean = data.obs["held_out_log_odds"].groupby(responders).mean()
    assert np.sign(mean[True] - mean[False]) == np.sign(run.headline.auroc - 0.5)


def test_another_anndata_is_refused(run, cohort):
    data = cohort.copy()
    data.obs_names = [f"other{index}" for index in range(data.n_obs)]
    with pytest.raises(RunError, match="None of the"):
        run.annotate(data)


def test_a_run_without_a_bundle_has_no_model(run):
    with pytest.raises(BundleError):
        _ = rml.load_run(run.folder).model
