"""A graded outcome: a column of numbers whose order is predicted, and the halves by which folds are balanced.

The halves, outcomes from a cut near the median on and those below it, are labels of an ordinary labelled cohort, so that rows,
subjects, strata and nuisances are read and audited as for two classes. No model learns them.

Blocks, such as cages, are strata that folds keep together: outcomes are exchanged between cage mates, who are compared with each
other alone, and a held-out animal has no mate in training.
"""

from dataclasses import dataclass, replace

import numpy as np
from anndata import AnnData

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort import design_checks
from responder_ml.cohort.audit import CHECKS
from responder_ml.cohort.behaviour_rule import BehaviourRule, read_behaviour
from responder_ml.cohort.combine_samples import combine_samples
from responder_ml.cohort.endpoint import Endpoint, LabelledCohort, label_cohort
from responder_ml.cohort.endpoint_checks import require_columns
from responder_ml.cohort.findings import Finding
from responder_ml.cohort.sample_sheet import rows_where
from responder_ml.cohort.spelling import is_blank
from responder_ml.cohort.subjects import require_one_value
from responder_ml.errors import EndpointError, list_names

UPPER, LOWER = "upper half", "lower half"
"""Names of the halves, in the audit."""
LEAST_SUBJECTS = 6
"""With fewer subjects, or fewer than half as many in one half, training is refused."""

# One block is held out while another is trained on.
_LEAST_BLOCKS = 2
# What they say of classes is not meant for halves.
_OF_CLASSES = (design_checks.class_sizes, design_checks.small_class, design_checks.derived_classes)


@dataclass(frozen=True)
class GradedCohort:
    """The rows of one endpoint with an outcome per subject.

    Attributes
    ----------
    labelled
        The rows, one per subject, whose labels are the halves.
    outcome
        Of each subject, in the column's own unit, shape ``(n_subjects,)``.
    cut
        Outcome from which on a subject is of the upper half.
    findings
        The audit, of the rows before samples of a subject were combined.
    """

    labelled: LabelledCohort
    outcome: Floats
    cut: float
    findings: tuple[Finding, ...]


def grade_cohort(cohort: AnnData, endpoint: Endpoint) -> GradedCohort:
    """Select the endpoint's rows, and read the outcome of each subject.

    Parameters
    ----------
    cohort
        Samples x genes.
    endpoint
        Column of the outcome, rows, strata, nuisances and block; its classes and rule are replaced.

    Raises
    ------
    SampleSheetError
        The column is missing, or holds text.
    EndpointError
        Too few subjects have an outcome, outcomes do not differ enough, one is infinite, or a subject has two; or outcomes do not
        differ within at least two blocks, or a subject is in none or two.

    Examples
    --------
    >>> from responder_ml.cohort.simulate import simulate_cohort
    >>> cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"])
    >>> graded = grade_cohort(cohort, Endpoint("si_post", UPPER, LOWER, strata=("drug",)))
    >>> len(graded.outcome), graded.cut
    (25, 1.15)
    """
    sheet, block = cohort.obs, endpoint.block
    require_columns(sheet, (endpoint.column, *(() if block is None else (block,))))
    in_scope = rows_where(sheet, endpoint.among) if endpoint.among else np.ones(len(sheet), dtype=np.bool_)
    of_subjects = sheet[in_scope].drop_duplicates("subject")
    cut = find_cut(endpoint.column, read_behaviour(of_subjects, endpoint.column))
    rule = BehaviourRule(cut=cut)
    strata = endpoint.strata if block is None or block in endpoint.strata else (*endpoint.strata, block)
    of_halves = {"positive": UPPER, "negative": LOWER, "rule": rule, "strata": strata, "block": None}
    labelled = label_cohort(cohort, Endpoint(**{**vars(endpoint), **of_halves}))
    if block is not None:
        labelled = _keep_together(labelled, block)
    findings = tuple(finding for check in CHECKS if check not in _OF_CLASSES for finding in check(labelled))
    labelled = combine_samples(labelled)
    outcome = labelled.behaviour
    if outcome is None:
        raise EndpointError(f"'{endpoint.column}' holds no outcome.")
    smallest = min(int(labelled.labels.sum()), int((labelled.labels == 0).sum()))
    if len(outcome) < LEAST_SUBJECTS or 2 * smallest < LEAST_SUBJECTS:
        raise EndpointError(
            f"{len(outcome)} subjects have a value in '{endpoint.column}', of whom {smallest} lie on one side of {cut:g}, the "
            f"value nearest to the middle. {LEAST_SUBJECTS} subjects are needed, {LEAST_SUBJECTS // 2} on either side: add "
            "animals, or name a column whose values differ more."
        )
    return GradedCohort(labelled, outcome, cut, findings)


def count_compared(outcome: Floats, block_of: Indices) -> int:
    """Return the number of blocks within which outcomes differ.

    Parameters
    ----------
    outcome, block_of
        Outcome and block of each subject.
    """
    return sum(bool(np.ptp(outcome[block_of == code]) > 0) for code in np.unique(block_of))


def _keep_together(labelled: LabelledCohort, block: str) -> LabelledCohort:
    """Return the cohort whose folds keep blocks together; samples outside the endpoint that share one are left out."""
    sheet, units = labelled.cohort.obs, labelled.cohort.obs["subject"].astype(str)
    blank = sorted({unit for unit, value in zip(units, sheet[block], strict=True) if is_blank(value)})
    if blank:
        raise EndpointError(
            f"`endpoint.block` is '{block}', which is empty for {list_names(blank)}. Fill it in, or leave them out with "
            "`cohort.where`."
        )
    require_one_value(sheet, units, block, "block", "or name another column as `endpoint.block`")
    outcome, block_of = labelled.behaviour, labelled.codes((block,))
    if outcome is None or count_compared(outcome, block_of) < _LEAST_BLOCKS:
        raise EndpointError(
            f"'{labelled.measured}' differs within fewer than {_LEAST_BLOCKS} of '{block}', and outcomes are exchanged between "
            f"subjects of one '{block}' alone. Take `endpoint.block` out, or where each '{block}' has one outcome, make it the "
            f"subject (`cohort.columns: {{subject: {block}}}`): its samples are then averaged."
        )
    elsewhere = ~labelled.outside.obs[block].astype(str).isin(sheet[block].astype(str)).to_numpy()
    return replace(labelled, block_of=block_of, outside=labelled.outside[elsewhere].copy())


def find_cut(column: str, values: Floats) -> float:
    """Return the value that parts others most evenly into those from it on and those below.

    Parameters
    ----------
    column
        Name of the column, for messages.
    values
        Of the subjects; not a number where none was measured.

    Raises
    ------
    EndpointError
        Values are infinite, or fewer than two differ.
    """
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        raise EndpointError(f"'{column}' holds an infinite value. Leave the cell empty, or correct it.")
    distinct = np.unique(known)
    if len(distinct) < 2:
        told = "no value" if not len(distinct) else f"one value only, {distinct[0]:g}"
        raise EndpointError(
            f"'{column}' has {told} among the endpoint's rows. A graded outcome needs values that differ; name another column, or "
            "correct `cohort.where` and `endpoint.among`."
        )
    below = np.searchsorted(np.sort(known), distinct[1:])
    return float(distinct[1:][np.argmin(np.abs(below - len(known) / 2.0))])
