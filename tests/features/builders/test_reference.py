from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from responder_ml.errors import FeatureError, UnknownNameError
from responder_ml.features.builders.reference import Reference
from responder_ml.features.normalise import Normaliser
from responder_ml.features.signatures.singscore import Singscore
from responder_ml.statistics.linear_model import fit_linear_model
from responder_ml.statistics.training_sets import TrainingSets

SINGSCORE = {"units": "log2", "n_genes": 15}


@pytest.fixture
def log2(study):
    """The study in log2 units, so that a naive computation needs no normalisation."""
    normaliser = Normaliser("counts", "log_cpm").fit(study.counts)
    outside = normaliser.transform(study.context.outside)
    return replace(study, counts=normaliser.transform(study.counts), context=replace(study.context, outside=outside))


def _t(values, plus, minus):
    """Moderated t of two groups, from the general linear model that is held against limma."""
    rows = plus | minus
    design = np.column_stack([np.ones(rows.sum()), plus[rows]])
    return fit_linear_model(values[rows], design).t[1]


def _score(values, weights, n_genes):
    order = np.argsort(-weights, kind="stable")
    up, down = order[:n_genes], order[::-1][:n_genes]
    table = np.zeros((values.shape[1], 1))
    table[up], table[down] = 1.0, -1.0
    return Singscore().fit(values, members=sparse.csr_array(table)).transform(values)[:, 0]


def _column(builder, values, signature):
    column = builder.names_.tolist().index(f"{builder.scorer}__{signature}")
    return builder.transform(values)[:, column]


def test_outside_signatures_are_those_of_the_groups_outside(log2):
    builder = Reference(**SINGSCORE).fit(log2.counts, log2.sets.labels[0], genes=log2.genes, context=log2.context)
    phenotype = log2.context.outside_sheet["phenotype"].to_numpy()
    control, resilient, susceptible = (phenotype == name for name in ("control", "resilient", "susceptible"))
    outside = log2.context.outside
    expected = {
        "susceptibility_reversal": -_t(outside, susceptible, control),
        "resilience_induction": _t(outside, resilient, control),
        "stress_axis": _t(outside, susceptible | resilient, control),
    }
    assert set(builder.names_) == {f"singscore__{name}" for name in expected}
    for name, weights in expected.items():
        np.testing.assert_allclose(_column(builder, log2.counts, name), _score(log2.counts, weights, 15), atol=1e-12)


def test_a_drug_axis_takes_the_training_rows_of_the_drug_whatever_their_label(log2):
    rows = log2.sets.rows[0]
    builder = Reference(["ketamine_axis"], **SINGSCORE).fit(
        log2.counts[rows], log2.sets.labels[3][rows], genes=log2.genes, context=log2.context.take(rows)
    )
    values = np.vstack([log2.counts, log2.context.outside])
    ketamine = np.r_[(log2.context.sheet["drug"] == "ketamine") & rows, np.zeros(13, dtype=bool)]
    saline = np.r_[np.zeros(16, dtype=bool), log2.context.outside_sheet["phenotype"] == "susceptible"]
    expected = _score(log2.counts, _t(values, ketamine, saline), 15)
    np.testing.assert_allclose(_column(builder, log2.counts, "ketamine_axis"), expected, atol=1e-12)


def test_opposition_follows_labels_and_is_apart_from_what_treatment_did(log2):
    rows, labels = log2.sets.rows[0], log2.sets.labels[3]
    builder = Reference(["nonresponder_opposition"], **SINGSCORE).fit(
        log2.counts[rows], labels[rows], genes=log2.genes, context=log2.context.take(rows)
    )
    values = np.vstack([log2.counts, log2.context.outside])
    nobody = np.zeros(13, dtype=bool)
    responder, non_responder = np.r_[rows & (labels == 1), nobody], np.r_[rows & (labels == 0), nobody]
    saline = np.r_[np.zeros(16, dtype=bool), log2.context.outside_sheet["phenotype"] == "susceptible"]
    axis, treatment = _t(values, non_responder, responder), _t(values, responder, saline)
    weights = axis - (axis @ treatment) / (treatment @ treatment) * treatment
    assert abs(weights @ treatment) < 1e-9 * np.linalg.norm(weights) * np.linalg.norm(treatment)
    expected = _score(log2.counts, weights, 15)
    np.testing.assert_allclose(_column(builder, log2.counts, "nonresponder_opposition"), expected, atol=1e-12)


def test_reversal_is_high_in_animals_unlike_susceptible_ones(study):
    context = study.context
    builder = Reference(units="counts", n_genes=15).fit(
        study.counts, study.sets.labels[0], genes=study.genes, context=context
    )
    group = context.outside_sheet["phenotype"].to_numpy()
    reversal = _column(builder, context.outside, "susceptibility_reversal")
    assert reversal[group == "control"].min() > reversal[group == "susceptible"].max()
    induction = _column(builder, context.outside, "resilience_induction")
    assert induction[group == "resilient"].min() > induction[group == "control"].max()


def test_a_signature_that_saw_labels_comes_after_all_that_did_not(study):
    builder = Reference(["nonresponder_opposition", "stress_axis", "resilience_induction"], units="counts", n_genes=15)
    for ranked in builder.share(study.counts, study.genes, study.context).rank(study.sets):
        assert ranked.position[-1] == 2


@pytest.mark.parametrize("scorer", ["singscore", "aucell", "ssgsea", "weighted_projection"])
def test_scores_and_parts_of_many_training_sets_are_those_of_each_fit(study, scorer):
    builder = Reference(["nonresponder_opposition", "stress_axis"], units="counts", n_genes=15, scorer=scorer)
    for index, ranked in enumerate(builder.share(study.counts, study.genes, study.context).rank(study.sets)):
        training = study.sets.rows[index]
        alone = Reference(**builder.get_params()).fit(
            study.counts[training],
            study.sets.labels[index][training],
            genes=study.genes,
            context=study.context.take(training),
        )
        np.testing.assert_array_equal(alone.position_, ranked.position)
        np.testing.assert_allclose(alone.transform(study.counts), ranked.values(), atol=1e-9)
        if ranked.gene_parts is not None:
            sums = [part.values.sum(axis=1) for part in ranked.gene_parts([0, 1])]
            np.testing.assert_allclose(np.stack(sums, axis=1), ranked.values(), atol=1e-9)


def test_columns_are_ranked_by_moderated_t_of_their_scores(study):
    labels = study.sets.labels[0]
    names = ["stress_axis", "resilience_induction", "susceptibility_reversal", "ketamine_axis"]
    builder = Reference(names, units="counts", n_genes=15).fit(
        study.counts, labels, genes=study.genes, context=study.context
    )
    t = np.abs(_t(builder.transform(study.counts), labels == 1, labels == 0))
    assert (np.diff(t) <= 1e-9).all()


def test_where_the_endpoints_classes_are_a_signatures_groups_they_follow_the_labels(study, rng):
    """Susceptible against resilient: reversal and induction rest on classes, the stress axis on both together."""
    context = study.context
    both = pd.concat([context.sheet, context.outside_sheet], ignore_index=True)
    values = np.vstack([study.counts, context.outside])
    inside = (both["phenotype"].isin(["susceptible", "resilient"]) & (both["drug"] == "saline")).to_numpy()
    control = (both["phenotype"] == "control").to_numpy()
    context = replace(
        context, sheet=both[inside], column="phenotype", positive="susceptible", negative="resilient",
        outside=values[control], outside_sheet=both[control],
    )  # fmt: skip
    builder = Reference(units="counts", n_genes=15)
    true = (both["phenotype"][inside] == "susceptible").to_numpy().astype(np.int8)
    swapped = 1 - true
    everyone = np.ones((2, len(true)), dtype=bool)
    shared = builder.share(values[inside], study.genes, context)
    one, other = shared.signatures(TrainingSets(everyone, np.stack([true, swapped])))
    by_name = dict(zip(shared.signature_names.tolist(), zip(one, other, strict=True), strict=True))
    reversal, induction = by_name["susceptibility_reversal"], by_name["resilience_induction"]
    # With labels swapped, what was susceptible is resilient: the signatures change places, but for reversal's sign.
    np.testing.assert_array_equal(np.sort(reversal[1].genes), np.sort(induction[0].genes))
    weights = dict(zip(induction[0].genes, induction[0].weights, strict=True))
    np.testing.assert_allclose(reversal[1].weights, [-weights[gene] for gene in reversal[1].genes], atol=1e-8)
    stress = by_name["stress_axis"]
    np.testing.assert_array_equal(stress[0].genes, stress[1].genes)
    ranked = shared.rank(TrainingSets(everyone, np.stack([true, swapped])))[0]
    assert shared.signature_names[ranked.position[0]] == "stress_axis"


def test_a_training_set_without_a_group_has_no_such_signature(study):
    rows = study.sets.rows[:1].copy()
    rows[0, (study.context.sheet["drug"] == "ketamine").to_numpy() & (study.sets.labels[0] == 1)] = False
    own = {"ketamine_response": {"plus": {"drug": "ketamine", "response": "responder"}, "minus": {"drug": "saline"}}}
    builder = Reference(["ketamine_response", "stress_axis"], own, units="counts", n_genes=15)
    (ranked,) = builder.share(study.counts, study.genes, study.context).rank(TrainingSets(rows, study.sets.labels[:1]))
    np.testing.assert_array_equal(ranked.values()[:, 1], 0.0)
    assert ranked.genes_of(1)[0].size == 0
    builder.fit(
        study.counts[rows[0]], study.sets.labels[0][rows[0]], genes=study.genes, context=study.context.take(rows[0])
    )
    np.testing.assert_allclose(builder.transform(study.counts), ranked.values())
    assert builder.genes_of(1)[0].size == 0


def test_bare_arrays_have_the_axis_between_their_classes(log2):
    labels = log2.sets.labels[0]
    builder = Reference(**SINGSCORE).fit(log2.counts, labels)
    assert builder.names_.tolist() == ["singscore__class_axis"]
    expected = _score(log2.counts, _t(log2.counts, labels == 1, labels == 0), 15)
    np.testing.assert_allclose(builder.transform(log2.counts)[:, 0], expected, atol=1e-12)


def test_a_fitted_builder_keeps_no_sample_from_outside(study):
    context = replace(study.context, outside=study.context.outside + 0.123456)
    builder = Reference(units="counts").fit(study.counts, study.sets.labels[0], genes=study.genes, context=context)
    held = {
        name: value
        for estimator in (builder, builder.scorer_, builder.normaliser_)
        for name, value in vars(estimator).items()
    }
    assert not any(isinstance(value, type(context) | pd.DataFrame) for value in held.values())
    for name, value in held.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert not np.isin(context.outside, value).any(), name


def test_signatures_of_a_table(study, tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("gene\tmine\tother\ng1\t3.5\t\ng2\t-1\t2\nabsent\tNA\t1\ng3\t0.5\t-4\n")
    builder = Reference(path=str(path), units="counts").fit(
        study.counts, study.sets.labels[0], genes=study.genes, context=study.context
    )
    assert set(builder.names_) == {"singscore__mine", "singscore__other"}
    genes, shares = builder.genes_of(builder.names_.tolist().index("singscore__mine"))
    assert dict(zip(genes, shares, strict=True)) == {"g1": 0.7, "g2": -0.2, "g3": 0.1}
    both = Reference(["stress_axis"], path=str(path), units="counts")
    both.fit(study.counts, study.sets.labels[0], genes=study.genes, context=study.context)
    assert set(both.names_) == {"singscore__mine", "singscore__other", "singscore__stress_axis"}


def test_a_table_the_data_cannot_answer_is_refused(study, tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("gene\tgood\tbad\ng1\t1\t\nENS1\t\t1\nENS2\t\t2\n")
    with pytest.raises(FeatureError, match=r"lack too many genes of 'bad': 0 of 2 genes found.*min_coverage"):
        Reference(path=str(path)).share(study.counts, study.genes, study.context)
    path.write_text("gene\tstress_axis\ng1\t1\n")
    with pytest.raises(FeatureError, match=r"stress_axis are in .*table.tsv and among `signatures`"):
        Reference(["stress_axis"], path=str(path)).share(study.counts, study.genes, study.context)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"signatures": []}, "There is no signature to score. Name some of susceptibility_reversal"),
        ({"signatures": ["stress"]}, "no signature 'stress'. Did you mean 'stress_axis'"),
        ({"signatures": ["a"], "contrasts": {"a": {"plus": {"drug": "x"}}}}, "'a' needs a plus and a minus group"),
        (
            {"signatures": ["a"], "contrasts": {"a": {"plus": {"drug": "x"}, "minus": {"drug": "y"}, "sing": 1}}},
            "unknown key 'sing'. Did you mean 'sign'",
        ),
        (
            {"signatures": ["a"], "contrasts": {"a": {"plus": {"drug": "x"}, "minus": {"drug": "y"}, "sign": 2}}},
            "sign 2, but it must be 1 or -1",
        ),
        (
            {"signatures": ["a"], "contrasts": {"a": {"plus": "ketamine", "minus": {"drug": "y"}}}},
            "plus must map columns to values",
        ),
        (
            {"signatures": ["a"], "contrasts": {"a": {"plus": {"drug": "ketamin"}, "minus": {"drug": "saline"}}}},
            r"'a' needs samples with drug ketamin; 0 subject\(s\) found, 2 needed. 'drug' has: imipramine, ketamine, saline",
        ),
        (
            {"signatures": ["a"], "contrasts": {"a": {"plus": {"strain": "x"}, "minus": {"drug": "saline"}}}},
            "by strain, which the sample sheet does not have. It has: subject, phenotype",
        ),
    ],
)
def test_what_cannot_be_found_is_refused_before_the_search(study, params, message):
    with pytest.raises(FeatureError, match=message):
        Reference(**params).check(study.context)


def test_two_samples_of_one_subject_are_not_two_subjects(study):
    sheet = study.context.outside_sheet.copy()
    sheet.loc[sheet["phenotype"] == "resilient", "subject"] = "one"
    with pytest.raises(FeatureError, match=r"phenotype resilient; 1 subject\(s\) found, 2 needed"):
        Reference().check(replace(study.context, outside_sheet=sheet))


def test_a_column_that_stands_in_for_the_labels_is_refused(study):
    sheet = study.context.sheet.assign(outcome=study.context.sheet["response"].map({"responder": "R"}).fillna("NR"))
    context = replace(study.context, sheet=sheet, outside_sheet=study.context.outside_sheet.assign(outcome="none"))
    own = {"sly": {"plus": {"outcome": "R"}, "minus": {"phenotype": "control"}}}
    with pytest.raises(
        FeatureError, match=r"selects only those with response responder.*carry the labels under another name"
    ):
        Reference(["sly"], own).check(context)


def test_an_unknown_scorer_is_named(study):
    with pytest.raises(UnknownNameError, match="no scorer 'singscor'"):
        Reference(scorer="singscor").check(study.context)
