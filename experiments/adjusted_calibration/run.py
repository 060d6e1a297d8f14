"""Type-I error and power of adjusted and of blocked jobs on simulated cohorts, beside the same cohorts not adjusted or blocked.

    python experiments/adjusted_calibration/run.py --cohorts 200 --seed 20261129

Every cohort has two batches and subjects with one to three samples. In the adjusted designs an age that goes with the class
(one standard deviation apart) and a sex move half of the genes each; in the blocked ones cages do. Expression has no effect of
the class (type-I error), or 20 genes differ (power). All go through the steps of ``train`` up to the verdict, with one candidate of
fixed form and one round of five folds. Finished cohorts are kept in ``results.jsonl`` and not run again; ``STORED=1`` writes the
table of those that are there.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import binom

HERE = Path(__file__).parent
GENES, SPARSE, EFFECT, LEVEL = 150, 20, 1.5, 0.05
ADJUSTED, ONE_CAGE, MIXED_CAGES = (
    "age and sex, 12 v 12",
    "cages of one class, 12 cages of 2",
    "cages of both, 6 cages of 4",
)
# What the endpoint of each design names.
DESIGNS = {ADJUSTED: {"adjust": ["age", "sex"]}, MIXED_CAGES: {"block": "cage"}, ONE_CAGE: {"block": "cage"}}
PLAIN = "neither"
# Where the level of the test is not measured, fewer cohorts do.
OTHERS_SHARE = 4


def simulate(design: str, effect: float, seed: int) -> AnnData:
    """Return log2 expression of 24 animals, one to three samples each, in two batches."""
    rng = np.random.default_rng(seed)
    positive = np.arange(24) % 2 == 0
    batch = rng.permutation(np.arange(24) % 2)
    sheet = pd.DataFrame({"subject": [f"m{row:02d}" for row in range(24)], "batch": np.where(batch, "one", "two")})
    values = rng.normal(0.0, 1.0, (24, GENES)) + np.outer(batch, rng.normal(0.0, 0.5, GENES))
    if design == ADJUSTED:
        age, male = rng.normal(0.0, 1.0, 24) + 1.0 * positive, rng.random(24) < np.where(positive, 0.6, 0.4)
        sheet["age"], sheet["sex"] = np.round(10.0 + age, 2), np.where(male, "male", "female")
        values += np.outer(age, rng.choice([-1.0, 1.0], GENES) * (np.arange(GENES) % 2 == 0))
        values += np.outer(male, rng.choice([-1.0, 1.0], GENES) * (np.arange(GENES) % 2 == 1))
    else:
        # Mice of one cage are neighbours: pairs of pairs of both classes, or two of one class.
        cage = np.arange(24) // 4 if design == MIXED_CAGES else 2 * (np.arange(24) // 4) + np.arange(24) % 2
        sheet["cage"] = [f"c{number:02d}" for number in cage]
        values += rng.normal(0.0, 1.0, (12, GENES))[cage]
    sheet["response"] = np.where(positive, "yes", "no")
    shift = np.zeros(GENES)
    shift[:SPARSE] = effect * rng.choice([-1.0, 1.0], SPARSE)
    values += np.outer(positive, shift)
    rows = np.repeat(np.arange(24), rng.integers(1, 4, 24))
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


def judge(design: str, effect: float, data_seed: int, plain: bool) -> dict:
    """Return verdict, p, conditional p and AUROC of one cohort, as the design asks or with neither adjustment nor block."""
    from responder_ml.build import prepare_job
    from responder_ml.config import JobConfig
    from responder_ml.errors import EndpointError
    from responder_ml.evaluation.evidence import assess_evidence
    from responder_ml.evaluation.metrics import auroc
    from responder_ml.evaluation.procedure import Procedure
    from responder_ml.progress import Progress
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.workers import Workers

    endpoint = {"column": "response", "positive": "yes", "negative": "no", "nuisance": ["batch"]}
    job = JobConfig(
        name="calibration",
        cohort={"source": "table", "units": "log2"},
        endpoint=endpoint | ({} if plain else DESIGNS[design]),
        builders=[{"kind": "genes"}],
        classifiers=[{"kind": "nearest_centroid"}],
        search={"trials": 0, "folds": 5, "repeats": 1},
        null={"permutations": 1000},
        seed=data_seed,
    )
    task = [design, effect, data_seed, plain]
    try:
        prepared = prepare_job(job, simulate(design, effect, data_seed))
    except EndpointError as problem:
        return {"task": task, "level": "refused", "p": 1.0, "conditional": None, "auroc": None, "why": str(problem)}
    labelled = prepared.labelled
    procedure = Procedure(SearchData.of(labelled), prepared.feasible.candidates, prepared.feasible.plan, Workers(1))
    observed = procedure.observe(labelled.labels)
    log2 = np.asarray(labelled.expression, dtype=np.float64)
    evidence = assess_evidence(procedure, observed, labelled, prepared.null_plan, log2, Progress())
    conditional = evidence.conditional
    return {
        "task": task,
        "level": evidence.verdict.level,
        "p": evidence.null.p_value,
        "draws": len(evidence.null.values),
        "conditional": None if conditional is None else conditional.p_value,
        "auroc": auroc(observed.auto),
    }


def results(tasks: list[list], path: Path) -> list[dict]:
    """Run what is missing, unless STORED is set, and return all results there are, in the order of the tasks."""
    stored = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    known = {json.dumps(result["task"]): result for result in stored}
    for task in tasks:
        if json.dumps(task) not in known and not os.environ.get("STORED"):
            result = known[json.dumps(task)] = judge(*task)
            with path.open("a") as file:
                file.write(json.dumps(result) + "\n")
    return [known[json.dumps(task)] for task in tasks if json.dumps(task) in known]


def table(cohorts: int, seed: int) -> Iterator[str]:
    """Yield the lines of the table: all cohorts where the level of the test is measured, a quarter elsewhere."""
    yield "| design | effect | endpoint names | cohorts | p <= 0.05 | evidence | confounded | mean AUROC | mean relabellings |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for number, (design, named) in enumerate(DESIGNS.items()):
        for effect in (0.0, EFFECT):
            # With an effect, neither adjustment nor block says nothing of either.
            for plain in (False, True) if effect == 0 else (False,):
                level_matters = effect == 0 and not plain
                some = cohorts if level_matters else cohorts // OTHERS_SHARE
                start = seed * 1000 + number * 10_000_000 + int(effect > 0) * 1_000_000
                of_design = results(
                    [[design, effect, start + index, plain] for index in range(some)], HERE / "results.jsonl"
                )
                if not of_design:
                    continue
                share = np.mean([result["p"] <= LEVEL for result in of_design])
                levels = [np.mean([one["level"] == level for one in of_design]) for level in ("evidence", "confounded")]
                key = (
                    PLAIN
                    if plain
                    else ", ".join(f"{name} {' and '.join(np.atleast_1d(value))}" for name, value in named.items())
                )
                cells = f"{share:.3f} | " + " | ".join(f"{level:.3f}" for level in levels)
                aurocs = [result["auroc"] for result in of_design if result["auroc"] is not None]
                draws = np.mean([result.get("draws", 0) for result in of_design])
                effects = "none" if effect == 0 else f"{SPARSE} genes by {effect:g} sd"
                yield f"| {design} | {effects} | {key} | {len(of_design)} | {cells} | {np.mean(aurocs):.3f} | {draws:.0f} |"
    low, high = binom.interval(0.95, cohorts, LEVEL)
    yield ""
    yield f"With a true rate of 0.05, 95 % of shares of {cohorts} cohorts lie from {low / cohorts:.3f} to {high / cohorts:.3f}."


def main() -> None:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261129)
    args = parser.parse_args()
    command = f"`python experiments/adjusted_calibration/run.py --cohorts {args.cohorts} --seed {args.seed}`"
    lines = list(table(args.cohorts, args.seed))
    (HERE / "table.md").write_text("\n".join(["Simulated data.", "", command, "", *lines, ""]))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
