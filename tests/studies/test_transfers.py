"""Between which jobs of a study a model can be transferred."""

from types import SimpleNamespace

from responder_ml.studies.transfers import transfer_groups


def _job(region, subset, animals, prepared=True):
    planned = SimpleNamespace(region=region, endpoint="response", subset=subset)
    return SimpleNamespace(
        planned=planned, subjects=SimpleNamespace(subjects=tuple(animals)), prepared=object() if prepared else None
    )


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
    jobs = [_job("PFC", "all", "123"), _job("late fusion", "all", "123", prepared=False)]
    assert _names(transfer_groups(jobs)) == []
