"""Rival explanations: what else might tell the classes apart, each as the only predictor and held constant beside expression.

For every line the procedure is run in its fixed form, nothing tuned, on the subjects relabelled as for the headline: once on the
rival's columns in place of expression, and once on expression adjusted for the rival, beside what the job adjusts for itself.
Both p are of the same kind as the headline's, with fewer relabellings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.cohort.endpoint import LabelledCohort
from responder_ml.cohort.nuisance_kind import infer_kind
from responder_ml.cohort.spelling import is_blank
from responder_ml.evaluation.composition import COMPOSITION, marker_classes, mean_markers
from responder_ml.evaluation.conditional import LIBRARY_SIZE, library_sizes
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders.genes import Genes
from responder_ml.progress import OnProgress
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.covariate_space import CovariateSpace

RELABELLINGS = 199
"""Most relabellings of each p where the job adjusts for something and names no number."""
NOTHING, AS_ASKED = "nothing", "what the job adjusts for"
# Columns that count as rivals wherever a sheet has them.
_COMMON = ("batch", "cage", "litter", "sex", "age", "rin")
_REPEATS = 3


@dataclass(frozen=True)
class Rival:
    """A rival and the columns that stand for it, samples x columns; none for the procedure as it is."""

    name: str
    columns: Floats


@dataclass(frozen=True)
class RivalResult:
    """One line of the table; not-a-number where nothing was run.

    Attributes
    ----------
    name
        The rival.
    n_columns
        Columns it takes.
    auroc_alone, p_alone
        With the rival as the only predictor.
    auroc_adjusted, p_adjusted
        Of expression with the rival held constant, beside what the job adjusts for; for `NOTHING`, of expression as it is.
    note
        Why one of them is missing; may be empty.
    """

    name: str
    n_columns: int
    auroc_alone: float = float("nan")
    p_alone: float = float("nan")
    auroc_adjusted: float = float("nan")
    p_adjusted: float = float("nan")
    note: str = ""


def list_rivals(labelled: LabelledCohort, log2: Floats) -> list[Rival]:
    """Return the rivals that a sheet allows: nuisances, covariates and blocks, what is common, library size and composition.

    Parameters
    ----------
    labelled
        One row per subject. A column with an empty cell, or with one value, is no rival.
    log2
        Log2 expression, samples x genes, for the markers of cells.
    """
    sheet, endpoint = labelled.cohort.obs, labelled.endpoint
    block = () if endpoint.block is None else (endpoint.block,)
    named = dict.fromkeys((*endpoint.nuisance, *block, *(name for name in _COMMON if name in sheet.columns)))
    rivals = []
    for name in named:
        values = sheet[name]
        if str(name).startswith(f"{COMPOSITION}: ") or values.nunique() < 2 or any(map(is_blank, values)):
            continue
        is_category = endpoint.kinds.get(name, infer_kind(str(name), values).kind) == "category"
        if is_category:
            words = values.astype(str).to_numpy()
            columns = (words[:, None] == np.unique(words)[None, 1:]).astype(np.float64)
        else:
            columns = pd.to_numeric(values).to_numpy(dtype=np.float64)[:, None]
        rivals.append(Rival(str(name), columns))
    if labelled.library_size is not None:
        rivals.append(Rival(LIBRARY_SIZE, library_sizes(labelled)[:, None]))
    classes = marker_classes(labelled.genes.tolist(), sheet)
    if classes:
        rivals.append(Rival(COMPOSITION, mean_markers(log2, classes)))
    return rivals


def compare_rivals(
    labelled: LabelledCohort,
    candidates: Sequence[Candidate],
    plan: SearchPlan,
    null: NullPlan,
    log2: Floats,
    workers: Workers,
    on_progress: OnProgress,
) -> tuple[RivalResult, ...]:
    """Run the procedure on and beside every rival, and without any adjustment first.

    Parameters
    ----------
    labelled
        One row per subject.
    candidates, plan
        Of the job; nothing is tuned here, and random folds have three repeats at most.
    null
        Seed, level and number of relabellings; the names of its random numbers are those of the headline's null.
    log2
        Log2 expression, samples x genes.
    workers
        Where units of work run.
    on_progress
        Called after each run of the procedure.
    """
    fixed = replace(plan, trials=0, repeats=plan.repeats if plan.complete else min(plan.repeats, _REPEATS))
    data, rivals = SearchData.of(labelled), list_rivals(labelled, log2)
    total, done = 2 * len(rivals) + (1 if data.covariates is None else 3), 0

    def measure(search_data: SearchData, of_candidates: Sequence[Candidate]) -> tuple[float, float]:
        nonlocal done
        procedure = Procedure(search_data, of_candidates, fixed, workers)
        observed = procedure.observe(labelled.labels)
        value = observed.measured(procedure.cells)
        result = run_null(procedure.statistics, labelled.labels, labelled.strata, value, null, "strata")
        done += 1
        on_progress(done, total, "")
        return auroc(observed.auto), result.p_value

    results = [RivalResult(NOTHING, 0, float("nan"), float("nan"), *measure(_adjusted(data, None), candidates))]
    of_job = data.covariates
    if of_job is not None:
        alone = measure(_alone(data, of_job), _LINEAR)
        results.append(RivalResult(AS_ASKED, of_job.shape[1], *alone, *measure(data, candidates)))
    for rival in rivals:
        result = RivalResult(rival.name, rival.columns.shape[1], *measure(_alone(data, rival.columns), _LINEAR))
        held = rival.columns if of_job is None else np.column_stack([of_job, rival.columns])
        why_not = _why_not(held, labelled, fixed.smallest_training(len(labelled.labels)))
        if why_not:
            results.append(replace(result, note=why_not))
            continue
        adjusted = measure(_adjusted(data, held), candidates)
        results.append(replace(result, auroc_adjusted=adjusted[0], p_adjusted=adjusted[1]))
    return tuple(results)


# A ridge of fixed strength on all columns, as for the baselines.
_LINEAR = [Candidate("columns", Genes(units="log2", moderated=False), ElasticNet, {"C": 1.0})]


def _alone(data: SearchData, columns: Floats) -> SearchData:
    names = np.array([f"column{index}" for index in range(columns.shape[1])])
    return replace(data, expression=columns, genes=names, context=None, gaps=None)


def _adjusted(data: SearchData, covariates: Floats | None) -> SearchData:
    return data if data.context is None else replace(data, context=replace(data.context, adjusted=covariates))


def _why_not(covariates: Floats, labelled: LabelledCohort, smallest_training: int) -> str:
    """Return why covariates cannot be held constant; nothing where they can."""
    space = CovariateSpace.of(np.ones((1, len(covariates)), dtype=np.bool_), covariates)
    if np.ptp(space.residual(0, labelled.sample_labels[:, None].astype(np.float64))) == 0:
        return "it tells the classes without error, so nothing is left once it is held constant"
    if smallest_training - int(space.rank[0]) - 2 < 1:
        return f"its columns leave nothing to estimate variance from in {smallest_training} training subjects"
    return ""
