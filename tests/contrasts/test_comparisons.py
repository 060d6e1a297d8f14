import numpy as np
import pytest

from responder_ml.contrasts.comparisons import FDR_CUTOFFS, FOUNDING_CUTOFFS_UNVERIFIED, Comparisons, Cutoffs
from responder_ml.contrasts.group_fits import fit_groups
from responder_ml.contrasts.region_maps import fit_contrasts
from responder_ml.errors import ContrastError
from responder_ml.statistics.multiple_testing import benjamini_hochberg


def _compare(expression, groups, cutoffs):
    return Comparisons(fit_groups(expression, groups.codes[None], len(groups.names)), groups.names, cutoffs)


@pytest.fixture
def changed(noise, study):
    noise[study.codes == study.code("susceptible"), :60] += np.linspace(-6, 6, 60)
    return noise


@pytest.mark.parametrize("adjust", ["none", "fdr"])
def test_calls_equal_one_linear_model(changed, study, adjust):
    fit = fit_contrasts(changed, study, [("susceptible", "control")])
    p = fit.p[0] if adjust == "none" else benjamini_hochberg(fit.p[0])
    expected = np.sign(fit.effect[0]) * ((p < 0.03) & (np.abs(fit.effect[0]) > 1.0))
    comparisons = _compare(changed, study, Cutoffs(p=0.03, log2_fold_change=1.0, adjust=adjust))
    np.testing.assert_array_equal(comparisons.called("susceptible", "control")[0], expected)
    assert np.count_nonzero(expected) > 20


def test_specific_genes_are_not_called_in_the_other(changed, study):
    comparisons = _compare(changed, study, Cutoffs())
    specific = comparisons.specific("susceptible", "resilient", "control")[0]
    assert np.any(specific != 0)
    assert np.all(comparisons.called("resilient", "control")[0][specific != 0] == 0)
    assert np.all(specific[specific != 0] == comparisons.called("susceptible", "control")[0][specific != 0])


def test_equivalence_by_two_one_sided_tests(rng, study):
    expression = rng.normal(0, 0.05, size=(25, 100))
    expression[study.codes == study.code("susceptible"), :50] += 1.0
    equivalent = _compare(expression, study, Cutoffs(log2_fold_change=0.4)).equivalent("susceptible", "control")[0]
    assert not equivalent[:50].any()
    assert equivalent[50:].all()
    loose = _compare(rng.normal(0, 5, size=(25, 100)), study, Cutoffs(log2_fold_change=0.4))
    assert not loose.equivalent("susceptible", "control").any()


def test_what_was_computed_is_kept(noise, study):
    comparisons = _compare(noise, study, Cutoffs())
    assert comparisons.t("susceptible", "control") is comparisons.t("susceptible", "control")


def test_presets_are_those_the_documentation_names():
    founding, fdr = FOUNDING_CUTOFFS_UNVERIFIED, FDR_CUTOFFS
    assert (founding.p, 2**founding.log2_fold_change, founding.adjust) == (0.05, pytest.approx(1.3), "none")
    assert (fdr.p, fdr.log2_fold_change, fdr.adjust) == (0.10, 0.0, "fdr")
    assert {(preset.query, preset.extreme, preset.rrho2_lists) for preset in (founding, fdr)} == {(150, 500, 40)}


def test_lists_of_one_gene_are_allowed():
    assert Cutoffs(query=1, extreme=1, rrho2_lists=1).query == 1


def test_the_number_of_genes_is_that_of_the_expression(noise, study):
    assert _compare(noise, study, Cutoffs()).n_genes == 400


@pytest.mark.parametrize(
    "wrong", [{"p": 0.0}, {"p": 1.0}, {"log2_fold_change": -1.0}, {"query": 0}, {"extreme": 0}, {"rrho2_lists": 0}]
)
def test_cutoffs_outside_their_ranges_are_refused(wrong):
    with pytest.raises(ContrastError, match="Cut-offs need"):
        Cutoffs(**wrong)
