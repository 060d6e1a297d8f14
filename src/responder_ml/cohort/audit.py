"""Checks of a cohort before a model is trained on it: findings with codes; nothing is changed."""

from collections.abc import Callable, Collection, Iterable, Sequence

from responder_ml.cohort import design_checks, sample_checks, unit_checks
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.findings import Finding
from responder_ml.errors import AuditError

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
    unit_checks.left_out,
    unit_checks.kinds_of_nuisances,
    unit_checks.spellings,
    unit_checks.reused_names,
)
"""In the order of their codes; each check's docstring opens with its own."""


def require_accepted(findings: Sequence[Finding], accepted: Collection[str]) -> tuple[Finding, ...]:
    """Refuse findings of severity ``error`` but those whose code was accepted, and return the accepted ones.

    Parameters
    ----------
    findings
        Of `audit`.
    accepted
        Codes that somebody has looked at and accepts.

    Raises
    ------
    AuditError
        Naming every other finding of severity ``error``, and how to accept it.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    refused = [finding for finding in errors if finding.code not in accepted]
    if refused:
        told = "\n".join(f"  {finding.code}  {finding.message}" for finding in refused)
        options = " ".join(f"--accept {code}" for code in dict.fromkeys(finding.code for finding in refused))
        raise AuditError(
            f"The audit found what makes any verdict wrong:\n{told}\nCorrect the files. If this is known and meant, train with "
            f"{options} (or `accept` in the job); the verdict then says so."
        )
    return tuple(errors)


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
