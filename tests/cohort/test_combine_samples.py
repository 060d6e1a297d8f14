from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, concat

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.combine_samples import combine_replicates, combine_rows, combine_samples
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.errors import CohortError, EndpointError
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders import BUILDERS
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

ENDPOINT = Endpoint("response", "yes", "no", nuisance=("batch", "rin"))


def _cohort(subjects, units="log2", seed=0, **columns):
    """One row per name in ``subjects``; a name that begins with ``y`` is of the positive class, ``c`` is a control."""
    classes = {"y": "yes", "n": "no", "c": "control"}
    sheet = pd.DataFrame({"subject": subjects, "response": [classes[name[0]] for name in subjects]} | columns)
    sheet.insert(0, "sample", [f"s{index}" for index in range(len(sheet))])
    rng = np.random.default_rng(seed)
    shape = (len(sheet), 30)
    values = rng.poisson(50, shape).astype(float) if units == "counts" else rng.normal(size=shape)
    return AnnData(
        X=values,
        obs=sheet.set_axis(sheet["sample"].to_numpy(), axis=0).assign(
            **{name: columns.get(name, 1) for name in ("batch", "rin")}
        ),
        var=pd.DataFrame(index=[f"g{index}" for index in range(30)]),
        uns={"units": units, "simulated": False, "source": "test", "subject_source": "column", "unused_samples": []},
    )


def _observe(labelled, kinds=("genes",)):
    units = labelled.cohort.uns["units"]
    candidates = [
        Candidate(kind, BUILDERS[kind](units=units), CLASSIFIERS["elastic_net"], {}, "elastic_net") for kind in kinds
    ]
    procedure = Procedure(SearchData.of(labelled), candidates, SearchPlan(3, 2, 0, seed=1, repeats=2), Workers(1))
    return procedure.observe(labelled.labels).auto.decisions


def test_replicate_libraries_of_a_subject_and_region_are_added_up_or_averaged_and_regions_kept_apart():
    cohort = _cohort(
        ["y1", "y1", "y1", "n1"], units="counts", region=["PFC", "PFC", "NAc", "PFC"], batch=["a", "b", "a", "a"]
    )
    for method, divisor in (("sum", 1), ("mean", 2)):
        combined = combine_replicates(cohort, method)
        assert combined.obs["region"].tolist() == ["PFC", "NAc", "PFC"]
        np.testing.assert_allclose(combined.X[0], (cohort.X[0] + cohort.X[1]) / divisor)
        np.testing.assert_array_equal(combined.X[1:], cohort.X[2:])
        assert combined.uns["replicates"] == {"method": method, "names": ["s0+s1"]}


def test_logarithms_are_not_added_up():
    with pytest.raises(CohortError, match=r"log2, which do not add up.*replicates: mean"):
        combine_replicates(_cohort(["y1", "y1", "n1"]), "sum")


def test_rows_are_means_and_subjects_keep_their_order():
    cohort = _cohort(["y1", "n1", "y1", "y2"], batch=["a", "b", "c", "a"], rin=[6.0, 7.0, 8.0, 9.0])
    combined = combine_samples(label_cohort(cohort, Endpoint("response", "yes", "no", nuisance=("rin",))))
    by_name = cohort[:, combined.genes].X
    np.testing.assert_allclose(combined.expression[1], (by_name[0] + by_name[2]) / 2)
    np.testing.assert_array_equal(combined.expression[[0, 2]], by_name[[1, 3]])
    assert combined.subjects == ("n1", "y1", "y2")
    assert combined.subject_of.tolist() == [0, 1, 2]
    assert combined.cohort.obs["batch"].tolist() == ["b", "a+c", "a"]
    assert combined.cohort.obs["rin"].tolist() == [7.0, 7.0, 9.0]
    assert combined.cohort.obs_names.tolist() == ["s1", "s0+s2", "s3"]
    assert combined.n_samples == 4
    assert combined.combined == (("s1",), ("s0", "s2"), ("s3",))


def test_a_cohort_of_single_samples_is_unchanged():
    labelled = label_cohort(_cohort(["y1", "n1", "c1"]), ENDPOINT)
    combined = combine_samples(labelled)
    assert combined.cohort is labelled.cohort
    assert combined.combined == ()
    assert combined.n_samples == 2


def test_controls_count_once_and_kinds_of_their_samples_stay_apart():
    cohort = _cohort(["y1", "n1", "c1", "c1", "c1", "c2"], tissue=["x", "x", "x", "x", "z", "x"], batch=list("abcdef"))
    outside = combine_samples(label_cohort(cohort, ENDPOINT)).outside
    assert outside.obs["subject"].tolist() == ["c1", "c1", "c2"]
    assert outside.obs["tissue"].tolist() == ["x", "z", "x"]


def test_a_subject_in_two_strata_is_refused():
    cohort = _cohort(["y1", "n1", "y1"], drug=["a", "a", "b"])
    with pytest.raises(EndpointError, match=r"y1.*several values of the stratum 'drug'"):
        label_cohort(cohort, replace(ENDPOINT, strata=("drug",)))


def test_numbered_batches_are_joined_and_not_averaged():
    rin = [6.0, 8.0, 7.1, 7.3, 7.7, 7.9, 8.1, 8.2, 8.3]
    sheet = pd.DataFrame({"subject": list("aabbcdefg"), "lane": [1, 3, 2, 2, 1, 3, 1, 2, 2], "rin": rin})
    cohort = AnnData(X=np.zeros((9, 1)), obs=sheet.set_axis([f"s{index}" for index in range(9)]))
    combined = combine_rows(cohort, np.array([0, 0, 1, 1, 2, 3, 4, 5, 6])).obs
    assert combined["lane"].tolist() == ["1+3", "2", "1", "3", "1", "2", "2"]
    assert combined["rin"].tolist() == pytest.approx([7.0, 7.2, *rin[4:]])


def test_missing_cells_take_the_known_value():
    sheet = pd.DataFrame({"subject": ["a", "a"], "batch": [None, "x"], "rin": [np.nan, 7.0]}, index=["s0", "s1"])
    row = combine_rows(AnnData(X=np.zeros((2, 1)), obs=sheet), np.zeros(2, dtype=np.intp)).obs.iloc[0]
    assert (row["batch"], row["rin"]) == ("x", 7.0)


@pytest.mark.parametrize("units", ["log2", "counts"])
@pytest.mark.parametrize("kind", ["genes", "derived"])
def test_thirty_copies_of_one_subjects_sample_change_nothing(units, kind):
    names = [f"y{index}" for index in range(7)] + [f"n{index}" for index in range(8)]
    cohort = _cohort(names, units, seed=3)
    copies = concat([cohort, *[cohort[:1]] * 30], merge="same", uns_merge="same", index_unique="-")
    single, many = (combine_samples(label_cohort(one, ENDPOINT)) for one in (cohort, copies))
    np.testing.assert_allclose(_observe(many, [kind]), _observe(single, [kind]), rtol=0, atol=1e-9)


def test_the_order_of_rows_changes_nothing():
    names = [f"y{index}" for index in range(6)] + [f"n{index}" for index in range(6)]
    cohort = _cohort(names * 2, seed=4)
    other = cohort[np.r_[0:12, 23:11:-1]].copy()
    one, two = (combine_samples(label_cohort(rows, ENDPOINT)) for rows in (cohort, other))
    np.testing.assert_allclose(_observe(one), _observe(two))


def test_held_out_samples_do_not_reach_the_models():
    names = [f"y{index}" for index in range(6)] + [f"n{index}" for index in range(6)]
    cohort = _cohort(names * 2, seed=5)
    edited = cohort.copy()
    edited.X[names.index("n2") + 12] += 100.0
    one, two = (combine_samples(label_cohort(rows, ENDPOINT)) for rows in (cohort, edited))
    plan = SearchPlan(3, 2, 0, seed=1, repeats=1)
    candidate = Candidate("genes", BUILDERS["genes"](units="log2"), CLASSIFIERS["elastic_net"], {}, "elastic_net")
    decisions, folds = [], None
    for labelled in (one, two):
        out = Procedure(SearchData.of(labelled), [candidate], plan, Workers(1)).observe(labelled.labels).auto
        decisions.append(out.decisions[0])
        folds = out.folds[0]
    others = (folds == folds[one.subjects.index("n2")]) & (np.arange(12) != one.subjects.index("n2"))
    np.testing.assert_array_equal(decisions[0][others], decisions[1][others])
