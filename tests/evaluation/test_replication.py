"""Two studies by way of their models: genes are matched by name, levels follow the rule, and what cannot be compared is refused."""

from dataclasses import replace

import numpy as np
import pytest

from responder_ml.contrasts.called_again import CallRule
from responder_ml.errors import GeneNameError
from responder_ml.evaluation.class_model import ClassModel
from responder_ml.evaluation.replication import compare_studies, expect_replication, match_genes

GENES = 300
NOBODY = np.full(14, -1)


def study(rng, true, n=(7, 7)):
    labels = np.r_[np.ones(n[0]), np.zeros(n[1])].astype(np.int8)
    log2 = 8.0 + rng.normal(size=(len(labels), GENES)) + np.outer(labels, true)
    names = np.array([f"g{gene:03d}" for gene in range(GENES)])
    return ClassModel(
        log2, np.arange(GENES), names, np.ones((len(labels), 1)), labels, np.zeros(len(labels), dtype=int)
    )


def test_the_level_follows_the_rule(rng):
    true, other = rng.normal(size=(2, GENES))
    other -= true * (true @ other) / (true @ true)
    nothing = np.zeros(GENES)

    def level(first, second, n=(7, 7)):
        outcome = compare_studies(study(rng, first, n), study(rng, second, n), np.full(sum(n), -1), CallRule(), 1)
        return outcome.level(0.05)

    assert level(true, true) == "replicated"
    assert level(true, other) == "not_replicated"
    assert level(true, -true) == "not_replicated"
    # Shown beyond chance, but next to nothing of it.
    assert level(8.0 * true, 8.0 * (other + 0.15 * true)) == "not_replicated"
    assert level(true, nothing) in ("undecided", "not_replicated")
    assert level(true, true, (3, 3)) == "undecided"
    assert expect_replication(study(rng, true), (8, 8), 0, CallRule(), 1).level(0.05) == "expected"
    quiet = expect_replication(study(np.random.default_rng(4), nothing), (8, 8), 0, CallRule(), 1)
    assert quiet.level(0.05) == "nothing_to_replicate"
    assert quiet.level(1.0) == "expected"


def test_genes_are_matched_by_name_and_those_that_never_vary_are_left_out(rng):
    first, second = study(rng, np.zeros(GENES)), study(rng, np.zeros(GENES))
    order = rng.permutation(GENES)
    shuffled = replace(second, log2=second.log2[:, order], genes=second.genes[order], names=second.names[order])
    one, two = match_genes(first, shuffled)
    np.testing.assert_array_equal(one.names, first.names)
    np.testing.assert_array_equal(two.log2, second.log2)
    first.log2[:, 5] = 3.1
    second.log2[:, 7] = 0.0
    one, two = match_genes(first, second)
    assert not {"g005", "g007"} & set(one.names.tolist())
    np.testing.assert_array_equal(one.names, two.names)


def test_too_few_common_genes_are_refused_with_what_to_do(rng):
    first, second = study(rng, np.zeros(GENES)), study(rng, np.zeros(GENES))
    foreign = replace(second, names=np.array(["g000", *[f"ENSG{gene}" for gene in range(GENES - 1)]]))
    with pytest.raises(GeneNameError, match=r"1 genes are expressed.*relation: orthologs"):
        compare_studies(first, foreign, NOBODY, CallRule(), 1)


def test_shared_subjects_leave_no_p_and_their_noise_is_told(rng):
    first, second = study(rng, np.zeros(GENES)), study(rng, np.zeros(GENES))
    second.log2[7:] = first.log2[7:]
    outcome = compare_studies(first, second, np.r_[np.full(7, -1), np.arange(7, 14)], CallRule(), 1)
    assert outcome.second_p is None
    assert outcome.n_shared == 7
    assert outcome.no_effect == pytest.approx(0.5, abs=0.12)
    assert outcome.agreement.observed == pytest.approx(0.5, abs=0.2)


def test_relabelling_follows_the_seed_and_nothing_else(rng):
    true = 0.3 * rng.normal(size=GENES)
    first, second = study(rng, true, (10, 10)), study(rng, true, (10, 10))
    one, same, other = (
        compare_studies(first, second, np.full(20, -1), CallRule(), seed).second_p.p_value for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other or one == 1 / 2000


def test_another_tissue_of_the_same_animals_shares_only_the_noise_that_it_shares(rng):
    first, second = study(rng, np.zeros(GENES)), study(rng, np.zeros(GENES))
    outcome = compare_studies(first, second, np.arange(14), CallRule(0.2, 0.0), 1)
    assert outcome.n_shared == 14
    assert abs(outcome.no_effect) < 0.2
    assert outcome.again.chance < 0.3 * outcome.again.n_called
    same = replace(second, log2=first.log2 + 1e-3 * second.log2)
    again = compare_studies(first, same, np.arange(14), CallRule(0.2, 0.0), 1).again
    assert again.chance == pytest.approx(again.n_called, rel=0.1)
