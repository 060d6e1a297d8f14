import pytest

from responder_ml.config import CohortConfig, JobConfig


@pytest.mark.parametrize(("source", "expected"), [("simulated", "after"), ("table", "unknown"), ("h5ad", "unknown")])
def test_only_the_simulated_founding_design_is_known_to_be_taken_after(source, expected):
    assert CohortConfig(source=source).tissue_taken == expected
    assert CohortConfig(source=source, taken="before").tissue_taken == "before"


def test_a_job_is_known_by_what_differs_from_the_defaults_and_is_the_same_job_again():
    content = {
        "name": "tiny",
        "cohort": {"source": "table", "units": "counts"},
        "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
        "builders": [{"kind": "genes"}],
        "classifiers": [{"kind": "nearest_centroid"}],
        "search": {"trials": 0, "folds": 4},
        "seed": 8,
    }
    job = JobConfig.model_validate(content)
    settings = job.without_defaults()
    assert JobConfig.model_validate(settings) == job
    assert settings["search"] == {"trials": 0, "folds": 4}
    assert not {"null", "accept", "compute", "tracking"} & set(settings)
    assert JobConfig.model_validate({**content, "null": {}, "accept": []}).without_defaults() == settings
    assert JobConfig.model_validate({**content, "seed": 7}).without_defaults().keys() == settings.keys() - {"seed"}
