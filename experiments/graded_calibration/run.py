"""Does the test of a graded outcome hold its level, what power has it, and does the interval of its concordance cover?

    python experiments/graded_calibration/run.py --cohorts 200 --seed 20261129

Cohorts of 24 animals in two strata, 150 genes, two batches that shift all genes, and one to three samples per animal. Outcomes are
skewed and rounded, so that some tie. All go through the steps of ``train`` up to the verdict, with two candidates of fixed form and
two rounds of five folds. The test within batches, which ``train`` runs only where it is needed, is run in every cohort. 200 new
animals of the same kind, which no model is trained on, are predicted by the models of the outer folds.

Finished cohorts are kept in ``results.jsonl`` and not run again; ``STORED=1`` writes the table of those that are there. WORKERS
says how many processes run cohorts. Designs with an effect have half as many cohorts.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import binom

HERE = Path(__file__).parent
ANIMALS, NEW, GENES, FOLLOWING, LEVEL = 24, 200, 150, 20, 0.05
# Standard deviations by which genes follow the outcome, and by which the outcome differs between batches.
DESIGNS = {
    "no effect": (0.0, 0.0),
    "no effect, the outcome goes with the batch": (0.0, 1.5),
    "20 genes follow it by 0.25 SD": (0.25, 0.0),
    "20 genes follow it by 0.4 SD": (0.4, 0.0),
    "20 genes follow it by 0.4 SD, and it goes with the batch": (0.4, 1.5),
}


@dataclass(frozen=True)
class Simulated:
    """A cohort, and the means of each animal's samples for it and then for the new animals, in the order of their names."""

    cohort: AnnData
    expression: np.ndarray
    outcome: np.ndarray
    strata: np.ndarray


class WithNewAnimals:
    """Ordinary folds of the cohort; new animals, listed after it, are predicted but never trained on."""

    def __init__(self) -> None:
        self.trains = np.arange(ANIMALS + NEW) < ANIMALS
        self.decided = np.ones(ANIMALS + NEW, dtype=bool)

    def assign(self, labels, strata, plan, repeat, rng):
        """Return the cohort's folds, then those by whose models the new animals are predicted: both strata spread over all."""
        from responder_ml.search.splits import EverySubject

        folds = EverySubject(ANIMALS).assign(labels[:ANIMALS], strata[:ANIMALS], plan, repeat, rng)
        return np.concatenate([folds, (np.arange(NEW) // 2 + repeat) % plan.folds])


def simulate(design: str, seed: int) -> Simulated:
    """Return log2 expression of animals with one to three samples each, in two batches and two strata."""
    effect, shift = DESIGNS[design]
    rng = np.random.default_rng(seed)
    animals = ANIMALS + NEW
    stratum = np.arange(animals) % 2
    batch = np.concatenate([rng.permutation(np.arange(size) % 2) for size in (ANIMALS, NEW)])
    latent = rng.normal(0.0, 1.0, animals) + shift * batch
    values = rng.normal(0.0, 1.0, (animals, GENES)) + np.outer(batch, rng.normal(0.0, 0.5, GENES))
    values[:, :FOLLOWING] += effect * np.outer(latent, rng.choice([-1.0, 1.0], FOLLOWING))
    sheet = pd.DataFrame({
        "subject": [f"m{row:03d}" for row in range(animals)],
        "batch": np.where(batch, "one", "two"),
        "drug": np.where(stratum, "saline", "ketamine"),
        "ratio": np.exp(0.5 * latent).round(1),
    })  # fmt: skip
    rows = np.repeat(np.arange(animals), rng.integers(1, 4, animals))
    of_samples = values[rows] + rng.normal(8.0, 0.5, (len(rows), GENES))
    means = np.stack([of_samples[rows == animal].mean(axis=0) for animal in range(animals)])
    is_cohort = rows < ANIMALS
    obs = sheet.iloc[rows[is_cohort]].reset_index(drop=True)
    obs.insert(0, "sample", [f"s{row:03d}" for row in range(len(obs))])
    known = {"units": "log2", "simulated": True, "source": "simulated", "subject_source": "column"}
    cohort = AnnData(
        of_samples[is_cohort],
        obs=obs.set_index("sample", drop=False),
        var=pd.DataFrame(index=[f"g{gene:03d}" for gene in range(GENES)]),
        uns={**known, "unused_samples": []},
    )
    return Simulated(cohort, means, sheet["ratio"].to_numpy(), stratum)


def judge(task: list) -> dict:
    """Return what the tests say of one cohort, its concordance with the interval, and that on new animals."""
    from responder_ml.config import JobConfig
    from responder_ml.evaluation.agreement import fold_concordance
    from responder_ml.evaluation.concordance_interval import concordance_interval
    from responder_ml.evaluation.conditional import nuisance_of
    from responder_ml.evaluation.graded_evidence import assess_graded
    from responder_ml.evaluation.graded_nuisance import alike_in
    from responder_ml.evaluation.graded_procedure import GradedProcedure
    from responder_ml.evaluation.permutation import run_null
    from responder_ml.prepare_graded import prepare_graded
    from responder_ml.progress import Progress
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.workers import Workers

    start = time.process_time()
    design, seed = task
    job = JobConfig(
        name="calibration",
        cohort={"source": "table", "units": "log2"},
        endpoint={"kind": "score", "column": "ratio", "strata": ["drug"], "nuisance": ["batch"]},
        builders=[{"kind": "genes"}, {"kind": "all_genes"}],
        regressors=[{"kind": "ridge"}],
        search={"trials": 0, "folds": 5, "repeats": 2},
        null={"permutations": 1000},
        seed=seed,
    )
    simulated = simulate(design, seed)
    prepared = prepare_graded(job, simulated.cohort)
    graded, feasible, plan = prepared.graded, prepared.feasible, prepared.null_plan
    procedure = GradedProcedure(
        SearchData.of(graded.labelled), feasible.candidates, feasible.plan, Workers(1), graded.cut
    )
    observed = procedure.observe(graded.outcome)
    evidence = assess_graded(procedure, observed, graded, plan, Progress())
    conditional, nuisance = evidence.conditional, nuisance_of(graded.labelled)
    if conditional is None:
        conditional = run_null(
            partial(procedure.statistics, cells=nuisance.cells), graded.outcome, nuisance.cells,
            observed.measured(nuisance.cells), plan, "outcome and nuisances",
            relabelling=alike_in(nuisance, graded.outcome),
        )  # fmt: skip
    low, high = concordance_interval(observed.auto)
    return {
        "task": task,
        "level": evidence.verdict.level,
        "p": evidence.null.p_value,
        "draws": len(evidence.null.values),
        "null_mean": evidence.null.mean,
        "conditional_p": conditional.p_value,
        "conditional_draws": len(conditional.values),
        "concordance": fold_concordance(observed.auto),
        "low": low,
        "high": high,
        "new_concordance": concordance_of_new(simulated, procedure, graded.cut, observed.auto),
        "seconds": round(time.process_time() - start, 2),
    }


def concordance_of_new(simulated: Simulated, procedure, cut: float, observed) -> float:
    """Return the concordance of new animals predicted by the models of the outer folds, which must predict the cohort as before."""
    from responder_ml.evaluation.agreement import PredictedOutcomes, fold_concordance
    from responder_ml.evaluation.graded_procedure import halves
    from responder_ml.search.draw import Draw
    from responder_ml.search.nested import search_draws
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.shared_gaps import share_with_gaps

    outcome, strata, everybody = simulated.outcome, simulated.strata, np.arange(ANIMALS + NEW)
    data = SearchData(simulated.expression, procedure.search_data.genes, everybody, strata)
    shared = {one.builder_name: share_with_gaps(one.builder, data) for one in procedure.candidates}
    draws = [Draw(halves(outcome, cut), repeat, outcome) for repeat in range(procedure.plan.repeats)]
    results = search_draws(data, shared, procedure.candidates, procedure.plan, draws, split=WithNewAnimals())
    predicted = np.stack([result.auto for result in results])
    np.testing.assert_allclose(predicted[:, :ANIMALS], observed.predictions, rtol=1e-6)
    folds = np.stack([result.fold for result in results])
    new = slice(ANIMALS, None)
    return fold_concordance(
        PredictedOutcomes(outcome[new], predicted[:, new], folds[:, new], strata[new], halves(outcome[new], cut))
    )


def results(tasks: list[list], path: Path) -> list[dict]:
    """Run what is missing, unless STORED is set, and return all results there are, in the order of the tasks."""
    stored = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    known = {json.dumps(result["task"]): result for result in stored}
    missing = [task for task in tasks if json.dumps(task) not in known]
    if missing and not os.environ.get("STORED"):
        with ProcessPoolExecutor(int(os.environ.get("WORKERS", "1"))) as pool, path.open("a") as file:
            for result in pool.map(judge, missing):
                known[json.dumps(result["task"])] = result
                file.write(json.dumps(result) + "\n")
                file.flush()
    return [known[json.dumps(task)] for task in tasks if json.dumps(task) in known]


def tables(cohorts: int, seed: int) -> Iterator[str]:
    """Yield the lines of both tables: the tests, then the intervals."""
    of_designs = {}
    for number, (design, (effect, _)) in enumerate(DESIGNS.items()):
        first, size = seed * 1000 + number * 10_000_000, cohorts if effect == 0 else -(-cohorts // 2)
        rows = results([[design, first + index] for index in range(size)], HERE / "results.jsonl")
        if rows:
            of_designs[design] = pd.DataFrame(rows)
    yield (
        "| outcome | cohorts | p <= 0.05 | p <= 0.05 within batches | 95 % of shares at a rate of 0.05 | evidence | confounded | "
        "undecided | mean of the null | mean relabellings | seconds |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for design, rows in of_designs.items():
        low, high = binom.interval(0.95, len(rows), LEVEL) / np.array(float(len(rows)))
        shares = [np.mean(rows[key] <= LEVEL) for key in ("p", "conditional_p")]
        levels = [np.mean(rows["level"] == level) for level in ("evidence", "confounded", "undecided")]
        first, second = (" | ".join(f"{share:.3f}" for share in part) for part in (shares, levels))
        yield (
            f"| {design} | {len(rows)} | {first} | {low:.3f} to {high:.3f} | {second} | {rows['null_mean'].mean():.3f} | "
            f"{rows['draws'].mean():.0f} | {rows['seconds'].mean():.1f} |"
        )
    yield ""
    yield "Coverage of the printed 95 % interval of the concordance, by the concordance that it is to hold."
    yield ""
    yield (
        "| outcome | cohorts | printed, mean | width, mean | on new animals, mean | held, these models | held, mean of cohorts |"
    )
    yield "|---|---|---|---|---|---|---|"
    for design, rows in of_designs.items():
        # Where neither genes nor batches know the outcome no model is better than chance, whatever chance gave it.
        chance = DESIGNS[design] == (0.0, 0.0)
        target = np.full(len(rows), 0.5) if chance else rows["new_concordance"].to_numpy()
        held = [
            np.mean((rows["low"] <= truth) & (truth <= rows["high"]))
            for truth in (target, np.full(len(rows), target.mean()))
        ]
        yield (
            f"| {design} | {len(rows)} | {rows['concordance'].mean():.3f} | {np.mean(rows['high'] - rows['low']):.3f} | "
            f"{target.mean():.3f} | {held[0]:.3f} | {held[1]:.3f} |"
        )


def main() -> None:
    """Run what is missing and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261129)
    args = parser.parse_args()
    command = f"`python experiments/graded_calibration/run.py --cohorts {args.cohorts} --seed {args.seed}`"
    lines = list(tables(args.cohorts, args.seed))
    (HERE / "table.md").write_text("\n".join(["Simulated data.", "", command, "", *lines, ""]))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
