"""Does the test of several classes hold its level, and what power has it, with repeated samples and a batch?

    python experiments/classes_calibration/run.py --cohorts 200 --seed 20261129

Every simulated cohort of 300 genes goes through what ``train`` does for all classes together; ordinary runs are those of
``experiments/verdict_calibration``. Finished cohorts are kept in ``results.jsonl``; the table is ``table.md``.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import binom

HERE = Path(__file__).parent
NAMES, GENES, SHIFTED = ("control", "resilient", "susceptible"), 300, 20
# Subjects of each class in each stratum, and the most samples of a subject.
DESIGNS = {
    "5, 4 and 3": ([(5, 4, 3)], 1),
    "6, 6 and 6 in two strata, 1 to 3 samples each": ([(3, 3, 3), (3, 3, 3)], 3),
    "8, 8 and 4": ([(8, 8, 4)], 1),
}
EFFECTS = (0.0, 1.5, 3.0)


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


def main() -> None:
    """Run what is missing and write the table of what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    path = HERE / "results.jsonl"
    stored = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {json.dumps(result["task"]): result for result in stored}
    cells = {
        (design, effect): [
            (design, effect, arguments.seed + 10_000 * (3 * number + place) + index)
            for index in range(arguments.cohorts if effect == 0 else arguments.cohorts // 4)
        ]
        for number, design in enumerate(DESIGNS)
        for place, effect in enumerate(EFFECTS)
    }
    lines = [
        "Simulated data.",
        "",
        f"`python experiments/classes_calibration/run.py --cohorts {arguments.cohorts} --seed {arguments.seed}`",
        "",
        "| subjects of the classes | shift of 20 genes in one class, SD | cohorts | p <= 0.05 | 95 % of shares at a rate of 0.05 | "
        "evidence | mean AUROC | mean relabellings |",
        "|---|---|---|---|---|---|---|---|",
    ]
    with ProcessPoolExecutor(arguments.workers) as pool, path.open("a") as file:
        for (design, effect), tasks in cells.items():
            missing = [task for task in tasks if json.dumps(list(task)) not in done]
            for result in pool.map(judge, missing, chunksize=2):
                file.write(json.dumps(result) + "\n")
                file.flush()
                done[json.dumps(result["task"])] = result
            results = pd.DataFrame([done[json.dumps(list(task))] for task in tasks])
            low, high = binom.interval(0.95, len(results), 0.05) / np.array(len(results))
            rejected = results["p"] <= 0.05
            lines.append(
                f"| {design} | {effect:g} | {len(results)} | {rejected.mean():.3f} | {low:.3f} to {high:.3f} | "
                f"{(rejected & results['settled']).mean():.3f} | {results['auroc'].mean():.3f} | {results['draws'].mean():.0f} |"
            )
            print(lines[-1], flush=True)
            (HERE / "table.md").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
