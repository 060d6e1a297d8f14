"""From an expression file and a sample sheet to a proposed job: each decision with its reason."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags
from responder_ml.cohort.grid import read_samples
from responder_ml.errors import ProposalError, list_names
from responder_ml.proposal import sheet_columns
from responder_ml.proposal.cohort_files import CohortFiles
from responder_ml.proposal.endpoint import choose_classes, name_others
from responder_ml.proposal.intensities import FLOOR
from responder_ml.proposal.proposal import NO_SUBJECT, Answers, Proposal
from responder_ml.proposal.question import Ask, Option, Question, options_of
from responder_ml.proposal.sample_names import SampleNames, explain_no_match, match_names
from responder_ml.proposal.value_units import INTENSITIES, ask_for_units, guess_units
from responder_ml.registry import did_you_mean

_LOOKED_AT = 60
"""Most samples whose values are looked at for their units."""
_BEFORE = frozenset({"baseline", "pre", "pretreatment", "t0", "before", "screening", "untreated"})


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
    proposal, in_classes = choose_classes(proposal, sheet, free, answers, ask)
    free = [name for name in free if name != answers.column and proposal.canonical(name) != proposal.column]
    proposal = name_others(proposal, sheet[in_classes].reset_index(drop=True), free, answers)
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
                raise ProposalError(
                    f"{files.sheet_name} has no column '{name}' ({flag}). {did_you_mean(name, columns)}"
                )


def _name_samples(proposal: Proposal, names: SampleNames) -> Proposal:
    total, axis = len(names.in_matrix), "columns" if names.genes_in_rows else "rows"
    reason = f"{names.count} of {total} values of '{names.column}' are names of {axis} of {proposal.files.grid.source}"
    if names.count < total:
        without = proposal.files.sheet[names.column][~names.in_matrix].tolist()
        reason += f"; not in it: {list_names(without)}"
    return replace(proposal, columns={"sample": names.column}, genes_in_rows=names.genes_in_rows).with_reason(
        "sample", reason
    )


def _name_subject(proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers, ask: Ask) -> Proposal:
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
        text = f"each sample counts as a subject of its own ({reason})"
        advice = "If two are of one animal, results come out too good: then add a column that names it"
        return proposal.with_reason("subject", f"{text}. {advice}")
    repeated = len(sheet) - sheet[column].nunique()
    text = (
        f"'{column}' names the animal, donor or patient ({reason}): {sheet[column].nunique()} over {len(sheet)} samples"
    )
    text += ", all samples of one stay together" if repeated else ""
    return replace(proposal, columns={**proposal.columns, "subject": column}).with_reason("subject", text)


def _choose_region(
    proposal: Proposal, sheet: pd.DataFrame, free: Sequence[str], answers: Answers, ask: Ask
) -> tuple[Proposal, Flags]:
    everything = np.ones(len(sheet), dtype=np.bool_)
    columns = [name for name in sheet_columns.region_columns(free) if sheet[name].nunique() > 1]
    # Regions are few, and words.
    columns = [name for name in columns if 2 * sheet[name].nunique() <= len(sheet)]
    if not columns:
        if answers.region is not None:
            raise ProposalError(
                f"--region is {answers.region}, but {proposal.files.sheet_name} has no column of several regions."
            )
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
    ordered = [*sheet_columns.region_columns(list(sheet.columns)), *sheet.columns]
    for column in ordered:
        values = sheet[column][names.in_matrix].unique()
        if len(values) == 1 and ((sheet[column] == values[0]).to_numpy() == names.in_matrix).all():
            reason = f"exactly the rows with a sample in {proposal.files.grid.source}"
            return replace(proposal, where={str(column): str(values[0])}).with_reason("where", reason)
    return proposal


def _declare_units(proposal: Proposal, names: SampleNames, answers: Answers, ask: Ask) -> Proposal:
    grid = proposal.files.grid
    listed = set(proposal.files.sheet[names.column])
    on_axis, genes = (grid.columns, grid.rows) if names.genes_in_rows else (grid.rows, grid.columns)
    positions = np.array([index for index, name in enumerate(on_axis) if name in listed], dtype=np.intp)
    some = positions[:: max(1, len(positions) // _LOOKED_AT)]
    guess = guess_units(read_samples(grid, some, np.arange(len(genes)), names.genes_in_rows))
    question = ask_for_units(guess)
    units = question.read(answers.units) if answers.units is not None else guess.units or ask(question)
    why = guess.why if units == guess.units else f"as you said; {guess.why}"
    if units == INTENSITIES:
        why += f". The copy has their log2; those under {FLOOR:g} are set to {FLOOR:g} first"
    return replace(
        proposal, units="log2" if units == INTENSITIES else units, intensities=units == INTENSITIES
    ).with_reason("units", why)


def _say_when_taken(proposal: Proposal, sheet: pd.DataFrame, answers: Answers, ask: Ask) -> Proposal:
    values = {
        word
        for name in sheet.columns
        for value in sheet[name].unique()[:2]
        for word in sheet_columns.words_of(str(value))
    }
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
