import pytest

from responder_ml.config import load_config
from responder_ml.errors import ConfigError
from responder_ml.examples import example_job, example_names


@pytest.mark.parametrize("name", example_names())
def test_an_example_needs_no_file_from_outside(name):
    job = load_config(example_job(name))
    assert job.cohort.source == "simulated"


def test_a_misspelt_example_is_answered_with_the_nearest_and_all():
    with pytest.raises(ConfigError, match=r"Did you mean 'pfc'.*claims"):
        example_job("pfcc")
