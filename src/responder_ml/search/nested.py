"""Nested search of many draws: a draw is one labelling of the subjects with one set of folds.

The observed labelling has one draw per repeat; a null passes relabelled subjects through the same function. The features of
all training sets of a block of draws are ranked together, then each outer training set is searched on its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from responder_ml.arrays import Flags, Indices
from responder_ml.features.builders.builder import Ranked, Shared, prefix_columns
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.search.averaging import candidate_weights
from responder_ml.search.batched_fits import BatchedFits
from responder_ml.search.block_folds import folds_of_blocks
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, DrawResult, FoldModel, SearchPlan
from responder_ml.search.inner_folds import InnerFolds, TrainingSet
from responder_ml.search.search_data import Block, SearchData, standardisation
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
    training_sets = [
        [
            training_set(search_data, plan, draw, split.trains & (draw.labels != NEITHER) & (assigned != fold), fold)
            for fold in range(plan.folds)
        ]
        for draw, assigned in zip(draws, folds, strict=True)
    ]
    per_set = 1 + plan.inner_folds * plan.inner_repeats * (plan.trials > 0)
    targets = np.stack([draw.target[search_data.subject_of] for draw in draws])
    all_sets = TrainingSets(
        np.concatenate([training.rows(search_data) for of_draw in training_sets for training in of_draw]),
        np.repeat(targets, plan.folds * per_set, axis=0),
        alike=per_set if plan.trials else plan.folds,
        longest=None if plan.trials else max(candidate.builder.fixed_length for candidate in candidates),
    )
    builder_names = sorted({candidate.builder_name for candidate in candidates})
    ranked = {name: shared[name].rank(all_sets) for name in builder_names}
    batched_fits = BatchedFits()
    searches = [
        DrawSearch(search_data, candidates, plan, draw, batched_fits, keep_models=keep_models) for draw in draws
    ]
    for index, search in enumerate(searches):
        for fold, training in enumerate(training_sets[index]):
            start = (index * plan.folds + fold) * per_set
            decided = split.decided & (folds[index] == fold)
            ranked_of_fold = {name: columns[start : start + per_set] for name, columns in ranked.items()}
            search.run_fold(fold, training, decided, ranked_of_fold)
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
        self._keep_models = keep_models
        self._models: list[FoldModel] = []
        # How each candidate did on the inner folds, fold after fold.
        self._tuned: list[list[InnerScore | None]] = []
        self._fitted_columns: dict[tuple[int, int], _FittedColumns] = {}
        self._decisions = np.full((len(candidates), len(search_data.subject_of)), np.nan)
        self._inner_scores = np.full((len(candidates), plan.folds), np.nan)

    def run_fold(
        self,
        fold: int,
        training: TrainingSet,
        decided: Flags,
        ranked: Mapping[str, Sequence[Ranked]],
        seed_number: int | None = None,
    ) -> None:
        """Tune each candidate, and collect its fit to the outer training rows, to be decided on the held-out ones.

        ``seed_number`` names the seeds of the samplers; the fold by default.
        """
        number = fold if seed_number is None else seed_number
        tuned = tune_candidates(self._search_data, ranked, self._candidates, self._plan, self._draw, training, number)
        self._tuned.append([best.score for best, _ in tuned])
        target = self._draw.target[self._search_data.subject_of]
        train = np.flatnonzero(self._search_data.rows_of(training.subjects))
        test = np.flatnonzero(self._search_data.rows_of(decided))
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
            if self._keep_models:
                classifier.learn(block.train, block.labels)
                self._models.append(
                    FoldModel(
                        candidate=index,
                        repeat=self._draw.repeat,
                        fold=fold,
                        columns=block.position,
                        test_rows=test,
                        test_features=block.test,
                        classifier=classifier,
                        tuned=best,
                        inner_decisions=np.empty(0) if inner is None else inner.decisions(best.params),
                        gene_shares=_gene_shares(of_training_set, columns, len(self._search_data.genes)),
                    )
                )
                self._fitted_columns[index, fold] = _FittedColumns(of_training_set, columns, train, test)
            self._batched_fits.add(classifier, (block.train, block.labels, block.test), self._decisions[index], test)

    def result(self, fold_of_sample: Indices) -> DrawResult:
        """Return the out-of-fold decisions of all folds collected so far."""
        weights = np.stack([candidate_weights(of_fold, self._plan.inner_folds) for of_fold in self._tuned], axis=1)
        # Candidates of one builder share its columns, so that what genes add to a column is held once for all of them.
        parts: dict[tuple[str, int], dict[int, GeneParts]] = {}
        models = []
        for model in self._models:
            weight = float(weights[model.candidate, model.fold])
            of_genes = self._gene_parts(model, parts) if model.classifier.linear and weight > 0 else None
            models.append(replace(model, weight=weight, gene_parts=of_genes))
        return DrawResult(fold_of_sample, self._decisions, self._inner_scores, weights, tuple(models))

    def _gene_parts(
        self, model: FoldModel, parts: dict[tuple[str, int], dict[int, GeneParts]]
    ) -> tuple[GeneParts, ...] | None:
        fitted = self._fitted_columns[model.candidate, model.fold]
        of_columns = parts.setdefault((self._candidates[model.candidate].builder_name, model.fold), {})
        columns = fitted.columns.tolist()
        new = [column for column in columns if column not in of_columns]
        computed = fitted.standardised_parts(new)
        if computed is None:
            return None
        of_columns.update(zip(new, computed, strict=True))
        return tuple(of_columns[column] for column in columns)


@dataclass(frozen=True)
class _FittedColumns:
    """The columns of an outer model, and what is needed to divide them between their genes."""

    ranked: Ranked
    columns: Indices
    train: Indices
    test: Indices

    def standardised_parts(self, columns: list[int]) -> tuple[GeneParts, ...] | None:
        """Return what each gene adds to some columns of the held-out rows, on the training rows' scale."""
        if self.ranked.gene_parts is None:
            return None
        standardised = []
        for parts in self.ranked.gene_parts(columns) if columns else ():
            fitted = parts.values[self.train]
            _, scale = standardisation(fitted.sum(axis=1, keepdims=True))
            held_out = (parts.values[self.test] - fitted.mean(axis=0)) / scale
            standardised.append(GeneParts(parts.genes, held_out, parts.weights))
        return tuple(standardised)


def _gene_shares(ranked: Ranked, columns: Indices, n_genes: int) -> Any:
    """Return each gene's share of some ranked columns, a sparse table columns x genes."""
    genes, shares = zip(*(ranked.genes_of(int(column)) for column in columns), strict=True)
    starts = np.cumsum([0, *(len(of_column) for of_column in genes)])
    return sparse.csr_array((np.concatenate(shares), np.concatenate(genes), starts), shape=(len(columns), n_genes))


def _rng(plan: SearchPlan, draw: Draw, *names: str | int) -> np.random.Generator:
    return generator(plan.seed, *names, draw.repeat)
