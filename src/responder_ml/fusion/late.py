"""Late fusion: every region's own models, weighted by their performance on inner folds; and the best single region.

In each outer training set every region tunes, fits and averages its own candidates (auto). The mean's log-odds are standardised by
the mean and standard deviation of its inner out-of-fold log-odds, and weighted by the excess over one half of the region's inner
AUROC, the weighted mean of its candidates' (equally if none exceeds it). A missing region adds nothing, as if its log-odds were the
training mean. The single region with which a fusion is compared is chosen in the same training set by the same inner AUROC; a
held-out subject without it is scored by the best region it has.

References
----------
Wolpert DH (1992) Stacked generalization. doi:10.1016/S0893-6080(05)80023-1
Breiman L (1996) Stacked regressions (weights not below zero). doi:10.1007/BF00117832
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.evaluation.metrics import OutOfFold, by_subject
from responder_ml.evaluation.separation import measure
from responder_ml.features.builders.builder import Shared
from responder_ml.fusion.regions import Regions
from responder_ml.search.averaging import weighted_sum
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, DrawResult, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

_LABELLINGS_PER_UNIT = 4


@dataclass(frozen=True)
class FusedDraw:
    """Late fusion of one draw.

    Attributes
    ----------
    fold
        Outer fold of each subject.
    fused, single
        Decisions of each subject by the fusion and by the best single region.
    weights
        Of each region (columns) in each outer fold; they add up to one.
    """

    fold: Indices
    fused: Floats
    single: Floats
    weights: Floats


class LateFusion:
    """Late fusion as a function of the labels.

    Parameters
    ----------
    regions
        Subjects and the data of each region.
    candidates
        The candidates to compare in each region.
    plan
        Folds, trials, seed; inner folds are needed, so trials must be 1 or more.
    workers
        They run the units of work.
    """

    def __init__(self, regions: Regions, candidates: Sequence[Candidate], plan: SearchPlan, workers: Workers) -> None:
        self._workers, self._repeats, self._strata = workers, plan.repeats, regions.strata
        builders = {candidate.builder_name: candidate.builder for candidate in candidates}
        shared = {
            region: {
                name: builder.share(search_data.expression, search_data.genes, search_data.context)
                for name, builder in builders.items()
            }
            for region, search_data in regions.by_region.items()
        }
        self._run = partial(fuse_draws, regions.by_region, shared, tuple(candidates), plan)

    def observe(self, labels: Labels, repeats: int | None = None) -> tuple[OutOfFold, OutOfFold, Floats]:
        """Return the fusion's and the best single region's decisions, and the weights, repeats x folds x regions."""
        units = [[Draw(labels, repeat)] for repeat in range(repeats or self._repeats)]
        draws = [draw for unit in self._workers.map(self._run, units) for draw in unit]
        fold = np.stack([draw.fold for draw in draws])
        fused, single = np.stack([draw.fused for draw in draws]), np.stack([draw.single for draw in draws])
        weights = np.stack([draw.weights for draw in draws])
        return _out_of_fold(labels, fused, fold), _out_of_fold(labels, single, fold), weights

    def statistics(self, labellings: Sequence[Labels], repeats: int | None = None) -> Iterator[Floats]:
        """Yield, block by block and in order, what `separation.measure` returns for each labelling."""
        units = [
            labellings[start : start + _LABELLINGS_PER_UNIT]
            for start in range(0, len(labellings), _LABELLINGS_PER_UNIT)
        ]
        for block in self._workers.map(partial(_statistics, self._run, repeats or self._repeats, self._strata), units):
            yield np.stack(block)


def fuse_draws(
    by_region: Mapping[str, SearchData],
    shared: Mapping[str, Mapping[str, Shared]],
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    draws: Sequence[Draw],
) -> list[FusedDraw]:
    """Search every region for every draw, on the same folds of subjects, and fuse."""
    results = [
        search_draws(search_data, shared[region], candidates, plan, draws, keep_models=True)
        for region, search_data in by_region.items()
    ]
    regions = list(by_region.values())
    return [fuse(regions, [of_region[index] for of_region in results]) for index in range(len(draws))]


def fuse(regions: Sequence[SearchData], results: Sequence[DrawResult]) -> FusedDraw:
    """Weight the regions' models of one draw in each outer fold, and decide the subjects they have not seen.

    Parameters
    ----------
    regions, results
        Data and search result of each region, on the same folds.
    """
    n_subjects = regions[0].n_subjects
    fold = np.full(n_subjects, -1, dtype=np.intp)
    for search_data, result in zip(regions, results, strict=True):
        fold[search_data.subject_of] = result.fold
    n_folds = results[0].inner_scores.shape[1]
    fused, single = np.zeros(n_subjects), np.zeros(n_subjects)
    weights = np.empty((n_folds, len(regions)))
    held_out = [_decisions(search_data, result) for search_data, result in zip(regions, results, strict=True)]
    for number in range(n_folds):
        rows = fold == number
        inner_aurocs = np.array([_inner_auroc(result, number) for result in results])
        scores = np.stack(
            [
                _standardised(log_odds[rows], result.inner_decisions(number))
                for log_odds, result in zip(held_out, results, strict=True)
            ],
            axis=1,
        )
        weights[number] = region_weights(inner_aurocs)
        fused[rows] = np.nansum(scores * weights[number], axis=1)
        single[rows] = best_available(scores, inner_aurocs)
    return FusedDraw(fold, fused, single, weights)


def region_weights(inner_aurocs: Floats) -> Floats:
    """Return weights from inner AUROCs: the excess of each over one half, as shares; equal weights if none exceeds it."""
    excess = np.maximum(inner_aurocs - 0.5, 0.0)
    if excess.sum() == 0:
        return np.full(len(inner_aurocs), 1.0 / len(inner_aurocs))
    return np.asarray(excess / excess.sum(), dtype=np.float64)


def best_available(scores: Floats, inner_aurocs: Floats) -> Floats:
    """Return each subject's score by the region of highest inner AUROC among those it has; the earlier of equals."""
    best_first = scores[:, np.argsort(-inner_aurocs, kind="stable")]
    first = np.argmax(~np.isnan(best_first), axis=1)
    return np.asarray(best_first[np.arange(len(scores)), first], dtype=np.float64)


def _decisions(search_data: SearchData, result: DrawResult) -> Floats:
    """Return each subject's held-out log-odds, not-a-number where it lacks the region."""
    subjects, of_sample = np.unique(search_data.subject_of, return_inverse=True)
    values = np.full(search_data.n_subjects, np.nan)
    values[subjects] = by_subject(result.auto, of_sample, len(subjects))
    return values


def _inner_auroc(result: DrawResult, fold: int) -> float:
    """Return the weighted mean of the candidates' inner AUROCs; 0 for one that is not defined."""
    return float(weighted_sum(np.nan_to_num(result.inner_scores[:, fold]), result.weights[:, fold]))


def _standardised(log_odds: Floats, inner_decisions: Floats) -> Floats:
    training = inner_decisions[~np.isnan(inner_decisions)]
    spread = float(training.std())
    return np.asarray((log_odds - training.mean()) / (spread if spread > 0 else 1.0), dtype=np.float64)


def _out_of_fold(labels: Labels, decisions: Floats, fold: Indices) -> OutOfFold:
    return OutOfFold(labels, decisions, fold, np.zeros_like(decisions))


def _statistics(
    run: Callable[[Sequence[Draw]], list[FusedDraw]], repeats: int, cells: Indices, labellings: Sequence[Labels]
) -> list[Floats]:
    draws = run([Draw(labels, repeat) for labels in labellings for repeat in range(repeats)])
    values = []
    for index, labels in enumerate(labellings):
        own = draws[index * repeats : (index + 1) * repeats]
        fold, fused = np.stack([draw.fold for draw in own]), np.stack([draw.fused for draw in own])
        values.append(measure(_out_of_fold(labels, fused, fold), cells))
    return values
