"""Nested search of many draws: a draw is one labelling of the subjects with one set of folds.

The observed labelling is drawn once per repeat; a null draws relabelled subjects through the very same function. All
training sets of a block of draws are ranked together, then each outer training set is searched on its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from responder_ml.arrays import Flags, Floats, Indices, Labels
from responder_ml.classifiers.classifier import Classifier
from responder_ml.features.builders.builder import Ranked, Shared, prefix_columns
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.search.batched_fits import BatchedFits
from responder_ml.search.candidate import Candidate
from responder_ml.search.inner_folds import InnerFolds, TrainingSet
from responder_ml.search.search_data import Block, SearchData, standardisation
from responder_ml.search.splits import EverySubject, Split, assign_folds
from responder_ml.search.tune import Tuned, tune
from responder_ml.statistics.seeds import generator, integer_seed
from responder_ml.statistics.training_sets import TrainingSets


@dataclass(frozen=True)
class Plan:
    """How a search is done.

    Attributes
    ----------
    folds, inner_folds
        Outer and inner folds of subjects.
    trials
        Optuna trials per candidate and outer training set; 0 means fixed forms, nothing tuned.
    seed
        The one seed.
    """

    folds: int
    inner_folds: int
    trials: int
    seed: int


@dataclass(frozen=True)
class Draw:
    """One labelling of the subjects, and the number that names its folds.

    Attributes
    ----------
    labels
        0/1 per subject.
    repeat
        Draws with one number and one labelling have one set of folds.
    """

    labels: Labels
    repeat: int


@dataclass(frozen=True)
class FoldModel:
    """A candidate fitted to one outer training set, with the held-out rows as it saw them.

    Attributes
    ----------
    candidate
        Index of the candidate.
    repeat, fold
        Which outer fold was held out.
    columns
        Natural positions of the features, in the order of the classifier's columns.
    test_rows
        Held-out samples.
    test
        Their standardised features.
    classifier
        Fitted.
    tuned
        The inner search.
    inner_decisions
        Log-odds of each training subject from the inner models of the best trial, which did not see it; not-a-number
        for held-out subjects, empty where nothing was tuned. Shape ``(n_subjects,)``.
    behind
        ``scipy.sparse.csr_array`` of each gene's share of each feature, features x genes.
    parts
        What each gene adds to each standardised feature of the held-out rows: a feature is the sum of its parts. None
        where features are single genes or no sums over genes, and kept for the candidate that auto took only.
    """

    candidate: int
    repeat: int
    fold: int
    columns: Indices
    test_rows: Indices
    test: Floats
    classifier: Classifier
    tuned: Tuned
    inner_decisions: Floats
    behind: Any
    parts: tuple[GeneParts, ...] | None = None


@dataclass(frozen=True)
class DrawResult:
    """Out-of-fold decisions of one draw.

    Attributes
    ----------
    fold
        Outer fold of each sample.
    decisions
        Log-odds of each candidate (rows) for each sample, from the model that did not see its subject.
    inner
        Best inner objective of each candidate (rows) in each outer fold (columns).
    chosen
        Candidate that "auto" takes in each outer fold: the best inner objective, the earlier of equals.
    models
        Fitted models, kept on request.
    """

    fold: Indices
    decisions: Floats
    inner: Floats
    chosen: Indices
    models: tuple[FoldModel, ...] = ()

    @property
    def auto(self) -> Floats:
        """Log-odds per sample of the procedure that chooses between candidates within each outer training set."""
        return np.asarray(self.decisions[self.chosen[self.fold], np.arange(len(self.fold))], dtype=np.float64)


def search_draws(
    search_data: SearchData,
    shared: Mapping[str, Shared],
    candidates: Sequence[Candidate],
    plan: Plan,
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
        Each builder's work on the cohort, by builder name.
    candidates
        What competes.
    plan
        Folds, trials, seed.
    draws
        Labellings.
    keep_models
        Whether to return the fitted models of the outer folds.
    split
        Who is trained on and who is decided in each fold; ordinary cross-validation by default.
    """
    split = split or EverySubject(search_data.n_subjects)
    folds = [split.assign(draw.labels, search_data.strata, plan.folds, _rng(plan, draw, "outer")) for draw in draws]
    outer = [
        [training_set(search_data, plan, draw, split.trains & (assigned != fold), fold) for fold in range(plan.folds)]
        for draw, assigned in zip(draws, folds, strict=True)
    ]
    per_set = 1 + plan.inner_folds * (plan.trials > 0)
    labels = np.stack([draw.labels[search_data.subject_of] for draw in draws])
    everything = TrainingSets(
        np.concatenate([training.rows(search_data) for sets in outer for training in sets]),
        np.repeat(labels, plan.folds * per_set, axis=0),
        alike=per_set if plan.trials else plan.folds,
    )
    ranked = {name: shared[name].rank(everything) for name in sorted({each.builder_name for each in candidates})}
    pending = BatchedFits()
    searches = [DrawSearch(search_data, candidates, plan, draw, pending, keep_models=keep_models) for draw in draws]
    for index, search in enumerate(searches):
        for fold, training in enumerate(outer[index]):
            start = (index * plan.folds + fold) * per_set
            decided = split.decided & (folds[index] == fold)
            of_fold = {name: found[start : start + per_set] for name, found in ranked.items()}
            search.run_fold(fold, training, decided, of_fold)
    pending.decide()
    return [search.result(assigned[search_data.subject_of]) for search, assigned in zip(searches, folds, strict=True)]


def training_set(search_data: SearchData, plan: Plan, draw: Draw, subjects: Flags, fold: int) -> TrainingSet:
    """Split the training subjects of one outer fold into inner folds (none where nothing is tuned)."""
    if plan.trials == 0:
        return TrainingSet(subjects, ())
    rng = _rng(plan, draw, "inner", fold)
    inner = assign_folds(draw.labels, search_data.strata, plan.inner_folds, rng, subjects)
    return TrainingSet(subjects, tuple(inner == number for number in range(plan.inner_folds)))


def tune_candidates(
    search_data: SearchData,
    ranked: Mapping[str, Sequence[Ranked]],
    candidates: Sequence[Candidate],
    plan: Plan,
    draw: Draw,
    training: TrainingSet,
    fold: int,
) -> list[tuple[Tuned, InnerFolds | None]]:
    """Tune every candidate on the inner folds of one training set.

    Returns for each what was found and the inner folds it was found on (none where nothing is tuned).

    Parameters
    ----------
    ranked
        By builder name, the ranked columns of the whole training set and then of each inner one.
    fold
        Number that names the training set among those of its draw.
    """
    tuned: list[tuple[Tuned, InnerFolds | None]] = []
    blocks: dict[str, list[Block]] = {}
    for candidate in candidates:
        name = candidate.builder_name
        available = min(len(each.position) for each in ranked[name])
        if plan.trials == 0:
            params = candidate.fixed_form_params(available)
            tuned.append((Tuned(params, float("nan"), (), ()), None))
            continue
        if name not in blocks:
            blocks[name] = training.blocks(search_data, draw.labels, ranked[name][1:])
        inner = InnerFolds(candidate, available, blocks[name], search_data, draw.labels, training)
        seed = integer_seed(plan.seed, "tune", draw.repeat, fold, candidate.name)
        tuned.append((tune(candidate.space(available), inner.scores, trials=plan.trials, seed=seed), inner))
    return tuned


class DrawSearch:
    """Collects the outer folds of one draw.

    Parameters
    ----------
    search_data, candidates, plan, draw
        As for `search_draws`.
    pending
        Where outer fits wait for others to be solved with.
    keep_models
        Whether to keep the fitted models.
    """

    def __init__(
        self,
        search_data: SearchData,
        candidates: Sequence[Candidate],
        plan: Plan,
        draw: Draw,
        pending: BatchedFits,
        *,
        keep_models: bool,
    ) -> None:
        self._material = search_data
        self._candidates = candidates
        self._plan = plan
        self._draw = draw
        self._pending = pending
        self._keep = keep_models
        self._models: list[FoldModel] = []
        self._parts: dict[tuple[int, int], Callable[[], tuple[GeneParts, ...] | None]] = {}
        self._decisions = np.full((len(candidates), len(search_data.subject_of)), np.nan)
        self._inner = np.full((len(candidates), plan.folds), np.nan)

    def run_fold(
        self,
        fold: int,
        training: TrainingSet,
        decided: Flags,
        ranked: Mapping[str, Sequence[Ranked]],
        seed_of: int | None = None,
    ) -> None:
        """Tune, and hand on what is to be fitted to the outer training rows and decided on the held-out ones.

        ``seed_of`` names the samplers, the fold by default.
        """
        named = fold if seed_of is None else seed_of
        tuned = tune_candidates(self._material, ranked, self._candidates, self._plan, self._draw, training, named)
        labels = self._draw.labels[self._material.subject_of]
        train, test = self._material.rows_of(training.subjects), self._material.rows_of(decided)
        for index, (candidate, (best, inner)) in enumerate(zip(self._candidates, tuned, strict=True)):
            whole = ranked[candidate.builder_name][0]
            length = candidate.length(best.params, len(whole.position))
            columns = prefix_columns(whole.position, length, cumulative=whole.cumulative)
            block = Block.build(whole, train, test, labels, columns)
            classifier = candidate.make(best.params)
            self._inner[index, fold] = best.value
            if self._keep:
                classifier.learn(block.train, block.labels)
                seen = np.empty(0) if inner is None else inner.decisions(best.params)
                rows = np.flatnonzero(test)
                behind = _genes_behind(whole, columns, len(self._material.genes))
                found = (block.position, rows, block.test, classifier, best, seen, behind)
                self._models.append(FoldModel(index, self._draw.repeat, fold, *found))
                self._parts[index, fold] = partial(_standardised_parts, whole, columns, train, test)
            target = self._decisions[index]
            self._pending.add(classifier, (block.train, block.labels, block.test), target, test)

    def result(self, fold_of_sample: Indices) -> DrawResult:
        """Return what all folds gave."""
        chosen = np.argmax(np.nan_to_num(self._inner, nan=0.0), axis=0)
        models = tuple(
            replace(model, parts=self._parts[model.candidate, model.fold]())
            if model.candidate == chosen[model.fold] and model.classifier.linear
            else model
            for model in self._models
        )
        return DrawResult(fold_of_sample, self._decisions, self._inner, chosen, models)


def _genes_behind(ranked: Ranked, columns: Indices, n_genes: int) -> Any:
    """Return the shares of genes in some ranked columns, a sparse table columns x genes."""
    genes, shares = zip(*(ranked.genes_of(int(column)) for column in columns), strict=True)
    starts = np.cumsum([0, *(len(each) for each in genes)])
    return sparse.csr_array((np.concatenate(shares), np.concatenate(genes), starts), shape=(len(columns), n_genes))


def _standardised_parts(ranked: Ranked, columns: Indices, train: Flags, test: Flags) -> tuple[GeneParts, ...] | None:
    """Return what each gene adds to some columns of the held-out rows, on the training rows' scale."""
    if ranked.gene_parts is None:
        return None
    found = []
    for parts in ranked.gene_parts(columns.tolist()):
        fitted = parts.values[train]
        _, scale = standardisation(fitted.sum(axis=1, keepdims=True))
        held_out = (parts.values[test] - fitted.mean(axis=0)) / scale
        found.append(GeneParts(parts.genes, held_out, parts.weights))
    return tuple(found)


def _rng(plan: Plan, draw: Draw, *names: str | int) -> np.random.Generator:
    return generator(plan.seed, *names, draw.repeat)
