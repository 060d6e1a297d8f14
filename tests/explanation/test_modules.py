import numpy as np
import pytest

from responder_ml.explanation.attribution import Contributions
from responder_ml.explanation.modules import _critical_correlation, correlated_modules

N = 14
GENES = np.array(["lone", "a", "b", "c", "unused", "flat"])


def _found(names, sizes):
    size = np.array([sizes])
    return Contributions(np.array(names), size, size, size, np.ones((N, len(names))), np.ones(len(names)))


@pytest.fixture
def log2(rng):
    common = rng.normal(size=N)
    noise = 0.2 * rng.normal(size=(N, len(GENES)))
    values = noise + np.outer(common, [0.0, 1.0, 1.0, -1.0, 1.0, 0.0])
    values[:, 0] = rng.normal(size=N)
    values[:, 5] = 3.0
    return values


def test_genes_that_go_together_make_a_module_led_by_the_largest(log2):
    module_table = _found(["a", "b", "c", "flat", "lone"], [1.0, 3.0, 2.0, 5.0, 4.0])
    modules = correlated_modules(module_table, GENES, log2, np.arange(N))
    assert modules.names.tolist() == ["", "b", "b", "b", "", ""]
    assert modules.lead_of == {"b": "b", "c": "b", "a": "b"}
    assert modules.members == {"b": ("b", "-c", "a")}
    assert modules.signs.tolist() == [1, 1, 1, -1, 1, 1]
    r = np.abs(np.corrcoef(log2[:, 1:4].T))
    assert modules.weakest == pytest.approx({"b": r.min()})


def test_genes_that_do_not_contribute_are_in_no_module(log2):
    modules = correlated_modules(_found(["a", "b", "c"], [1.0, 2.0, 0.0]), GENES, log2, np.arange(N))
    assert modules.lead_of == {"b": "b", "a": "b"}


def test_every_pair_of_a_module_correlates(rng):
    chain = np.cumsum(rng.normal(size=(N, 12)), axis=1)  # neighbours correlate, ends do not
    names = np.array([f"g{index}" for index in range(12)])
    modules = correlated_modules(_found(names, np.arange(12.0, 0.0, -1.0)), names, chain, np.arange(N))
    assert modules.weakest
    assert min(modules.weakest.values()) >= 0.8
    for lead, weakest in modules.weakest.items():
        members = [index for index, name in enumerate(names) if modules.lead_of.get(name) == lead]
        assert np.abs(np.corrcoef(chain[:, members].T)).min() == pytest.approx(weakest)


def test_few_subjects_must_correlate_more(log2):
    """With 5 subjects |r| below 0.99 is not beyond chance for a single pair at p = 0.001."""
    few = log2[:5]
    module_table = _found(["a", "b", "c"], [1.0, 2.0, 3.0])
    assert np.abs(np.corrcoef(few[:, 1:4].T)).min() < 0.99
    modules = correlated_modules(module_table, GENES, few, np.arange(5))
    assert all(weakest >= 0.99 for weakest in modules.weakest.values())
    assert not correlated_modules(module_table, GENES, log2[:3], np.arange(3)).lead_of


def test_the_subject_is_the_unit(log2):
    twice = np.repeat(log2, 2, axis=0)
    modules = _found(["a", "b", "c"], [1.0, 2.0, 3.0])
    once = correlated_modules(modules, GENES, log2, np.arange(N))
    again = correlated_modules(modules, GENES, twice, np.repeat(np.arange(N), 2))
    assert once.lead_of == again.lead_of
    assert once.weakest == pytest.approx(again.weakest)


def test_nothing_contributes(log2):
    assert not correlated_modules(_found(["a"], [0.0]), GENES, log2, np.arange(N)).lead_of


@pytest.mark.parametrize(("n_subjects", "critical"), [(3, 1.0), (5, 0.9911), (10, 0.8721), (12, 0.8233), (22, 0.6524)])
def test_critical_correlations_are_those_of_the_tables(n_subjects, critical):
    """Two-sided p = 0.001 with n - 2 degrees of freedom."""
    assert _critical_correlation(n_subjects) == pytest.approx(critical, abs=1e-4)


def test_equal_contributions_are_led_by_the_first_name(log2):
    modules = correlated_modules(_found(["c", "b", "a"], [1.0, 1.0, 1.0]), GENES, log2, np.arange(N))
    assert modules.members == {"a": ("a", "b", "-c")}


def test_only_the_leading_genes_are_considered(rng):
    names = np.array([f"g{index:03d}" for index in range(202)])
    copies = np.outer(rng.normal(size=N), np.ones(202)) + 1e-3 * rng.normal(size=(N, 202))
    modules = correlated_modules(_found(names, np.arange(202.0, 0.0, -1.0)), names, copies, np.arange(N))
    assert list(modules.members) == ["g000"]
    assert modules.members["g000"] == tuple(names[:200])


@pytest.mark.parametrize(("r", "together"), [(0.79, False), (-0.79, False), (0.81, True), (-0.81, True)])
def test_many_subjects_do_not_make_weaker_correlations_a_module(rng, r, together):
    """With 60 subjects |r| = 0.41 is beyond chance, but shares too little variance."""
    first, other = np.linalg.qr(rng.normal(size=(60, 3)) - rng.normal(size=3))[0][:, :2].T
    first, other = first - first.mean(), other - other.mean()
    other -= first * (first @ other) / (first @ first)
    second = r * first / np.linalg.norm(first) + np.sqrt(1 - r**2) * other / np.linalg.norm(other)
    names = np.array(["a", "b"])
    modules = correlated_modules(_found(names, [2.0, 1.0]), names, np.column_stack([first, second]), np.arange(60))
    assert modules.weakest == (pytest.approx({"a": abs(r)}) if together else {})
