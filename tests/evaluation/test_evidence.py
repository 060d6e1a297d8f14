"""The evidence for one headline: what the nulls exchange and average, and how baselines are compared."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.stats import t as student

from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.evaluation import evidence as module
from responder_ml.evaluation.baselines import Baseline, evaluate_random_signatures
from responder_ml.evaluation.conditional import NuisanceLinks
from responder_ml.evaluation.evidence import assess_evidence, assess_given_null, power_note
from responder_ml.evaluation.metrics import OutOfFold, auroc, fold_aurocs
from responder_ml.evaluation.permutation import NullPlan, NullResult
from responder_ml.evaluation.separation import measure
from responder_ml.progress import Progress

LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=np.int8)
DRUG = np.array([0, 0, 1, 1, 0, 0, 1, 1])
BATCH = np.array([0, 1, 0, 1, 0, 1, 0, 1])
FOLDS = np.array([[0, 0, 1, 1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1, 1, 0]])
DECISIONS = np.array(
    [
        [4.0, 1.0, 3.0, 2.0, -1.0, 2.0, -3.0, -4.0],
        [1.0, 1.5, -2.0, 2.0, -1.0, -2.0, 0.5, -4.0],
        [-1.0, 2.0, 1.0, 2.0, 0.0, -2.0, 3.0, 1.0],
    ]
)
LOG2 = np.random.default_rng(4).normal(5, 1, size=(8, 30))
GENES_USED = np.array([2, 7, 11])


class Procedure:
    """A procedure whose decisions are fixed: it remembers which labellings it was run on."""

    def __init__(self):
        self.labellings, self.compared_within = [], []

    cells = DRUG

    def statistics(self, labellings, cells=DRUG):
        self.labellings.append(np.stack(labellings))
        self.compared_within.append(cells)
        yield np.stack([measure(_decided(labels), cells) for labels in labellings])

    def genes_used(self, model):
        return GENES_USED


def _decided(labels):
    return OutOfFold(labels, DECISIONS, FOLDS, np.zeros_like(DECISIONS))


def _measured(cells):
    return measure(_decided(LABELS), cells)


OBSERVED = SimpleNamespace(auto=_decided(LABELS), models=(None, None), measured=_measured)


def _labelled(nuisance=("batch",)):
    sheet = pd.DataFrame(
        {
            "sample": [f"s{index}" for index in range(8)],
            "subject": [f"m{index}" for index in range(8)],
            "response": np.where(LABELS, "yes", "no"),
            "drug": np.where(DRUG, "ketamine", "imipramine"),
            "batch": np.where(BATCH, "one", "two"),
            "weight": np.linspace(20, 30, 8),
        }
    ).set_index("sample", drop=False)
    genes = pd.DataFrame(index=[f"g{index}" for index in range(30)])
    endpoint = Endpoint("response", "yes", "no", strata=("drug",), nuisance=nuisance)
    return label_cohort(AnnData(LOG2, obs=sheet, var=genes, uns={"units": "log2"}), endpoint)


def _assess(alpha=0.9, permutations=100, nuisance=("batch",)):
    procedure = Procedure()
    plan = NullPlan(permutations, alpha, 3)
    evidence = assess_evidence(procedure, OBSERVED, _labelled(nuisance), plan, LOG2, Progress())
    return evidence, procedure


def test_the_null_exchanges_labels_within_strata_and_the_conditional_null_within_strata_and_batch():
    evidence, procedure = _assess()
    plain, conditional = procedure.labellings
    within_drug, within_both = procedure.compared_within
    np.testing.assert_array_equal(within_drug, DRUG)
    assert len(np.unique(within_both)) == 4
    # Two drugs of 2 against 2; two drugs x two batches of 1 against 1.
    assert (evidence.null.labellings, evidence.conditional.labellings) == (6**2, 2**4)
    assert (len(plain), len(conditional)) == (6**2, 2**4)
    for drug in (0, 1):
        assert (plain[:, drug == DRUG].sum(axis=1) == 2).all()
        for batch in (0, 1):
            assert (conditional[:, (drug == DRUG) & (batch == BATCH)].sum(axis=1) == 1).all()


def test_the_conditional_null_is_run_only_where_the_null_leaves_something_to_explain():
    assert _assess(alpha=0.02)[0].conditional is None
    assert _assess(nuisance=())[0].conditional is None
    # A measurement splits no cells, but makes labellings unequally likely.
    of_weight = _assess(nuisance=("weight",))[0].conditional
    assert of_weight.labellings == 36
    assert 0 < of_weight.observed_share < 1
    assert _assess(permutations=0)[0].null is None
    assert _assess(permutations=0)[0].verdict.level == "not_tested"


def _verdict(monkeypatch, baselines, conditional_p=0.001, alpha=0.5, links=(0.01, 0.01)):
    """Return the verdict beside baselines of some AUROCs; the fixed procedure does far better than its null.

    ``links`` are the p of the association of batch and class, and of decisions that follow batch.
    """
    by_name = {name: OutOfFold(LABELS, decisions[None], FOLDS[:1], np.zeros((1, 8))) for name, decisions in baselines}
    nulls = iter([0.001, conditional_p])

    def null(statistic, labels, strata, observed, *_):
        p = next(nulls)
        return NullResult(1.0, np.zeros(2), p, (p, p), True, True, False, 100, 0.0001, aurocs=np.array([0.4, 0.6]))

    monkeypatch.setattr(module, "run_null", null)
    monkeypatch.setattr(module, "measure_links", lambda *_: NuisanceLinks(*links))
    monkeypatch.setattr(
        module, "list_baselines", lambda *_: [Baseline(name, LOG2, nuisance="batch" in name) for name in by_name]
    )
    monkeypatch.setattr(module, "evaluate_baseline", lambda baseline, *_: by_name[baseline.name])
    observed = OBSERVED
    plan = NullPlan(100, alpha, 3)
    return assess_evidence(Procedure(), observed, _labelled(), plan, LOG2, Progress()).verdict


PERFECT, USELESS = np.where(LABELS, 1.0, -1.0), np.zeros(8)


def test_only_the_best_of_the_nuisance_baselines_can_confound(monkeypatch):
    def verdict(*baselines):
        return _verdict(monkeypatch, baselines, conditional_p=0.6)

    assert "(drug, AUROC 1.00)" in verdict(("batch", USELESS), ("drug", PERFECT)).sentence
    assert "batch alone has AUROC 0.50" in verdict(("batch", USELESS), ("drug", PERFECT)).sentence
    assert "other batch alone has AUROC 1.00" in verdict(("batch", USELESS), ("other batch", PERFECT)).sentence


def test_the_gain_is_given_over_the_best_of_all_baselines(monkeypatch):
    for order in ([("batch", USELESS), ("drug", PERFECT)], [("drug", PERFECT), ("batch", USELESS)]):
        assert "gain over the best baseline (drug, AUROC 1.00)" in _verdict(monkeypatch, order).sentence


def test_a_nuisance_confounds_where_it_may_explain_and_nothing_is_left_among_subjects_alike_in_it(monkeypatch):
    verdict = _verdict(monkeypatch, [("batch", PERFECT)], conditional_p=0.6)
    assert verdict.level == "confounded"
    assert "among subjects alike in batch p = 0.6" in verdict.sentence
    assert _verdict(monkeypatch, [("batch", PERFECT)], conditional_p=0.4).level == "evidence"
    for links in ((0.31, 0.01), (0.01, 0.21)):
        assert _verdict(monkeypatch, [("batch", PERFECT)], conditional_p=0.6, links=links).level == "evidence"


def _of_counts(sizes, strata=("drug",)):
    rng = np.random.default_rng(0)
    counts = np.round(rng.uniform(0.9, 1.1, (8, 30)) * np.asarray(sizes)[:, None])
    labelled = _labelled(())
    cohort = AnnData(counts, obs=labelled.cohort.obs, var=labelled.cohort.var, uns={"units": "counts"})
    return label_cohort(cohort, Endpoint("response", "yes", "no", strata=strata))


def test_the_library_size_has_a_second_null_only_where_it_may_explain_the_result():
    def assess(sizes):
        procedure, plan = Procedure(), NullPlan(100, 0.2, 3)
        return assess_evidence(procedure, OBSERVED, _of_counts(sizes), plan, LOG2, Progress())

    harmless = assess([100, 400, 100, 400, 100, 400, 100, 400])
    assert harmless.null.p_value <= 0.2
    assert harmless.conditional is None
    assert "library size" in [baseline.name for baseline in harmless.baselines if baseline.nuisance]
    assert harmless.verdict.level == "evidence"
    nested = assess([400, 410, 420, 430, 100, 110, 120, 130])
    assert nested.conditional is not None
    assert "library size" in nested.verdict.sentence


def test_a_given_null_is_judged_as_it_stands():
    plan = NullPlan(100, 0.05, 3)
    values = np.linspace(0, 1, 99)
    null = NullResult(0.9, values, 0.001, (0.001, 0.001), False, True, False, 100, 0.0005, aurocs=values)
    evidence = assess_given_null(
        null, Procedure(), OBSERVED, _labelled(()), plan, LOG2, Progress(), p_name="corrected p"
    )
    assert evidence.null is null
    assert evidence.verdict.level == "evidence"
    assert "corrected p = 0.001" in evidence.verdict.sentence


def test_the_gain_over_a_baseline_has_the_corrected_interval_of_two_folds():
    evidence, _ = _assess()
    majority = evidence.baselines[0]
    assert (majority.name, majority.auroc) == ("majority", 0.5)
    # The majority has AUROC one half in every fold; a training set is as large as its test set with two folds.
    gains = fold_aurocs(_decided(LABELS)).ravel() - 0.5
    half = student.ppf(0.975, 5) * np.sqrt(1 / 6 + 1) * gains.std(ddof=1)
    assert majority.gain == pytest.approx(auroc(_decided(LABELS)) - 0.5)
    assert majority.gain_interval == pytest.approx((gains.mean() - half, gains.mean() + half))


def test_random_signatures_are_summarised_by_their_mean_and_their_middle_95_percent():
    evidence, _ = _assess()
    random = evidence.baselines[-1]
    sets = evaluate_random_signatures(LOG2, [3, 3], LOG2.mean(axis=0)[GENES_USED], OBSERVED.auto, np.arange(8))
    scores = [auroc(signature) for signature in sets]
    assert random.name == "random signatures"
    assert random.auroc == pytest.approx(np.mean(scores))
    assert random.interval == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])))


def test_the_power_note_counts_labellings_within_strata():
    note = power_note(_labelled(), NullPlan("auto", 0.1, 3))
    assert note == "36 labellings within drug; with all of them run, the smallest attainable p is 0.056."
    assert power_note(_labelled(), NullPlan("auto", 0.05, 3)).startswith("Underpowered: 36 labellings")
    assert "nothing is tested" in power_note(_labelled(), NullPlan(0, 0.1, 3))


def test_the_power_note_says_before_training_that_too_few_relabellings_are_asked_for():
    note = power_note(_labelled(), NullPlan(19, 0.1, 3))
    assert note.startswith(
        "Too few relabellings are asked for: 36 labellings within drug, of which null.permutations allows 19"
    )
    assert "null.permutations: auto, or a number from 36" in note
    # Subjects that are too few are not helped by more relabellings.
    assert power_note(_labelled(), NullPlan(19, 0.02, 3)).startswith("Underpowered")


def test_the_power_note_says_when_random_relabellings_end(monkeypatch):
    monkeypatch.setattr(module, "count_labellings", lambda *_: 10**6)
    monkeypatch.setattr(module, "is_exact", lambda *_: False)
    note = power_note(_labelled(), NullPlan("auto", 0.1, 3))
    assert "1,000,000 labellings within drug; random ones are run until it is settled whether p is at most 0.1" in note
    assert "5,000 at most" in note
