"""Outer fits of many folds and draws, held back for a while so that what is cheaper solved together is."""

from responder_ml.arrays import Flags, Floats
from responder_ml.classifiers.classifier import Classifier, Problem

# Bytes of columns held back at most.
_MOST_HELD = 2**22


class BatchedFits:
    """Problems to be decided, and where each one's decisions belong."""

    def __init__(self) -> None:
        self._held: dict[type[Classifier], list[tuple[Classifier, Problem, Floats, Flags]]] = {}
        self._bytes = 0

    def add(self, classifier: Classifier, problem: Problem, target: Floats, rows: Flags) -> None:
        """Hold one problem back; its decisions will be written to ``target[rows]``."""
        self._held.setdefault(type(classifier), []).append((classifier, problem, target, rows))
        self._bytes += problem[0].nbytes + problem[2].nbytes
        if self._bytes > _MOST_HELD:
            self.decide()

    def decide(self) -> None:
        """Decide everything held back."""
        for kind, held in self._held.items():
            decisions = kind.decide_together((classifier, problem) for classifier, problem, _, _ in held)
            for decision, (_, _, target, rows) in zip(decisions, held, strict=True):
                target[rows] = decision
        self._held = {}
        self._bytes = 0
