"""What holds for every scorer in the registry."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone

import responder_ml.features.signatures as package
from responder_ml.errors import FeatureError
from responder_ml.features.signatures import SCORERS
from responder_ml.features.signatures.scorer import SignatureScorer, set_sums, side_totals

EVERY = pytest.mark.parametrize("scorer", [kind() for kind in SCORERS], ids=SCORERS.names())
VALUES = pytest.mark.parametrize("kind", ["expression", "tied"])


def test_every_scorer_class_of_the_folder_is_registered():
    classes = set()
    for path in Path(package.__file__).parent.glob("*.py"):
        module = __import__(f"{package.__name__}.{path.stem}", fromlist=["_"])
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, SignatureScorer) and not inspect.isabstract(member):
                classes.add(member)
    assert classes == set(SCORERS)
    assert all(kind.summary and kind.reference.startswith("doi:10.") for kind in SCORERS)


@EVERY
@VALUES
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_other_samples_change_no_score(scorer, kind, seed):
    """Adding, removing and reordering samples at scoring."""
    rng = np.random.default_rng(seed)
    draw = rng.normal if kind == "expression" else lambda size: rng.integers(0, 5, size=size).astype(float)
    members = sparse.csr_array(np.sign(rng.normal(size=(40, 6))) * (rng.random((40, 6)) < 0.3) + np.eye(40, 6))
    values = draw(size=(20, 40))
    fitted = clone(scorer).fit(draw(size=(9, 40)), members=members)
    scores = fitted.transform(values)
    chosen = rng.permutation(20)[: rng.integers(1, 20)]
    np.testing.assert_array_equal(fitted.transform(values[chosen]), scores[chosen])
    np.testing.assert_array_equal(fitted.transform(np.vstack([values, draw(size=(17, 40)) * 100]))[:20], scores)


@EVERY
@VALUES
def test_gene_order_changes_no_score(scorer, kind, members, request, rng):
    values = request.getfixturevalue(kind)
    order = rng.permutation(60)
    scores = clone(scorer).fit(values[:8], members=members).transform(values)
    shuffled = clone(scorer).fit(values[:8, order], members=members[order]).transform(values[:, order])
    np.testing.assert_allclose(shuffled, scores, rtol=0, atol=1e-10)


@EVERY
@VALUES
def test_set_order_and_company_change_no_score(scorer, kind, members, request):
    values = request.getfixturevalue(kind)
    scores = clone(scorer).fit(values[:8], members=members).transform(values)
    chosen = [4, 1, 5]
    some = clone(scorer).fit(values[:8], members=members[:, chosen]).transform(values)
    np.testing.assert_allclose(some, scores[:, chosen], rtol=0, atol=1e-12)


@EVERY
def test_rows_not_used_in_fit_change_nothing_that_is_learnt(scorer, members, expression):
    edited = expression.copy()
    edited[8:] = 1e3 * edited[8:] ** 2
    before = clone(scorer).fit(expression[:8], members=members)
    after = clone(scorer).fit(edited[:8], members=members)
    assert vars(before).keys() == vars(after).keys()
    for name, value in vars(before).items():
        np.testing.assert_array_equal(vars(after)[name], value)


@EVERY
def test_a_sample_wise_scorer_learns_nothing_from_rows(scorer, members, expression):
    one = clone(scorer).fit(expression[:4], members=members).transform(expression)
    other = clone(scorer).fit(expression[4:], members=members).transform(expression)
    assert np.array_equal(one, other) == scorer.sample_wise


@EVERY
def test_everything_kept_is_plain_numbers_or_text(scorer, members, expression):
    fitted = clone(scorer).fit(expression, members=members, names=list("abcdefg"))
    for value in vars(fitted).values():
        assert isinstance(value, (int, float, str)) or value.dtype.kind in "biufU"


@EVERY
@VALUES
def test_swapping_up_and_down_turns_the_sign(scorer, kind, members, request):
    # One up and one down gene can leave an eigengene without a sign of its own: column 4 is left out.
    members = members[:, [0, 1, 2, 3, 5, 6]]
    values = request.getfixturevalue(kind)
    scores = clone(scorer).fit(values[:8], members=members).transform(values)
    swapped = clone(scorer).fit(values[:8], members=-members).transform(values)
    np.testing.assert_allclose(swapped, -scores, rtol=0, atol=1e-9)


@EVERY
@VALUES
def test_scores_are_finite(scorer, kind, members, request):
    values = request.getfixturevalue(kind)
    assert np.isfinite(clone(scorer).fit(values[:2], members=members).transform(values)).all()


@EVERY
@VALUES
def test_gene_parts_add_up_to_the_score_or_are_refused(scorer, kind, members, signed, request):
    values = request.getfixturevalue(kind)
    fitted = clone(scorer).fit(values[:8], members=members)
    if not scorer.additive:
        with pytest.raises(FeatureError, match="is not a sum over genes"):
            fitted.gene_parts(values)
        return
    scores = fitted.transform(values)
    every = fitted.gene_parts(values)
    for column, part in enumerate(every):
        np.testing.assert_array_equal(part.genes, np.flatnonzero(signed[:, column]))
        np.testing.assert_allclose(part.values.sum(axis=1), scores[:, column], rtol=0, atol=1e-12)
    (some,) = fitted.gene_parts(values, [4])
    np.testing.assert_array_equal(some.values, every[4].values)
    np.testing.assert_allclose(fitted.scores_of(fitted.gene_values(values)), scores, rtol=0, atol=1e-12)


@EVERY
@VALUES
def test_what_a_sample_wise_sum_is_made_of_depends_on_no_signature(scorer, kind, members, request):
    values = request.getfixturevalue(kind)
    if scorer.additive and scorer.sample_wise:
        own = clone(scorer).fit(values[:8], members=members).gene_values(values)
        np.testing.assert_array_equal(clone(scorer).fit(values).gene_values(values), own)


@EVERY
def test_higher_up_genes_score_higher(scorer, rng):
    values = rng.normal(size=(10, 200))
    members = np.zeros((200, 1))
    members[:20], members[20:40] = 1.0, -1.0
    fitted = clone(scorer).fit(values, members=members)
    raised = values + 3.0 * members[:, 0]
    assert (fitted.transform(raised) > fitted.transform(values)).mean() >= 0.9


@EVERY
def test_names_and_frames(scorer, members, expression):
    frame = pd.DataFrame(expression, columns=[f"g{index}" for index in range(60)])
    fitted = clone(scorer).set_output(transform="pandas").fit(frame, members=members, names=list("abcdefg"))
    scores = fitted.transform(frame)
    assert list(scores.columns) == [f"{scorer.name}__{name}" for name in "abcdefg"]
    plain = clone(scorer).fit(expression, members=members).transform(expression)
    np.testing.assert_array_equal(scores.to_numpy(), plain)


@EVERY
def test_input_and_sets_are_left_alone(scorer, members, expression):
    values, weights = expression.copy(), members.toarray()
    clone(scorer).fit(expression, members=members).transform(expression)
    np.testing.assert_array_equal(expression, values)
    np.testing.assert_array_equal(members.toarray(), weights)


@pytest.mark.parametrize(
    ("members", "names", "message"),
    [
        (np.ones((59, 2)), None, "The sets are over 59 genes, the expression has 60"),
        (np.eye(60, 2)[:, [0, 1, 1]] * [1, 0, 1], None, r"1 of 3 sets have no gene \(columns 1\)"),
        (np.full((60, 1), np.inf), None, "Some weights of the sets are not finite"),
        (np.ones((60, 2)), ["one"], "There are 1 names for 2 sets"),
    ],
)
def test_refuses_sets_that_do_not_fit(members, names, message, expression):
    with pytest.raises(FeatureError, match=message):
        SCORERS["singscore"]().fit(expression, members=members, names=names)


def test_damaged_sets_are_noticed_before_they_are_followed(expression, members):
    fitted = SCORERS["mean_z"]().fit(expression, members=members)
    fitted.set_of_ = fitted.set_of_ + 1000
    with pytest.raises(ValueError, match="indices"):
        fitted.transform(expression)


def test_sums_equal_the_dense_product(expression, signed, members):
    np.testing.assert_allclose(set_sums(expression, members), expression @ signed, rtol=0, atol=1e-12)


def test_a_sample_has_the_same_sums_alone(expression, members):
    together = set_sums(expression, members)
    alone = np.vstack([set_sums(row[None], members) for row in expression])
    np.testing.assert_array_equal(together, alone)


def test_side_totals_add_up_each_side_of_each_set():
    members = sparse.csr_array(np.array([[1.0, 2.0], [3.0, 0.0], [-4.0, 5.0]]))
    totals = side_totals(members, np.abs(members.data))
    # Row by row: gene 0 in both sets, gene 1 in the first, gene 2 down in the first and up in the second.
    np.testing.assert_array_equal(totals, [4.0, 7.0, 4.0, 4.0, 7.0])
