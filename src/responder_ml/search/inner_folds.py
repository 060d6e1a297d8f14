"""The inner folds of one training set, on which parameters are tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.classifiers.learner import Problem, Target
from responder_ml.features.builders.builder import Ranked
from responder_ml.search.candidate import Candidate
from responder_ml.search.search_data import Block, SearchData
from responder_ml.search.tune import InnerScore


@dataclass(frozen=True)
class InnerTestFold:
    """The subjects of one inner test fold, by whom its samples are judged.

    Attributes
    ----------
    subjects
        Each subject once.
    of_sample
        Index of each sample's subject among these; None where every subject has one sample, in order.
    target
        Label or outcome of each of these.
    """

    subjects: Indices
    of_sample: Indices | None
    target: Target

    @classmethod
    def of(cls, subject_of: Indices, target: Target) -> "InnerTestFold":
        """Take the subject of each held-out sample and the label or outcome of each subject of the whole cohort."""
        subjects, of_sample = np.unique(subject_of, return_inverse=True)
        if len(subjects) == len(subject_of):
            return cls(subject_of, None, target[subject_of])
        return cls(subjects, of_sample, target[subjects])

    def means(self, scores: Floats) -> Floats:
        """Return each subject's mean over its samples."""
        if self.of_sample is None:
            return scores
        return np.asarray(np.bincount(self.of_sample, weights=scores) / np.bincount(self.of_sample), dtype=np.float64)


@dataclass(frozen=True)
class TrainingSet:
    """Subjects to train on and, for tuning, the groups of them held out in turn.

    Attributes
    ----------
    subjects
        Boolean over subjects.
    inner
        One boolean array over subjects per inner fold, inner repeat after inner repeat: those it holds out.
    """

    subjects: Flags
    inner: tuple[Flags, ...]

    def rows(self, search_data: SearchData) -> Flags:
        """Return the training rows of the whole set and then of each inner one, sets x samples."""
        of_subjects = np.array([self.subjects, *(self.subjects & ~held_out for held_out in self.inner)])
        return np.asarray(of_subjects[:, search_data.subject_of])

    def blocks(self, search_data: SearchData, target: Target, ranked: Sequence[Ranked]) -> list[Block]:
        """Return the ranked columns of each inner training set, standardised."""
        of_samples = target[search_data.subject_of]
        return [
            Block.build(
                columns,
                np.flatnonzero(search_data.rows_of(self.subjects & ~held_out)),
                np.flatnonzero(search_data.rows_of(held_out)),
                of_samples,
            )
            for columns, held_out in zip(ranked, self.inner, strict=True)
        ]


class InnerFolds:
    """The inner folds of one training set, with the columns one candidate has in them.

    Parameters
    ----------
    candidate
        The candidate.
    available
        Number of columns that every inner training set offers.
    blocks
        Those columns, one block per inner fold.
    search_data
        Samples and subjects.
    target
        Label or outcome of each subject.
    training
        The training set.
    """

    def __init__(
        self,
        candidate: Candidate,
        available: int,
        blocks: Sequence[Block],
        search_data: SearchData,
        target: Target,
        training: TrainingSet,
    ) -> None:
        self._candidate = candidate
        self._available = available
        self._blocks = blocks
        self._n_subjects = search_data.n_subjects
        self._test_folds = [
            InnerTestFold.of(search_data.subject_of[search_data.rows_of(held_out)], target)
            for held_out in training.inner
        ]

    def scores(self, trials: Sequence[Mapping[str, Any]]) -> list[InnerScore]:
        """Return the concordance in each inner fold and the mean loss for each of several settings of the parameters."""
        judge, scores = self._candidate.classifier.judge, []
        for decisions in self._decide(trials):
            concordances, losses = zip(
                *(
                    judge(fold.target, fold.means(decision))
                    for fold, decision in zip(self._test_folds, decisions, strict=True)
                ),
                strict=True,
            )
            scores.append(InnerScore(np.array(concordances), float(np.mean(losses))))
        return scores

    def decisions(self, params: Mapping[str, Any]) -> Floats:
        """Return the mean decision on each training subject from the inner models that did not see it, nan for the others."""
        sums, counts = np.zeros(self._n_subjects), np.zeros(self._n_subjects)
        for fold, decision in zip(self._test_folds, self._decide([params])[0], strict=True):
            sums[fold.subjects] += fold.means(decision)
            counts[fold.subjects] += 1.0
        means = np.divide(sums, counts, out=np.full(self._n_subjects, np.nan), where=counts > 0)
        return np.asarray(means, dtype=np.float64)

    def _decide(self, trials: Sequence[Mapping[str, Any]]) -> list[list[Floats]]:
        """Return the decisions of each setting (outer list) in each inner fold."""
        tasks = (
            (self._candidate.make(params), self._problem(block, self._candidate.length(params, self._available)))
            for params in trials
            for block in self._blocks
        )
        decisions = self._candidate.classifier.decide_together(tasks)
        n_folds = len(self._blocks)
        return [decisions[start : start + n_folds] for start in range(0, len(decisions), n_folds)]

    def _problem(self, block: Block, length: int) -> Problem:
        # A linear rule does not depend on the order of columns, and a prefix in stored order needs no copy.
        columns = block.as_ranked(length) if self._candidate.classifier.linear else block.columns(length)
        return block.train[:, columns], block.labels, block.test[:, columns]
