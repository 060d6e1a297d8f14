"""Does the test of a graded outcome hold its level, and what power has it, with repeated samples and a batch?

    python experiments/graded_calibration/run.py --cohorts 200 --seed 20261129

Cohorts of 24 animals in two strata, 150 genes, two batches that shift all genes and one to three samples per animal. Outcomes are
skewed and rounded, so that some tie. Without effect they are unrelated to expression (type-I error), once unrelated to the batch
and once going with it (what the verdict says then); with effect 20 genes follow them (power). All go through the steps of
``train`` up to the verdict, with two candidates of fixed form and two rounds of five folds. Finished cohorts are kept in
``results.jsonl`` and not run again; ``STORED=1`` writes the table of those that are there. WORKERS says how many processes run
cohorts.
"""

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import binom

HERE = Path(__file__).parent
ANIMALS, GENES, SPARSE, EFFECT, LEVEL = 24, 150, 20, 0.8, 0.05
NONE, WITH_BATCH, SLOPE = (
    "unrelated",
    "outcome goes with the batch, genes with the batch alone",
    f"{SPARSE} genes follow it",
)
DESIGNS = (NONE, WITH_BATCH, SLOPE)


def simulate(design: str, seed: int) -> AnnData:
    """Return log2 expression of animals with one to three samples each, in two batches and two strata."""
    rng = np.random.default_rng(seed)
    batch, stratum = rng.permutation(np.arange(ANIMALS) % 2), np.arange(ANIMALS) % 2
    latent = rng.normal(0.0, 1.0, ANIMALS) + (1.5 * batch if design == WITH_BATCH else 0.0)
    values = rng.normal(0.0, 1.0, (ANIMALS, GENES)) + np.outer(batch, rng.normal(0.0, 0.5, GENES))
    if design == SLOPE:
        values[:, :SPARSE] += EFFECT * np.outer(latent, rng.choice([-1.0, 1.0], SPARSE))
    sheet = pd.DataFrame({
        "subject": [f"m{row:02d}" for row in range(ANIMALS)],
        "batch": np.where(batch, "one", "two"),
        "drug": np.where(stratum, "ketamine", "saline"),
        "ratio": np.exp(0.5 * latent).round(1),
    })  # fmt: skip
    rows = np.repeat(np.arange(ANIMALS), rng.integers(1, 4, ANIMALS))
    obs = sheet.iloc[rows].reset_index(drop=True)
    obs.insert(0, "sample", [f"s{row:02d}" for row in range(len(obs))])
    known = {
        "units": "log2",
        "simulated": True,
        "source": "simulated",
        "subject_source": "column",
        "unused_samples": [],
    }
    return AnnData(
        values[rows] + rng.normal(8.0, 0.5, (len(rows), GENES)),
        obs=obs.set_index("sample", drop=False),
        var=pd.DataFrame(index=[f"g{gene}" for gene in range(GENES)]),
        uns=known,
    )


def judge(task: list) -> dict:
    """Return verdict, p, conditional p and concordance of one cohort."""
    from responder_ml.config import JobConfig
    from responder_ml.evaluation.agreement import fold_concordance
    from responder_ml.evaluation.graded_evidence import assess_graded
    from responder_ml.evaluation.graded_procedure import GradedProcedure
    from responder_ml.prepare_graded import prepare_graded
    from responder_ml.progress import Progress
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.workers import Workers

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
    prepared = prepare_graded(job, simulate(design, seed))
    graded, feasible = prepared.graded, prepared.feasible
    procedure = GradedProcedure(
        SearchData.of(graded.labelled), feasible.candidates, feasible.plan, Workers(1), graded.cut
    )
    observed = procedure.observe(graded.outcome)
    evidence = assess_graded(procedure, observed, graded, prepared.null_plan, Progress())
    return {
        "task": task,
        "level": evidence.verdict.level,
        "p": evidence.null.p_value,
        "draws": len(evidence.null.values),
        "null_mean": evidence.null.mean,
        "conditional": None if evidence.conditional is None else evidence.conditional.p_value,
        "concordance": fold_concordance(observed.auto),
    }


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


def table(cohorts: int, seed: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| outcome | cohorts | p <= 0.05 | evidence | confounded | mean concordance | mean of the null | mean relabellings |"
    yield "|---|---|---|---|---|---|---|---|"
    for number, design in enumerate(DESIGNS):
        start = seed * 1000 + number * 10_000_000
        of_design = results([[design, start + index] for index in range(cohorts)], HERE / "results.jsonl")
        if not of_design:
            continue
        mean = {key: np.mean([one[key] for one in of_design]) for key in ("concordance", "null_mean", "draws")}
        share = np.mean([one["p"] <= LEVEL for one in of_design])
        levels = " | ".join(
            f"{np.mean([one['level'] == level for one in of_design]):.3f}" for level in ("evidence", "confounded")
        )
        yield (
            f"| {design} | {len(of_design)} | {share:.3f} | {levels} | {mean['concordance']:.3f} | {mean['null_mean']:.3f} | "
            f"{mean['draws']:.0f} |"
        )
    low, high = binom.interval(0.95, cohorts, LEVEL)
    yield ""
    yield f"With a true rate of 0.05, 95 % of shares of {cohorts} cohorts lie from {low / cohorts:.3f} to {high / cohorts:.3f}."


def main() -> None:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261129)
    args = parser.parse_args()
    command = f"`python experiments/graded_calibration/run.py --cohorts {args.cohorts} --seed {args.seed}`"
    lines = list(table(args.cohorts, args.seed))
    (HERE / "table.md").write_text("\n".join(["Simulated data.", "", command, "", *lines, ""]))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
