"""Learning curve: the headline of models that are trained on fewer subjects, on the folds of the run itself.

In every repeat the subjects are put in one order; of each outer training set the first so many are trained on, so that smaller sets
lie within larger ones. The held-out subjects are those of the headline, all of them, at every size, and the largest size is the
headline itself. The order takes each class in proportion, and within a class the folds, and as far as it can the strata, in turn.
Every size is trained with the settings that so many subjects get (`small_n`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from responder_ml.arrays import Flags, Indices, Labels
from responder_ml.evaluation.extrapolation import LearningCurve, extrapolate
from responder_ml.evaluation.metrics import OutOfFold, by_subject
from responder_ml.evaluation.procedure import ObservedResult
from responder_ml.evaluation.small_n import LEAST_SUBJECTS, fit_plan_to_n
from responder_ml.progress import OnProgress
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import share_with_gaps
from responder_ml.search.splits import NEITHER, EverySubject
from responder_ml.search.workers import Workers
from responder_ml.statistics.seeds import generator


@dataclass(frozen=True)
class _FoldsOfAll:
    """The folds of all subjects, whoever has a label: subjects without one are decided, and no model is trained on them."""

    labels: Labels
    every: EverySubject

    @property
    def trains(self) -> Flags:
        """Everybody with a label."""
        return self.every.trains

    decided = trains

    def assign(
        self, labels: Labels, strata: Indices, plan: SearchPlan, repeat: int, rng: np.random.Generator
    ) -> Indices:
        """Return the fold of each subject, as for the headline."""
        return self.every.assign(self.labels, strata, plan, repeat, rng)


def learning_curve(
    data: SearchData,
    labels: Labels,
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    observed: ObservedResult,
    n_sizes: int,
    workers: Workers,
    on_progress: OnProgress,
) -> LearningCurve:
    """Train on fewer subjects, and say where the curve would level off.

    Parameters
    ----------
    data, candidates, plan
        Of the job.
    labels
        0/1 per subject.
    observed
        The headline, which is the largest size.
    n_sizes
        How many sizes to train, the largest included.
    workers
        Where units of work run.
    on_progress
        Called after each size.
    """
    headline = observed.auto
    sizes, notes = subset_sizes(headline, labels, data, plan, n_sizes)
    measured = []
    for done, size in enumerate(sizes):
        measured.append(
            (_mean_trained(size, headline.folds), _train_on(size, data, labels, candidates, plan, headline, workers))
        )
        on_progress(done + 1, len(sizes), "")
    everybody = np.tile(labels, (len(headline.folds), 1))
    measured.append((_mean_trained(everybody, headline.folds), headline))
    return extrapolate(measured, notes, plan.seed)


def subset_sizes(
    headline: OutOfFold, labels: Labels, data: SearchData, plan: SearchPlan, n_sizes: int
) -> tuple[list[Labels], list[str]]:
    """Return the labellings of the sizes below the largest, and a note on those that cannot be made.

    Parameters
    ----------
    headline
        Its folds are those that every size is held out in.
    labels, data, plan
        0/1 per subject, their strata, and the seed.
    n_sizes
        Sizes to make, the largest included.

    Returns
    -------
    Labels with `NEITHER` for those who are not trained on, each of shape ``(n_repeats, n_subjects)``; smallest first.
    """
    ranks = np.stack([
        _order(labels, data.strata, fold, plan, repeat) for repeat, fold in enumerate(headline.folds)
    ])  # fmt: skip
    units = np.array([len(np.unique(data.strata))] * 2) if plan.paired else np.bincount(labels, minlength=2)

    def subset(counts: Indices) -> Labels:
        return np.where(ranks < counts[labels], labels, NEITHER).astype(np.int8)

    def is_enough(counts: Indices) -> bool:
        chosen = subset(counts)
        return all(
            np.count_nonzero((of_repeat == label) & (fold != number)) >= LEAST_SUBJECTS
            for of_repeat, fold in zip(chosen, headline.folds, strict=True)
            for number in np.unique(fold)
            for label in (0, 1)
        )

    # The smaller class sets the pace; the larger one has its share.
    smaller = int(units.min())
    possible = [
        counts for count in range(1, smaller) if is_enough(counts := np.round(units * count / smaller).astype(np.intp))
    ]
    if not possible:
        return [], ["No training set can be made smaller without fewer than 3 subjects of a class."]
    shares = np.geomspace(possible[0].min() / smaller, 1.0, n_sizes)[:-1]
    wanted = sorted({max(round(float(share * smaller)), int(possible[0].min())) for share in shares})
    chosen = [counts for counts in possible if counts.min() in wanted]
    notes = []
    if len(chosen) + 1 < n_sizes:
        notes.append(
            f"{len(chosen) + 1} sizes in place of {n_sizes}: the others would not differ, or leave fewer than {LEAST_SUBJECTS} "
            "subjects of a class in a training set."
        )
    return [subset(counts) for counts in chosen], notes


def _order(labels: Labels, strata: Indices, fold: Indices, plan: SearchPlan, repeat: int) -> Indices:
    """Return each subject's rank within its class, or that of its pair: those of low rank are trained on first.

    Folds take turns; within a fold the strata come in proportion.
    """
    rng = generator(plan.seed, "learning curve", "order", repeat)
    ranks = np.empty(len(labels), dtype=np.intp)
    if plan.paired:
        _, first, pair_of = np.unique(strata, return_index=True, return_inverse=True)
        return _in_turn(fold[first], rng.permutation(len(first)))[pair_of]
    shuffled = rng.permutation(len(labels))
    for label in (0, 1):
        members = shuffled[labels[shuffled] == label]
        # How far along its stratum each member comes.
        before, counts = _count_before(strata[members]), np.bincount(strata[members])
        share = (before + 0.5) / counts[strata[members]]
        ranks[members] = _in_turn(fold[members], np.argsort(share, kind="stable"))
    return ranks


def _in_turn(fold: Indices, order: Indices) -> Indices:
    """Return the rank of each element if folds take turns, elements of one fold in a given order."""
    ranks = np.empty(len(fold), dtype=np.intp)
    ranks[order[np.argsort(_count_before(fold[order]), kind="stable")]] = np.arange(len(fold))
    return ranks


def _count_before(groups: Indices) -> Indices:
    """Return how many elements of the same group come before each element."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], groups[order])
    before = np.empty(len(groups), dtype=np.intp)
    before[order] = np.arange(len(groups)) - starts
    return before


def _mean_trained(labellings: Labels, folds: Indices) -> float:
    """Return the mean number of subjects that a model is trained on, over folds and repeats."""
    return float(
        np.mean([
            np.count_nonzero((of_repeat != NEITHER) & (fold != number))
            for of_repeat, fold in zip(labellings, folds, strict=True)
            for number in np.unique(fold)
        ])
    )  # fmt: skip


def _train_on(
    labellings: Labels,
    data: SearchData,
    labels: Labels,
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    headline: OutOfFold,
    workers: Workers,
) -> OutOfFold:
    """Return the out-of-fold decisions of models trained on those who have a label, on the folds of the headline."""
    counts = np.bincount(labellings[0][labellings[0] != NEITHER], minlength=2)
    feasible = fit_plan_to_n(plan, candidates, int(counts[1]), int(counts[0]))
    # Blocks of which some members are left out may not fill inner folds.
    trials = 0 if data.block_of is not None else feasible.plan.trials
    smaller = replace(plan, trials=trials, inner_folds=feasible.plan.inner_folds)
    builders = {candidate.builder_name: candidate.builder for candidate in feasible.candidates}
    shared = {name: share_with_gaps(builder, data) for name, builder in builders.items()}
    split = _FoldsOfAll(labels, EverySubject(data.n_subjects, data.block_of))
    search = partial(search_draws, data, shared, feasible.candidates, smaller, split=split)
    results = workers.map(search, [[Draw(of_repeat, repeat)] for repeat, of_repeat in enumerate(labellings)])
    decisions = np.stack([by_subject(result.auto, data.subject_of, data.n_subjects) for (result,) in results])
    return replace(headline, decisions=decisions, thresholds=np.zeros_like(decisions))
