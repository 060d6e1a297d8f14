"""The table of rival explanations: what predicts alone, and what is left when it is held constant."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.rivals import AS_ASKED, NOTHING, compare_rivals, list_rivals
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.workers import Workers

N = 24
PLAN = SearchPlan(folds=4, inner_folds=2, trials=5, seed=3, repeats=2)
CANDIDATES = [Candidate("genes", Genes(), NearestCentroid)]


def _labelled(rng, adjust=(), block=None):
    """Simulated: a batch that goes with the class drives every gene, and nothing else does."""
    positive = np.arange(N) % 2 == 0
    batch = np.where(rng.random(N) < 0.85, positive, ~positive)
    sheet = pd.DataFrame(
        {
            "subject": [f"m{row:02d}" for row in range(N)],
            "response": np.where(positive, "yes", "no"),
            "batch": np.where(batch, "one", "two"),
            "rin": rng.normal(8, 0.5, N),
            "sex": ["male"] * N,
            "age": [np.nan, *range(1, N)],
            "cage": [f"c{row // 4}" for row in range(N)],
            "copy": np.where(positive, "a", "b"),
        },
        index=[f"s{row}" for row in range(N)],
    )
    values = rng.normal(8, 1, (N, 60)) + np.outer(batch, rng.choice([-2.5, 2.5], 60))
    cohort = AnnData(values, obs=sheet, var=pd.DataFrame(index=[f"g{gene}" for gene in range(60)]))
    cohort.uns["units"] = "log2"
    return combine_samples(
        label_cohort(cohort, Endpoint("response", "yes", "no", nuisance=("batch", "copy"), adjust=adjust, block=block))
    )


@pytest.fixture(scope="module")
def rows():
    labelled = _labelled(np.random.default_rng(8), adjust=("rin",))
    log2 = np.asarray(labelled.expression)
    told = []
    plan = NullPlan(99, 0.05, 3)
    results = compare_rivals(labelled, CANDIDATES, PLAN, plan, log2, Workers(1), lambda *told_of: told.append(told_of))
    return {result.name: result for result in results}, told


def test_columns_that_vary_and_are_whole_are_rivals(rng):
    labelled = _labelled(rng)
    assert [rival.name for rival in list_rivals(labelled, np.asarray(labelled.expression))] == [
        "batch", "copy", "cage", "rin"
    ]  # fmt: skip


def test_a_batch_behind_everything_predicts_alone_and_leaves_nothing(rows):
    by_name, _ = rows
    assert by_name[NOTHING].auroc_adjusted > 0.75
    assert by_name[NOTHING].p_adjusted <= 0.05
    assert by_name["batch"].p_alone <= 0.05
    assert by_name["batch"].auroc_adjusted < 0.7
    assert by_name["batch"].p_adjusted > 0.05


def test_a_harmless_rival_does_not_predict_and_takes_nothing(rows):
    by_name, _ = rows
    assert by_name["rin"].p_alone > 0.05
    assert by_name["rin"].auroc_adjusted > 0.75


def test_what_the_job_adjusts_for_has_a_line_of_its_own(rows):
    by_name, told = rows
    assert by_name[AS_ASKED].n_columns == 1
    assert by_name[AS_ASKED].auroc_adjusted == pytest.approx(by_name["rin"].auroc_adjusted)
    # One run of expression as it is, two of what is asked for, two of each rival but one for the copy of the label.
    assert told[-1][:2] == (2 * len(by_name) - 2, 2 * len(by_name) - 1)


def test_what_cannot_be_held_constant_says_why(rows):
    by_name, _ = rows
    assert "without error" in by_name["copy"].note
    assert np.isnan(by_name["copy"].auroc_adjusted)
    assert by_name["copy"].auroc_alone == 1.0
