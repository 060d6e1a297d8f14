import pytest

from responder_ml.tracking.candidate_record import candidate_records
from responder_ml.tracking.items import Metric, Param, Tag


def _of(record, kind):
    return {item.key: item.value for item in record.items if isinstance(item, kind)}


def test_one_record_for_each_candidate_and_none_for_each_trial(run):
    assert [record.name for record in candidate_records(run)] == [
        "genes+elastic_net",
        "genes+xgboost",
        "stress_sets+nearest_centroid",
    ]


def test_a_candidate_says_what_it_is_with_its_own_params(run):
    last = list(candidate_records(run))[-1]
    assert _of(last, Param) == {
        "candidate": "stress_sets+nearest_centroid",
        "builder": "stress_sets",
        "classifier": "nearest_centroid",
        "builder.scorer": "singscore",
    }


def test_a_candidate_is_found_by_the_same_tags_but_has_no_verdict(run):
    tags = _of(next(candidate_records(run)), Tag)
    assert (tags["job"], tags["region"], tags["simulated"]) == ("pfc-response", "PFC", "yes")
    assert "verdict" not in tags


def test_a_candidate_has_its_own_performance_and_no_p(run):
    metrics = _of(next(candidate_records(run)), Metric)
    rows = run.tables["folds"].query("candidate == 'genes+elastic_net'")
    assert metrics["auroc"] == 0.81
    assert metrics["chosen_share"] == 0.3
    assert metrics["inner_auroc_mean"] == pytest.approx(rows["inner_score"].mean(), abs=1e-4)
    assert metrics["n_features_median"] == pytest.approx(rows["n_features"].median())
    assert "p_value" not in metrics


def test_the_search_is_a_history_over_trials(run):
    record = next(candidate_records(run))
    steps = [
        item.step for item in record.items if isinstance(item, Metric) and item.key == "search/inner_auroc_by_trial"
    ]
    assert steps == [0, 1, 2, 3]
