"""One endpoint split by region: who is where, and what is refused."""

import numpy as np
import pytest

from responder_ml.cohort.endpoint import label_cohort
from responder_ml.errors import EndpointError
from responder_ml.evaluation.small_n import LEAST_FUSED
from responder_ml.fusion.regions import Regions


def test_subjects_keep_one_place_in_every_region(make_labelled, region_names):
    labelled = make_labelled((0, 0, 0), missing=0.2)
    regions = Regions.of(labelled, region_names)
    for column, (name, search_data) in enumerate(regions.by_region.items()):
        rows = (labelled.cohort.obs["region"] == name).to_numpy()
        names = labelled.cohort.obs["subject"][rows].tolist()
        assert [regions.subjects[index] for index in search_data.subject_of] == names
        assert np.array_equal(np.flatnonzero(regions.has[:, column]), np.sort(search_data.subject_of))
        assert search_data.n_subjects == len(regions.subjects)
    assert regions.missing == {name: int((~regions.has[:, i]).sum()) for i, name in enumerate(region_names)}
    assert sum(regions.missing.values()) > 0


def test_strata_tell_who_lacks_what(make_labelled, region_names):
    regions = Regions.of(make_labelled((0, 0, 0), missing=0.2), region_names)
    patterns = {code: {tuple(row) for row in regions.has[regions.strata == code]} for code in regions.strata}
    assert all(len(observed) == 1 for observed in patterns.values())


def test_side_by_side_holds_each_sample_once_and_gaps_where_a_region_is_missing(make_labelled, region_names):
    labelled = make_labelled((0, 0, 0), missing=0.2)
    regions = Regions.of(labelled, region_names)
    wide = regions.side_by_side()
    assert np.count_nonzero(~np.isnan(wide.expression)) == labelled.expression.size
    for row, (subject, region) in enumerate(zip(labelled.subject_of, labelled.cohort.obs["region"], strict=True)):
        columns = [index for index, gene in enumerate(wide.genes) if gene.startswith(f"{region}:")]
        assert np.array_equal(wide.expression[subject, columns], labelled.expression[row])


def test_too_few_subjects_in_a_region_are_refused_with_its_name(make_cohort, endpoint, region_names):
    cohort = make_cohort((0, 0, 0))
    few = cohort[(cohort.obs["region"] != "AMY") | cohort.obs["subject"].isin([f"m{i:02d}" for i in range(8)])].copy()
    with pytest.raises(EndpointError, match="AMY has 4 positive and 4 negative"):
        Regions.of(label_cohort(few, endpoint), region_names)


def test_one_region_is_no_fusion(make_labelled, region_names):
    with pytest.raises(EndpointError, match="two regions"):
        Regions.of(make_labelled((0, 0, 0)), {"PFC": region_names["PFC"]})


def test_one_small_class_in_a_region_is_enough_to_refuse_and_the_least_is_accepted(make_cohort, endpoint, region_names):
    cohort = make_cohort((0, 0, 0))
    subject, positive = cohort.obs["subject"], cohort.obs["response"] == "yes"
    for n_positive, refused in ((LEAST_FUSED, False), (LEAST_FUSED - 1, True)):
        names = sorted(set(subject[positive]))[:n_positive]
        few = cohort[(cohort.obs["region"] != "AMY") | ~positive | subject.isin(names)].copy()
        if refused:
            with pytest.raises(EndpointError, match=rf"AMY has {n_positive} positive and 12 negative"):
                Regions.of(label_cohort(few, endpoint), region_names)
        else:
            assert Regions.of(label_cohort(few, endpoint), region_names).missing["AMY"] == 12 - n_positive


def test_a_region_is_given_only_its_own_samples_outside_the_endpoint(make_cohort, endpoint, region_names):
    cohort = make_cohort((0, 0, 0))
    cohort.obs.loc[cohort.obs["subject"].isin(["m00", "m01", "m02"]), "response"] = "control"
    regions = Regions.of(label_cohort(cohort, endpoint), region_names)
    for name, search_data in regions.by_region.items():
        assert search_data.context.outside_sheet["region"].tolist() == [name] * 3
        rows = (cohort.obs["region"] == name) & (cohort.obs["response"] == "control")
        np.testing.assert_array_equal(search_data.context.outside, cohort[rows.to_numpy(), search_data.genes].X)
        assert search_data.context.sheet["region"].tolist() == [name] * 21


def test_several_values_of_a_column_may_make_one_region(make_labelled):
    labelled = make_labelled((0, 0, 0))
    regions = Regions.of(labelled, {"cortex": {"region": ["PFC", "AMY"]}, "NAc": {"region": "NAc"}})
    by_subject = [
        labelled.expression[
            ((labelled.cohort.obs["subject"] == name) & (labelled.cohort.obs["region"] != "NAc")).to_numpy()
        ]
        for name in regions.subjects
    ]
    np.testing.assert_allclose(regions.by_region["cortex"].expression, [rows.mean(axis=0) for rows in by_subject])
    assert len(regions.side_by_side().expression) == len(regions.subjects)
