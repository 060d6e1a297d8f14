"""Is p right where subjects have several samples or come in pairs, and what do combining and pairing gain?

    python experiments/subject_units/run.py CELL FIRST LAST

runs cohorts FIRST to LAST - 1 of one cell and appends a line each to ``cohorts.csv``; ``summarise`` instead of a cell writes
``summary.csv`` from it. Cohort i is drawn from seed i; genes are normal on the log2 scale, 200 of them, 10 with an effect.

Cells: ``repeated`` and ``pairs``, each ``-null`` or ``-effect``. Repeated: 6 v 6 subjects, one of which has 30 samples and the
others 1 to 4; the spread between subjects is that between samples. With an effect, cohorts are analysed with samples combined
and, as before, with samples as rows (whose null permutes subjects too). Pairs: 7 of them, the spread between pairs twice that
within; with an effect, analysed as pairs and as 7 v 7 subjects. Effects are 1.5 (repeated) and 1.2 (pairs) standard deviations of
one sample. p is exact for pairs; elsewhere it rests on 99 relabellings.
"""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import beta

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.small_n import fit_plan_to_n
from responder_ml.features.builders import BUILDERS
from responder_ml.features.pair_deviations import pair_deviations
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.seeds import generator

HERE = Path(__file__).parent
GENES, CHANGED, DRAWS, ALPHA = 200, 10, 99, 0.05
EFFECTS = {"repeated": 1.5, "pairs": 1.2}


def analyse(expression, subject_of, labels, strata, seed, *, paired=False):
    """Return p and AUROC of the procedure on one cohort."""
    names = np.array([f"g{index}" for index in range(GENES)])
    candidate = Candidate("genes", BUILDERS["genes"](units="log2"), CLASSIFIERS["elastic_net"], {}, "elastic_net")
    plan = SearchPlan(5, 3, 0, seed=seed, repeats=10, complete=True, paired=paired)
    feasible = fit_plan_to_n(plan, [candidate], int(labels.sum()), int((labels == 0).sum()))
    search_data = SearchData(expression, names, subject_of, strata)
    procedure = Procedure(search_data, feasible.candidates, replace(feasible.plan, seed=seed), Workers(1))
    observed = procedure.observe(labels)
    null_plan = NullPlan("auto" if paired else DRAWS, ALPHA, seed)
    null = run_null(procedure.statistics, labels, strata, observed.measured(procedure.cells), null_plan, "null")
    return null.p_value, auroc(observed.auto)


def repeated(effect, rng):
    """Return samples x genes, the subject of each and the subjects' labels."""
    labels = np.tile([1, 0], 6).astype(np.int8)
    counts = rng.integers(1, 5, 12)
    counts[rng.integers(12)] = 30
    subject_of = np.repeat(np.arange(12), counts)
    level = rng.normal(size=(12, GENES))
    level[:, :CHANGED] += effect * labels[:, None]
    return level[subject_of] + rng.normal(size=(len(subject_of), GENES)), subject_of, labels


def run_cell(cell, number):
    """Return the rows of one cohort, one per analysis."""
    kind, truth = cell.split("-")
    rng = generator(number, cell)
    effect = EFFECTS[kind] if truth == "effect" else 0.0
    if kind == "repeated":
        samples, subject_of, labels = repeated(effect, rng)
        sums = np.zeros((12, GENES))
        np.add.at(sums, subject_of, samples)
        combined = sums / np.bincount(subject_of)[:, None]
        everyone = np.zeros(12, dtype=np.intp)
        results = {"combined": analyse(combined, np.arange(12), labels, everyone, number)}
        if effect:
            results["samples as rows"] = analyse(samples, subject_of, labels, everyone, number)
        return results
    pairs, labels = np.repeat(np.arange(7), 2), np.tile([1, 0], 7).astype(np.int8)
    values = rng.normal(size=(14, GENES)) + 2.0 * rng.normal(size=(7, GENES))[pairs]
    values[:, :CHANGED] += effect * labels[:, None]
    deviations = pair_deviations(values, "log2", pairs)
    results = {"pairs": analyse(deviations, np.arange(14), labels, pairs, number, paired=True)}
    if effect:
        results["no pairs"] = analyse(values, np.arange(14), labels, np.zeros(14, dtype=np.intp), number)
    return results


def summarise():
    """Write the share of cohorts with p at most alpha, with its exact 95 % interval."""
    table = pd.read_csv(HERE / "cohorts.csv").drop_duplicates(["cell", "cohort", "analysis"])
    rows = []
    for (cell, analysis), group in table.groupby(["cell", "analysis"]):
        count, n = int((group["p"] <= ALPHA).sum()), len(group)
        low = beta.ppf(0.025, count, n - count + 1) if count else 0.0
        high = beta.ppf(0.975, count + 1, n - count) if count < n else 1.0
        rows.append(
            (cell, analysis, n, round(count / n, 3), round(low, 3), round(high, 3), round(group["auroc"].mean(), 3))
        )
    names = ["cell", "analysis", "cohorts", "p_at_most_0.05", "low", "high", "mean_auroc"]
    pd.DataFrame(rows, columns=names).to_csv(HERE / "summary.csv", index=False)


if __name__ == "__main__":
    if sys.argv[1] == "summarise":
        summarise()
        sys.exit()
    path = HERE / "cohorts.csv"
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["cell", "cohort", "analysis", "p", "auroc"])
        for cohort in range(int(sys.argv[2]), int(sys.argv[3])):
            for analysis, (p_value, score) in run_cell(sys.argv[1], cohort).items():
                writer.writerow([sys.argv[1], cohort, analysis, round(p_value, 6), round(score, 6)])
            file.flush()
