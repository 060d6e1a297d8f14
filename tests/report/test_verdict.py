import numpy as np
import pytest

from responder_ml.evaluation.permutation import besag_clifford, exact_p
from responder_ml.records.result import NullRecord
from responder_ml.report.verdict import reaching


def _record(p_value, *, exact=False, stopped_early=False):
    return NullRecord(
        p_value=p_value, p_interval=(0, 1), permutations=40, labellings=None, observed=0.6, null_mean=0.5, null_sd=0.1,
        exact=exact, stopped_early=stopped_early, min_attainable_p=0.01,
    )  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_the_count_behind_a_monte_carlo_p(rng, count):
    values = np.concatenate([rng.uniform(0, 0.5, 40 - count), rng.uniform(0.7, 1, count)])
    test = besag_clifford(rng.permutation(values), 0.6, 20, 40)
    null = _record(test.p_value, stopped_early=test.stopped_early)
    assert reaching(null, test.draws) == count


def test_the_count_behind_a_stopped_p(rng):
    values = rng.uniform(0, 1, 400)
    test = besag_clifford(values, 0.6, 20, 400)
    assert test.stopped_early
    null = _record(test.p_value, stopped_early=True)
    assert reaching(null, test.draws) == 20


def test_the_count_behind_an_exact_p():
    values = np.array([0.9, 0.1, 0.95, 0.3, 0.9])
    null = _record(exact_p(values, 0.9), exact=True)
    assert reaching(null, 5) == 3


def test_no_null_is_a_sentence(built):
    section = built("no_null_run").section("null")
    assert "was not run" in section
    assert "<svg" not in section


def test_both_nulls_are_drawn_with_their_counts(built, typical_run):
    section = built("typical_run").section("null")
    assert section.count("<svg") == 2
    null = typical_run.result.null
    for part in (null, null.conditional):
        assert f"as high or higher: {reaching(part, part.permutations)}<" in section
