"""Between which jobs of a study a model can be transferred."""

from responder_ml.evaluation.joint_null import JobLabels
from responder_ml.studies.jobs import RegionJob, StudyJob
from responder_ml.studies.transfers import transfer_groups
from responder_ml.study_config import PlannedJob


def _job(region, subset, animals, job=RegionJob):
    planned = PlannedJob(region, "response", subset, config=None)
    subjects = JobLabels(tuple(animals), labels=None, strata=None)
    extra = {"prepared": None} if job is RegionJob else {}
    return job(planned, subjects, auto=None, statistic=None, assess=None, simulated=True, **extra)


def _names(groups):
    return [(group.axis, group.within, list(group.jobs)) for group in groups]


def test_regions_of_one_subset_and_subsets_of_one_region_are_groups():
    jobs = [_job(region, drug, animals) for drug, animals in (("a", "123"), ("b", "456")) for region in ("PFC", "NAc")]
    assert _names(transfer_groups(jobs)) == [
        ("region", "a", ["PFC", "NAc"]),
        ("region", "b", ["PFC", "NAc"]),
        ("subset", "PFC", ["a", "b"]),
        ("subset", "NAc", ["a", "b"]),
    ]


def test_a_subset_that_contains_another_ones_animals_is_left_out():
    jobs = [_job("PFC", "both", "123456"), _job("PFC", "a", "123"), _job("PFC", "b", "456")]
    assert _names(transfer_groups(jobs)) == [("subset", "PFC", ["a", "b"])]
    assert _names(transfer_groups(jobs[:2])) == []


def test_a_fusion_of_regions_is_not_transferred():
    jobs = [_job("PFC", "all", "123"), _job("late fusion", "all", "123", job=StudyJob)]
    assert _names(transfer_groups(jobs)) == []
