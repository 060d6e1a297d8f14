import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.contrasts.study_regions import WHOLE_COHORT, SheetWords, require_columns, split_regions
from responder_ml.errors import ContrastError
from responder_ml.features.normalise import Normaliser


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(seed=3, n_genes=300, regions=("PFC", "HIP"))


def test_one_region_after_another_as_if_alone(cohort):
    regions = split_regions(cohort)
    assert [(region.name, len(region.expression)) for region in regions] == [("PFC", 25), ("HIP", 24)]
    hip = cohort[(cohort.obs["region"] == "HIP").to_numpy()]
    (alone,) = split_regions(hip)
    np.testing.assert_array_equal(alone.expression, regions[1].expression)
    assert alone.subjects == regions[1].subjects == tuple(hip.obs["subject"])
    assert alone.groups.size("ketamine responder") == 3


def test_values_are_normalised_counts_of_the_genes_expressed_there(cohort):
    region = split_regions(cohort)[0]
    counts = cohort[(cohort.obs["region"] == "PFC").to_numpy(), region.genes].X
    np.testing.assert_allclose(region.expression, Normaliser(units="counts").fit_transform(counts))


def test_samples_of_one_subject_are_averaged(cohort):
    log2 = cohort[(cohort.obs["region"] == "PFC").to_numpy()].copy()
    log2.X, log2.uns["units"] = np.log2(log2.X + 1.0), "log2"
    doubled = AnnData(
        np.vstack([log2.X, log2.X[:5] + 2.0]),
        obs=pd.concat([log2.obs, log2.obs.iloc[:5]]).set_axis([str(index) for index in range(30)]),
        var=log2.var,
        uns=log2.uns,
    )
    before, after = split_regions(log2)[0], split_regions(doubled)[0]
    assert after.subjects == before.subjects
    np.testing.assert_allclose(after.expression[:5], before.expression[:5] + 1.0)
    np.testing.assert_array_equal(after.expression[5:], before.expression[5:])


def test_the_sheets_own_words(cohort):
    other = cohort.copy()
    other.obs["phenotype"] = other.obs["phenotype"].map({"control": "CON", "resilient": "RES", "susceptible": "SUS"})
    other.obs["response"] = other.obs["response"].map({"responder": "R", "non_responder": "NR", "none": "-"})
    other.obs["drug"] = other.obs["drug"].replace("saline", "SAL")
    words = SheetWords("CON", "RES", "SUS", "SAL", "R", "NR")
    for one, same in zip(split_regions(other, words), split_regions(cohort), strict=True):
        assert one.groups.names == same.groups.names
        np.testing.assert_array_equal(one.groups.codes, same.groups.codes)


def test_covariates_leave_out_one_category_and_strata_are_codes(cohort):
    region = split_regions(cohort, covariates=("batch", "rin"), strata=("batch",))[0]
    runs = cohort.obs.loc[cohort.obs["region"] == "PFC", "batch"].nunique()
    assert region.covariates.shape == (25, runs - 1 + 1)
    assert len(np.unique(region.strata)) == runs


def test_a_sheet_without_region_is_one_region(cohort):
    whole = cohort[(cohort.obs["region"] == "PFC").to_numpy()].copy()
    del whole.obs["region"]
    assert [region.name for region in split_regions(whole)] == [WHOLE_COHORT]


def test_a_missing_column_and_a_subject_of_two_groups_are_refused(cohort):
    with pytest.raises(ContrastError, match=r"need the column\(s\) cage"):
        split_regions(cohort, covariates=("cage",))
    mixed = cohort[(cohort.obs["region"] == "PFC").to_numpy()].copy()
    mixed.obs["subject"] = "mouse01"
    with pytest.raises(ContrastError, match="PFC: mouse01 stand"):
        split_regions(mixed)


def test_a_sheet_without_treatment_has_untreated_animals_and_half_of_one_is_refused(cohort):
    sheet = cohort.obs.drop(columns=["drug", "response"])
    require_columns(sheet)
    assert set(SheetWords().groups(sheet).names) == {"control", "resilient", "susceptible"}
    with pytest.raises(ContrastError, match=r"column\(s\) response"):
        require_columns(cohort.obs.drop(columns=["response"]))
