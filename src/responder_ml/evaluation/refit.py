"""The model fitted to all subjects, for scoring; it is never evaluated itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from responder_ml.arrays import Labels
from responder_ml.search.candidate import AUTO
from responder_ml.search.mean_model import Member, ScoringModel, members_in_use, unfitted_model
from responder_ml.search.search_data import SearchData


@dataclass(frozen=True)
class RefitMember:
    """A candidate of the model fitted to all subjects.

    Attributes
    ----------
    name
        The candidate's name.
    weight
        Its weight in the model.
    params
        Its tuned or fixed parameters.
    """

    name: str
    weight: float
    params: dict[str, Any]


@dataclass(frozen=True)
class Refit:
    """The model fitted to all subjects, for scoring.

    Attributes
    ----------
    members
        The candidates that it averages, by name.
    model
        The fitted model.
    """

    members: tuple[RefitMember, ...]
    model: ScoringModel

    @property
    def name(self) -> str:
        """The candidate's name; "auto" for a mean of several."""
        return self.members[0].name if len(self.members) == 1 else AUTO

    @property
    def params(self) -> dict[str, Any]:
        """The candidate's parameters; empty for a mean of several."""
        return self.members[0].params if len(self.members) == 1 else {}

    @property
    def description(self) -> str:
        """What was fitted, in words."""
        names = [member.name for member in self.members]
        return names[0] if len(names) == 1 else f"the mean of {', '.join(names[:-1])} and {names[-1]}"


def fit_members(members: Sequence[Member], search_data: SearchData, labels: Labels) -> Refit:
    """Fit the weighted mean of candidates to all subjects.

    Parameters
    ----------
    members
        The candidates with their parameters and weights, in any order.
    search_data
        Samples and subjects.
    labels
        0/1 per subject.
    """
    model = unfitted_model(members)
    of_samples = labels[search_data.subject_of]
    model.fit(search_data.expression, of_samples, genes=search_data.genes, context=search_data.context)
    used = [
        RefitMember(member.candidate.name, member.weight, dict(member.params)) for member in members_in_use(members)
    ]
    return Refit(tuple(used), model)
