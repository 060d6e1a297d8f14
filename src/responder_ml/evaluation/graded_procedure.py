"""A job's whole procedure as a function of a graded outcome: split, rank, tune, average, predict.

The observed outcome and every relabelling of the null go through the same object, so they are always treated alike. Folds are
balanced by stratum and by whether the outcome reaches a cut near its median; relabelled values take their half with them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.evaluation.agreement import PredictedOutcomes, measure
from responder_ml.evaluation.metrics import by_subject
from responder_ml.evaluation.procedure import DRAWS_PER_UNIT
from responder_ml.evaluation.refit import RefitMember
from responder_ml.features.builders.builder import Shared
from responder_ml.progress import OnProgress
from responder_ml.search.averaging import candidate_weights
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, DrawResult, SearchPlan
from responder_ml.search.mean_model import Member, members_in_use
from responder_ml.search.nested import search_draws, training_set, tune_candidates
from responder_ml.search.outcome_model import OutcomeModel, outcome_model
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import share_with_gaps
from responder_ml.search.workers import Workers
from responder_ml.statistics.training_sets import TrainingSets

# Names the folds of the final fit; repeats of the evaluation count from zero.
_REFIT = -1


@dataclass(frozen=True)
class GradedResult:
    """The result of the procedure on the observed outcome.

    Attributes
    ----------
    results
        One per repeat of the outer folds, with the fitted models.
    candidates
        Out-of-fold predictions of each candidate, by name.
    auto
        Out-of-fold predictions of the weighted mean of the candidates.
    """

    results: tuple[DrawResult, ...]
    candidates: dict[str, PredictedOutcomes]
    auto: PredictedOutcomes

    def measured(self, cells: Indices) -> Floats:
        """Return what `agreement.measure` returns for the observed outcome."""
        return measure(self.auto, cells, np.stack([candidate.mean for candidate in self.candidates.values()]))

    def chosen_share(self, candidate: int) -> float:
        """Return a candidate's weight in auto, the mean over outer folds and repeats."""
        return float(np.mean([result.weights[candidate] for result in self.results]))


@dataclass(frozen=True)
class GradedRefit:
    """The model fitted to all subjects, for scoring; it is never evaluated itself.

    Attributes
    ----------
    members
        The candidates that it averages, by name.
    model
        The fitted model.
    """

    members: tuple[RefitMember, ...]
    model: OutcomeModel


class GradedProcedure:
    """A job's whole procedure, everything but the outcome.

    Parameters
    ----------
    search_data
        Samples and subjects.
    candidates
        Builders with regressors, which the procedure averages.
    plan
        Folds, trials, seed.
    workers
        Where units of work run.
    cut
        Outcome from which on a subject is of the upper half, for the balance of folds.
    """

    def __init__(
        self, search_data: SearchData, candidates: Sequence[Candidate], plan: SearchPlan, workers: Workers, cut: float
    ) -> None:
        self.search_data = search_data
        self.candidates = tuple(candidates)
        self.plan = plan
        self._workers = workers
        self._cut = cut
        builders = {candidate.builder_name: candidate.builder for candidate in candidates}
        self._shared: dict[str, Shared] = {
            name: share_with_gaps(builder, search_data) for name, builder in builders.items()
        }

    def observe(self, outcome: Floats, on_progress: OnProgress | None = None) -> GradedResult:
        """Run the nested search on the outcome of each subject, and keep the fitted models.

        Parameters
        ----------
        outcome
            Shape ``(n_subjects,)``.
        on_progress
            Called after each repeat.
        """
        run = partial(search_draws, self.search_data, self._shared, self.candidates, self.plan, keep_models=True)
        results: list[DrawResult] = []
        draws = [[_draw(outcome, repeat, self._cut)] for repeat in range(self.plan.repeats)]
        for of_repeat in self._workers.map(run, draws):
            results += of_repeat
            if on_progress is not None:
                on_progress(len(results), self.plan.repeats, "")
        auto, candidates = _collect(self.search_data, outcome, self._cut, results)
        names = [candidate.name for candidate in self.candidates]
        return GradedResult(tuple(results), dict(zip(names, candidates, strict=True)), auto)

    def statistics(self, outcomes: Sequence[Floats], cells: Indices | None = None) -> Iterator[Floats]:
        """Yield, block by block and in order, what `agreement.measure` returns for each outcome, one row each.

        Parameters
        ----------
        outcomes
            Each of shape ``(n_subjects,)``.
        cells
            Cell of each subject, within which subjects are compared; their strata by default.
        """
        units = [outcomes[start : start + DRAWS_PER_UNIT] for start in range(0, len(outcomes), DRAWS_PER_UNIT)]
        search = partial(search_draws, self.search_data, self._shared, self.candidates, self.plan)
        cells = self.search_data.strata if cells is None else cells
        yield from self._workers.map(
            partial(_measure_unit, search, self.search_data, self.plan.repeats, self._cut, cells), units
        )

    def refit(self, outcome: Floats) -> GradedRefit:
        """Tune on all subjects, and fit the mean of the candidates to them."""
        data = self.search_data
        draw = _draw(outcome, _REFIT, self._cut)
        training = training_set(data, self.plan, draw, np.ones(data.n_subjects, dtype=bool), 0)
        rows, of_samples = training.rows(data), outcome[data.subject_of]
        sets = TrainingSets(rows, np.tile(of_samples, (len(rows), 1)))
        ranked = {name: shared.rank(sets) for name, shared in self._shared.items()}
        tuned = [best for best, _ in tune_candidates(data, ranked, self.candidates, self.plan, draw, training, 0)]
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
        model = outcome_model(members).fit(data.expression, of_samples, genes=data.genes, context=data.context)
        used = members_in_use(members)
        return GradedRefit(
            tuple(RefitMember(member.candidate.name, member.weight, dict(member.params)) for member in used), model
        )


def halves(outcome: Floats, cut: float) -> Labels:
    """Return 1 for subjects whose outcome reaches the cut, 0 for the others."""
    return np.asarray(outcome >= cut, dtype=np.int8)


def _draw(outcome: Floats, repeat: int, cut: float) -> Draw:
    return Draw(halves(outcome, cut), repeat, outcome)


def _measure_unit(
    search: "partial[list[DrawResult]]",
    search_data: SearchData,
    repeats: int,
    cut: float,
    cells: Indices,
    outcomes: Sequence[Floats],
) -> Floats:
    """Search a block of relabelled outcomes together and measure each."""
    results = search([_draw(outcome, repeat, cut) for outcome in outcomes for repeat in range(repeats)])
    rows = []
    for index, outcome in enumerate(outcomes):
        auto, candidates = _collect(search_data, outcome, cut, results[index * repeats : (index + 1) * repeats])
        rows.append(measure(auto, cells, np.stack([candidate.mean for candidate in candidates])))
    return np.stack(rows)


def _collect(
    search_data: SearchData, outcome: Floats, cut: float, results: Sequence[DrawResult]
) -> tuple[PredictedOutcomes, list[PredictedOutcomes]]:
    """Return the predictions of auto and of each candidate, the mean over each subject's samples."""
    subject_of, n_subjects = search_data.subject_of, search_data.n_subjects
    folds = np.empty((len(results), n_subjects), dtype=np.intp)
    for row, result in zip(folds, results, strict=True):
        row[subject_of] = result.fold
    auto = np.stack([by_subject(result.auto, subject_of, n_subjects) for result in results])
    # Candidates x repeats x subjects.
    of_candidates = np.stack([by_subject(result.decisions, subject_of, n_subjects) for result in results], axis=1)
    design = folds, search_data.strata, halves(outcome, cut)
    return (
        PredictedOutcomes(outcome, auto, *design),
        [PredictedOutcomes(outcome, of_candidate, *design) for of_candidate in of_candidates],
    )
