"""Baselines on the headline's folds: what they see, what they are standardised on, what random signatures are matched to."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.evaluation.baselines import (
    Baseline,
    evaluate_baseline,
    evaluate_random_signatures,
    list_baselines,
    marker_notes,
    sheet_columns,
)
from responder_ml.evaluation.metrics import OutOfFold, auroc

LABELS = np.tile([1, 0], 10).astype(np.int8)
SUBJECTS = np.arange(20)
FOLDS = np.stack([np.arange(20) // 2 % 5, np.arange(20) // 4])
HEADLINE = OutOfFold(LABELS, np.zeros((2, 20)), FOLDS, np.zeros((2, 20)))


def _changed_by_held_out_subject(evaluate, values, subject):
    """Return the decisions of both versions for the others in the subject's folds, and for the subject's other folds."""
    edited = values.copy()
    edited[subject] += 50.0
    before, after = evaluate(values), evaluate(edited)
    together = FOLDS[:, [subject]] == FOLDS
    together[:, subject] = False
    return before[together], after[together], before[~together], after[~together]


def test_a_baseline_is_standardised_and_fitted_on_training_rows_only(rng):
    values = rng.normal(size=(20, 2)) + LABELS[:, None]
    before, after, elsewhere, moved = _changed_by_held_out_subject(
        lambda columns: evaluate_baseline(Baseline("x", columns), HEADLINE, SUBJECTS).decisions, values, 3
    )
    np.testing.assert_array_equal(before, after)
    assert not np.allclose(elsewhere, moved)


def test_random_signatures_are_standardised_and_fitted_on_training_rows_only(rng):
    values = rng.normal(size=(20, 6)) + LABELS[:, None]

    def evaluate(expression):
        # The level each gene is matched by is kept out of it: every gene is drawn.
        results = evaluate_random_signatures(expression, [6], expression.mean(axis=0), HEADLINE, SUBJECTS)
        return results[0].decisions

    before, after, elsewhere, moved = _changed_by_held_out_subject(evaluate, values, 3)
    np.testing.assert_allclose(before, after, rtol=1e-9)
    assert not np.allclose(elsewhere, moved)


def test_random_signatures_are_drawn_from_the_expression_deciles_of_the_models_genes(rng):
    level = np.linspace(1, 100, 200)
    values = level + rng.normal(0, 0.01, size=(20, 200))
    # The 20 most highly expressed genes tell the classes apart; no other gene does.
    values[:, 180:] += 0.2 * LABELS[:, None]
    high = evaluate_random_signatures(values, [5], level[180:], HEADLINE, SUBJECTS)
    low = evaluate_random_signatures(values, [5], level[:180], HEADLINE, SUBJECTS)
    assert [auroc(signature) for signature in high] == [1.0] * 10
    assert max(auroc(signature) for signature in low) < 1.0


def test_random_signatures_are_as_large_as_the_median_model(rng):
    values = rng.normal(size=(20, 100))
    level = values.mean(axis=0)
    unequal, equal = (
        evaluate_random_signatures(values, sizes, level, HEADLINE, SUBJECTS) for sizes in ([2, 3, 90], [3])
    )
    np.testing.assert_array_equal(unequal[0].decisions, equal[0].decisions)


def test_random_signatures_differ_from_one_another_and_are_the_same_in_every_run(rng):
    values = rng.normal(size=(20, 100))
    first, again = (
        np.stack(
            [
                signature.decisions
                for signature in evaluate_random_signatures(values, [5], values.mean(axis=0), HEADLINE, SUBJECTS)
            ]
        )
        for _ in range(2)
    )
    assert len(np.unique(first.round(9), axis=0)) == 10
    np.testing.assert_array_equal(first, again)


def test_the_majority_says_the_training_share_of_positives():
    labels = np.array([1, 1, 1, 0, 0, 1], dtype=np.int8)
    headline = OutOfFold(labels, np.zeros((1, 6)), np.array([[0, 0, 1, 1, 2, 2]]), np.zeros((1, 6)))
    result = evaluate_baseline(Baseline("majority", np.empty((6, 0))), headline, np.arange(6))
    # Without each fold in turn: 2 of 4, 3 of 4, 3 of 4.
    assert result.decisions[0] == pytest.approx([0, 0, np.log(3), np.log(3), np.log(3), np.log(3)])
    np.testing.assert_array_equal(result.folds, headline.folds)


def _labelled(**uns):
    sheet = pd.DataFrame(
        {
            "sample": [f"s{index:02d}" for index in range(20)],
            "subject": [f"m{index:02d}" for index in range(20)],
            "response": np.where(LABELS, "yes", "no"),
            "batch": np.where(np.arange(20) < 7, "one", "two"),
            "drug": np.where(np.arange(20) % 4 < 2, "ketamine", "imipramine"),
            "weight": np.linspace(20, 30, 20),
            "rin": np.linspace(6, 9, 20),
        }
    ).set_index("sample", drop=False)
    genes = pd.DataFrame(index=[*(f"g{index}" for index in range(5)), "Cflar", "Chil3"])
    counts = np.arange(140.0).reshape(20, 7)
    return label_cohort(
        AnnData(counts, obs=sheet, var=genes, uns=uns), Endpoint("response", "yes", "no", nuisance=("batch", "weight"))
    )


def test_nuisance_columns_compete_together_and_one_by_one_and_are_marked():
    labelled = _labelled(units="counts")
    baselines = {baseline.name: baseline for baseline in list_baselines(labelled, labelled.expression)}
    assert [name for name, entry in baselines.items() if entry.nuisance] == [
        "all nuisance columns",
        "batch",
        "weight",
        "library size",
    ]
    assert {"majority", "depth and quality", "drug", "cell-type markers"} <= set(baselines)
    assert baselines["all nuisance columns"].columns.shape == (20, 4)
    depth = baselines["depth and quality"].columns
    np.testing.assert_allclose(depth[0], [np.log2(21 + 1), 6, 6.0])


def test_depth_of_values_that_are_no_counts_is_quality_only():
    labelled = _labelled(units="log2")
    (depth,) = (
        baseline for baseline in list_baselines(labelled, labelled.expression) if baseline.name == "depth and quality"
    )
    np.testing.assert_allclose(depth.columns[:, 0], np.linspace(6, 9, 20))


def test_a_category_becomes_indicators_and_a_missing_measurement_the_mean():
    weight = np.append(np.arange(1.0, 12.0), np.nan)
    sheet = pd.DataFrame({"batch": ["b", "a"] * 6, "weight": weight})
    columns = sheet_columns(sheet, ["batch", "weight"])
    np.testing.assert_array_equal(columns[:, :2], [[0, 1], [1, 0]] * 6)
    np.testing.assert_array_equal(columns[:, 2], [*np.arange(1.0, 12.0), 6.0])
    assert sheet_columns(sheet, []).shape == (12, 0)


def test_without_markers_among_the_genes_a_note_says_so():
    assert marker_notes(_labelled(units="counts")) == ()
    unknown = _labelled(units="counts")
    unknown.cohort.var_names = [f"probe{number}" for number in range(7)]
    assert "No marker of a cell type" in marker_notes(unknown)[0]
