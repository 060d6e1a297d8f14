"""Nested search of many draws: a draw is one labelling of the subjects with one set of folds.

The observed labelling is drawn once per repeat; a null draws relabelled subjects through the very same function. All
training sets of a block of draws are ranked together, then each outer training set is searched on its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_ml.classifiers.classifier import Classifier
from responder_ml.features.builders.builder import Ranked, Shared
from responder_ml.search.candidate import Candidate
from responder_ml.search.material import Block, Floats, Material, subject_auroc, subject_means
from responder_ml.search.splits import assign_folds
from responder_ml.search.tune import Tuned, tune
from responder_ml.statistics.seeds import generator, integer_seed
from responder_ml.statistics.training_sets import TrainingSets

Labels = NDArray[np.int8]
Flags = NDArray[np.bool_]


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
    """

    candidate: int
    repeat: int
    fold: int
    columns: NDArray[np.intp]
    test_rows: NDArray[np.intp]
    test: Floats
    classifier: Classifier
    tuned: Tuned
    inner_decisions: Floats


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

    fold: NDArray[np.intp]
    decisions: Floats
    inner: Floats
    chosen: NDArray[np.intp]
    models: tuple[FoldModel, ...] = ()

    @property
    def auto(self) -> Floats:
        """Log-odds per sample of the procedure that chooses between candidates within each outer training set."""
        return np.asarray(self.decisions[self.chosen[self.fold], np.arange(len(self.fold))], dtype=np.float64)


@dataclass(frozen=True)
class TrainingSet:
    """Subjects to train on and, for tuning, the groups of them held out in turn.

    Attributes
    ----------
    subjects
        Boolean over subjects.
    inner
        One boolean array over subjects per inner fold: those it holds out.
    """

    subjects: Flags
    inner: tuple[Flags, ...]

    def stack(self, material: Material, labels: Labels) -> TrainingSets:
        """Return the training rows of the whole set and then of each inner one."""
        rows = [material.rows_of(self.subjects & ~held_out) for held_out in (np.zeros_like(self.subjects), *self.inner)]
        return TrainingSets(np.stack(rows), np.tile(labels[material.subject_of], (len(rows), 1)))


def search_draws(
    material: Material,
    shared: Mapping[str, Shared],
    candidates: Sequence[Candidate],
    plan: Plan,
    draws: Sequence[Draw],
    *,
    keep_models: bool = False,
) -> list[DrawResult]:
    """Run the nested search for every draw.

    Parameters
    ----------
    material
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
    """
    folds = [assign_folds(draw.labels, material.strata, plan.folds, _rng(plan, draw, "outer")) for draw in draws]
    outer = [
        [training_set(material, plan, draw, assigned != fold, fold) for fold in range(plan.folds)]
        for draw, assigned in zip(draws, folds, strict=True)
    ]
    stacks = [
        training.stack(material, draw.labels) for draw, sets in zip(draws, outer, strict=True) for training in sets
    ]
    everything = TrainingSets(
        np.concatenate([stack.rows for stack in stacks]), np.concatenate([stack.labels for stack in stacks])
    )
    ranked = {name: shared[name].rank(everything) for name in sorted({each.builder_name for each in candidates})}
    per_set = 1 + plan.inner_folds * (plan.trials > 0)
    results = []
    for index, draw in enumerate(draws):
        search = _DrawSearch(material, candidates, plan, draw, keep_models)
        for fold, training in enumerate(outer[index]):
            start = (index * plan.folds + fold) * per_set
            search.run_fold(fold, training, {name: found[start : start + per_set] for name, found in ranked.items()})
        results.append(search.result(folds[index][material.subject_of]))
    return results


def training_set(material: Material, plan: Plan, draw: Draw, subjects: Flags, fold: int) -> TrainingSet:
    """Split the training subjects of one outer fold into inner folds (none where nothing is tuned)."""
    if plan.trials == 0:
        return TrainingSet(subjects, ())
    members = np.flatnonzero(subjects)
    inner = assign_folds(
        draw.labels[members], material.strata[members], plan.inner_folds, _rng(plan, draw, "inner", fold)
    )
    held_out = np.zeros((plan.inner_folds, material.n_subjects), dtype=bool)
    held_out[inner, members] = True
    return TrainingSet(subjects, tuple(held_out))


def tune_candidates(
    material: Material,
    ranked: Mapping[str, Sequence[Ranked]],
    candidates: Sequence[Candidate],
    plan: Plan,
    draw: Draw,
    training: TrainingSet,
    fold: int,
) -> list[tuple[Tuned, "InnerFolds | None"]]:
    """Tune every candidate on the inner folds of one training set.

    Returns for each what was found and the inner folds it was found on (none where nothing is tuned).

    Parameters
    ----------
    ranked
        By builder name, the ranked columns of the whole training set and then of each inner one.
    fold
        Number that names the training set among those of its draw.
    """
    labels = draw.labels[material.subject_of]
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
            blocks[name] = [
                Block.build(each, material.rows_of(training.subjects & ~held_out), material.rows_of(held_out), labels)
                for each, held_out in zip(ranked[name][1:], training.inner, strict=True)
            ]
        inner = InnerFolds(candidate, available, blocks[name], material, draw.labels, training)
        seed = integer_seed(plan.seed, "tune", draw.repeat, fold, candidate.name)
        tuned.append((tune(candidate.space(available), inner.score, trials=plan.trials, seed=seed), inner))
    return tuned


class InnerFolds:
    """The inner folds of one training set as one candidate meets them."""

    def __init__(
        self,
        candidate: Candidate,
        available: int,
        blocks: Sequence[Block],
        material: Material,
        labels: Labels,
        training: TrainingSet,
    ) -> None:
        self._candidate = candidate
        self._available = available
        self._blocks = blocks
        self._labels = labels
        self._n_subjects = material.n_subjects
        self._subject_of = [material.subject_of[material.rows_of(held_out)] for held_out in training.inner]

    def score(self, params: dict[str, Any]) -> float:
        """Return the mean AUROC over inner folds."""
        scores = [
            subject_auroc(decision, subject_of, self._labels)
            for decision, subject_of in zip(self._decide(params), self._subject_of, strict=True)
        ]
        return float(np.mean(scores))

    def decisions(self, params: dict[str, Any]) -> Floats:
        """Return the log-odds of each training subject from the inner model that did not see it, others nan."""
        values = np.full(self._n_subjects, np.nan)
        for decision, subject_of in zip(self._decide(params), self._subject_of, strict=True):
            subjects, means = subject_means(decision, subject_of)
            values[subjects] = means
        return values

    def _decide(self, params: dict[str, Any]) -> list[Floats]:
        length = self._candidate.length(params, self._available)
        problems = []
        for block in self._blocks:
            columns = block.columns(length)
            problems.append((block.train[:, columns], block.labels, block.test[:, columns]))
        return self._candidate.make(params).decide_each(problems)


class _DrawSearch:
    """Collects the outer folds of one draw."""

    def __init__(
        self, material: Material, candidates: Sequence[Candidate], plan: Plan, draw: Draw, keep_models: bool
    ) -> None:
        self._material = material
        self._candidates = candidates
        self._plan = plan
        self._draw = draw
        self._keep = keep_models
        self._models: list[FoldModel] = []
        self._decisions = np.full((len(candidates), len(material.subject_of)), np.nan)
        self._inner = np.full((len(candidates), plan.folds), np.nan)

    def run_fold(self, fold: int, training: TrainingSet, ranked: Mapping[str, Sequence[Ranked]]) -> None:
        """Tune, refit on the outer training rows and decide on the held-out ones."""
        tuned = tune_candidates(self._material, ranked, self._candidates, self._plan, self._draw, training, fold)
        labels = self._draw.labels[self._material.subject_of]
        train, test = self._material.rows_of(training.subjects), self._material.rows_of(~training.subjects)
        blocks = {name: Block.build(found[0], train, test, labels) for name, found in ranked.items()}
        for index, (candidate, (best, inner)) in enumerate(zip(self._candidates, tuned, strict=True)):
            block = blocks[candidate.builder_name]
            columns = block.columns(candidate.length(best.params, len(block.position)))
            classifier = candidate.make(best.params)
            (decision,) = classifier.decide_each([(block.train[:, columns], block.labels, block.test[:, columns])])
            self._decisions[index, test] = decision
            self._inner[index, fold] = best.value
            if self._keep:
                classifier.learn(block.train[:, columns], block.labels)
                natural = block.position[columns]
                self._models.append(
                    FoldModel(
                        index,
                        self._draw.repeat,
                        fold,
                        natural,
                        np.flatnonzero(test),
                        block.test[:, columns],
                        classifier,
                        best,
                        np.empty(0) if inner is None else inner.decisions(best.params),
                    )
                )

    def result(self, fold_of_sample: NDArray[np.intp]) -> DrawResult:
        """Return what all folds gave."""
        chosen = np.argmax(np.nan_to_num(self._inner, nan=0.0), axis=0)
        return DrawResult(fold_of_sample, self._decisions, self._inner, chosen, tuple(self._models))


def _rng(plan: Plan, draw: Draw, *names: str | int) -> np.random.Generator:
    return generator(plan.seed, *names, draw.repeat)
