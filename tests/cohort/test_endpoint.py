import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.endpoint import Endpoint, label_cohort

ENDPOINT = Endpoint("response", "yes", "no")


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
def test_subjects_are_told_apart_as_text(subject):
    rows = [(subject, "P", "yes"), (subject, "H", "none"), ("2", "P", "no")]
    assert label_cohort(_cohort(rows), ENDPOINT).outside.n_obs == 0
