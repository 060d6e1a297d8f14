"""The question of a run, as it is written and read."""

from responder_ml.records.endpoint_record import EndpointRecord

QUESTION = {"column": "response", "positive": "yes", "negative": "no", "nuisance": ["batch"], "units": "counts"}


def test_the_library_size_is_a_nuisance_only_where_the_run_says_so():
    # Runs of earlier versions do not.
    assert EndpointRecord(**QUESTION).nuisances == ["batch"]
    assert EndpointRecord(**QUESTION, library_size=True).nuisances == ["batch", "library size"]
