"""Fixed forms of many draws: where nothing is tuned, all their training sets are ranked, standardised and solved together.

A null of few subjects asks for thousands of tiny models. What is done for one model at a time then takes longer than the models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.classifiers.problems import Problems
from responder_ml.features.builders.builder import Ranked, Shared, prefix_slice
from responder_ml.search.averaging import candidate_weights
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, DrawResult, SearchPlan
from responder_ml.search.fold_models import FittedColumns, FoldModels
from responder_ml.search.search_data import Block, SearchData
from responder_ml.search.tune import Tuned
from responder_ml.statistics.columns import rounding_share
from responder_ml.statistics.training_sets import TrainingSets

# Numbers of standardised columns that are held at once at most: they stay in the cache.
_MOST_NUMBERS = 2**20


def search_fixed_forms(
    search_data: SearchData,
    shared: Mapping[str, Shared],
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    draws: Sequence[Draw],
    rows: tuple[Flags, Flags],
    folds: Sequence[Indices],
    *,
    keep_models: bool = False,
) -> list[DrawResult]:
    """Fit and decide the fixed form of every candidate in every outer fold of every draw.

    Parameters
    ----------
    search_data, shared, candidates, plan, draws, keep_models
        As for `nested.search_draws`.
    rows
        Training and held-out samples of every fold of every draw, each ``(n_draws * n_folds, n_samples)``.
    folds
        Fold of each subject, for each draw.
    """
    longest = max(candidate.builder.fixed_length for candidate in candidates)
    per_draw = max(1, plan.folds * len(search_data.subject_of) * longest)
    size = max(1, _MOST_NUMBERS // per_draw)
    results = []
    for start in range(0, len(draws), size):
        part, of_sets = slice(start, start + size), slice(start * plan.folds, (start + size) * plan.folds)
        results += _search_together(
            search_data,
            shared,
            candidates,
            plan,
            draws[part],
            (rows[0][of_sets], rows[1][of_sets]),
            folds[part],
            keep_models=keep_models,
        )
    return results


def _search_together(
    search_data: SearchData,
    shared: Mapping[str, Shared],
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    draws: Sequence[Draw],
    rows: tuple[Flags, Flags],
    folds: Sequence[Indices],
    *,
    keep_models: bool,
) -> list[DrawResult]:
    targets = np.stack([draw.target[search_data.subject_of] for draw in draws])
    builders = {candidate.builder_name: candidate.builder for candidate in candidates}
    sets = TrainingSets(
        rows[0],
        np.repeat(targets, plan.folds, axis=0),
        alike=plan.folds,
        longest=max(builder.fixed_length for builder in builders.values()),
    )
    columns = {
        name: ColumnsOfSets.of(shared[name].rank(sets), builders[name].fixed_length, sets, rows[1])
        for name in sorted(builders)
    }
    decisions = np.full((len(draws), len(candidates), len(search_data.subject_of)), np.nan)
    set_of, sample_of = np.nonzero(rows[1])
    for index, candidate in enumerate(candidates):
        problems = columns[candidate.builder_name].problems
        decisions[set_of // plan.folds, index, sample_of] = candidate.make({}).decide_all(problems)
    weights = np.stack([candidate_weights([None] * len(candidates), plan.inner_folds)] * plan.folds, axis=1)
    no_scores = np.full((len(candidates), plan.folds), np.nan)
    results = []
    for number, (draw, assigned) in enumerate(zip(draws, folds, strict=True)):
        models = FoldModels(candidates, draw, len(search_data.genes))
        for fold in range(plan.folds if keep_models else 0):
            for index, candidate in enumerate(candidates):
                fitted, block = columns[candidate.builder_name].of_set(number * plan.folds + fold)
                params = candidate.fixed_form_params(len(fitted.ranked.position))
                models.fit(index, fold, Tuned(params, float("nan"), (), ()), fitted, block)
        fold_of_sample = assigned[search_data.subject_of]
        results.append(DrawResult(fold_of_sample, decisions[number], no_scores, weights, models.weighted(weights)))
    return results


@dataclass(frozen=True)
class ColumnsOfSets:
    """The columns of one builder that fixed forms see of many training sets, standardised.

    Attributes
    ----------
    ranked
        All columns of each set.
    columns
        Which of them are used, in the builder's natural order.
    train, test
        Training and held-out samples of each set.
    problems
        The standardised columns.
    """

    ranked: Sequence[Ranked]
    columns: Sequence[Indices]
    train: Flags
    test: Flags
    problems: Problems

    @classmethod
    def of(cls, ranked: Sequence[Ranked], length: int, sets: TrainingSets, test: Flags) -> "ColumnsOfSets":
        """Standardise the first columns of each set, in the builder's natural order, with the training rows' statistics.

        Parameters
        ----------
        ranked
            Ranked columns of each set.
        length
            How many of them to take at most.
        sets
            The training sets.
        test
            Held-out samples of each set, sets x samples.
        """
        # Compiled code is slow to load, and checking a job does not need it.
        from responder_ml.search.standardise import standardise_sets

        columns = prefixes(ranked, length)
        # Columns x samples, in the order of memory.
        values = [np.ascontiguousarray(of_set.values().T) for of_set in ranked]
        first = np.cumsum([0, *(len(of_set) for of_set in values)])
        n_columns = np.array([len(of_set) for of_set in columns])
        n_train, n_test = sets.rows.sum(axis=1), test.sum(axis=1)
        fitted, held_out = np.empty(int(n_columns @ n_train)), np.empty(int(n_columns @ n_test))
        standardise_sets(
            np.concatenate(values),
            np.concatenate(columns) + np.repeat(first[:-1], n_columns),
            _starts(n_columns),
            np.nonzero(sets.rows)[1],
            _starts(n_train),
            np.nonzero(test)[1],
            _starts(n_test),
            np.array([rounding_share(rows) for rows in n_train.tolist()]),
            fitted,
            held_out,
        )
        problems = Problems(n_columns, n_train, n_test, fitted, held_out, sets.labels[sets.rows])
        return cls(ranked, columns, sets.rows, test, problems)

    def of_set(self, index: int) -> tuple[FittedColumns, Block]:
        """Return the columns of one set, and the same standardised."""
        ranked, columns = self.ranked[index], self.columns[index]
        train, test = (np.flatnonzero(rows[index]) for rows in (self.train, self.test))
        fitted, target, held_out = self._standardised[index]
        block = Block(ranked.position[columns], fitted, held_out, target, ranked.cumulative)
        return FittedColumns(ranked, columns, train, test), block

    @cached_property
    def _standardised(self) -> list[tuple[Floats, Floats, Floats]]:
        return list(self.problems)


def prefixes(ranked: Sequence[Ranked], length: int) -> list[Indices]:
    """Return for each training set what `prefix_columns` returns for one.

    Parameters
    ----------
    ranked
        Ranked columns of each set.
    length
        Length of the prefix.
    """
    numbers: dict[tuple[int, bool], list[int]] = {}
    for number, of_set in enumerate(ranked):
        numbers.setdefault((len(of_set.position), of_set.cumulative), []).append(number)
    columns: list[Indices] = [np.empty(0, dtype=np.intp)] * len(ranked)
    for (available, cumulative), alike in numbers.items():
        part = prefix_slice(length, available, cumulative=cumulative)
        positions = np.stack([ranked[number].position[part] for number in alike])
        for number, order in zip(alike, np.argsort(positions, axis=1, kind="stable"), strict=True):
            columns[number] = part.start + order
    return columns


def _starts(sizes: Indices) -> Indices:
    return np.concatenate([[0], np.cumsum(sizes)])
