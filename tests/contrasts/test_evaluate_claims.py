import numpy as np
import pytest

from responder_ml.contrasts.comparisons import Cutoffs
from responder_ml.contrasts.evaluate_claims import evaluate_claims
from responder_ml.contrasts.founding_claims import DIFFERENCE
from responder_ml.contrasts.groups import NON_RESPONDER, RESPONDER, Groups
from responder_ml.contrasts.relabelling import relabel_groups
from responder_ml.errors import ContrastError
from responder_ml.statistics.linear_model import fit_linear_model


def _evaluate(expression, groups, **options):
    settings = {"seed": 1, "relabellings": 40, "bootstrap": 0} | options
    return evaluate_claims(expression, groups, "PFC", **settings)


def _line(results, statistic, drug="ketamine", arm=RESPONDER):
    return next(line for line in results if (line.statistic, line.drug, line.arm) == (statistic, drug, arm))


def _naive_reversal_share(expression, codes, groups):
    """Both contrasts from one linear model of all groups, gene by gene."""
    design = (codes[:, None] == np.arange(len(groups.names))).astype(float)
    contrasts = np.zeros((3, len(groups.names)))
    for row, (plus, minus) in enumerate(
        [("susceptible", "control"), ("resilient", "control"), ("ketamine responder", "susceptible")]
    ):
        contrasts[row, groups.code(plus)], contrasts[row, groups.code(minus)] = 1, -1
    fit = fit_linear_model(expression, design, contrasts)
    called = (fit.p < 0.05) & (np.abs(fit.effect) > np.log2(1.3))
    genes = called[0] & ~called[1]
    return np.mean(np.sign(fit.effect[0, genes]) != np.sign(fit.effect[2, genes])) if genes.any() else 0.5


def test_reversal_and_its_null_equal_a_naive_loop(noise, study):
    line = _line(_evaluate(noise, study), "reversal_share")
    exchange = [[study.code("susceptible"), study.code("ketamine responder")]]
    relabelled = relabel_groups(study.codes, exchange, limit=40, rng=np.random.default_rng(0))
    values = np.array([_naive_reversal_share(noise, codes, study) for codes in relabelled.codes])
    assert line.exact
    assert line.labellings == 20
    assert line.observed == pytest.approx(values[0])
    assert line.expected_no_effect == pytest.approx(values.mean())
    assert line.null_sd == pytest.approx(values.std())
    assert line.p_value == pytest.approx(np.mean(values >= values[0] - 1e-9))
    assert line.n["susceptible"] == line.n["ketamine responder"] == 3


def test_order_of_subjects_and_genes_changes_nothing_exact(noise, study, rng):
    subjects, genes = rng.permutation(25), rng.permutation(noise.shape[1])
    shuffled = Groups(study.names, study.codes[subjects])
    names = [f"mouse{index}" for index in range(25)]
    one = _evaluate(noise, study, bootstrap=20, subjects=names)
    other = _evaluate(noise[subjects][:, genes], shuffled, bootstrap=20, subjects=[names[index] for index in subjects])
    for before, after in zip(one, other, strict=True):
        assert after.observed == pytest.approx(before.observed, abs=1e-9)
        if before.exact:
            assert after.p_value == before.p_value
            assert after.expected_no_effect == pytest.approx(before.expected_no_effect, abs=1e-9)
        assert after.interval == pytest.approx(before.interval, abs=1e-9)


@pytest.fixture
def programmes():
    """Simulated changes of 80 genes each, log2: what susceptible and what resilient animals express."""
    susceptible = np.zeros(400)
    susceptible[:80] = np.tile([4.0, -4.0], 40)
    return susceptible, np.roll(susceptible, 100)


def _add(expression, groups, programme, *names):
    expression[np.isin(groups.codes, [groups.code(name) for name in names])] += programme


def test_planted_reversal_is_found_in_the_drug_that_has_it(noise, study, programmes):
    _add(noise, study, programmes[0], "susceptible", "imipramine responder", "imipramine non_responder")
    _add(noise, study, programmes[0], "ketamine non_responder")
    results = _evaluate(noise, study)
    for statistic in ("reversal_cosine", "reversal_zhang", "called_reversal_share", "rescued_share"):
        for arm in (RESPONDER, DIFFERENCE):
            line = _line(results, statistic, arm=arm)
            assert line.observed > line.expected_no_effect
            assert line.p_value == pytest.approx(0.05)
    assert _line(results, "rescued_share").observed == pytest.approx(1.0, abs=0.1)
    assert _line(results, "rescued_share", "imipramine").observed == pytest.approx(0.0, abs=0.1)
    assert _line(results, "rescued_share", "imipramine").p_value > 0.05


def test_real_stress_stays_in_the_null_of_an_idle_drug(noise, study, programmes):
    """Susceptible animals differ from controls and no drug does anything: the signature is real, its reversal is not."""
    treated = [name for name in study.names if name.endswith("responder")]
    _add(noise, study, programmes[0], "susceptible", *treated)
    line = _line(_evaluate(noise, study), "reversal_cosine")
    # Relabelled susceptible animals are still susceptible, so less is expected than if stress did nothing, either.
    assert line.expected_no_effect < line.design_value - 0.2
    assert line.observed == pytest.approx(line.expected_no_effect, abs=3 * line.null_sd)
    assert line.p_value > 0.05


def test_planted_induction_is_found(noise, study, programmes):
    _add(noise, study, programmes[1], "resilient", "ketamine responder")
    results = _evaluate(noise, study)
    for statistic in ("induction_share", "induction_shift", "induction_cosine"):
        for arm in (RESPONDER, DIFFERENCE):
            assert _line(results, statistic, arm=arm).p_value == pytest.approx(0.05)
    assert _line(results, "induction_cosine", "imipramine").p_value > 0.05


def test_planted_opposition_is_found_in_non_responders(noise, study, programmes):
    _add(noise, study, programmes[0], "susceptible", "imipramine responder")
    _add(noise, study, 2 * programmes[0], "ketamine non_responder", "imipramine non_responder")
    results = _evaluate(noise, study)
    worse = _line(results, "aggravation_share", arm=NON_RESPONDER)
    assert worse.observed > 0.8 > 0.6 > worse.expected_no_effect
    assert worse.p_value <= 0.1
    assert _line(results, "reversal_cosine", "imipramine+ketamine", DIFFERENCE).p_value < 0.05
    assert _line(results, "rescued_share", arm=NON_RESPONDER).observed == pytest.approx(-1.0, abs=0.15)
    opposed = _line(results, "opposition_cosine", arm="responder and non_responder")
    assert opposed.observed > opposed.expected_no_effect
    # Exchanging three responders for three non-responders gives the same cosine.
    assert opposed.p_value == opposed.smallest_p == pytest.approx(0.1)


def test_genes_are_counted_where_one_term_rests_on_called_genes(noise, study, programmes):
    _add(noise, study, programmes[0], "susceptible")
    results = _evaluate(noise, study)
    assert _line(results, "reversal_share").genes == pytest.approx(80, abs=15)
    assert _line(results, "reversal_share", arm=DIFFERENCE).genes is None
    assert _line(results, "reversal_cosine").genes is None


def test_out_of_reach_significance_is_said(noise, study):
    line = _line(_evaluate(noise, study), "deg_count", arm="ketamine responder - susceptible")
    assert line.smallest_p >= 0.1
    assert "underpowered" in line.note


def test_signature_without_genes_leaves_every_statistic_defined(noise, study):
    results = _evaluate(noise, study, cutoffs=Cutoffs(p=1e-12), bootstrap=10)
    assert all(
        np.isfinite([line.observed, line.expected_no_effect, line.p_value, *line.interval]).all() for line in results
    )
    line = _line(results, "reversal_share")
    assert (line.observed, line.genes, line.p_value) == (0.5, 0, 1.0)
    assert "no gene passes" in line.note


def test_two_animals_to_a_group_are_enough_to_be_defined(noise, study):
    two_each = np.concatenate([np.flatnonzero(study.codes == code)[:2] for code in range(len(study.names))])
    results = _evaluate(noise[two_each], Groups(study.names, study.codes[two_each]), bootstrap=10)
    assert all(np.isfinite([line.observed, line.expected_no_effect, *line.interval]).all() for line in results)
    assert "has 2 subjects" in _line(results, "reversal_share").note


def test_genes_that_never_vary_change_nothing(noise, study):
    wider = np.column_stack([noise, np.full((25, 30), 7.0)])
    for before, after in zip(_evaluate(noise, study), _evaluate(wider, study), strict=True):
        assert after.observed == pytest.approx(before.observed)


def test_more_relabellings_than_wanted_are_sampled_by_seed(noise, study):
    lines = [_line(_evaluate(noise, study, seed=seed), "reversal_cosine", "imipramine+ketamine") for seed in (1, 1, 2)]
    assert not lines[0].exact
    assert lines[0].labellings == 1680
    assert lines[0] == lines[1]
    assert lines[0].expected_no_effect != lines[2].expected_no_effect


def test_strata_restrict_relabelling(noise, study):
    batch = np.zeros(25, dtype=int)
    batch[np.flatnonzero(study.codes == study.code("susceptible"))] = 1
    line = _line(_evaluate(noise, study, strata=batch), "reversal_share")
    assert (line.labellings, line.p_value) == (1, 1.0)
    assert "underpowered" in line.note


def test_covariates_take_batch_out_and_are_rotated(noise, study, rng):
    batch = rng.permuted(np.arange(25) % 2).astype(float)[:, None]
    shifted = noise + 5 * batch * rng.normal(size=noise.shape[1])
    plain, adjusted = (_evaluate(expression, study, covariates=batch) for expression in (noise, shifted))
    line = _line(adjusted, "reversal_cosine")
    assert (line.null, line.exact, line.design_value) == ("rotation", False, None)
    for one, other in zip(plain, adjusted, strict=True):
        assert other.observed == pytest.approx(one.observed, rel=1e-5, abs=1e-6)
        assert other.p_value == pytest.approx(one.p_value, abs=0.03)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda values: values[:, :5], "at least 10"),
        (lambda values: np.where(values > 8, np.nan, values), "not finite"),
    ],
)
def test_unusable_expression_is_refused(noise, study, spoil, message):
    with pytest.raises(ContrastError, match=message):
        _evaluate(spoil(noise), study)


def test_covariates_and_strata_together_are_refused(noise, study):
    with pytest.raises(ContrastError, match="Give one of the two"):
        _evaluate(noise, study, covariates=np.ones((25, 1)), strata=np.zeros(25, dtype=int))


def test_rotation_is_not_limited_by_few_relabellings(noise, study, programmes, rng):
    _add(noise, study, programmes[0], "susceptible")
    batch = rng.permuted(np.arange(25) % 2).astype(float)[:, None]
    line = _line(_evaluate(noise, study, covariates=batch, relabellings=99), "reversal_cosine")
    assert (line.null, line.p_value) == ("rotation", 0.01)


def test_every_statistic_is_centred_on_its_value_without_effect(study, rng):
    """Simulated cohorts without any effect; the large run is experiments/claims_calibration."""
    tables = [_evaluate(rng.normal(size=(25, 150)), study, seed=seed) for seed in range(12)]
    gaps = np.array([[line.observed - line.expected_no_effect for line in results] for results in tables])
    p_values = np.array([[line.p_value for line in results] for results in tables])
    deviation = gaps.std(axis=0, ddof=1)
    varying = deviation > 1e-12
    z = gaps.mean(axis=0)[varying] / (deviation[varying] / np.sqrt(len(tables)))
    assert np.median(np.abs(z)) < 1.3
    assert np.mean(p_values <= 0.05) < 0.07
    share = next(index for index, line in enumerate(tables[0]) if line.statistic == "reversal_share")
    assert np.mean([results[share].observed for results in tables]) > 0.85
