"""A candidate: one builder and one classifier, with what is fixed and what is searched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from responder_ml.classifiers.classifier import Classifier
from responder_ml.features.builders.builder import Builder


@dataclass(frozen=True)
class Candidate:
    """One builder x one classifier.

    Attributes
    ----------
    builder_name
        The builder's name within the job; several builders may be of one kind.
    builder
        Unfitted.
    classifier
        The classifier's class.
    fixed
        Constructor arguments the user has set; they are not searched.
    classifier_name
        The classifier's name within the job; its kind by default.
    """

    builder_name: str
    builder: Builder
    classifier: type[Classifier]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    classifier_name: str = ""

    @property
    def name(self) -> str:
        """The candidate's name in every table, such as ``genes+elastic_net``."""
        return f"{self.builder_name}+{self.classifier_name or self.classifier.name}"

    def space(self, available: int) -> dict[str, Any]:
        """Return the distributions to search when a builder offers ``available`` columns.

        The prefix length comes first; it is left out where there is only one length to choose.
        """
        from optuna.distributions import IntDistribution

        space: dict[str, Any] = {}
        shortest = min(self.builder.shortest, available)
        if shortest < available:
            space["n_features"] = IntDistribution(shortest, available, log=True)
        searched = {key: value for key, value in self.classifier.search_space().items() if key not in self.fixed}
        return space | searched

    def length(self, params: Mapping[str, Any], available: int) -> int:
        """Return the prefix length in ``params``, or all columns where it was not searched."""
        return int(params.get("n_features", available))

    def make(self, params: Mapping[str, Any]) -> Classifier:
        """Return an unfitted classifier with searched and fixed arguments."""
        chosen = {key: value for key, value in params.items() if key != "n_features"}
        return self.classifier(**{**chosen, **self.fixed})

    def fixed_form_params(self, available: int) -> dict[str, Any]:
        """Return what is used where nothing may be tuned: the builder's fixed length, the classifier's defaults."""
        return {"n_features": min(self.builder.fixed_length, available)}


def classifier_notes(candidates: Sequence[Candidate]) -> list[str]:
    """Return what a reader must know of how the classifiers meet this machine, each said once.

    Raises
    ------
    ConfigError
        A parameter that cannot be used.
    """
    classifiers = {each.classifier_name or each.classifier.name: each.make({}) for each in candidates}
    return [f"{name}: {note}" for name, classifier in classifiers.items() for note in classifier.notes()]
