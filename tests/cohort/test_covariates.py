"""Covariates as numbers, in training and of new samples, and those that cannot be held constant."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.covariates import (
    Covariate,
    adjusted_covariates,
    check_covariates,
    covariate_columns,
    covariates_of,
)
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.errors import EndpointError, SampleSheetError

N = 12


def _labelled(rng, adjust, several=False, **columns):
    sheet = pd.DataFrame(
        {
            "subject": [f"m{number:02d}" for number in range(N)],
            "response": ["yes", "no"] * (N // 2),
            "sex": ["f", "f", "m", "m"] * (N // 4),
            "age": rng.normal(10, 2, N),
            **columns,
        },
        index=[f"s{number}" for number in range(N)],
    )
    cohort = AnnData(rng.normal(8, 1, (N, 5)), obs=sheet, var=pd.DataFrame(index=[f"g{gene}" for gene in range(5)]))
    cohort.uns["units"] = "log2"
    if several:
        second = cohort[:4].copy()
        second.obs_names = [f"{name}b" for name in second.obs_names]
        second.obs["age"] += 2.0
        import anndata

        cohort = anndata.concat([cohort, second], merge="same", uns_merge="same")
    return combine_samples(label_cohort(cohort, Endpoint("response", "yes", "no", adjust=adjust)))


def test_columns_of_words_become_indicators_and_numbers_stay_numbers(rng):
    labelled = _labelled(rng, ("sex", "age"))
    check_covariates(labelled, 8)
    columns = adjusted_covariates(labelled)
    np.testing.assert_array_equal(columns[:, 0], labelled.cohort.obs["sex"] == "m")
    np.testing.assert_array_equal(columns[:, 1], labelled.cohort.obs["age"])
    assert labelled.endpoint.nuisance == ("sex", "age")
    assert adjusted_covariates(_labelled(rng, ())) is None


def test_a_subject_of_several_samples_counts_once_with_the_mean_of_a_measurement(rng):
    seed = rng.integers(1 << 30)
    once = _labelled(np.random.default_rng(seed), ("age",))
    twice = _labelled(np.random.default_rng(seed), ("age",), several=True)
    expected = adjusted_covariates(once)[:, 0] + np.where(np.arange(N) < 4, 1.0, 0.0)
    np.testing.assert_allclose(adjusted_covariates(twice)[:, 0], expected)


def test_new_samples_are_read_as_the_training_samples_were(rng):
    covariates = covariates_of(_labelled(rng, ("sex", "age")))
    sheet = pd.DataFrame({"age": ["10,5", "3"], "sex": ["m", "f"], "more": [0, 0]}, index=["new1", "new2"])
    np.testing.assert_array_equal(covariate_columns(covariates, sheet), [[1.0, 10.5], [0.0, 3.0]])
    assert covariates[1].is_outside(sheet["age"]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"sex": ["m", "male"]}, "training knew f, m"),
        ({"age": [9.0, None]}, "empty for"),
        ({"age": [9.0, "old"]}, "measurement"),
    ],
)
def test_new_samples_without_a_usable_value_are_refused(rng, columns, message):
    covariates = covariates_of(_labelled(rng, ("sex", "age")))
    sheet = pd.DataFrame({"sex": ["m", "f"], "age": [9.0, 10.0], **columns}, index=["new1", "new2"])
    with pytest.raises(SampleSheetError, match=message):
        covariate_columns(covariates, sheet)


def test_a_sheet_without_the_column_is_refused():
    with pytest.raises(SampleSheetError, match="age are not in the sample sheet"):
        covariate_columns([Covariate("age", "measurement")], pd.DataFrame({"sex": ["m"]}))


@pytest.mark.parametrize(
    ("adjust", "columns", "smallest", "message"),
    [
        (("sex",), {"sex": ["f"] * N}, 8, "is f for every sample"),
        (("sex",), {"sex": ["f", "m", None] * (N // 3)}, 8, "empty for 'm02', 'm05'"),
        (("age",), {"age": [np.nan, *range(1, N)]}, 8, "empty for 'm00'"),
        (("age",), {"age": [1.0, 5.0] * (N // 2)}, 8, "tell yes from no without error"),
        (("age", "weeks"), {"weeks": None}, 8, "rank 1"),
        (("sex", "age"), {}, 4, "training set of 4 subjects: 5 are needed"),
    ],
)
def test_what_cannot_be_held_constant_is_refused(rng, adjust, columns, smallest, message):
    if "weeks" in columns:
        age = rng.normal(10, 2, N)
        columns = {"age": age, "weeks": age / 7}
    with pytest.raises(EndpointError, match=message):
        check_covariates(_labelled(rng, adjust, **columns), smallest)


def test_a_subject_with_two_values_of_a_category_is_refused(rng):
    with pytest.raises(EndpointError, match="several values"):
        _labelled(rng, ("sex",), subject=["m0", "m1", *[f"m{number}" for number in (0, *range(3, N))]])
