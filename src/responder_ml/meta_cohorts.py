"""What one folder brings to a meta-analysis of signatures or claims: estimates with standard errors, and its subjects.

Of signatures that is the standardised difference with its large-sample standard error. Of claims it is the observed value and its
value with no effect; the standard error is the width of the 95 % interval. Only numbers that mean the same in cohorts of any
size can be pooled: counts of genes are not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from responder_ml.errors import RunError, list_names
from responder_ml.records.claims_folder import ClaimsFolder
from responder_ml.records.signatures import SignaturesRun

STEPS = 1.959963984540054
"""Standard errors from the middle to an end of a 95 % interval."""
# Statistics that count genes, or add their changes up, grow with the number of genes and animals.
_OF_SIZE = ("_degs", "deg_count", "_xsum", "_rrho2")


@dataclass(frozen=True)
class Estimate:
    """One number of one cohort.

    Attributes
    ----------
    observed, no_effect
        What was observed, and its value with no effect.
    standard_error, low, high
        Standard error, and ends of the 95 % interval of what was observed.
    subjects
        Subjects of each group, in words.
    """

    observed: float
    no_effect: float
    standard_error: float
    low: float
    high: float
    subjects: str


@dataclass(frozen=True)
class Cohort:
    """What one folder has.

    Attributes
    ----------
    estimates
        By what they are of.
    simulated
        Whether the animals are simulated.
    classes
        The two classes; empty for claims, whose groups have fixed names.
    held_constant
        What its linear model holds constant.
    data
        Digest of the data, or what stands for it.
    members
        1 (positive) or 0 (negative) for each subject, by a digest of its expression; None where it is not known.
    subjects
        Names of the subjects.
    refused
        Why other estimates cannot be pooled.
    """

    estimates: Mapping[str, Estimate] = field(repr=False)
    simulated: bool
    classes: tuple[str, str] | None
    held_constant: tuple[str, ...]
    data: str
    members: Mapping[str, int] | None = field(repr=False)
    subjects: frozenset[str] = field(repr=False)
    refused: Mapping[str, str] = field(repr=False)


def estimates_of_signatures(run: SignaturesRun) -> Cohort:
    """Return the standardised differences of a folder of signatures; circular ones are refused."""
    result, estimates, refused = run.result, {}, {}
    for row in run.rows:
        if row.circular:
            refused[row.signature] = f"circular, {row.circular}"
        elif row.difference is None or row.standard_error is None or row.low is None or row.high is None:
            refused[row.signature] = "the score is the same in every sample"
        else:
            words = f"{result.n_positive} v {result.n_negative}"
            estimates[row.signature] = Estimate(row.difference, 0.0, row.standard_error, row.low, row.high, words)
    refused |= dict(result.dropped)
    table = run.tables["subjects"]
    keys = table["digest"].astype(str) + " " + table["subject"].astype(str)
    members = {key: int(group == result.positive) for key, group in zip(keys, table["group"], strict=True)}
    return Cohort(
        estimates,
        result.simulated,
        (result.positive, result.negative),
        result.adjusted,
        result.data_sha256,
        members,
        frozenset(table["subject"].astype(str)),
        refused,
    )


def estimates_of_claims(table: ClaimsFolder, claims: Sequence[str] = ()) -> Cohort:
    """Return the lines of a folder of claims that have an interval and a value with no effect.

    Parameters
    ----------
    table
        The folder.
    claims
        Codes of the claims, with all their statistics; the lines that verdicts rest on by default.

    Raises
    ------
    RunError
        The folder has no such claim.
    """
    known = sorted({row.claim for row in table.rows})
    unknown = [claim for claim in claims if claim not in known]
    if unknown:
        raise RunError(f"{table.name} has no claim {list_names(unknown)}; it has {', '.join(known)}. Correct --claim.")
    estimates, refused = {}, {}
    for row in table.rows:
        wanted = row.claim in claims if claims else row.headline
        if not wanted or row.statistic.endswith(_OF_SIZE):
            continue
        if row.expected_no_effect is None:
            refused[row.key] = "it has no value with no effect"
        elif row.observed is None or row.low is None or row.high is None or not row.high > row.low:
            refused[row.key] = "it has no interval"
        else:
            error = (row.high - row.low) / (2.0 * STEPS)
            estimates[row.key] = Estimate(row.observed, row.expected_no_effect, error, row.low, row.high, row.subjects)
    return Cohort(estimates, table.simulated, None, (), table.data, None, frozenset(), refused)


def note_on_classes(classes: Iterable[tuple[str, str]]) -> list[str]:
    """Say where cohorts ask different questions, each of a positive and a negative class; nothing where all ask one."""
    questions = sorted(set(classes))
    if len(questions) < 2:
        return []
    words = "; ".join(f"{positive} against {negative}" for positive, negative in questions)
    return [f"The cohorts compare different classes ({words}): whether these mean the same is yours to judge."]
