"""From an expression file and a sample sheet to a proposed job: each decision with its reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags
from responder_ml.cohort.grid import read_samples
from responder_ml.errors import ProposalError, list_names
from responder_ml.proposal import sheet_columns, two_classes
from responder_ml.proposal.cohort_files import CohortFiles
from responder_ml.proposal.question import Ask, Option, Question, options_of
from responder_ml.proposal.sample_names import SampleNames, explain_no_match, match_names
from responder_ml.proposal.sheet_columns import counts, describe_counts
from responder_ml.proposal.value_units import ask_for_units, guess_units
from responder_ml.registry import did_you_mean

NO_SUBJECT = "none"
_LOOKED_AT = 60
"""Most samples whose values are looked at for their units."""
_SMALL_CLASS = 3
_BEFORE = frozenset({"baseline", "pre", "pretreatment", "t0", "before", "screening", "untreated"})


@dataclass(frozen=True)
class Answers:
    """What the user said beforehand; None or nothing where it is to be found or asked.

    Attributes
    ----------
    column, positive, negative
        The classes; several values of a side count as one class.
    subject
        Column of animals, donors or patients; `NO_SUBJECT` where each sample is one.
    strata, nuisance
        Columns.
    units, taken, region
        Values of the keys ``units`` and ``taken``, and of the column of regions.
    """

    column: str | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    subject: str | None = None
    strata: tuple[str, ...] | None = None
    nuisance: tuple[str, ...] | None = None
    units: str | None = None
    taken: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Proposal:
    """A proposed job.

    Attributes
    ----------
    files
        What was read.
    units, taken
        Values of these keys.
    columns, where
        Canonical name: the sheet's name; and the rows to use.
    column, positive, negative, strata, nuisance
        The endpoint, in canonical names.
    reasons
        Why, by key; each a sentence.
    """

    files: CohortFiles
    units: str = ""
    taken: str = "unknown"
    columns: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    column: str = ""
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    nuisance: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A name for the job, from its region and class column."""
        words = "-".join([*self.where.values(), self.column])
        return re.sub(r"[^A-Za-z0-9._-]+", "_", words).strip("_-.") or "job"

    def with_reason(self, key: str, reason: str) -> "Proposal":
        """Return the proposal with one more reason."""
        return replace(self, reasons={**self.reasons, key: reason})

    def canonical(self, column: str) -> str:
        """Return the name under which a column of the sheet is used."""
        return next((new for new, old in self.columns.items() if old == column and new != "sample"), column)


def propose(files: CohortFiles, answers: Answers, ask: Ask) -> Proposal:
    """Propose a job.

    Parameters
    ----------
    files
        The expression and the sheet.
    answers
        What need not be found or asked.
    ask
        Is asked what the files do not say.

    Raises
    ------
    ProposalError
        The files do not belong together, have no column of two classes, or an answer is none.
    """
    _require_columns(files, answers)
    names = match_names(files.sheet, files.grid)
    if names is None:
        raise explain_no_match(files.sheet, files.sheet_name, files.grid)
    proposal = _name_samples(Proposal(files), names)
    sheet = files.sheet[names.in_matrix].reset_index(drop=True)
    free = [name for name in files.sheet.columns if name != names.column]
    proposal = _name_subject(proposal, sheet, free, answers, ask)
    free = [name for name in free if name != proposal.columns.get("subject")]
    proposal, rows = _choose_region(proposal, sheet, free, answers, ask)
    proposal = _separate_matched(proposal, names, rows)
    sheet, free = sheet[rows].reset_index(drop=True), [name for name in free if name not in proposal.where]
    proposal, in_classes = _choose_classes(proposal, sheet, free, answers, ask)
    free = [name for name in free if name != answers.column and proposal.canonical(name) != proposal.column]
    proposal = _name_others(proposal, sheet[in_classes].reset_index(drop=True), free, answers)
    proposal = _declare_units(proposal, names, answers, ask)
    return _say_when_taken(proposal, sheet, answers, ask)


def _require_columns(files: CohortFiles, answers: Answers) -> None:
    columns = [str(name) for name in files.sheet.columns]
    named = {
        "--column": [answers.column],
        "--subject": [None if answers.subject == NO_SUBJECT else answers.subject],
        "--strata": answers.strata or (),
        "--nuisance": answers.nuisance or (),
    }
    for flag, names in named.items():
        for name in names:
            if name and name not in columns:
                raise ProposalError(f"{files.sheet_name} has no column '{name}' ({flag}). {did_you_mean(name, columns)}")


def _name_samples(proposal: Proposal, names: SampleNames) -> Proposal:
    total, axis = len(names.in_matrix), "columns" if names.genes_in_rows else "rows"
    reason = f"{names.count} of {total} values of '{names.column}' are names of {axis} of {proposal.files.grid.source}"
    if names.count < total:
        without = proposal.files.sheet[names.column][~names.in_matrix].tolist()
        reason += f"; not in it: {list_names(without)}"
    return replace(proposal, columns={"sample": names.column}).with_reason("sample", reason)


def _name_subject(
    proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers, ask: Ask
) -> Proposal:
    column, reason = answers.subject, "as you said"
    if column is None:
        candidates = sheet_columns.subject_columns(sheet, free)
        others = [] if candidates else sheet_columns.repeated_names(sheet, free)
        if candidates:
            column, reason = candidates[0], "by its name"
        elif others:
            column = ask(
                Question(
                    "Do several samples come from one animal or patient, and which column names it?",
                    "--subject",
                    (
                        *(Option(name, f"{sheet[name].nunique()} values over {len(sheet)} samples") for name in others),
                        Option(NO_SUBJECT, "each sample is from an animal or patient of its own"),
                    ),
                )
            )
            reason = "as you said"
        else:
            column, reason = NO_SUBJECT, "no column names animals, donors or patients"
    if column == NO_SUBJECT:
        text = f"each sample counts as a subject of its own ({reason}). If two are of one animal, results come out too good: then add "
        return proposal.with_reason("subject", f"{text}a column that names it")
    repeated = len(sheet) - sheet[column].nunique()
    text = f"'{column}' names the animal, donor or patient ({reason}): {sheet[column].nunique()} over {len(sheet)} samples"
    text += ", all samples of one stay together" if repeated else ""
    return replace(proposal, columns={**proposal.columns, "subject": column}).with_reason("subject", text)


def _choose_region(
    proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers, ask: Ask
) -> tuple[Proposal, Flags]:
    everything = np.ones(len(sheet), dtype=np.bool_)
    columns = [name for name in sheet_columns.named(free, sheet_columns.REGION) if sheet[name].nunique() > 1]
    # Regions are few, and words.
    columns = [name for name in columns if 2 * sheet[name].nunique() <= len(sheet)]
    if not columns:
        if answers.region is not None:
            raise ProposalError(f"--region is {answers.region}, but {proposal.files.sheet_name} has no column of several regions.")
        return proposal, everything
    column = columns[0]
    occurring = {str(value): int(count) for value, count in sheet[column].value_counts().items()}
    question = Question(
        f"'{column}' has {len(occurring)} values. Regions differ far more than classes do: which one is this job about?",
        "--region",
        options_of([(value, f"{count} samples") for value, count in occurring.items()]),
    )
    value = question.read(answers.region) if answers.region is not None else ask(question)
    canonical = "region" if "region" not in free else column
    if canonical != column:
        proposal = replace(proposal, columns={**proposal.columns, canonical: column})
    reason = f"one region to a job; {column} has {', '.join(f'{name} {count}' for name, count in occurring.items())}"
    proposal = replace(proposal, where={canonical: value}).with_reason("where", reason)
    return proposal, (sheet[column] == value).to_numpy()


def _separate_matched(proposal: Proposal, names: SampleNames, rows: Flags) -> Proposal:
    """Choose the rows of the sheet that have a sample in the matrix, where one value of a column says which they are."""
    sheet = proposal.files.sheet
    if names.in_matrix.all() or proposal.where:
        return proposal
    ordered = [*sheet_columns.named(list(sheet.columns), sheet_columns.REGION), *sheet.columns]
    for column in ordered:
        values = sheet[column][names.in_matrix].unique()
        if len(values) == 1 and ((sheet[column] == values[0]).to_numpy() == names.in_matrix).all():
            reason = f"exactly the rows with a sample in {proposal.files.grid.source}"
            return replace(proposal, where={str(column): str(values[0])}).with_reason("where", reason)
    return proposal


def _choose_classes(
    proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers, ask: Ask
) -> tuple[Proposal, Flags]:
    subjects = sheet[proposal.columns.get("subject", proposal.columns["sample"])].tolist()
    column, reason = answers.column, "as you said"
    if column is None:
        column, reason = _class_column(proposal, sheet, sheet_columns.class_columns(sheet, free, subjects), ask)
    values = counts(sheet, column)
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
    others = [value for value in values if value not in (*positive, *negative)]
    text += f"; samples with {list_names(others)} are left out" if others else ""
    proposal = replace(proposal, column=column, positive=positive, negative=negative)
    return proposal.with_reason("column", text).with_reason("positive", why), in_classes


def _class_column(proposal: Proposal, sheet: pd.DataFrame, candidates: Sequence[str], ask: Ask) -> tuple[str, str]:
    if not candidates:
        seen = "\n".join(
            f"  {name}: {describe_counts(counts(sheet, name)) or 'all missing'}" for name in proposal.files.sheet.columns
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
    values: "sheet_columns.Counter[str]", column: str, answers: Answers, ask: Ask
) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    positive, negative = answers.positive, answers.negative
    if positive and negative:
        return positive, negative, "as you said"
    if len(values) == 2 and not positive and not negative:
        first, second, why = two_classes.order_two(values)
        return (first,), (second,), why
    for which in ("positive", "negative"):
        taken = negative if which == "positive" else positive
        if which == "positive" and positive or which == "negative" and negative:
            continue
        remaining = [value for value in values if value not in taken]
        only = remaining[0] if len(remaining) == 1 else None
        value = only or ask(two_classes.ask_for_class(values, column, which, taken))
        positive, negative = ((value,), negative) if which == "positive" else (positive, (value,))
    return positive, negative, "as you said"


def _name_others(proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers) -> Proposal:
    """Name strata and nuisances, from the samples of the two classes."""
    subjects = sheet[proposal.columns.get("subject", proposal.columns["sample"])]
    strata, reason = answers.strata, "as you said"
    if strata is None:
        strata, reason = _strata(proposal, sheet, free, subjects)
    usable, too_many = sheet_columns.nuisance_columns(sheet, [name for name in free if name not in strata], subjects.nunique())
    nuisance = answers.nuisance if answers.nuisance is not None else tuple(usable)
    columns = dict(proposal.columns)
    by_sex = [name for name in (*nuisance, *strata) if sheet_columns.words_of(name) & sheet_columns.SEX]
    if by_sex and "sex" not in free:
        columns["sex"] = by_sex[0]
    proposal = replace(proposal, columns=columns)
    text = "as you said"
    if answers.nuisance is None:
        text = "they vary between these samples and could explain a difference" if usable else "no column of batch, cage, age or the like varies"
        text += f". Left out, with too many values to hold constant: {list_names(too_many)}" if too_many else ""
    return replace(
        proposal,
        strata=tuple(proposal.canonical(name) for name in strata),
        nuisance=tuple(proposal.canonical(name) for name in nuisance),
    ).with_reason("strata", reason).with_reason("nuisance", text)


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
            return (name,), f"labels are permuted within {name} ({describe_counts(counts(sheet, name))}), which holds both classes in each"
        one_sided.append(name)
    text = "no column of drug or arm divides both classes"
    return (), text + (f"; in a value of {list_names(one_sided)} only one class occurs" if one_sided else "")


def _declare_units(proposal: Proposal, names: SampleNames, answers: Answers, ask: Ask) -> Proposal:
    grid = proposal.files.grid
    listed = set(proposal.files.sheet[names.column])
    on_axis, genes = (grid.columns, grid.rows) if names.genes_in_rows else (grid.rows, grid.columns)
    positions = np.array([index for index, name in enumerate(on_axis) if name in listed], dtype=np.intp)
    some = positions[:: max(1, len(positions) // _LOOKED_AT)]
    guess = guess_units(read_samples(grid, some, np.arange(len(genes)), names.genes_in_rows))
    question = ask_for_units(guess)
    if answers.units is not None:
        return replace(proposal, units=question.read(answers.units)).with_reason("units", f"as you said; {guess.why}")
    units = guess.units or ask(question)
    return replace(proposal, units=units).with_reason("units", guess.why)


def _say_when_taken(proposal: Proposal, sheet: pd.DataFrame, answers: Answers, ask: Ask) -> Proposal:
    values = {word for name in sheet.columns for value in sheet[name].unique()[:2] for word in sheet_columns.words_of(str(value))}
    constant = {name for name in sheet.columns if sheet[name].nunique() == 1}
    words = {word for name in constant for word in sheet_columns.words_of(str(sheet[name].iloc[0]))}
    hint: Literal["before", "unknown"] = "before" if words & _BEFORE & values else "unknown"
    question = Question(
        "Was the tissue taken before or after the outcome was known?",
        "--taken",
        (
            Option("before", "a later response could in principle be predicted"),
            Option("after", "as when animals are killed after the test: a state is told apart, nothing is predicted"),
            Option("unknown", "the report then asks"),
        ),
        "unknown",
    )
    taken = question.read(answers.taken) if answers.taken is not None else ask(question)
    seen = "; a column says that all samples were taken at baseline" if hint == "before" else ""
    return replace(proposal, taken=taken).with_reason("taken", f"when tissue was taken, against the outcome{seen}")
