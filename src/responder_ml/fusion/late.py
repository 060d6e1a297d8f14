"""Late fusion: every region's own models, weighed by what they were worth on inner folds; and the best single region.

In each outer training set every region chooses and fits its own candidate. Its log-odds are standardised by the mean and standard
deviation of its inner out-of-fold log-odds, and weighed by how far its inner AUROC exceeds one half (all alike if none does). A
missing region adds nothing, as if its log-odds were the training mean. The single region a fusion is compared with is chosen in the
same training set by the same inner AUROC; a held-out subject without it is scored by the best one it has.

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
from responder_ml.evaluation.metrics import OutOfFold, by_subject, statistic_of
from responder_ml.features.builders.builder import Shared
from responder_ml.fusion.regions import Regions
from responder_ml.search.candidate import Candidate
from responder_ml.search.nested import Draw, DrawResult, FoldModel, SearchPlan, search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

_LABELLINGS_PER_UNIT = 4


@dataclass(frozen=True)
class Fused:
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
        Subjects and materials.
    candidates
        What competes in each region.
    plan
        Folds, trials, seed; inner folds are needed, so trials must be 1 or more.
    workers
        Where units of work run.
    """

    def __init__(self, regions: Regions, candidates: Sequence[Candidate], plan: SearchPlan, workers: Workers) -> None:
        self._workers = workers
        builders = {candidate.builder_name: candidate.builder for candidate in candidates}
        shared = {
            region: {
                name: builder.share(search_data.expression, search_data.genes, search_data.context)
                for name, builder in builders.items()
            }
            for region, search_data in regions.materials.items()
        }
        self._run = partial(fuse_draws, regions.materials, shared, tuple(candidates), plan)

    def observe(self, labels: Labels, repeats: int) -> tuple[OutOfFold, OutOfFold, Floats]:
        """Return the fusion's and the best single region's decisions, and the weights, repeats x folds x regions."""
        units = [[Draw(labels, repeat)] for repeat in range(repeats)]
        found = [each for unit in self._workers.map(self._run, units) for each in unit]
        fold = np.stack([each.fold for each in found])
        fused, single = (np.stack([getattr(each, name) for each in found]) for name in ("fused", "single"))
        weights = np.stack([each.weights for each in found])
        return _out_of_fold(labels, fused, fold), _out_of_fold(labels, single, fold), weights

    def statistics(self, labellings: Sequence[Labels], repeats: int) -> Iterator[Floats]:
        """Yield, block by block and in order, the test statistic of each labelling."""
        units = [
            labellings[start : start + _LABELLINGS_PER_UNIT]
            for start in range(0, len(labellings), _LABELLINGS_PER_UNIT)
        ]
        for block in self._workers.map(partial(_statistics, self._run, repeats), units):
            yield np.asarray(block)


def fuse_draws(
    materials: Mapping[str, SearchData],
    shared: Mapping[str, Mapping[str, Shared]],
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    draws: Sequence[Draw],
) -> list[Fused]:
    """Search every region for every draw, on the same folds of subjects, and fuse."""
    found = [
        search_draws(search_data, shared[region], candidates, plan, draws, keep_models=True)
        for region, search_data in materials.items()
    ]
    places = list(materials.values())
    return [fuse(places, [of_region[index] for of_region in found]) for index in range(len(draws))]


def fuse(materials: Sequence[SearchData], results: Sequence[DrawResult]) -> Fused:
    """Weigh the regions' models of one draw in each outer fold, and decide the subjects they have not seen.

    Parameters
    ----------
    materials, results
        Of each region, on the same folds.
    """
    n_subjects = materials[0].n_subjects
    fold = np.full(n_subjects, -1, dtype=np.intp)
    for search_data, result in zip(materials, results, strict=True):
        fold[search_data.subject_of] = result.fold
    n_folds = results[0].inner_scores.shape[1]
    fused, single = np.zeros(n_subjects), np.zeros(n_subjects)
    weights = np.empty((n_folds, len(materials)))
    held_out = [_decisions(search_data, result) for search_data, result in zip(materials, results, strict=True)]
    for number in range(n_folds):
        rows = fold == number
        models = [_chosen(result, number) for result in results]
        worth = np.nan_to_num(
            [result.inner_scores[model.candidate, number] for result, model in zip(results, models, strict=True)]
        )
        scores = np.stack(
            [_standardised(each[rows], model) for each, model in zip(held_out, models, strict=True)], axis=1
        )
        weights[number] = weights_of(worth)
        fused[rows] = np.nansum(scores * weights[number], axis=1)
        single[rows] = best_available(scores, worth)
    return Fused(fold, fused, single, weights)


def weights_of(worth: Floats) -> Floats:
    """Return weights from inner AUROCs: how far each exceeds one half, as shares; all alike if none does."""
    excess = np.maximum(worth - 0.5, 0.0)
    if excess.sum() == 0:
        return np.full(len(worth), 1.0 / len(worth))
    return np.asarray(excess / excess.sum(), dtype=np.float64)


def best_available(scores: Floats, worth: Floats) -> Floats:
    """Return each subject's score by the region of most worth among those it has; the earlier of equals."""
    by_worth = scores[:, np.argsort(-worth, kind="stable")]
    first = np.argmax(~np.isnan(by_worth), axis=1)
    return np.asarray(by_worth[np.arange(len(scores)), first], dtype=np.float64)


def _decisions(search_data: SearchData, result: DrawResult) -> Floats:
    """Return each subject's held-out log-odds, not-a-number where it lacks the region."""
    there, of_sample = np.unique(search_data.subject_of, return_inverse=True)
    values = np.full(search_data.n_subjects, np.nan)
    values[there] = by_subject(result.auto, of_sample, len(there))
    return values


def _chosen(result: DrawResult, fold: int) -> FoldModel:
    return next(model for model in result.models if model.fold == fold and model.candidate == result.chosen[fold])


def _standardised(log_odds: Floats, model: FoldModel) -> Floats:
    seen = model.inner_decisions[~np.isnan(model.inner_decisions)]
    spread = float(seen.std())
    return np.asarray((log_odds - seen.mean()) / (spread if spread > 0 else 1.0), dtype=np.float64)


def _out_of_fold(labels: Labels, decisions: Floats, fold: Indices) -> OutOfFold:
    return OutOfFold(labels, decisions, fold, np.zeros_like(decisions))


def _statistics(
    run: Callable[[Sequence[Draw]], list[Fused]], repeats: int, labellings: Sequence[Labels]
) -> list[float]:
    found = run([Draw(labels, repeat) for labels in labellings for repeat in range(repeats)])
    values = []
    for index, labels in enumerate(labellings):
        part = found[index * repeats : (index + 1) * repeats]
        fold, fused = np.stack([each.fold for each in part]), np.stack([each.fused for each in part])
        values.append(statistic_of(_out_of_fold(labels, fused, fold)))
    return values
