"""Nested search of many draws: a draw is one labelling of the subjects with one set of folds.

The observed labelling has one draw per repeat; a null passes relabelled subjects through the same function. The features of
all training sets of a block of draws are ranked together, then each outer training set is searched on its own; where nothing is
tuned, all of them are fitted together (`fixed_forms`).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from responder_ml.arrays import Flags, Indices
from responder_ml.features.builders.builder import Ranked, Shared, prefix_columns
from responder_ml.search.averaging import candidate_weights
from responder_ml.search.batched_fits import BatchedFits
from responder_ml.search.block_folds import folds_of_blocks
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, DrawResult, SearchPlan
from responder_ml.search.fixed_forms import search_fixed_forms
from responder_ml.search.fold_models import FittedColumns, FoldModels
from responder_ml.search.inner_folds import InnerFolds, TrainingSet
from responder_ml.search.search_data import Block, SearchData
from responder_ml.search.splits import NEITHER, EverySubject, Split, assign_folds, folds_of_pairs
from responder_ml.search.tune import InnerScore, Tuned, tune
from responder_ml.statistics.seeds import generator, integer_seed
from responder_ml.statistics.training_sets import TrainingSets


def search_draws(
    search_data: SearchData,
    shared: Mapping[str, Shared],
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    draws: Sequence[Draw],
    *,
    keep_models: bool = False,
    split: Split | None = None,
) -> list[DrawResult]:
    """Run the nested search for every draw.

    Parameters
    ----------
    search_data
        Samples and subjects.
    shared
        What each builder computes once per cohort, by builder name.
    candidates
        The candidates to compare.
    plan
        Folds, trials, seed.
    draws
        Labellings, each with its repeat.
    keep_models
        Whether to return the fitted models of the outer folds.
    split
        Which subjects are trained on and decided in each fold; ordinary cross-validation by default.
    """
    split = split or EverySubject(search_data.n_subjects, search_data.block_of)
    folds = [
        split.assign(draw.labels, search_data.strata, plan, draw.repeat, _rng(plan, draw, "outer")) for draw in draws
    ]
    numbers = np.arange(plan.folds)[:, None]
    trained = [
        split.trains & (draw.labels != NEITHER) & (assigned != numbers)
        for draw, assigned in zip(draws, folds, strict=True)
    ]
    decided = np.concatenate([split.decided & (assigned == numbers) for assigned in folds])
    held_out = decided[:, search_data.subject_of]
    if plan.trials == 0:
        rows = np.concatenate(trained)[:, search_data.subject_of], held_out
        return search_fixed_forms(search_data, shared, candidates, plan, draws, rows, folds, keep_models=keep_models)
    training_sets = [
        [training_set(search_data, plan, draw, subjects, fold) for fold, subjects in enumerate(of_draw)]
        for draw, of_draw in zip(draws, trained, strict=True)
    ]
    per_set = 1 + plan.inner_folds * plan.inner_repeats
    targets = np.stack([draw.target[search_data.subject_of] for draw in draws])
    all_sets = TrainingSets(
        np.concatenate([training.rows(search_data) for of_draw in training_sets for training in of_draw]),
        np.repeat(targets, plan.folds * per_set, axis=0),
        alike=per_set,
    )
    builder_names = sorted({candidate.builder_name for candidate in candidates})
    ranked = {name: shared[name].rank(all_sets) for name in builder_names}
    batched_fits = BatchedFits()
    searches = [
        DrawSearch(search_data, candidates, plan, draw, batched_fits, keep_models=keep_models) for draw in draws
    ]
    for index, search in enumerate(searches):
        for fold, training in enumerate(training_sets[index]):
            number = index * plan.folds + fold
            of_fold = slice(number * per_set, (number + 1) * per_set)
            ranked_of_fold = {name: columns[of_fold] for name, columns in ranked.items()}
            search.run_fold(fold, training, np.flatnonzero(held_out[number]), ranked_of_fold)
    batched_fits.solve()
    return [search.result(assigned[search_data.subject_of]) for search, assigned in zip(searches, folds, strict=True)]


def training_set(search_data: SearchData, plan: SearchPlan, draw: Draw, subjects: Flags, fold: int) -> TrainingSet:
    """Split the training subjects of one outer fold into inner folds (none where nothing is tuned)."""
    if plan.trials == 0:
        return TrainingSet(subjects, ())
    held_out = []
    for repeat in range(plan.inner_repeats):
        rng = _rng(plan, draw, "inner", fold, *([repeat] if repeat else []))
        if search_data.block_of is not None:
            inner = folds_of_blocks(draw.labels, search_data.block_of, plan.inner_folds, rng, subjects)
        elif plan.paired:
            inner = folds_of_pairs(search_data.strata, plan.inner_folds, rng, subjects)
        else:
            inner = assign_folds(draw.labels, search_data.strata, plan.inner_folds, rng, subjects)
        held_out += [inner == number for number in range(plan.inner_folds)]
    return TrainingSet(subjects, tuple(held_out))


def tune_candidates(
    search_data: SearchData,
    ranked: Mapping[str, Sequence[Ranked]],
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    draw: Draw,
    training: TrainingSet,
    fold: int,
) -> list[tuple[Tuned, InnerFolds | None]]:
    """Tune every candidate on the inner folds of one training set.

    Parameters
    ----------
    search_data
        Samples and subjects.
    ranked
        By builder name, the ranked columns of the whole training set and then of each inner one.
    candidates, plan, draw
        As for `search_draws`.
    training
        The training set.
    fold
        Number that names the training set among those of its draw.

    Returns
    -------
    Each candidate's result, and the inner folds it was tuned on (None where nothing is tuned).
    """
    tuned: list[tuple[Tuned, InnerFolds | None]] = []
    blocks: dict[str, list[Block]] = {}
    for candidate in candidates:
        name = candidate.builder_name
        available = min(len(columns.position) for columns in ranked[name])
        if plan.trials == 0:
            params = candidate.fixed_form_params(available)
            tuned.append((Tuned(params, float("nan"), (), ()), None))
            continue
        if name not in blocks:
            blocks[name] = training.blocks(search_data, draw.target, ranked[name][1:])
        inner = InnerFolds(candidate, available, blocks[name], search_data, draw.target, training)
        best = tune(
            candidate.space(available, int(np.count_nonzero(search_data.rows_of(training.subjects)))),
            inner.scores,
            trials=plan.trials,
            seed=integer_seed(plan.seed, "tune", candidate.name),
            inner_folds=plan.inner_folds,
            fixed=candidate.fixed_form_params(available),
        )
        tuned.append((best, inner))
    return tuned


class DrawSearch:
    """The outer folds of one draw, collected one by one.

    Parameters
    ----------
    search_data, candidates, plan, draw
        As for `search_draws`.
    batched_fits
        Collects the outer fits to solve together.
    keep_models
        Whether the result holds the fitted models.
    """

    def __init__(
        self,
        search_data: SearchData,
        candidates: Sequence[Candidate],
        plan: SearchPlan,
        draw: Draw,
        batched_fits: BatchedFits,
        *,
        keep_models: bool,
    ) -> None:
        self._search_data = search_data
        self._candidates = candidates
        self._plan = plan
        self._draw = draw
        self._batched_fits = batched_fits
        self._models = FoldModels(candidates, draw, len(search_data.genes)) if keep_models else None
        # How each candidate did on the inner folds, fold after fold.
        self._tuned: list[list[InnerScore | None]] = []
        self._decisions = np.full((len(candidates), len(search_data.subject_of)), np.nan)
        self._inner_scores = np.full((len(candidates), plan.folds), np.nan)

    def run_fold(self, fold: int, training: TrainingSet, test: Indices, ranked: Mapping[str, Sequence[Ranked]]) -> None:
        """Tune each candidate, and collect its fit to the outer training rows, to be decided on the held-out samples ``test``."""
        tuned = tune_candidates(self._search_data, ranked, self._candidates, self._plan, self._draw, training, fold)
        self._tuned.append([best.score for best, _ in tuned])
        target = self._draw.target[self._search_data.subject_of]
        train = np.flatnonzero(self._search_data.rows_of(training.subjects))
        # Candidates of one builder that chose the same length see the same columns.
        blocks: dict[tuple[str, int], tuple[Indices, Block]] = {}
        for index, (candidate, (best, inner)) in enumerate(zip(self._candidates, tuned, strict=True)):
            of_training_set = ranked[candidate.builder_name][0]
            length = candidate.length(best.params, len(of_training_set.position))
            if (candidate.builder_name, length) not in blocks:
                columns = prefix_columns(of_training_set.position, length, cumulative=of_training_set.cumulative)
                block = Block.build(of_training_set, train, test, target, columns)
                blocks[candidate.builder_name, length] = columns, block
            columns, block = blocks[candidate.builder_name, length]
            classifier = candidate.make(best.params)
            self._inner_scores[index, fold] = best.value
            if self._models is not None:
                inner_decisions = None if inner is None else inner.decisions(best.params)
                fitted_columns = FittedColumns(of_training_set, columns, train, test)
                self._models.fit(index, fold, best, fitted_columns, block, inner_decisions)
            self._batched_fits.add(classifier, (block.train, block.labels, block.test), self._decisions[index], test)

    def result(self, fold_of_sample: Indices) -> DrawResult:
        """Return the out-of-fold decisions of all folds collected so far."""
        weights = np.stack([candidate_weights(of_fold, self._plan.inner_folds) for of_fold in self._tuned], axis=1)
        models = () if self._models is None else self._models.weighted(weights)
        return DrawResult(fold_of_sample, self._decisions, self._inner_scores, weights, models)


def _rng(plan: SearchPlan, draw: Draw, *names: str | int) -> np.random.Generator:
    return generator(plan.seed, *names, draw.repeat)
