"""A study's YAML file: the grid it makes, paths, and what it refuses."""

import pytest
import yaml

from responder_ml.errors import ConfigError
from responder_ml.study_config import load_study


@pytest.fixture
def content():
    return {
        "name": "where",
        "job": {
            "cohort": {"source": "simulated", "params": {"n_genes": 300}},
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": "nearest_centroid"}],
        },
        "grid": {
            "regions": {"PFC": {"region": "PFC"}, "NAc": {"region": "NAc"}},
            "endpoints": {
                "resilience": {
                    "column": "phenotype",
                    "positive": "susceptible",
                    "negative": "resilient",
                    "where": {"drug": "saline"},
                },
                "response": {
                    "column": "response",
                    "positive": "responder",
                    "negative": "non_responder",
                    "subsets": {"both drugs": {}, "ketamine": {"drug": "ketamine"}},
                },
            },
        },
    }


@pytest.fixture
def load(tmp_path, content):
    def load(**changes):
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump({**content, **changes}, sort_keys=False))
        return load_study(path)

    return load


def test_the_grid_is_regions_by_endpoints_by_their_own_subsets(load):
    planned_jobs = list(load().planned_jobs())
    assert [planned.name for planned in planned_jobs] == [
        "PFC: resilience",
        "NAc: resilience",
        "PFC: response, both drugs",
        "NAc: response, both drugs",
        "PFC: response, ketamine",
        "NAc: response, ketamine",
    ]
    assert planned_jobs[0].config.cohort.where == {"region": "PFC", "drug": "saline"}
    assert planned_jobs[5].config.cohort.where == {"region": "NAc", "drug": "ketamine"}
    assert planned_jobs[5].config.endpoint.column == "response"
    assert planned_jobs[5].config.name == "where-NAc-response-ketamine"


def test_a_resolved_study_is_valid_input(load, tmp_path):
    study = load()
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(study.resolved()))
    assert load_study(path) == study


def test_the_job_may_be_a_file_with_paths_of_its_own(load, content, tmp_path):
    folder = tmp_path / "jobs"
    folder.mkdir()
    job = {
        **content["job"],
        "name": "base",
        "endpoint": {"column": "x", "positive": "a", "negative": "b"},
        "builders": [{"kind": "gene_sets", "params": {"path": "sets.gmt"}}],
    }
    (folder / "base.yaml").write_text(yaml.safe_dump(job))
    study = load(job="jobs/base.yaml")
    assert study.base.builders[0].params["path"] == str(folder / "sets.gmt")
    assert {planned.config.endpoint.column for planned in study.planned_jobs()} == {"phenotype", "response"}


def test_an_unquoted_null_key_inside_the_job_is_the_null(tmp_path, content):
    content["job"][None] = {"permutations": 5}
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(content))
    assert load_study(path).base.null.permutations == 5


def test_unknown_keys_are_refused_where_they_stand(load, content):
    grid = {**content["grid"], "drugs": {}}
    with pytest.raises(ConfigError, match=r"unknown key 'grid\.drugs'.*Known: regions, endpoints"):
        load(grid=grid)
    grid = {**content["grid"], "endpoints": {"response": {**content["grid"]["endpoints"]["response"], "strats": []}}}
    with pytest.raises(ConfigError, match="Did you mean 'strata'"):
        load(grid=grid)
    with pytest.raises(ConfigError, match=r"its job, unknown key 'serch'.*Did you mean 'search'"):
        load(job={**content["job"], "serch": {}})


def test_a_column_restricted_twice_is_refused(load, content):
    job = {**content["job"], "cohort": {**content["job"]["cohort"], "where": {"region": "HIP"}}}
    with pytest.raises(ConfigError, match="'region' is restricted twice"):
        load(job=job)


def test_two_jobs_of_one_name_are_refused(load, content):
    regions = {"a b": {"region": "PFC"}, "a_b": {"region": "NAc"}}
    with pytest.raises(ConfigError, match="the same name"):
        load(grid={**content["grid"], "regions": regions})


def test_an_unknown_kind_of_fusion_is_refused(load):
    with pytest.raises(ConfigError, match="fusion"):
        load(fusion=["middle"])
