"""The jobs the package ships: signatures beside genes by default, and their explanation down to genes."""

from pathlib import Path

import numpy as np
import pytest

from responder_ml.build import prepare_job
from responder_ml.config import load_config
from responder_ml.evaluation.procedure import Procedure
from responder_ml.explanation.attribution import explain_models
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


@pytest.mark.parametrize("name", ["pfc", "nac", "amy", "hip"])
def test_reference_and_derived_signatures_stand_beside_genes(name):
    kinds = [builder.kind for builder in load_config(CONFIGS / f"{name}.yaml").builders]
    assert {"genes", "derived", "reference"} <= set(kinds)


def test_the_claims_job_keeps_all_regions_and_names_a_behaviour():
    job = load_config(CONFIGS / "claims.yaml")
    assert "region" not in job.cohort.where
    assert job.claims.behaviour.post == "si_post"


@pytest.mark.parametrize("kind", ["derived", "reference"])
def test_a_signatures_shap_resolves_to_its_genes(kind):
    """Of the shipped PFC job, on fewer simulated genes, with this builder alone."""
    job = load_config(CONFIGS / "pfc.yaml")
    cohort = job.cohort.model_copy(update={"params": {**job.cohort.params, "n_genes": 500}})
    chosen = tuple(builder for builder in job.builders if builder.kind == kind)
    rigid = tuple(classifier for classifier in job.classifiers if classifier.kind == "nearest_centroid")
    prepared = prepare_job(job.model_copy(update={"cohort": cohort, "builders": chosen, "classifiers": rigid}))
    labelled, feasible = prepared.labelled, prepared.feasible
    procedure = Procedure(SearchData.of(labelled), feasible.candidates, feasible.plan, Workers(1))
    observed = procedure.observe(labelled.labels, 1)
    models = observed.models
    for model, held_out in zip(models, explain_models(models), strict=True):
        # The genes of this fold's signature and no others, and they add up to the held-out decisions.
        np.testing.assert_array_equal(held_out.genes, procedure.genes_used(model))
        assert held_out.genes.size > 1
        decided = observed.results[0].auto[held_out.rows]
        np.testing.assert_allclose(held_out.base + held_out.values.sum(axis=1), decided, rtol=0, atol=1e-8)
    assert len(models) == feasible.plan.folds
