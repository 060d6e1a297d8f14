"""The whole procedure as one function of the labels: split, rank, tune, average, decide.

The observed labelling and every relabelling of the null go through the same object, so they are always treated alike.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices, Labels, Strings
from responder_ml.evaluation.calibration import choose_threshold
from responder_ml.evaluation.metrics import OutOfFold, by_subject
from responder_ml.evaluation.refit import Refit, fit_members
from responder_ml.evaluation.separation import measure
from responder_ml.features.builders.builder import Shared
from responder_ml.progress import OnProgress
from responder_ml.search.averaging import candidate_weights
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, DrawResult, FoldModel, SearchPlan
from responder_ml.search.mean_model import Member
from responder_ml.search.nested import search_draws, training_set, tune_candidates
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import share_with_gaps
from responder_ml.search.splits import NEITHER, EverySubject, Split
from responder_ml.search.workers import Workers
from responder_ml.statistics.training_sets import TrainingSets

Summary = TypeVar("Summary")

# Relabellings in one unit of work: enough to share the matrix products, few enough to spread over workers.
DRAWS_PER_UNIT = 8
# Names the folds of the final fit; repeats of the evaluation count from zero.
_REFIT = -1


@dataclass(frozen=True)
class ObservedResult:
    """The result of the procedure on the observed labels.

    Attributes
    ----------
    results
        One per repeat of the outer folds.
    candidates
        Out-of-fold decisions of each candidate, by name.
    auto
        Out-of-fold decisions of the weighted mean of the candidates' log-odds.
    """

    results: tuple[DrawResult, ...]
    candidates: dict[str, OutOfFold]
    auto: OutOfFold

    def measured(self, cells: Indices) -> Floats:
        """Return what `separation.measure` returns for the observed labels.

        Parameters
        ----------
        cells
            Cell of each subject that gets a decision.
        """
        candidates = np.stack([candidate.decisions.mean(axis=0) for candidate in self.candidates.values()])
        return measure(self.auto, cells, candidates)

    @property
    def models(self) -> tuple[FoldModel, ...]:
        """Every fitted outer model."""
        return tuple(model for result in self.results for model in result.models)

    def chosen_share(self, candidate: int) -> float:
        """Return a candidate's weight in auto, the mean over outer folds and repeats."""
        return float(np.mean([result.weights[candidate] for result in self.results]))


class Procedure:
    """A job's whole procedure, everything but the labels.

    Parameters
    ----------
    search_data
        Samples and subjects.
    candidates
        Builders with classifiers, which the procedure averages.
    plan
        Folds, trials, seed.
    workers
        Where units of work run.
    split
        Which subjects may be trained on and which get decisions; ordinary cross-validation by default.
    """

    def __init__(
        self,
        search_data: SearchData,
        candidates: Sequence[Candidate],
        plan: SearchPlan,
        workers: Workers,
        split: Split | None = None,
    ) -> None:
        self.search_data = search_data
        self.candidates = tuple(candidates)
        self.plan = plan
        self._workers = workers
        self._split = split or EverySubject(search_data.n_subjects, search_data.block_of)
        builders = {candidate.builder_name: candidate.builder for candidate in candidates}
        self._pair_of = search_data.strata[self._split.decided] if plan.paired else None
        self._shared: dict[str, Shared] = {
            name: share_with_gaps(builder, search_data) for name, builder in builders.items()
        }

    @property
    def cells(self) -> Indices:
        """Stratum of each subject that gets a decision, within which subjects are compared."""
        return np.asarray(self.search_data.strata[self._split.decided], dtype=np.intp)

    def genes_used(self, model: FoldModel) -> Indices:
        """Return the columns of the genes that a fitted outer model uses, among the cohort's genes."""
        return np.unique(model.gene_shares.indices).astype(np.intp)

    def signature_names(self, builder: str) -> Strings | None:
        """Return the names of a builder's signatures in natural order; None where its columns are not signatures."""
        (first, *_) = (candidate.builder for candidate in self.candidates if candidate.builder_name == builder)
        if not first.of_signatures:
            return None
        names: Strings = getattr(self._shared[builder], "names")  # noqa: B009 (only such builders have them)
        # Column names begin with the scorer's.
        return np.array([name.partition("__")[2] for name in names], dtype=np.str_)

    def without(self, genes: Flags) -> "Procedure":
        """Return the same procedure on expression without some genes, boolean over genes.

        Raises
        ------
        FeatureError
            A builder has no features without them.
        """
        return Procedure(self.search_data.without(genes), self.candidates, self.plan, self._workers, self._split)

    def observe(
        self, labels: Labels, repeats: int | None = None, on_progress: OnProgress | None = None
    ) -> ObservedResult:
        """Run the nested search on ``labels`` (0/1 per subject), and keep the fitted models.

        Parameters
        ----------
        labels
            0/1 per subject.
        repeats
            Repeats of the outer folds; those of the plan by default.
        on_progress
            Called after each repeat.
        """
        repeats = self.plan.repeats if repeats is None else repeats
        run = partial(
            search_draws,
            self.search_data,
            self._shared,
            self.candidates,
            self.plan,
            keep_models=True,
            split=self._split,
        )
        results: list[DrawResult] = []
        for of_repeat in self._workers.map(run, [[Draw(labels, repeat)] for repeat in range(repeats)]):
            results += of_repeat
            if on_progress is not None:
                on_progress(len(results), repeats, "")
        return self._collect(labels, results)

    def statistics(
        self, labellings: Sequence[Labels], cells: Indices | None = None, repeats: int | None = None
    ) -> Iterator[Floats]:
        """Yield, block by block and in order, what `separation.measure` returns for each labelling, one row each.

        Parameters
        ----------
        labellings
            0/1 per subject, or `NEITHER`: such a subject is left out under that labelling.
        cells
            Cell of each subject that gets a decision, within which subjects are compared; their strata by default.
        repeats
            Repeats of the outer folds; those of the plan by default.
        """
        repeats = self.plan.repeats if repeats is None else repeats
        decided = self._split.decided
        cells = self.cells if cells is None else cells
        summarise = partial(_measure, self.search_data, decided, self._pair_of, cells)
        for block in self._relabelled(summarise, labellings, repeats, keep_models=False):
            yield np.stack(block)

    def summaries(
        self,
        summarise: Callable[[Labels, Sequence[DrawResult]], Summary],
        labellings: Sequence[Labels],
        repeats: int,
        on_progress: OnProgress | None = None,
    ) -> list[Summary]:
        """Return ``summarise`` of each labelling and its results, which hold the fitted models.

        Parameters
        ----------
        summarise
            A function that can be sent to other processes.
        labellings
            0/1 per subject.
        repeats
            Repeats of the outer folds for each labelling.
        on_progress
            Called after each block of labellings.
        """
        summaries: list[Summary] = []
        for block in self._relabelled(summarise, labellings, repeats, keep_models=True):
            summaries += block
            if on_progress is not None:
                on_progress(len(summaries), len(labellings), "")
        return summaries

    def _relabelled(
        self,
        summarise: Callable[[Labels, Sequence[DrawResult]], Summary],
        labellings: Sequence[Labels],
        repeats: int,
        *,
        keep_models: bool,
    ) -> Iterator[list[Summary]]:
        units = [labellings[start : start + DRAWS_PER_UNIT] for start in range(0, len(labellings), DRAWS_PER_UNIT)]
        search = partial(
            search_draws,
            self.search_data,
            self._shared,
            self.candidates,
            self.plan,
            keep_models=keep_models,
            split=self._split,
        )
        yield from self._workers.map(partial(_unit, search, summarise, repeats), units)

    def refit(self, labels: Labels) -> Refit:
        """Tune on all subjects, and fit the mean of the candidates to them; this model is never evaluated itself."""
        everyone = np.ones(self.search_data.n_subjects, dtype=bool)
        draw = Draw(labels, _REFIT)
        training = training_set(self.search_data, self.plan, draw, everyone, 0)
        rows = training.rows(self.search_data)
        sets = TrainingSets(rows, np.tile(labels[self.search_data.subject_of], (len(rows), 1)))
        ranked = {name: shared.rank(sets) for name, shared in self._shared.items()}
        tuned = [
            best for best, _ in tune_candidates(self.search_data, ranked, self.candidates, self.plan, draw, training, 0)
        ]
        weights = candidate_weights([best.score for best in tuned], self.plan.inner_folds)
        members = [
            Member(
                candidate,
                best.params,
                candidate.length(best.params, len(ranked[candidate.builder_name][0].position)),
                float(weight),
            )
            for candidate, best, weight in zip(self.candidates, tuned, weights, strict=True)
        ]
        return fit_members(members, self.search_data, labels)

    def _collect(self, labels: Labels, results: Sequence[DrawResult]) -> ObservedResult:
        decided = self._split.decided
        folds = np.stack([_of_subjects(self.search_data, decided, result.fold) for result in results])
        decisions = np.stack([_decisions(self.search_data, decided, result.decisions) for result in results], axis=1)
        cuts = _thresholds(labels, results, len(self.candidates), folds)
        auto_cuts = _auto_thresholds(labels, results, folds)
        labels = labels[decided]
        by_name = {
            candidate.name: OutOfFold(labels, decisions[index], folds, cuts[index], self._pair_of)
            for index, candidate in enumerate(self.candidates)
        }
        means = np.stack([_decisions(self.search_data, decided, result.auto) for result in results])
        auto = OutOfFold(labels, means, folds, auto_cuts, self._pair_of)
        return ObservedResult(tuple(results), by_name, auto)


def _unit(
    search: Callable[[Sequence[Draw]], list[DrawResult]],
    summarise: Callable[[Labels, Sequence[DrawResult]], Summary],
    repeats: int,
    labellings: Sequence[Labels],
) -> list[Summary]:
    """Search a block of labellings together and summarise each."""
    results = search([Draw(labels, repeat) for labels in labellings for repeat in range(repeats)])
    return [
        summarise(labels, results[index * repeats : (index + 1) * repeats]) for index, labels in enumerate(labellings)
    ]


def _measure(
    search_data: SearchData,
    decided: Flags,
    pair_of: Indices | None,
    cells: Indices,
    labels: Labels,
    results: Sequence[DrawResult],
) -> Floats:
    cells, decided = cells[labels[decided] != NEITHER], decided & (labels != NEITHER)
    folds = np.stack([_of_subjects(search_data, decided, result.fold) for result in results])
    auto = np.stack([_decisions(search_data, decided, result.auto) for result in results])
    candidates = np.mean([_decisions(search_data, decided, result.decisions) for result in results], axis=0)
    return measure(OutOfFold(labels[decided], auto, folds, np.zeros_like(auto), pair_of), cells, candidates)


def _of_subjects(search_data: SearchData, decided: Flags, of_samples: Indices) -> Indices:
    """Return, for each subject that gets a decision, the value that all its samples share."""
    values = np.empty(search_data.n_subjects, dtype=np.intp)
    values[search_data.subject_of] = of_samples
    return values[decided]


def _decisions(search_data: SearchData, decided: Flags, of_samples: Floats) -> Floats:
    """Return the mean over samples for each subject that gets a decision, along the last axis."""
    if decided.all():
        return by_subject(of_samples, search_data.subject_of, search_data.n_subjects)
    index_of = np.cumsum(decided) - 1
    rows = search_data.rows_of(decided)
    return by_subject(of_samples[..., rows], index_of[search_data.subject_of[rows]], int(decided.sum()))


def _thresholds(labels: Labels, results: Sequence[DrawResult], n_candidates: int, folds: Indices) -> Floats:
    """Return the cut-off each outer training set chose on its own inner decisions, candidates x repeats x subjects."""
    cuts = np.zeros((n_candidates, *folds.shape))
    for repeat, result in enumerate(results):
        for model in result.models:
            cut = _threshold(model.inner_decisions, labels)
            cuts[model.candidate, repeat, folds[repeat] == model.fold] = cut
    return cuts


def _auto_thresholds(labels: Labels, results: Sequence[DrawResult], folds: Indices) -> Floats:
    """Return auto's cut-offs likewise, from the mean of the inner decisions; repeats x subjects."""
    cuts = np.zeros(folds.shape)
    for repeat, result in enumerate(results):
        for fold in np.unique(folds[repeat]):
            cuts[repeat, folds[repeat] == fold] = _threshold(result.inner_decisions(int(fold)), labels)
    return cuts


def _threshold(inner_decisions: Floats, labels: Labels) -> float:
    """Return the cut-off that inner decisions choose; even odds where nothing was tuned."""
    if not inner_decisions.size:
        return 0.0
    known = ~np.isnan(inner_decisions)
    return float(choose_threshold(inner_decisions[known], labels[known]))
