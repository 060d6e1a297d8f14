import pytest

from responder_ml.cohort.tissue_taken import describe_timing, limit_by_timing, weakest_timing


def test_only_tissue_taken_after_the_outcome_is_said_to_be():
    assert "after the outcome was known, so" in describe_timing("after")
    assert "possible in principle" in describe_timing("before")
    assert describe_timing("unknown").count("?") == 1
    assert "after the outcome" not in limit_by_timing("before")


@pytest.mark.parametrize(
    ("cohorts", "together"),
    [(("before",), "before"), (("before", "unknown"), "unknown"), (("unknown", "after", "before"), "after")],
)
def test_several_cohorts_are_as_weak_as_the_weakest(cohorts, together):
    assert weakest_timing(*cohorts) == together
