"""From a replication to its record: the conclusion in words, the quantities side by side, and the table of genes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.contrasts.called_again import CallRule, p_values
from responder_ml.contrasts.true_correlation import Agreement
from responder_ml.evaluation.carried_auroc import carried_auroc_interval
from responder_ml.evaluation.replication import Level, Replication
from responder_ml.evaluation.signature_null import SignatureP
from responder_ml.evaluation.transfer import TransferRow
from responder_ml.records.replication import (
    CallPart,
    ModelPart,
    QuantityRow,
    ReplicationResult,
    SignalPart,
    StudyPart,
)
from responder_ml.records.result import Headline
from responder_ml.versions import versions_of

SIGNATURES = "correlation of signatures"
TRUE_CHANGES = "correlation of true changes"
CALLED_AGAIN = "genes called again"
AUROC = "AUROC of the carried model"
"""Names of the quantities in tables."""


@dataclass(frozen=True)
class ReplicationPlan:
    """What was asked.

    Attributes
    ----------
    sizes
        Subjects of the second study, positive and negative.
    rule
        When a gene is called.
    alpha, seed
        Level of the tests, and seed of the relabellings.
    """

    sizes: tuple[int, int]
    rule: CallRule
    alpha: float
    seed: int


def compose_replication(
    outcome: Replication,
    parts: tuple[StudyPart, StudyPart | None],
    plan: ReplicationPlan,
    headline: Headline | None,
    carried: TransferRow | str | None,
    notes: Sequence[str],
) -> ReplicationResult:
    """Return the record.

    Parameters
    ----------
    outcome
        What was computed.
    parts
        Both studies; no second where none is named.
    plan
        What was asked.
    headline
        Of the first study's run; None where it is none.
    carried
        The model on the second study, or why it was not carried over; None where this was not asked.
    notes
        What the reader should know.
    """
    first, second = parts
    agreement, again = outcome.agreement, outcome.again
    model = _model(first, headline, plan.sizes, carried)
    level = outcome.level(plan.alpha)
    simulated = first.simulated or (second is not None and second.simulated)
    called = CallPart(
        p=plan.rule.p,
        least_change=plan.rule.least_change,
        chosen=plan.rule.least_change != CallRule().least_change,
        first=again.n_called,
        second=None if outcome.second is None else int(plan.rule.called(outcome.second).sum()),
        observed=None if outcome.second is None else int(outcome.observed_again.sum()),
        expected=again.expected,
        by_chance=again.chance,
    )
    sentence = describe_replication(outcome, level, plan, called)
    return ReplicationResult(
        name=first.name if second is None else f"{first.name} in {second.name}",
        simulated=simulated,
        first=first,
        second=second,
        second_size=plan.sizes,
        shared_subjects=outcome.n_shared,
        genes=len(outcome.genes),
        signal=SignalPart(
            p_value=outcome.first_p.p_value,
            exact=outcome.first_p.exact,
            labellings=outcome.first_p.labellings,
            smallest_p=outcome.first_p.smallest,
            signal=outcome.signal,
            square=outcome.first.square(outcome.first.coefficient),
        ),
        second_signal=None if agreement is None else agreement.signals[1],
        called=called,
        model=model,
        alpha=plan.alpha,
        level=level,
        sentence=f"Simulated data: {sentence[:1].lower()}{sentence[1:]}" if simulated else sentence,
        notes=(*notes, *_notes(outcome, parts)),
        quantities=tuple(_quantities(outcome, called, model)),
        versions=versions_of(),
        seed=plan.seed,
    )


def describe_replication(outcome: Replication, level: Level, plan: ReplicationPlan, called: CallPart) -> str:
    """Return the conclusion in one or two sentences."""
    p = outcome.first_p
    if level == "nothing_to_replicate":
        return (
            "There is nothing to replicate yet: the changes of the first study are no larger than those of relabelled "
            f"subjects (p = {p.p_value:.2g}).{_describe_signatures(outcome)}"
        )
    if p.smallest > plan.alpha:
        return (
            "It cannot be told whether there is anything to replicate: with so few subjects no p can be below "
            f"{p.smallest:.2g}.{_describe_signatures(outcome)}"
        )
    if outcome.agreement is None:
        size = f"{plan.sizes[0]} v {plan.sizes[1]}"
        return (
            f"The first study differs from relabelled subjects (p = {p.p_value:.2g}). If the true changes are the same, the "
            f"signature of a second study of {size} correlates with it at {outcome.same_changes:.2f} (with no effect "
            f"{outcome.no_effect:.2f}), and of {called.first:,} called genes {called.expected:,.0f} are called again (with no "
            f"effect {called.by_chance:,.0f})."
        )
    return _describe_second(outcome.agreement, level, outcome.second_p, outcome.is_shown(plan.alpha))


def _describe_signatures(outcome: Replication) -> str:
    if outcome.agreement is None:
        return ""
    by_p = "" if outcome.second_p is None else f", p = {outcome.second_p.p_value:.2g}"
    return (
        f" Its signature and that of the second study correlate at {outcome.agreement.observed:.2f} (no effect "
        f"{outcome.no_effect:.2f}{by_p})."
    )


def _describe_second(agreement: Agreement, level: Level, p: SignatureP | None, is_shown: bool) -> str:
    low, high = agreement.interval
    by_p = "" if p is None else f" (p = {p.p_value:.2g})"
    numbers = (
        f"The signatures correlate at {agreement.observed:.2f}, where the same true changes give "
        f"{agreement.same_changes:.2f} and no effect {agreement.no_effect:.2f}; the correlation of the true changes lies "
        f"between {low:.2f} and {high:.2f}."
    )
    if min(agreement.signals) <= 0:
        numbers = (
            f"The signatures correlate at {agreement.observed:.2f} (no effect {agreement.no_effect:.2f}); one of the studies "
            "shows no more than its noise, so nothing can be said of the true changes."
        )
    if level == "replicated":
        in_part = ", in part" if high < 1.0 else ""
        return f"The second study shows the changes of the first{in_part}{by_p}. {numbers}"
    if is_shown:
        return f"The second study shows little of the changes of the first{by_p}. {numbers}"
    if level == "not_replicated":
        opposite = " They go the other way." if high < 0.0 else ""
        return (
            f"The second study does not show the changes of the first{by_p}, and its own are not the same.{opposite} "
            f"{numbers}"
        )
    return f"Whether the second study has the changes of the first cannot be told{by_p}. {numbers}"


def replication_tables(result: ReplicationResult, outcome: Replication, rule: CallRule) -> dict[str, pd.DataFrame]:
    """Return the tables of the folder; genes come in the order of the first study's p."""
    first, second = outcome.first, outcome.second
    columns: dict[str, Any] = {
        "gene": outcome.genes,
        "change_first": first.change,
        "t_first": first.t,
        "p_first": p_values(first),
        "called_first": outcome.again.called,
    }
    if second is not None:
        columns |= {
            "change_second": second.change,
            "t_second": second.t,
            "p_second": p_values(second),
            "called_second": rule.called(second),
        }
    else:
        columns |= dict.fromkeys(("change_second", "t_second", "p_second", "called_second"), None)
    columns |= {"again_if_same": outcome.again.if_same, "again_by_chance": outcome.again.by_chance}
    genes = pd.DataFrame(columns)
    order = np.lexsort((outcome.genes, columns["p_first"]))
    rows = [row.model_dump() for row in result.quantities]
    return {
        "replication": pd.DataFrame(rows, columns=list(QuantityRow.columns())),
        "genes": genes.iloc[order].reset_index(drop=True),
    }


def _model(
    first: StudyPart, headline: Headline | None, sizes: tuple[int, int], carried: TransferRow | str | None
) -> ModelPart | None:
    if headline is None:
        return None
    value, low_end, high_end = headline.auroc, *headline.auroc_ci
    if value is None or low_end is None or high_end is None:
        return None
    ends = float(low_end), float(high_end)
    low, high = carried_auroc_interval(float(value), ends, (first.n_positive, first.n_negative), sizes)
    observed: dict[str, Any] = {}
    if isinstance(carried, TransferRow):
        observed = {
            "observed": _number(carried.auroc),
            "observed_low": _number(carried.auroc_ci_low),
            "observed_high": _number(carried.auroc_ci_high),
            "p_value": _number(carried.p_value),
            "note": carried.note,
        }
    elif carried is not None:
        observed = {"note": carried}
    return ModelPart(auroc=float(value), auroc_low=ends[0], auroc_high=ends[1], low=low, high=high, **observed)


def _quantities(outcome: Replication, called: CallPart, model: ModelPart | None) -> list[QuantityRow]:
    agreement = outcome.agreement
    signatures: dict[str, Any] = {}
    true: dict[str, Any] = {}
    if agreement is not None:
        signatures = {
            "observed": agreement.observed,
            "p_value": None if outcome.second_p is None else outcome.second_p.p_value,
        }
        low, high = agreement.interval
        true = {"observed": _number(agreement.true_correlation), "low": low, "high": high}
    rows = [
        QuantityRow(
            quantity=SIGNATURES, same_changes=_number(outcome.same_changes), no_effect=outcome.no_effect, **signatures
        ),
        QuantityRow(quantity=TRUE_CHANGES, same_changes=1.0, no_effect=0.0, **true),
        QuantityRow(
            quantity=CALLED_AGAIN,
            observed=called.observed,
            same_changes=called.expected,
            no_effect=called.by_chance,
        ),
    ]
    if model is not None:
        rows.append(
            QuantityRow(
                quantity=AUROC,
                observed=model.observed,
                low=model.observed_low,
                high=model.observed_high,
                same_changes=model.auroc,
                same_low=model.low,
                same_high=model.high,
                no_effect=0.5,
                p_value=model.p_value,
            )
        )
    return rows


def _notes(outcome: Replication, parts: tuple[StudyPart, StudyPart | None]) -> list[str]:
    first, second = parts
    notes = []
    if second is not None and (first.positive, first.negative) != (second.positive, second.negative):
        notes.append(
            f"The studies compare different classes ({first.positive} against {first.negative}; {second.positive} against "
            f"{second.negative}): whether these mean the same is yours to judge."
        )
    agreement = outcome.agreement
    if agreement is not None and agreement.is_impossible:
        notes.append(
            "The studies agree more than their noise allows, even with the same true changes. Do they have animals or samples in "
            "common under other names?"
        )
    if agreement is not None and min(agreement.signals) <= 0:
        which = "first" if agreement.signals[0] <= 0 else "second"
        notes.append(
            f"The {which} study's changes are no larger than its noise, so the correlation of the true changes may be anything."
        )
    for word, part in (("first", first), ("second", second)):
        if part is not None and part.not_adjusted:
            notes.append(
                f"The {word} study does not hold {', '.join(part.not_adjusted)} constant. A batch that both studies have in "
                "common with the class looks like replication; name it in `endpoint.adjust`."
            )
    return notes


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
