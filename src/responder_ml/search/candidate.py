"""A candidate: one builder and one classifier, with the parameters that are fixed and those that are searched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from responder_ml.classifiers.learner import Learner
from responder_ml.features.builders.builder import Builder

AUTO = "auto"
"""Name, in every table, of the whole procedure: the mean of the candidates' log-odds."""


@dataclass(frozen=True)
class Candidate:
    """One builder x one classifier.

    Attributes
    ----------
    builder_name
        The builder's name within the job; several builders may be of one kind.
    builder
        The unfitted builder.
    classifier
        The classifier's class; a regressor's for a graded outcome.
    fixed
        Constructor arguments the user has set; they are not searched.
    classifier_name
        The classifier's name within the job; its kind by default.
    """

    builder_name: str
    builder: Builder
    classifier: type[Learner]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    classifier_name: str = ""

    @property
    def name(self) -> str:
        """The candidate's name in every table, such as ``genes+elastic_net``."""
        return f"{self.builder_name}+{self.classifier_name or self.classifier.name}"

    def space(self, available: int, rows: int | None = None) -> dict[str, Any]:
        """Return the distributions to search when a builder offers ``available`` columns on so many training rows.

        The prefix length comes first; it is left out where there is only one length to choose.
        """
        from optuna.distributions import IntDistribution

        space: dict[str, Any] = {}
        shortest = min(self.builder.shortest, available)
        if shortest < available:
            space["n_features"] = IntDistribution(shortest, available, log=True)
        searched = {key: value for key, value in self.classifier.search_space(rows).items() if key not in self.fixed}
        return space | searched

    def length(self, params: Mapping[str, Any], available: int) -> int:
        """Return the prefix length in ``params``, or all columns where it was not searched."""
        return int(params.get("n_features", available))

    def make(self, params: Mapping[str, Any]) -> Learner:
        """Return an unfitted classifier with searched and fixed arguments."""
        searched = {key: value for key, value in params.items() if key != "n_features"}
        return self.classifier(**{**searched, **self.fixed})

    def fixed_form_params(self, available: int) -> dict[str, Any]:
        """Return the parameters used where nothing is tuned: the builder's fixed length, the classifier's defaults."""
        return {"n_features": min(self.builder.fixed_length, available)}


def classifier_notes(candidates: Sequence[Candidate]) -> list[str]:
    """Return notes on how the classifiers will run on this machine, one per classifier and note.

    Raises
    ------
    ConfigError
        A parameter that cannot be used.
    """
    classifiers = {
        candidate.classifier_name or candidate.classifier.name: candidate.make({}) for candidate in candidates
    }
    return [f"{name}: {note}" for name, classifier in classifiers.items() for note in classifier.notes()]
