"""Does the test of several classes hold its level, and what power has it, with repeated samples and a batch?

    python experiments/classes_calibration/run.py --cohorts 200 --seed 20261129

Every simulated cohort of 300 genes goes through what ``train`` does for all classes together; ordinary runs are those of
``experiments/verdict_calibration``. A null has at most 1,000 relabellings, a fifth of what a job has by default: a p that is not
settled by then is valid all the same, and it is counted as undecided, so evidence is rarer here than in a run. There are
``--cohorts`` cohorts without effect for each design, and a quarter as many for each of two effects.

Finished cohorts are kept in ``results.jsonl`` and not run again; ``STORED=1`` writes the table, ``table.md``, of those that are
there. WORKERS says how many processes run cohorts.
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
NAMES, GENES, SHIFTED = ("control", "resilient", "susceptible"), 300, 20
MOST_RELABELLINGS, LEVEL = 1_000, 0.05
# Subjects of each class in each stratum, and the most samples of a subject.
DESIGNS = {
    "5, 4 and 3": ([(5, 4, 3)], 1),
    "6, 6 and 6 in two strata, 1 to 3 samples each": ([(3, 3, 3), (3, 3, 3)], 3),
    "8, 8 and 4": ([(8, 8, 4)], 1),
}
EFFECTS = (0.0, 1.5, 3.0)
# Of cohorts with an effect fewer are needed than of those that must not reject.
EFFECT_SHARE = 4


def simulate(design: str, effect: float, seed: int) -> AnnData:
    """Return log2 expression: modules, a batch that moves a third of the genes, and 20 genes shifted in one class."""
    strata, most = DESIGNS[design]
    rng = np.random.default_rng(seed)
    rows = [
        (name, str(code))
        for code, sizes in enumerate(strata)
        for name, size in zip(NAMES, sizes, strict=True)
        for _ in range(size)
    ]
    sheet = pd.DataFrame(rows, columns=["phenotype", "stratum"])
    sheet["subject"] = [f"m{index:02d}" for index in range(len(sheet))]
    sheet["batch"] = rng.permutation(np.arange(len(sheet)) % 2).astype(str)
    loadings = rng.normal(0.0, 0.6, (15, GENES)) * (rng.random((15, GENES)) < 0.1)
    values = rng.normal(size=(len(sheet), GENES)) + rng.normal(size=(len(sheet), 15)) @ loadings
    values[:, ::3] += (sheet["batch"] == "1").to_numpy()[:, None] + (sheet["stratum"] == "1").to_numpy()[:, None]
    values[:, :SHIFTED] += effect * (sheet["phenotype"] == NAMES[-1]).to_numpy()[:, None]
    index = np.repeat(np.arange(len(sheet)), rng.integers(1, most + 1, len(sheet)))
    values = values[index] + (rng.normal(0.0, 0.5, (len(index), GENES)) if most > 1 else 0.0)
    obs = sheet.iloc[index].reset_index(drop=True)
    obs.insert(0, "sample", [f"s{row:03d}" for row in range(len(obs))])
    uns = {"units": "log2", "simulated": True, "source": "simulated", "subject_source": "column", "unused_samples": []}
    var = pd.DataFrame(index=[f"g{gene}" for gene in range(GENES)])
    return AnnData(values + 8.0, obs=obs.set_index("sample", drop=False), var=var, uns=uns)


def judge(task: tuple[str, float, int]) -> dict:
    """Return p and macro AUROC of one cohort."""
    from responder_ml.build import build_candidates, build_null_plan, build_search_plan
    from responder_ml.class_jobs import label_classes
    from responder_ml.config import JobConfig
    from responder_ml.evaluation.class_pairs import ClassPairs
    from responder_ml.evaluation.permutation import run_null
    from responder_ml.evaluation.separation import AUTO_AUROC
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.workers import Workers

    design, effect, seed = task
    endpoint = {"column": "phenotype", "classes": list(NAMES)}
    if len(DESIGNS[design][0]) > 1:
        endpoint["strata"] = ["stratum"]
    job = JobConfig(
        name="calibration",
        cohort={"source": "table", "units": "log2"},
        endpoint=endpoint,
        builders=[{"kind": "genes"}, {"kind": "all_genes"}],
        classifiers=[{"kind": "nearest_centroid"}],
        search={"trials": 0},
        null={"permutations": MOST_RELABELLINGS},
    )
    labelled, classes = label_classes(job, simulate(design, effect, seed))
    procedure = ClassPairs(SearchData.of(labelled), classes, build_candidates(job), build_search_plan(job), Workers(1))
    observed = next(iter(procedure.statistics([classes])))[0]
    null = run_null(procedure.statistics, classes, labelled.strata, observed, build_null_plan(job), "classes")
    return {
        "task": list(task),
        "p": null.p_value,
        "settled": null.settled,
        "auroc": float(observed[AUTO_AUROC]),
        "draws": len(null.values),
    }


def results(tasks: list[tuple[str, float, int]]) -> list[dict]:
    """Run what is missing, unless STORED is set, and return all results there are, in the order of the tasks."""
    path = HERE / "results.jsonl"
    stored = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    known = {tuple(result["task"]): result for result in stored}
    missing = [task for task in tasks if task not in known]
    if missing and not os.environ.get("STORED"):
        with ProcessPoolExecutor(int(os.environ.get("WORKERS", "1"))) as pool, path.open("a") as file:
            for task, result in zip(missing, pool.map(judge, missing), strict=True):
                known[task] = result
                file.write(json.dumps(result) + "\n")
                file.flush()
    return [known[task] for task in tasks if task in known]


def table(cohorts: int, seed: int, only: str = "") -> Iterator[str]:
    """Yield the lines of the table; of designs whose names begin with ``only`` no others, and without effect."""
    yield (
        "| subjects of the classes | shift of 20 genes in one class, SD | cohorts | p <= 0.05 | evidence | undecided | "
        "mean AUROC | mean relabellings |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for number, design in enumerate(DESIGNS):
        if not design.startswith(only):
            continue
        for column, effect in enumerate(EFFECTS[:1] if only else EFFECTS):
            start = seed + 10_000 * (len(EFFECTS) * number + column)
            count = cohorts // EFFECT_SHARE if effect else cohorts
            of_cell = pd.DataFrame(results([(design, effect, start + index) for index in range(count)]))
            if of_cell.empty:
                continue
            rejected = of_cell["p"] <= LEVEL
            shares = (rejected, rejected & of_cell["settled"], ~of_cell["settled"])
            cells = " | ".join(f"{share.mean():.3f}" for share in shares)
            means = f"{of_cell['auroc'].mean():.3f} | {of_cell['draws'].mean():.0f}"
            yield f"| {design} | {effect:g} | {len(of_cell)} | {cells} | {means} |"
    low, high = binom.interval(0.95, cohorts, LEVEL)
    yield ""
    yield f"With a true rate of 0.05, 95 % of shares of {cohorts} cohorts lie from {low / cohorts:.3f} to {high / cohorts:.3f}."


def main() -> None:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument(
        "--only", default="", help="designs whose names begin so, without effect, in a table of their own"
    )
    args = parser.parse_args()
    only = f' --only "{args.only}"' if args.only else ""
    command = f"`python experiments/classes_calibration/run.py --cohorts {args.cohorts} --seed {args.seed}{only}`"
    lines, name = ["Simulated data.", "", command, ""], f"again-{args.seed}.md" if only else "table.md"
    for line in table(args.cohorts, args.seed, args.only):
        lines.append(line)
        print(line, flush=True)
        (HERE / name).write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
