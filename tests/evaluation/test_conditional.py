"""Which nuisances a cohort has, and whether they may explain a result."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.evaluation.conditional import LIBRARY_SIZE, Nuisance, measure_links, nuisance_of

LABELS = np.repeat([1, 0], 10).astype(np.int8)
ONE = np.zeros(20, dtype=int)


def _labelled(nuisance=(), units="log2", values=None, strata=(), library_size=True, subjects=None, **columns):
    n = len(next(iter(columns.values()))) if columns else 20
    names = [f"s{index:02d}" for index in range(n)]
    labels = np.resize(LABELS, n) if subjects is None else np.array([1 if int(s[1:]) % 2 else 0 for s in subjects])
    sheet = pd.DataFrame(
        {"sample": names, "subject": subjects or names, "answer": np.where(labels, "yes", "no")} | columns, index=names
    )
    values = np.random.default_rng(0).poisson(50, size=(n, 12)) if values is None else values
    cohort = AnnData(np.asarray(values, dtype=float), obs=sheet, uns={"units": units})
    return label_cohort(cohort, Endpoint("answer", "yes", "no", strata, nuisance, library_size=library_size))


def test_counts_bring_their_library_size_unless_the_endpoint_says_otherwise():
    assert nuisance_of(_labelled()) is None
    nuisance = nuisance_of(_labelled(units="counts"))
    assert (nuisance.names, nuisance.declared) == ((LIBRARY_SIZE,), False)
    assert nuisance.measured.shape == nuisance.columns.shape == (20, 1)
    assert nuisance_of(_labelled(units="counts", library_size=False)) is None


def test_library_size_scores_follow_the_sums_of_counts():
    values = np.tile([5, 7, 9], (20, 1)) * np.arange(1, 21)[:, None]
    assert (np.diff(nuisance_of(_labelled(units="counts", values=values)).measured[:, 0]) > 0).all()
    # Libraries of one size say nothing.
    nuisance = nuisance_of(_labelled(units="counts", values=np.tile([5, 7, 9], (20, 1))))
    assert (nuisance.measured == 0).all()
    assert measure_links(nuisance, LABELS, ONE, LABELS[None] * 1.0).association_p == 1


def test_names_split_cells_and_measurements_do_not():
    batch, rin, drug = ["a", "b"] * 10, np.linspace(6, 9, 20), ["x"] * 5 + ["y"] * 5 + ["x"] * 5 + ["y"] * 5
    nuisance = nuisance_of(_labelled(("batch", "rin"), strata=("drug",), batch=batch, rin=rin, drug=drug))
    assert (nuisance.names, nuisance.declared) == (("batch", "rin"), True)
    assert len(np.unique(nuisance.cells)) == 4
    assert nuisance.columns.shape == (20, 3)
    assert nuisance.log_odds(LABELS).shape == (20,)
    assert nuisance_of(_labelled(("batch",), batch=batch)).log_odds(LABELS) is None


def test_samples_of_a_subject_are_averaged_and_missing_values_are_a_category():
    subjects = ["m0", "m0", "m1", "m1", "m2", "m3", "m4", "m5"]
    columns = {
        "batch": ["a", None, "a", "a", "c", None, "b", "b"],
        "rin": [6.0, 8.0, 7.0, np.nan, 9.1, 5.5, 6.4, 8.2],
    }
    nuisance = nuisance_of(_labelled(("batch", "rin"), subjects=subjects, **columns))
    assert nuisance.cells[0] == nuisance.cells[1]
    assert len(np.unique(nuisance.cells)) == 4
    # 7.0 twice: the mean of 6 and 8, and the only value known.
    assert nuisance.measured[0, 0] == pytest.approx(nuisance.measured[1, 0])


def _links(batch, decisions, labels=LABELS):
    return measure_links(nuisance_of(_labelled(("batch",), batch=batch)), labels, ONE, decisions)


UNEVEN = ["a"] * 8 + ["b"] * 2 + ["a"] * 2 + ["b"] * 8
EVEN = ["a", "b"] * 10


def test_a_batch_may_explain_only_what_is_associated_and_followed():
    rng = np.random.default_rng(2)
    follows_batch = (np.array(UNEVEN) == "a") * 2.0 + rng.normal(size=(3, 20)) * 0.3
    follows_class = LABELS * 2.0 + rng.normal(size=(3, 20)) * 0.3
    both = _links(UNEVEN, follows_batch)
    assert both.may_explain
    assert both.association_p < 0.05 > both.following_p
    assert not _links(UNEVEN, follows_class).may_explain
    even = _links(EVEN, (np.array(EVEN) == "a") * 2.0 + rng.normal(size=(3, 20)))
    assert even.association_p > 0.9
    assert not even.may_explain
    # Decisions that go against what the batch says about the class cannot come from it.
    assert _links(UNEVEN, -follows_batch).following_p > 0.95


def test_a_nested_batch_is_associated_beyond_doubt_and_nothing_can_follow_it_within_a_class():
    links = _links(["a"] * 10 + ["b"] * 10, LABELS[None] * 1.0)
    assert links.association_p < 0.001
    assert links.following_p == 1


def test_links_depend_on_neither_scale_nor_ties_nor_names():
    rng = np.random.default_rng(4)
    decisions = rng.normal(size=(2, 20))
    links = _links(UNEVEN, decisions)
    renamed = _links(["q" if name == "a" else "p" for name in UNEVEN], decisions)
    assert renamed.association_p == links.association_p
    assert renamed.following_p == links.following_p
    assert _links(UNEVEN, decisions * 1e6).following_p == links.following_p
    assert _links(UNEVEN, np.zeros((2, 20))).following_p == 1


def test_both_links_are_rarely_seen_where_there_is_neither():
    rng = np.random.default_rng(5)
    explained = 0
    for _ in range(100):
        batch = rng.permutation(EVEN).tolist()
        explained += _links(batch, LABELS * 1.5 + rng.normal(size=(1, 20))).may_explain
    assert explained <= 12


def test_labels_are_exchanged_within_strata_when_association_is_measured():
    strata = np.repeat([0, 1, 0, 1], 5)
    batch = np.where(strata, "a", "b").tolist()
    nuisance = nuisance_of(_labelled(("batch",), batch=batch))
    # Batch is the stratum: nothing is left of it within.
    assert measure_links(nuisance, LABELS, strata, LABELS[None] * 1.0).association_p == 1


@pytest.mark.parametrize("follows", [True, False])
def test_in_pairs_decisions_follow_a_measurement_where_its_difference_sets_theirs(rng, follows):
    pairs, labels = np.repeat(np.arange(14), 2), np.tile([1, 0], 14).astype(np.int8)
    # The measurement is higher in positives, by another amount in each pair.
    difference = rng.gamma(2.0, 1.0, 14)
    rin = 7.0 + rng.normal(size=14)[pairs] + np.stack([difference, -difference], axis=1).ravel() / 2
    margin = difference + 0.1 * rng.normal(size=14) if follows else rng.gamma(2.0, 1.0, 14)
    decisions = np.stack([margin, -margin], axis=1).reshape(1, -1)
    nuisance = nuisance_of(_labelled(("rin",), rin=rin))
    links = measure_links(nuisance, labels, pairs, decisions)
    assert links.association_p < 0.01
    assert links.following_p < 0.01 if follows else links.following_p > 0.05


def test_as_many_strata_as_positive_and_negative_subjects_are_not_always_pairs(rng):
    labels = np.array([1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0], dtype=np.int8)
    strata = np.array([0] * 4 + [1] * 4 + [2, 3, 4, 5])
    measured = rng.normal(size=(12, 1))
    nuisance = Nuisance(("rin",), True, strata, measured, measured)
    plain = measure_links(nuisance, labels, strata, measured.T)
    # What strata differ in is nothing that decisions follow within them.
    assert measure_links(nuisance, labels, strata, measured.T + 10.0 * (strata == 1)) == plain


def test_that_a_measurement_is_missing_may_go_with_the_class():
    rin = np.where(LABELS == 1, np.nan, np.linspace(7.01, 8.99, 20))
    nuisance = nuisance_of(_labelled(("rin",), rin=rin))
    assert measure_links(nuisance, LABELS, ONE, LABELS[None] * 1.0).association_p < 0.001
