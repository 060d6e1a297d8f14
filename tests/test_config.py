import pytest

from responder_ml.config import CohortConfig


@pytest.mark.parametrize(("source", "expected"), [("simulated", "after"), ("table", "unknown"), ("h5ad", "unknown")])
def test_only_the_simulated_founding_design_is_known_to_be_taken_after(source, expected):
    assert CohortConfig(source=source).tissue_taken == expected
    assert CohortConfig(source=source, taken="before").tissue_taken == "before"
