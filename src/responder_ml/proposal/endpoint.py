"""The endpoint of a proposed job: classes, strata and nuisances among the columns of the sheet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from responder_ml.arrays import Flags
from responder_ml.errors import ProposalError, list_names
from responder_ml.proposal import sheet_columns, two_classes
from responder_ml.proposal.proposal import Answers, Proposal
from responder_ml.proposal.question import Ask, Question, options_of
from responder_ml.proposal.sheet_columns import counts, describe_counts

_SMALL_CLASS = 3


def choose_classes(
    proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers, ask: Ask
) -> tuple[Proposal, Flags]:
    """Return the proposal with its classes, and which samples are of one of them.

    Parameters
    ----------
    proposal
        With sample and subject columns.
    sheet
        The rows to use.
    free
        Columns without another role.
    answers, ask
        What the user said, and who is asked for the rest.

    Raises
    ------
    ProposalError
        No column holds two classes, or the one named does not.
    """
    subjects = sheet[proposal.columns.get("subject", proposal.columns["sample"])].tolist()
    column, reason = answers.column, "as you said"
    if column is None:
        column, reason = _class_column(proposal, sheet, sheet_columns.class_columns(sheet, free, subjects), ask)
    # A word for nothing is a class where the user says so.
    occurring = Counter(sheet[column])
    named = [value for value in (*answers.positive, *answers.negative) if value in occurring]
    values = Counter({**_classes(counts(sheet, column)), **{value: occurring[value] for value in named}})
    if len(values) < 2:
        raise ProposalError(
            f"'{column}' has one value in these {len(sheet)} samples ({describe_counts(values) or 'all missing'}), but two classes "
            "are needed. Name another column with --column, or other samples with --region."
        )
    for flag, given in (("--positive", answers.positive), ("--negative", answers.negative)):
        for value in given:
            if value not in values:
                raise ProposalError(f"'{column}' has no value '{value}' ({flag}). It has: {describe_counts(values)}.")
    positive, negative, why = _two_classes(values, column, answers, ask)
    in_classes = sheet[column].isin([*positive, *negative]).to_numpy()
    text = f"'{column}' holds the classes ({reason}): {describe_counts(values)}"
    others = [value for value in counts(sheet, column) if value not in (*positive, *negative)]
    text += f"; samples with {list_names(others)} are left out" if others else ""
    proposal = replace(proposal, column=column, positive=positive, negative=negative)
    return proposal.with_reason("column", text).with_reason("positive", why), in_classes


def _classes(values: Counter[str]) -> Counter[str]:
    """Return the values without ``none``, as of animals that were given no drug, where two others remain."""
    others = Counter({value: count for value, count in values.items() if value.strip().lower() != "none"})
    return others if len(others) >= 2 else values


def _class_column(proposal: Proposal, sheet: pd.DataFrame, candidates: Sequence[str], ask: Ask) -> tuple[str, str]:
    if not candidates:
        seen = "\n".join(
            f"  {name}: {describe_counts(counts(sheet, name)) or 'all missing'}"
            for name in proposal.files.sheet.columns
        )
        raise ProposalError(
            f"No column of {proposal.files.sheet_name} looks like two classes: two to eight values, two of them with at least "
            f"{_SMALL_CLASS} subjects, and one value per subject. Name one with --column. The columns are:\n{seen}"
        )
    by_word = sheet_columns.named(candidates, sheet_columns.CLASS)
    if len(by_word) == 1:
        return by_word[0], "by its name"
    if len(candidates) == 1:
        return candidates[0], "the only column with few values"
    options = options_of([(name, describe_counts(counts(sheet, name))) for name in candidates])
    return ask(Question("Which column holds the two classes to tell apart?", "--column", options)), "as you said"


def _two_classes(
    values: Counter[str], column: str, answers: Answers, ask: Ask
) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    positive, negative = answers.positive, answers.negative
    if positive and negative:
        return positive, negative, "as you said"
    if len(values) == 2 and not positive and not negative:
        first, second, why = two_classes.order_two(values)
        return (first,), (second,), why
    for which in ("positive", "negative"):
        taken = negative if which == "positive" else positive
        if (which == "positive" and positive) or (which == "negative" and negative):
            continue
        remaining = [value for value in values if value not in taken]
        only = remaining[0] if len(remaining) == 1 else None
        value = only or ask(two_classes.ask_for_class(values, column, which, taken))
        positive, negative = ((value,), negative) if which == "positive" else (positive, (value,))
    return positive, negative, "as you said"


def name_others(proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers) -> Proposal:
    """Name strata and nuisances, from the samples of the two classes."""
    subjects = sheet[proposal.columns.get("subject", proposal.columns["sample"])]
    strata, reason = answers.strata, "as you said"
    if strata is None:
        strata, reason = _strata(proposal, sheet, free, subjects)
    usable, too_many = sheet_columns.nuisance_columns(
        sheet, [name for name in free if name not in strata], subjects.nunique()
    )
    nuisance = answers.nuisance if answers.nuisance is not None else tuple(usable)
    columns = dict(proposal.columns)
    by_sex = [name for name in (*nuisance, *strata) if sheet_columns.words_of(name) & sheet_columns.SEX]
    if by_sex and "sex" not in free:
        columns["sex"] = by_sex[0]
    proposal = replace(proposal, columns=columns)
    text = "as you said"
    if answers.nuisance is None:
        text = (
            "they vary between these samples and could explain a difference"
            if usable
            else "no column of batch, cage, age or the like varies"
        )
        text += f". Left out, with too many values to hold constant: {list_names(too_many)}" if too_many else ""
    return (
        replace(
            proposal,
            strata=tuple(proposal.canonical(name) for name in strata),
            nuisance=tuple(proposal.canonical(name) for name in nuisance),
        )
        .with_reason("strata", reason)
        .with_reason("nuisance", text)
    )


def _strata(
    proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], subjects: "pd.Series[str]"
) -> tuple[tuple[str, ...], str]:
    one_sided = []
    is_positive = sheet[proposal.column].isin(proposal.positive).to_numpy()
    for name in sheet_columns.named(free, sheet_columns.STRATUM):
        values = sheet[name]
        if not 2 <= values.nunique() <= 6 or any(map(sheet_columns.is_missing, values)):
            continue
        if pd.DataFrame({"value": values, "subject": subjects}).drop_duplicates()["subject"].duplicated().any():
            continue
        share = pd.Series(is_positive).groupby(values.to_numpy()).mean()
        if ((share > 0) & (share < 1)).all():
            return (
                (name,),
                f"labels are permuted within {name} ({describe_counts(counts(sheet, name))}), which holds both classes in each",
            )
        one_sided.append(name)
    text = "no column of drug or arm divides both classes"
    return (), text + (f"; in a value of {list_names(one_sided)} only one class occurs" if one_sided else "")
