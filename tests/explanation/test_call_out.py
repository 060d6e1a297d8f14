"""Genes are called out where they were planted, and hardly ever where nothing was."""

from dataclasses import replace
from functools import partial

import anndata
import numpy as np
import pandas as pd
import pytest

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.explanation.attribution import Contributions, explain_auto, gather_contributions
from responder_ml.explanation.call_out import CallOut, Strengths, _largest, call_out, strength
from responder_ml.explanation.modules import Modules
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.seeds import generator

N, GENES, PLANTED = 24, 300, 8
NULL = NullPlan(permutations=99, alpha=0.05, seed=4)
LOW = NullResult(0.9, np.array([0.5]), 0.01, (0.0, 0.02), False, True, False, 1000, 0.01)


def _setting(rng, effect, plan=NULL):
    group = rng.permutation(np.arange(N) % 2)
    values = rng.normal(size=(N, GENES))
    values[:, :PLANTED] += effect * group[:, None]
    sheet = pd.DataFrame({"subject": [f"s{i}" for i in range(N)], "response": np.where(group, "yes", "no")})
    sheet.index = sheet.index.astype(str)
    cohort = anndata.AnnData(values, obs=sheet, var=pd.DataFrame(index=[f"g{i}" for i in range(GENES)]))
    cohort.uns["units"] = "log2"
    labelled = label_cohort(cohort, Endpoint("response", "yes", "no"))
    candidate = Candidate("genes", Genes(max_genes=30), NearestCentroid)
    procedure = Procedure(SearchData.of(labelled), [candidate], SearchPlan(4, 2, 2, 1), Workers(1))
    return procedure, procedure.observe(labelled.labels, 2), labelled, labelled.expression, plan


def _called(rng, effect):
    called = call_out(*_setting(rng, effect), LOW)
    return set(called.strengths.genes.index[called.strengths.genes > called.gene_threshold])


def test_planted_genes_fill_the_list(rng):
    """The planted effect is 2 standard deviations in 8 of 300 genes, 12 against 12 subjects."""
    planted = {f"g{index}" for index in range(PLANTED)}
    called = [_called(rng, 2.0) for _ in range(3)]
    everything = [gene for genes in called for gene in genes]
    assert len(everything) >= 3 * 3
    assert np.mean([gene in planted for gene in everything]) >= 0.8


def test_without_effect_hardly_any_run_calls_a_gene_out(rng):
    runs_with_a_call = sum(bool(_called(rng, 0.0)) for _ in range(12))
    # At 5 % each, three or more of 12 runs happen once in fifty times.
    assert runs_with_a_call <= 2


@pytest.mark.parametrize("whole", [None, replace(LOW, p_value=0.0501), replace(LOW, settled=False)])
def test_nothing_is_compared_where_the_run_as_a_whole_does_no_better_than_chance(rng, whole):
    setting = _setting(rng, 2.0)
    called = call_out(*setting, whole)
    marked = called.mark(pd.DataFrame({"gene": called.strengths.genes.index}))
    assert marked["null_high"].isna().all()
    assert not marked["called_out"].any()
    assert marked["strength"].max() > 2


@pytest.mark.parametrize(("alpha", "count", "rank"), [(0.05, 19, 0), (0.1, 19, 1), (0.02, 49, 0)])
def test_the_threshold_is_the_largest_that_alpha_leaves(rng, monkeypatch, alpha, count, rank):
    procedure, *rest, _ = _setting(rng, 2.0)
    maxima = rng.random((count, 2))

    # Labels move within strata only.
    rest[1] = labelled = replace(rest[1], strata=np.arange(N) % 3)
    expected = draw_labellings(labelled.labels, labelled.strata, count, generator(NULL.seed, "call out"))

    def summaries(summarise, labellings, repeats, on_progress=None):
        np.testing.assert_array_equal(labellings, expected)
        assert repeats == 2
        return [tuple(maximum) for maximum in maxima]

    monkeypatch.setattr(procedure, "summaries", summaries)
    called = call_out(procedure, *rest, replace(NULL, alpha=alpha), LOW)
    assert called.gene_threshold == np.sort(maxima[:, 0])[::-1][rank]
    assert called.module_threshold == np.sort(maxima[:, 1])[::-1][rank]


def test_observed_labels_among_relabelled_ones_give_the_same_strengths(rng):
    """What is observed and what is relabelled go through one function: so the threshold is fair."""
    procedure, observed, labelled, *_ = _setting(rng, 0.0)
    others = [labelled.labels[::-1].copy(), np.roll(labelled.labels, 1)]
    largest = partial(_largest_gene, labelled)
    summaries = procedure.summaries(largest, [others[0], labelled.labels, others[1]], 2)
    assert summaries[1] == largest(labelled.labels, observed.results)
    assert len(set(summaries)) == 3


def _largest_gene(labelled, labels, results):
    explained = explain_auto(results)
    contributions = gather_contributions(explained, labelled.genes, labels[labelled.subject_of])
    return strength(contributions, labels, labelled.subject_of).max()


def test_strength_by_hand():
    """Two subjects' samples are averaged first; towards the true class is plus."""
    per_sample = np.array([[1.0], [3.0], [-1.0], [0.0]])
    contributions = Contributions(np.array(["g"]), *(np.ones((1, 1)),) * 3, per_sample, np.ones(1))
    labels, subject_of = np.array([1, 0, 1], dtype=np.int8), np.array([0, 0, 1, 2])
    support = np.array([2.0, 1.0, 0.0])
    expected = support.mean() / (support.std(ddof=1) / np.sqrt(3))
    np.testing.assert_allclose(strength(contributions, labels, subject_of), [expected])
    assert strength(replace(contributions, per_sample=np.zeros((4, 1))), labels, subject_of) == [0.0]


def test_tables_name_modules_with_their_genes(rng):
    procedure, observed, labelled, log2, plan = _setting(rng, 2.0)
    copied = log2.copy()
    copied[:, 1] = -log2[:, 0] + 1e-3 * rng.normal(size=N)
    called = call_out(procedure, observed, labelled, copied, plan, LOW)
    grouping = called.strengths.grouping
    assert grouping.lead_of["g0"] == grouping.lead_of["g1"]
    lead = grouping.lead_of["g0"]
    genes = called.mark(pd.DataFrame({"gene": ["g0", "g1", "g299"]}))
    assert genes["module"].tolist() == [lead, lead, ""]
    explained = explain_auto(observed.results)
    of_modules = gather_contributions(explained, grouping.names, labelled.sample_labels, grouping.signs)
    modules = called.mark_modules(of_modules.table()).set_index("module")
    assert {gene.lstrip("-") for gene in modules.loc[lead, "genes"].split()} >= {"g0", "g1"}
    assert "-" in modules.loc[lead, "genes"]
    assert modules.loc[lead, "n_genes"] == len(modules.loc[lead, "genes"].split())
    assert modules["called_out"].tolist() == [int(gene > called.module_threshold) for gene in modules["strength"]]


def test_nothing_is_compared_where_there_are_too_few_labellings(rng):
    procedure, observed, labelled, log2, plan = _setting(rng, 2.0)
    # Everybody in a stratum of their own: no label can move.
    called = call_out(procedure, observed, replace(labelled, strata=np.arange(N)), log2, plan, LOW)
    assert np.isnan(called.gene_threshold)
    assert np.isnan(called.module_threshold)


def test_a_strength_at_the_threshold_is_not_called_out():
    grouping = Modules(np.array(["b", "b"]), np.array([1, -1]), {"a": "b", "b": "b"}, {"b": ("b", "-a")}, {"b": 0.9})
    strengths = Strengths(pd.Series({"a": 2.0, "b": 3.0}), pd.Series({"b": 4.0}), grouping)
    called = CallOut(strengths, 2.0, 3.5)
    genes = called.mark(pd.DataFrame({"gene": ["a", "b", "absent"]}))
    assert genes["strength"].tolist() == [2.0, 3.0, 0.0]
    assert genes["called_out"].tolist() == [0, 1, 0]
    assert genes["null_high"].tolist() == [2.0] * 3
    assert genes["module"].tolist() == ["b", "b", ""]
    modules = called.mark_modules(pd.DataFrame({"gene": ["b"]}))
    row = modules.iloc[0]
    assert (row["strength"], row["null_high"], row["called_out"]) == (4.0, 3.5, 1)
    assert (row["genes"], row["n_genes"], row["weakest_correlation"]) == ("b -a", 2, 0.9)


def test_the_strongest_is_never_weaker_than_nothing():
    grouping = Modules(np.array([""]), np.array([1]), {}, {}, {})

    def strengths_of(genes, modules):
        return lambda labels, results: Strengths(pd.Series(genes), pd.Series(modules, dtype=float), grouping)

    assert _largest(strengths_of([-1.0, 2.0], [0.5, 1.5]), None, None) == (2.0, 1.5)
    assert _largest(strengths_of([-1.0, -2.0], [-3.0]), None, None) == (0.0, 0.0)
    assert _largest(strengths_of([1.0], []), None, None) == (1.0, 0.0)
