"""Outer fits of many folds and draws, collected so that problems that are cheaper to solve together are solved together."""

from responder_ml.arrays import Floats, Indices
from responder_ml.classifiers.learner import Learner, Problem

# Bytes of columns collected at most before they are solved.
_MOST_WAITING_BYTES = 2**22


class BatchedFits:
    """Problems waiting to be solved, each with the place where its decisions belong."""

    def __init__(self) -> None:
        self._waiting: dict[type[Learner], list[tuple[Learner, Problem, Floats, Indices]]] = {}
        self._bytes = 0

    def add(self, classifier: Learner, problem: Problem, target: Floats, rows: Indices) -> None:
        """Add one problem; its decisions will be written to ``target[rows]``, at the latest by `solve`."""
        self._waiting.setdefault(type(classifier), []).append((classifier, problem, target, rows))
        self._bytes += problem[0].nbytes + problem[2].nbytes
        if self._bytes > _MOST_WAITING_BYTES:
            self.solve()

    def solve(self) -> None:
        """Solve every waiting problem and write its decisions."""
        for kind, waiting in self._waiting.items():
            decisions = kind.decide_together((classifier, problem) for classifier, problem, _, _ in waiting)
            for decision, (_, _, target, rows) in zip(decisions, waiting, strict=True):
                target[rows] = decision
        self._waiting = {}
        self._bytes = 0
