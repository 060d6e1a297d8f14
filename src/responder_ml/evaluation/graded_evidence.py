"""What the verdict on a graded outcome rests on: the null, the nuisances, and the sentence chosen by rule."""

from dataclasses import dataclass
from functools import partial
from math import isnan

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.graded_outcome import GradedCohort
from responder_ml.evaluation.agreement import fold_concordance
from responder_ml.evaluation.conditional import nuisance_of
from responder_ml.evaluation.evidence import CONDITIONAL_STAGE, NULL_STAGE
from responder_ml.evaluation.graded_nuisance import (
    GradedLinks,
    NuisanceAssociation,
    alike_in,
    associations,
    measure_graded_links,
)
from responder_ml.evaluation.graded_procedure import GradedProcedure, GradedResult
from responder_ml.evaluation.permutation import NullPlan, NullResult, is_exact, min_attainable_p, run_null
from responder_ml.evaluation.relabel import format_count
from responder_ml.evaluation.reorder import OUTCOMES, count_orders, smallest_p
from responder_ml.evaluation.sequential import RISK, fewest_draws
from responder_ml.evaluation.verdict import Verdict, is_underpowered
from responder_ml.progress import Progress


@dataclass(frozen=True)
class GradedEvidence:
    """What the verdict rests on; a null is None where it was not run.

    Attributes
    ----------
    null
        Outcomes exchanged within strata.
    nuisances, links
        Association of each nuisance with the outcome, and both links of all together; None without nuisances.
    conditional
        Outcomes exchanged among subjects alike in the nuisances.
    verdict
        The conclusion.
    """

    null: NullResult | None
    nuisances: tuple[NuisanceAssociation, ...]
    links: GradedLinks | None
    conditional: NullResult | None
    verdict: Verdict


def graded_power_note(outcome: Floats, strata: Indices, names: tuple[str, ...], plan: NullPlan) -> str:
    """Return a sentence on what the null of these subjects can show; known before anything is trained.

    Parameters
    ----------
    outcome, strata
        Of each subject.
    names
        Columns of the strata.
    plan
        How the null is run.
    """
    within = f" within {' x '.join(names)}" if names else ""
    orders = f"{format_count(count_orders(outcome, strata))} orders of the outcome{within}"
    attainable = smallest_p(outcome, strata)
    if is_underpowered(attainable, plan.alpha):
        return (
            f"Underpowered: {orders}; with all of them run, the smallest attainable p is {attainable:.2g}. No result can reach p "
            f"<= {plan.alpha:g}; what follows can only describe."
        )
    if plan.permutations == 0:
        return f"{orders}; none is run (null.permutations is 0), so nothing is tested."
    smallest = f"the smallest attainable p is {min_attainable_p(outcome, strata, plan, OUTCOMES):.2g}"
    if is_exact(outcome, strata, plan.permutations, OUTCOMES):
        return f"{orders}; with all of them run, {smallest}."
    if plan.budget < fewest_draws(plan.alpha):
        return (
            f"Too few relabellings are asked for: {orders}, of which null.permutations allows {plan.budget:,}. Write "
            f"null.permutations: auto, or a number from {fewest_draws(plan.alpha):,}."
        )
    return (
        f"{orders}; random ones are run until it is settled whether p is at most {plan.alpha:g} (wrong with probability {RISK:g} "
        f"at most), {plan.budget:,} at most; {smallest}."
    )


def assess_graded(
    procedure: GradedProcedure, observed: GradedResult, graded: GradedCohort, plan: NullPlan, progress: Progress
) -> GradedEvidence:
    """Run the null, compare with the nuisances, and reach the verdict.

    Parameters
    ----------
    procedure, observed
        The procedure, and its result on the observed outcome.
    graded
        Outcome, strata and nuisances.
    plan
        How nulls are run.
    progress
        Is told about the nulls, each a stage.
    """
    labelled, outcome = graded.labelled, graded.outcome
    strata, nuisance = labelled.strata, nuisance_of(labelled)
    null = conditional = links = None
    if plan.permutations != 0:
        with progress.stage(NULL_STAGE) as on_progress:
            null = run_null(
                procedure.statistics, outcome, strata, observed.measured(strata), plan, "outcome", on_progress,
                relabelling=OUTCOMES,
            )  # fmt: skip
    if nuisance is not None:
        links = measure_graded_links(nuisance, outcome, strata, observed.auto.mean)
    asks = null is not None and null.rejected(plan.alpha) and links is not None and links.may_explain
    if nuisance is not None and asks and not is_underpowered(smallest_p(outcome, nuisance.cells), plan.alpha):
        with progress.stage(CONDITIONAL_STAGE) as on_progress:
            conditional = run_null(
                    partial(procedure.statistics, cells=nuisance.cells), outcome, nuisance.cells,
                    observed.measured(nuisance.cells), plan, "outcome and nuisances", on_progress,
                    relabelling=alike_in(nuisance, outcome),
                )  # fmt: skip
    verdict = judge_graded(
        labelled.measured,
        fold_concordance(observed.auto),
        smallest_p(outcome, strata),
        null,
        ", ".join(nuisance.names) if nuisance is not None else "",
        links,
        conditional,
        plan.alpha,
    )
    return GradedEvidence(null, associations(labelled, outcome), links, conditional, verdict)


def judge_graded(
    column: str,
    concordance: float,
    attainable: float,
    null: NullResult | None,
    nuisances: str,
    links: GradedLinks | None,
    conditional: NullResult | None,
    alpha: float,
) -> Verdict:
    """Return the verdict on a graded outcome.

    Parameters
    ----------
    column
        The outcome.
    concordance
        Of out-of-fold predictions.
    attainable
        The smallest p that all orders could give.
    null
        Outcomes exchanged within strata; None where none was run.
    nuisances
        Their names in words; empty without any.
    links, conditional
        As in `GradedEvidence`.
    alpha
        Significance level.
    """
    value = "unknown" if isnan(concordance) else f"{concordance:.2f}"
    if is_underpowered(attainable, alpha):
        return Verdict(
            "underpowered",
            f"Underpowered: with these subjects no result for {column} can reach p <= {alpha:g} (the smallest attainable is "
            f"{_p(attainable)}), so nothing can be concluded from a concordance of {value}.",
        )
    if null is None:
        return Verdict("not_tested", f"Not tested: the concordance with {column} is {value}, but no null was run.")
    numbers = f"concordance {value} against a mean of {null.mean:.2f} under relabelled subjects, p = {_p(null.p_value)}"
    if not null.settled:
        return Verdict(
            "undecided",
            f"Undecided whether expression predicts {column}: {numbers}, which {_unsettled(null)}.",
        )
    if not null.rejected(alpha):
        return Verdict("no_evidence", f"No evidence that expression predicts {column}: {numbers}.")
    if links is None or not links.may_explain:
        cleared = f"; it is not explained by {nuisances} ({_links(links)})" if links is not None else ""
        return Verdict("evidence", f"Evidence that expression predicts {column}: {numbers}{cleared}.")
    told = f"expression predicts {column} ({numbers})"
    if conditional is None:
        return Verdict(
            "not_separable",
            f"Not separable: {told}, but this design cannot tell it from {nuisances}: among subjects alike in that too few can "
            f"exchange outcomes ({_links(links)}).",
        )
    within = f"among subjects alike in {nuisances} p = {_p(conditional.p_value)}"
    if not conditional.settled:
        return Verdict(
            "undecided", f"Undecided whether {told} beyond {nuisances}: {within}, which {_unsettled(conditional)}."
        )
    if not conditional.rejected(alpha):
        return Verdict("confounded", f"Confounded: {told}, but {within}, so they may explain it ({_links(links)}).")
    return Verdict("evidence", f"Evidence that expression predicts {column}: {numbers}; {within}.")


def _links(links: GradedLinks) -> str:
    return f"with the outcome p = {_p(links.association_p)}, followed by predictions p = {_p(links.following_p)}"


def _unsettled(null: NullResult) -> str:
    low, high = null.p_interval
    more = "" if null.needed is None else f"; about {null.needed:,} would settle it (null.permutations: {null.needed})"
    return f"may lie anywhere from {_p(low)} to {_p(high)} after {len(null.values):,} relabellings{more}"


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else f"{value:.1e}"
