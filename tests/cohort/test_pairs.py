import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.audit import audit
from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.pairs import require_whole_pairs, strata_of_pairs
from responder_ml.errors import EndpointError

LITTERS = Endpoint("class", "yes", "no", pairs="litter")
BEFORE_AFTER = Endpoint("time", "post", "pre", pairs="subject")


def _cohort(**columns):
    sheet = pd.DataFrame(columns)
    sheet.index = [f"s{index}" for index in range(len(sheet))]
    return AnnData(
        X=np.arange(len(sheet) * 2.0).reshape(-1, 2),
        obs=sheet,
        uns={"units": "log2", "simulated": False, "source": "test", "subject_source": "column", "unused_samples": []},
    )


def test_pairs_are_the_strata_and_nothing_lies_outside():
    labelled = label_cohort(
        _cohort(
            subject=list("abcde"), litter=["2", "1", "1", "2", "1"], **{"class": ["yes", "no", "yes", "no", "third"]}
        ),
        LITTERS,
    )
    assert labelled.paired
    assert labelled.endpoint.strata == ("litter",)
    assert labelled.strata.tolist() == [1, 0, 0, 1]
    # The third animal of litter 1 would tell about its litter mates.
    assert labelled.outside.n_obs == 0


def test_before_and_after_are_two_states_of_one_pair():
    labelled = label_cohort(
        _cohort(subject=["m1", "m2", "m1", "m2", "m2"], time=["pre", "pre", "post", "post", "post"]), BEFORE_AFTER
    )
    assert labelled.subjects == ("m1 pre", "m1 post", "m2 pre", "m2 post")
    assert labelled.labels.tolist() == [0, 1, 0, 1]
    assert labelled.strata.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(combine_samples(labelled).expression[3], [7.0, 8.0])
    assert audit(labelled)[0].message == "2 pairs (subject) of one post and one pre (5 samples)."


def test_both_classes_in_one_subject_are_refused_with_the_way_out():
    with pytest.raises(EndpointError, match=r"endpoint\.pairs: subject"):
        label_cohort(_cohort(subject=["m1", "m1", "m2"], time=["pre", "post", "pre"]), Endpoint("time", "post", "pre"))


def test_codes_of_a_nuisance_are_within_pairs():
    labelled = label_cohort(
        _cohort(subject=["m1", "m2", "m1", "m2"], time=["pre", "pre", "post", "post"], batch=["a", "a", "b", "a"]),
        BEFORE_AFTER,
    )
    codes = labelled.codes([*labelled.endpoint.strata, "batch"])
    assert codes[0] != codes[1]
    assert codes[2] == codes[3]


@pytest.mark.parametrize(
    ("litters", "classes", "message"),
    [
        (["1", "1", "2"], ["yes", "no", "yes"], r"1 of 2 have not: 2 \(1 yes, 0 no\)"),
        (["1", "1", "1", "2", "2"], ["yes", "no", "no", "no", "yes"], r"1 \(1 yes, 2 no\)"),
        (["1", "1", "", None], ["yes", "no", "yes", "no"], "empty for 'c', 'd'"),
    ],
)
def test_broken_pairs_are_named(litters, classes, message):
    with pytest.raises(EndpointError, match=message):
        label_cohort(_cohort(subject=list("abcde")[: len(litters)], litter=litters, **{"class": classes}), LITTERS)


def test_a_subject_of_two_pairs_is_refused():
    cohort = _cohort(subject=["a", "b", "a", "c"], litter=["1", "1", "2", "2"], **{"class": ["yes", "no", "yes", "no"]})
    with pytest.raises(EndpointError, match=r"a \(1, 2\) have several values of the stratum 'litter'"):
        label_cohort(cohort, LITTERS)


def test_pairs_leave_no_room_for_strata():
    with pytest.raises(EndpointError, match="Remove `strata`"):
        strata_of_pairs("litter", ["drug"])
    assert strata_of_pairs("litter", []) == ("litter",)


def test_whole_pairs_pass_whatever_the_type_of_their_names():
    sheet = pd.DataFrame({"subject": [1, 2, 3, 4], "pair": [1, 1, 2, 2], "class": ["yes", "no", "no", "yes"]})
    require_whole_pairs(sheet, "pair", "class", "yes", "no")
