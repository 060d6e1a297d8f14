"""Several classes, compared two by two: one statistic for all of them, and its null.

Every two classes are told apart by the whole two-class procedure, trained and tested on the subjects of these two alone. What is
reported is the mean of these AUROCs over all pairs of classes, the macro one-vs-one AUROC (Hand and Till's M for models of
pairs); the test statistic is made of the means of the pairs' separations in the same way as for two classes (`separation`).

The null hypothesis is that within strata the classes are unrelated to expression. A relabelling exchanges the classes of all
subjects, so the two groups of every pair consist of other subjects, and every pair's procedure is run again.

Beside what is tested, held-out subjects get one probability for each class: with folds that all pairs share, every pair decides
every held-out subject, and their answers are coupled.

References
----------
Hand DJ, Till RJ (2001) A simple generalisation of the area under the ROC curve for multiple class classification problems.
    doi:10.1023/A:1010920819831
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.evaluation.procedure import DRAWS_PER_UNIT, Procedure
from responder_ml.evaluation.small_n import fit_plan_to_n
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import NEITHER, FoldsOfClasses, count_classes
from responder_ml.search.workers import Workers
from responder_ml.statistics.pairwise_coupling import couple

# Units of relabellings for each worker that go through one pair before the next, so that no worker waits. A single one never does,
# and a null that is settled ends sooner with few.
_UNITS_PER_WORKER = 4

Pair = tuple[int, int]


def pairs_of(n_classes: int) -> list[Pair]:
    """Return every two classes, as codes; the first of a pair is its positive class."""
    return list(combinations(range(n_classes), 2))


def labels_of_pair(classes: Labels, pair: Pair) -> Labels:
    """Return 1 for subjects of the first class of a pair, 0 for those of the second, `NEITHER` for all others."""
    positive, negative = pair
    return np.select([classes == positive, classes == negative], [1, 0], NEITHER).astype(np.int8)


class ClassPairs:
    """The procedures of all pairs of classes, on one cohort.

    All pairs have the same candidates and the same way of choosing settings, those that the smallest class allows, so that their
    statistics can be averaged.

    Parameters
    ----------
    search_data
        Samples and subjects of all classes.
    classes
        Class code of each subject, from 0 without gaps, shape ``(n_subjects,)``.
    candidates, plan
        As configured.
    workers
        Where units of work run.

    Raises
    ------
    EndpointError
        A class has too few subjects.
    """

    def __init__(
        self,
        search_data: SearchData,
        classes: Labels,
        candidates: Sequence[Candidate],
        plan: SearchPlan,
        workers: Workers,
    ) -> None:
        sizes = np.bincount(classes)
        smallest = int(sizes.min())
        allowed = fit_plan_to_n(replace(plan, complete=False), candidates, smallest, smallest)
        plan = replace(plan, trials=allowed.plan.trials)
        self._search_data = search_data
        self._allowed = allowed
        self._workers = workers
        self.procedures: dict[Pair, Procedure] = {}
        for pair in pairs_of(len(sizes)):
            counts = count_classes(labels_of_pair(classes, pair), search_data.strata)
            feasible = fit_plan_to_n(
                plan, allowed.candidates, int(sizes[pair[0]]), int(sizes[pair[1]]), strata_counts=counts
            )
            self.procedures[pair] = Procedure(search_data, feasible.candidates, feasible.plan, workers)

    def measure(self, classes: Labels) -> dict[Pair, Floats]:
        """Return what `separation.measure` returns for each pair under one assignment of classes."""
        return {pair: rows[0] for pair, rows in self._of_pairs([classes]).items()}

    def statistics(self, labellings: Sequence[Labels]) -> Iterator[Floats]:
        """Yield, block by block and in order, the mean over pairs of what `separation.measure` returns, one row for each labelling.

        Parameters
        ----------
        labellings
            Class code per subject.
        """
        count = self._workers.count
        size = DRAWS_PER_UNIT * (1 if count == 1 else count * _UNITS_PER_WORKER)
        for start in range(0, len(labellings), size):
            rows = self._of_pairs(labellings[start : start + size])
            yield np.mean(list(rows.values()), axis=0)

    def probabilities(self, classes: Labels) -> Floats:
        """Return each subject's probability of each class when it was held out, mean over repeats, subjects x classes.

        All pairs share random folds here, and the model of a pair also decides the held-out subjects of the other classes; what
        the pairs say of a subject is coupled (`statistics.pairwise_coupling`). The probabilities are not calibrated.
        """
        split, plan = FoldsOfClasses(classes), self._allowed.plan
        decisions = {
            pair: Procedure(self._search_data, self._allowed.candidates, plan, self._workers, split)
            .observe(labels_of_pair(classes, pair))
            .auto.decisions
            for pair in self.procedures
        }
        return np.asarray(couple(decisions, int(classes.max()) + 1).mean(axis=0), dtype=np.float64)

    def _of_pairs(self, labellings: Sequence[Labels]) -> dict[Pair, Floats]:
        return {
            pair: np.concatenate(list(procedure.statistics([labels_of_pair(classes, pair) for classes in labellings])))
            for pair, procedure in self.procedures.items()
        }
