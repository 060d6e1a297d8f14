"""The nested search with one pair of subjects held out, a positive and a negative one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from responder_ml.arrays import Floats, Labels
from responder_ml.features.builders.builder import Shared
from responder_ml.search.batched_fits import BatchedFits
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import DrawSearch, training_set
from responder_ml.search.search_data import SearchData
from responder_ml.statistics.training_sets import TrainingSets

# Repeat number in the seeds of pairs' inner folds and samplers; repeats of the evaluation count from zero.
_REPEAT_OF_PAIRS = -2


@dataclass(frozen=True)
class Pair:
    """Two subjects of different class to hold out together.

    Attributes
    ----------
    number
        Names the pair's random numbers.
    positive, negative
        Indices of the subjects.
    """

    number: int
    positive: int
    negative: int


def every_pair(labels: Labels) -> list[Pair]:
    """Return all pairs of a positive and a negative subject, ordered by the positive, then by the negative subject."""
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    return [
        Pair(row * len(negatives) + column, int(positive), int(negative))
        for row, positive in enumerate(positives)
        for column, negative in enumerate(negatives)
    ]


def search_pairs(
    search_data: SearchData,
    shared: Mapping[str, Shared],
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    labels: Labels,
    pairs: Sequence[Pair],
) -> Floats:
    """Run the nested search with each pair held out.

    Parameters
    ----------
    search_data, shared, candidates, plan
        As for `search_draws`; the outer folds of the plan are not used.
    labels
        0/1 per subject.
    pairs
        Pairs to hold out in turn.

    Returns
    -------
    Log-odds that the procedure, the mean of its candidates, gives the positive and the negative subject of each pair,
    shape ``(n_pairs, 2)``.
    """
    plan, draw = replace(plan, folds=1), Draw(labels, _REPEAT_OF_PAIRS)
    training_subjects = np.ones((len(pairs), search_data.n_subjects), dtype=bool)
    for subjects, pair in zip(training_subjects, pairs, strict=True):
        subjects[[pair.positive, pair.negative]] = False
    training_sets = [
        training_set(search_data, plan, draw, subjects, pair.number)
        for subjects, pair in zip(training_subjects, pairs, strict=True)
    ]
    rows = np.concatenate([training.rows(search_data) for training in training_sets])
    all_sets = TrainingSets(rows, np.tile(labels[search_data.subject_of], (len(rows), 1)))
    builder_names = sorted({candidate.builder_name for candidate in candidates})
    ranked = {name: shared[name].rank(all_sets) for name in builder_names}
    per_set, batched_fits = len(rows) // len(pairs), BatchedFits()
    searches = []
    for index, (pair, training) in enumerate(zip(pairs, training_sets, strict=True)):
        part = slice(index * per_set, (index + 1) * per_set)
        search = DrawSearch(search_data, candidates, plan, draw, batched_fits, keep_models=False)
        ranked_of_pair = {name: columns[part] for name, columns in ranked.items()}
        search.run_fold(0, training, ~training.subjects, ranked_of_pair, seed_number=pair.number)
        searches.append(search)
    batched_fits.solve()
    one_fold = np.zeros(len(search_data.subject_of), dtype=np.intp)
    decisions = [search.result(one_fold).auto for search in searches]
    return np.array(
        [
            [decision[search_data.subject_of == subject].mean() for subject in (pair.positive, pair.negative)]
            for pair, decision in zip(pairs, decisions, strict=True)
        ]
    )
