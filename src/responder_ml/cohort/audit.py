"""Checks of a cohort before a model is trained on it: findings with codes; nothing is changed."""

from collections.abc import Callable, Iterable

from responder_ml.cohort import design_checks, sample_checks
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.findings import Finding

Check = Callable[[LabelledCohort], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    design_checks.class_sizes,
    design_checks.small_class,
    design_checks.unknown_subjects,
    design_checks.repeated_samples,
    design_checks.several_regions,
    design_checks.nuisance_and_class,
    design_checks.strata_and_class,
    sample_checks.identical_samples,
    sample_checks.near_identical_samples,
    sample_checks.library_sizes,
    sample_checks.library_size_and_class,
    sample_checks.sex,
    sample_checks.tpm_sums,
    sample_checks.simulated,
    sample_checks.constant_genes,
    sample_checks.unused_samples,
    design_checks.derived_classes,
    sample_checks.gene_map,
    sample_checks.what_reading_changed,
)
"""In the order of their codes; each check's docstring opens with its own."""


def audit(labelled: LabelledCohort) -> list[Finding]:
    """Run every check on the rows of one endpoint, in the order of `CHECKS`.

    Parameters
    ----------
    labelled
        The rows, classes and subjects of one endpoint.

    Examples
    --------
    >>> from responder_ml.cohort.endpoint import Endpoint, label_cohort
    >>> from responder_ml.cohort.simulate import simulate_cohort
    >>> cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"])
    >>> labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder", nuisance=("batch",)))
    >>> [finding.code for finding in audit(labelled)][:2]
    ['RML01', 'RML06']
    """
    return [finding for check in CHECKS for finding in check(labelled)]
