import anndata
import numpy as np
import pytest
from scipy import sparse

import responder_ml as rml
from responder_ml.build import build_cohort
from responder_ml.errors import CohortError, ConfigError
from responder_ml.library.jobs import make_job, plain_cohort, write_cohort_file

ENDPOINT = {"column": "response", "positive": "responder", "negative": "non_responder"}


def test_a_job_of_an_anndata_reads_the_same_cohort_back(cohort, tmp_path):
    job = make_job(cohort, {"endpoint": ENDPOINT, "where": {"region": "PFC"}}, tmp_path)
    read = build_cohort(job.cohort, job.seed)
    of_region = cohort[cohort.obs["region"] == "PFC"]
    assert list(read.obs_names) == list(of_region.obs_names)
    assert np.array_equal(read.X, of_region.X)
    assert read.uns["units"] == "counts"
    assert read.uns["simulated"]


def test_the_file_of_a_cohort_is_named_after_what_it_holds(cohort, tmp_path):
    path = write_cohort_file(cohort, tmp_path, "mice")
    assert write_cohort_file(cohort.copy(), tmp_path, "mice") == path
    other = cohort.copy()
    other.obs["rin"] = np.arange(other.n_obs)
    assert write_cohort_file(other, tmp_path, "mice") != path
    dense = cohort.copy()
    dense.X = sparse.csr_matrix(dense.X)
    assert write_cohort_file(dense, tmp_path, "mice") == path
    assert sorted(tmp_path.iterdir()) == sorted({path, write_cohort_file(other, tmp_path, "mice")})


def test_columns_of_several_types_become_text_and_nothing_else_is_written(cohort):
    data = cohort.copy()
    data.obs["note"] = [1, "two", None] + ["" for _ in range(data.n_obs - 3)]
    data.obsm["X_pca"] = np.zeros((data.n_obs, 2))
    plain = plain_cohort(data)
    assert list(plain.obs["note"][:3]) == ["1", "two", ""]
    assert not plain.obsm
    assert "truth" not in plain.uns


def test_a_layer_is_named_or_refused(cohort):
    data = cohort.copy()
    data.layers["counts"], data.X = data.X.copy(), np.log2(data.X + 1)
    assert np.array_equal(plain_cohort(data, "counts").X, cohort.X)
    with pytest.raises(CohortError, match=r"no layer 'raw'\. It has: counts"):
        plain_cohort(data, "raw")
    with pytest.raises(CohortError, match="no matrix X"):
        plain_cohort(anndata.AnnData(obs=data.obs))


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"endpoint": ENDPOINT, "classifier": ["elastic_net"]}, "unknown key 'classifier'. Did you mean 'classifiers'"),
        ({}, "'endpoint' is missing"),
        ({"endpoint": ENDPOINT, "cohort": {"units": "counts"}}, "keywords of their own"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(cohort, tmp_path, sections, message):
    with pytest.raises(ConfigError, match=message):
        make_job(cohort, sections, tmp_path)
    assert not list(tmp_path.iterdir())


def test_sections_replace_those_of_a_job(tmp_path):
    job = rml.Job(
        name="pfc",
        cohort={"source": "simulated"},
        endpoint=ENDPOINT,
        builders=["genes"],
        classifiers=["elastic_net"],
        null={"permutations": 10},
    )
    changed = make_job(job, {"seed": 3, "null": {"alpha": 0.01}}, tmp_path)
    assert (changed.seed, changed.null.alpha, changed.null.permutations) == (3, 0.01, "auto")
    assert make_job(job, {}, tmp_path) is job
