"""A member of the family that a study tests together, and a job that could not become one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from responder_ml.evaluation.joint_relabelling import JobLabels
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.evaluation.permutation import NullResult, Statistic
from responder_ml.evaluation.verdict import Verdict
from responder_ml.exceptions import EndpointError
from responder_ml.experiment import Prepared
from responder_ml.study_config import Cell


@dataclass(frozen=True)
class Judged:
    """A verdict, and what beside the null it rests on, as columns of the table of jobs."""

    verdict: Verdict
    facts: dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """A job, or a fusion of several regions, after its search and before its null.

    Attributes
    ----------
    cell
        Its place in the grid.
    subjects
        Names, labels and strata.
    auto
        Its out-of-fold decisions.
    statistic
        Its procedure as a function of labellings.
    judge
        From its null, with corrected p, to its verdict.
    simulated
        Whether its data are.
    prepared
        Its data and what their size allows; None for a fusion.
    """

    cell: Cell
    subjects: JobLabels
    auto: OutOfFold
    statistic: Statistic
    judge: Callable[[NullResult], Judged]
    simulated: bool
    prepared: Prepared | None = None


@dataclass(frozen=True)
class Refused:
    """A job with too few subjects to be asked at all.

    Attributes
    ----------
    cell
        Its place in the grid.
    n_positive, n_negative
        Subjects of each class.
    reason
        One sentence.
    """

    cell: Cell
    n_positive: int
    n_negative: int
    reason: str


def tested(entered: Sequence[Contender | Refused]) -> dict[str, Contender]:
    """Return the jobs that can be tested, by name.

    Raises
    ------
    EndpointError
        None can.
    """
    found = {each.cell.key: each for each in entered if isinstance(each, Contender)}
    reasons = [each.reason for each in entered if isinstance(each, Refused)]
    if not found:
        raise EndpointError(f"There is no job of the grid that can be asked. The first of {len(reasons)}: {reasons[0]}")
    return found
