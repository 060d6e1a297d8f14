"""Transfer: the whole procedure trained on one cohort and tested on another, with a null and an interval.

Where no subject is in both cohorts, the procedure (candidates, tuning, the choice between them) is run once on all of the
first, and the model is applied to all of the second. Where some are in both, as when an animal gave two regions, no model
may be trained on an animal it is applied to: subjects are assigned to folds, and each fold's model is trained on the first
cohort without them. Either way nothing is learnt from the second cohort but its gene names.

The null with no subject in both: the model is fixed, and labels of the second cohort are exchanged within strata. With
subjects in both: a subject's label is exchanged in both cohorts at once, and the whole procedure is run again. The
diagonal of a matrix is the procedure's own out-of-fold result within a cohort.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.errors import EndpointError
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.metrics import OutOfFold, auroc, by_subject
from responder_ml.evaluation.permutation import NullPlan, NullResult, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.separation import measure
from responder_ml.evaluation.small_n import LEAST_SUBJECTS, FeasiblePlan, fit_plan_to_n
from responder_ml.evaluation.two_cohorts import TwoCohorts
from responder_ml.progress import OnProgress
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.multiple_testing import holm

# Labellings of a fixed model that are scored together; the stopping rule is checked in between.
_BLOCK = 64


@dataclass(frozen=True, kw_only=True)
class TransferRow:
    """The procedure trained on one cohort and tested on another, or on itself.

    Attributes
    ----------
    train, test
        Names of the cohorts.
    subjects_train, subjects_test, shared_subjects
        Number of subjects in each, and in both.
    auroc, auroc_ci_low, auroc_ci_high
        AUROC over subjects of the second cohort, with its 95 % interval (of these models, if they met no subject of it).
    p_value, p_holm
        One-sided p of the relabelling null, and the same corrected by Holm for the off-diagonal entries of a matrix; nan
        where no null was run, and ``p_holm`` also on the diagonal.
    null_mean
        Mean of the null; nan where none was run.
    relabellings
        Relabellings used.
    min_attainable_p
        The smallest p this null could have given; nan where none was run.
    coverage
        Share of the first cohort's genes that both have.
    note
        How the transfer was done, or why it was not; then the numbers from ``auroc`` on are nan.
    """

    train: str
    test: str
    subjects_train: int
    subjects_test: int
    shared_subjects: int
    auroc: float = nan
    auroc_ci_low: float = nan
    auroc_ci_high: float = nan
    p_value: float = nan
    p_holm: float = nan
    null_mean: float = nan
    relabellings: int = 0
    min_attainable_p: float = nan
    coverage: float = nan
    note: str


@dataclass(frozen=True)
class TransferPlan:
    """How transfers are run.

    Attributes
    ----------
    candidates
        Builders with classifiers, which the procedure averages on the first cohort.
    search
        Folds and their repeats, where there are folds; trials, seed.
    null
        How the null is run.
    workers
        Where units of work run.
    """

    candidates: Sequence[Candidate]
    search: SearchPlan
    null: NullPlan
    workers: Workers


def transfer(
    train: LabelledCohort, test: LabelledCohort, plan: TransferPlan, names: tuple[str, str] = ("train", "test")
) -> TransferRow:
    """Train the whole procedure on one cohort and test it on another.

    Parameters
    ----------
    train, test
        The cohorts. Subjects of one name are one subject.
    plan
        Candidates, search, null.
    names
        Names of the cohorts; they also name the random numbers of the null.

    Raises
    ------
    ResponderError
        The cohorts cannot be compared, or are too small.
    """
    two = TwoCohorts.of(train, test)
    _check_builders(plan.candidates, two.train)
    if two.n_shared:
        result, null, notes = _cross_fitted(two, plan, names)
    else:
        result, null, notes = _fitted_once(two, plan, names)
    if "sample" in (train.cohort.uns.get("subject_source"), test.cohort.uns.get("subject_source")):
        notes = (*notes, "without a subject column, an animal with samples in both cannot be recognised")
    return transfer_row(names, (train, test), two.n_shared, result, null, two.coverage, notes)


def evaluate_within(cohort: LabelledCohort, plan: TransferPlan, name: str) -> TransferRow:
    """Return the procedure's own out-of-fold result within a cohort, as a row.

    Parameters
    ----------
    cohort, plan
        As for `transfer`.
    name
        Name of the cohort.
    """
    search_data = SearchData.of(cohort)
    _check_builders(plan.candidates, search_data)
    feasible = _fit_to_both(plan, cohort.labels, cohort.labels)
    procedure = Procedure(search_data, feasible.candidates, feasible.plan, plan.workers)
    result, null = _run(procedure, plan, cohort.labels, cohort.strata, f"transfer {name}", lambda labels: labels)
    notes = (f"out of fold, {feasible.plan.folds} folds", *feasible.notes)
    return transfer_row((name, name), (cohort, cohort), len(cohort.subjects), result, null, 1.0, notes)


def transfer_matrix(
    cohorts: Mapping[str, LabelledCohort], plan: TransferPlan, on_progress: OnProgress | None = None
) -> list[TransferRow]:
    """Train on each cohort and test on each; Holm's correction is over all entries off the diagonal.

    Parameters
    ----------
    cohorts
        By name.
    plan
        As for `transfer`.
    on_progress
        Called after each entry.
    """
    rows: list[TransferRow] = []
    total = len(cohorts) ** 2
    for first, train in cohorts.items():
        for second, test in cohorts.items():
            same = first == second
            rows.append(evaluate_within(train, plan, first) if same else transfer(train, test, plan, (first, second)))
            if on_progress is not None:
                on_progress(len(rows), total, f"{first} to {second}")
    return correct_rows(rows)


def transfer_row(
    names: tuple[str, str],
    cohorts: tuple[LabelledCohort, LabelledCohort],
    n_shared: int,
    result: OutOfFold,
    null: NullResult | None,
    coverage: float,
    notes: Sequence[str],
) -> TransferRow:
    """Return the row of a result and its null.

    Parameters
    ----------
    names, cohorts
        Training and tested cohort.
    n_shared
        Subjects in both.
    result, null
        Decisions for the tested cohort, and the null, None where none was run.
    coverage
        Share of the first cohort's genes that both have.
    notes
        How the transfer was done.
    """
    low, high = auroc_interval(result)
    if null is not None and not null.settled:
        notes = (
            *notes,
            f"p is not settled: it may lie anywhere from {null.p_interval[0]:.2g} to {null.p_interval[1]:.2g}",
        )
    row = TransferRow(
        train=names[0],
        test=names[1],
        subjects_train=len(cohorts[0].subjects),
        subjects_test=len(cohorts[1].subjects),
        shared_subjects=n_shared,
        auroc=auroc(result),
        auroc_ci_low=low,
        auroc_ci_high=high,
        coverage=coverage,
        note="; ".join(notes),
    )
    if null is None:
        return row
    return replace(
        row,
        p_value=null.p_value,
        null_mean=null.mean,
        relabellings=len(null.values),
        min_attainable_p=null.min_attainable_p,
    )


def correct_rows(rows: Sequence[TransferRow]) -> list[TransferRow]:
    """Return the rows with Holm's correction of the p values off the diagonal."""
    tested = [index for index, row in enumerate(rows) if row.train != row.test and not np.isnan(row.p_value)]
    if not tested:
        return list(rows)
    adjusted = dict(zip(tested, holm([rows[index].p_value for index in tested]).tolist(), strict=True))
    return [replace(row, p_holm=adjusted.get(index, float("nan"))) for index, row in enumerate(rows)]


def _cross_fitted(
    two: TwoCohorts, plan: TransferPlan, names: tuple[str, str]
) -> tuple[OutOfFold, NullResult | None, tuple[str, ...]]:
    """Fit on folds of the first cohort that leave out the subjects decided in the second."""
    feasible = _fit_to_both(plan, two.train_labels, two.test_labels)
    procedure = Procedure(two.joined(), feasible.candidates, feasible.plan, plan.workers, two.split)
    individual = two.individual_of
    result, null = _run(
        procedure,
        plan,
        two.labels_of_individuals(),
        two.strata_of_individuals(),
        f"transfer {names[0]} {names[1]}",
        lambda labels: labels[individual],
    )
    notes = (
        f"cross-fitted over {feasible.plan.folds} folds, {two.n_shared} subject(s) being in both",
        *feasible.notes,
    )
    return result, null, notes


def _fitted_once(
    two: TwoCohorts, plan: TransferPlan, names: tuple[str, str]
) -> tuple[OutOfFold, NullResult | None, tuple[str, ...]]:
    """Fit on all of the first cohort; the model never changes again."""
    feasible = _fit_to_both(plan, two.train_labels, two.test_labels)
    refit = Procedure(two.train, feasible.candidates, feasible.plan, plan.workers).refit(two.train_labels)
    decisions = by_subject(
        refit.model.decision_function(two.test.expression)[None], two.test.subject_of, two.test.n_subjects
    )
    one_fold = np.zeros(decisions.shape, dtype=np.intp)

    def with_labels(labels: Labels) -> OutOfFold:
        return OutOfFold(labels, decisions, one_fold, np.zeros_like(decisions))

    def statistic(labellings: Sequence[Labels]) -> Iterable[Floats]:
        for start in range(0, len(labellings), _BLOCK):
            block = labellings[start : start + _BLOCK]
            yield np.stack([measure(with_labels(labels), two.test.strata) for labels in block])

    result = with_labels(two.test_labels)
    null = None
    if plan.null.permutations != 0:
        name = f"transfer {names[0]} {names[1]}"
        null = run_null(statistic, two.test_labels, two.test.strata, measure(result, two.test.strata), plan.null, name)
        if null.exact:
            # This model is not learnt from these labels, so it would be wrong on all of them exchanged.
            null = replace(null, min_attainable_p=1.0 / null.labellings)
    return (
        result,
        null,
        (
            f"{refit.description} fitted once on all subjects of {names[0]}, none of which is in {names[1]}",
            *feasible.notes,
        ),
    )


def _run(
    procedure: Procedure,
    plan: TransferPlan,
    labels: Labels,
    strata: Indices,
    name: str,
    expand: Callable[[Labels], Labels],
) -> tuple[OutOfFold, NullResult | None]:
    """Run the procedure on the labels of individuals, and on relabelled individuals."""
    observed = procedure.observe(expand(labels))
    result = observed.auto
    if plan.null.permutations == 0:
        return result, None

    def statistic(labellings: Sequence[Labels]) -> Iterable[Floats]:
        return procedure.statistics([expand(labelling) for labelling in labellings])

    return result, run_null(statistic, labels, strata, observed.measured(procedure.cells), plan.null, name)


def _fit_to_both(plan: TransferPlan, train: Labels, test: Labels) -> FeasiblePlan:
    """Fit the plan to the class sizes of the training cohort, and its folds to those of the tested one.

    Raises
    ------
    EndpointError
        Fewer than 3 subjects in a class of either.
    """
    positive, negative = _sizes(test)
    smaller = min(positive, negative)
    if smaller < LEAST_SUBJECTS:
        raise EndpointError(
            f"There are {positive} positive and {negative} negative subjects to test on, but at least {LEAST_SUBJECTS} of "
            "each are needed. Add animals, or leave this cohort out."
        )
    # The complete design is for subjects that are all trained on and decided.
    search = replace(plan.search, folds=min(plan.search.folds, smaller), complete=False)
    return fit_plan_to_n(search, plan.candidates, *_sizes(train))


def _sizes(labels: Labels) -> tuple[int, int]:
    positive = int(labels.sum())
    return positive, len(labels) - positive


def _check_builders(candidates: Sequence[Candidate], search_data: SearchData) -> None:
    for candidate in candidates:
        if search_data.context is not None:
            candidate.builder.check(search_data.context)
