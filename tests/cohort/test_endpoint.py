import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.audit import audit
from responder_ml.cohort.endpoint import BehaviourRule, Endpoint, derive_classes, label_cohort
from responder_ml.errors import EndpointError, SampleSheetError

ENDPOINT = Endpoint("response", "yes", "no")
RULE = BehaviourRule(1.0, 0.1)


def _cohort(rows):
    sheet = pd.DataFrame(rows, columns=["subject", "region", "response"], dtype=object)
    sheet.insert(0, "sample", [f"s{index}" for index in range(len(sheet))])
    return AnnData(
        X=np.arange(len(sheet) * 2.0).reshape(-1, 2),
        obs=sheet.set_axis(sheet["sample"].to_numpy(), axis=0),
        var=pd.DataFrame(index=["g1", "g2"]),
    )


def test_other_samples_of_the_cohort_are_outside():
    labelled = label_cohort(
        _cohort([("a", "P", "yes"), ("b", "P", "none"), ("c", "P", "no"), ("d", "P", "")]), ENDPOINT
    )
    assert labelled.cohort.obs_names.tolist() == ["s0", "s2"]
    assert labelled.outside.obs_names.tolist() == ["s1", "s3"]
    np.testing.assert_array_equal(labelled.outside.X, [[2, 3], [6, 7]])


def test_another_sample_of_a_subject_of_the_endpoint_is_not_outside():
    rows = [
        ("a", "P", "yes"),
        ("a", "H", "none"),
        ("b", "P", "no"),
        ("b", "H", ""),
        ("c", "P", "none"),
        ("c", "H", "none"),
    ]
    labelled = label_cohort(_cohort(rows), ENDPOINT)
    assert labelled.outside.obs["subject"].tolist() == ["c", "c"]
    assert not set(labelled.outside.obs["subject"]) & set(labelled.subjects)


@pytest.mark.parametrize("subject", ["1", 1])
def test_subjects_are_compared_as_text(subject):
    rows = [(subject, "P", "yes"), (subject, "H", "none"), ("2", "P", "no")]
    assert label_cohort(_cohort(rows), ENDPOINT).outside.n_obs == 0


def _measured(values, **columns):
    sheet = pd.DataFrame({"subject": [f"m{index}" for index in range(len(values))], "si_post": values} | columns)
    sheet.insert(0, "sample", [f"s{index}" for index in range(len(values))])
    return AnnData(
        X=np.arange(2.0 * len(values)).reshape(-1, 2),
        obs=sheet.set_axis(sheet["sample"].to_numpy(), axis=0),
        var=pd.DataFrame(index=["g1", "g2"]),
        uns={"units": "log2", "simulated": False, "source": "test", "subject_source": "column", "unused_samples": []},
    )


def _derived(rule=RULE, **options):
    return Endpoint("si_post", "responder", "non_responder", rule=rule, **options)


def test_classes_derived_from_a_number_by_hand():
    values = [0.5, 0.89, 0.9, 0.95, 1.0, 1.05, 1.1, 2.0, np.nan]
    labelled = label_cohort(_measured(values), _derived())
    # 0.9 and 1.1 are as far from the cut as the margin, which is not nearer.
    assert labelled.subjects == ("m0", "m1", "m2", "m6", "m7")
    assert labelled.labels.tolist() == [0, 0, 0, 1, 1]
    assert labelled.behaviour.tolist() == [0.5, 0.89, 0.9, 1.1, 2.0]
    assert labelled.left_out == (("m3", "m4", "m5"), ("m8",))
    assert labelled.endpoint.column == "si_post_class"
    assert labelled.outside.obs["subject"].tolist() == ["m3", "m4", "m5", "m8"]


def test_without_margin_a_value_at_the_cut_is_above():
    labelled = label_cohort(_measured([0.99, 1.0]), _derived(BehaviourRule(1.0)))
    assert labelled.labels.tolist() == [0, 1]
    turned = label_cohort(_measured([0.99, 1.0]), _derived(BehaviourRule(1.0, above="negative")))
    assert turned.labels.tolist() == [1, 0]


def test_the_audit_counts_who_was_left_out():
    labelled = label_cohort(_measured([0.1, 0.2, 0.95, 1.5, 1.6, np.nan]), _derived())
    finding = next(finding for finding in audit(labelled) if finding.code == "RML17")
    assert "responder from 1 up, non_responder below" in finding.message
    assert "1 subject(s) nearer to the cut-off than 0.1 are left out: 'm2'" in finding.message
    assert "1 subject(s) have no value and are left out: 'm5'" in finding.message


def test_among_selects_rows_and_the_others_stay_as_references():
    cohort = _measured([0.5, 1.5, 1.5, 0.95], drug=["ketamine", "ketamine", "saline", "saline"])
    labelled = label_cohort(cohort, _derived(among={"drug": ["ketamine"]}))
    assert labelled.subjects == ("m0", "m1")
    assert labelled.outside.obs["subject"].tolist() == ["m2", "m3"]
    # An untreated animal at the cut does not belong to this endpoint.
    assert labelled.left_out == ((), ())


def test_deriving_classes_leaves_the_cohort_unchanged():
    cohort = _measured([0.5, 1.5])
    label_cohort(cohort, _derived())
    assert "si_post_class" not in cohort.obs


def test_a_column_that_classes_cannot_be_derived_from_is_refused():
    with pytest.raises(SampleSheetError, match="needs numbers in 'si_post', but it holds 'high'"):
        label_cohort(_measured(["high", "0.5"]), _derived())
    with pytest.raises(EndpointError, match="No sample has 'responder'"):
        label_cohort(_measured([0.5, 0.6]), _derived())
    twice = _measured([0.5, 1.5])
    twice.obs["subject"] = "m0"
    with pytest.raises(EndpointError, match="'m0' have several values"):
        label_cohort(twice, _derived())
    taken = _measured([0.5, 1.5], si_post_class=["a", "b"])
    with pytest.raises(SampleSheetError, match="already has a column 'si_post_class'"):
        label_cohort(taken, _derived())


def test_samples_of_one_subject_agree():
    sheet = pd.DataFrame({"subject": ["a", "a", "b"], "si_post": ["1.5", "1.5", ""]})
    assert derive_classes(sheet, "si_post", RULE, "yes", "no").tolist() == ["yes", "yes", ""]
