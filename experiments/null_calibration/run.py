"""Is the null calibrated, and what power does it leave? The whole procedure on many simulated cohorts.

Each cohort goes through what `train` does up to p: normalisation, filter, ranking, tuning of every candidate, choice between them,
and relabelling until p is settled or the budget ends. Sheets are sorted by class, as they often come. Finished cohorts are kept
in a file beside this one, so an interrupted run resumes.

    python experiments/null_calibration/run.py --seed 20261125
"""

import argparse
import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.permutation import NullPlan, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
GENES, ALPHA = 2_000, 0.05
# (phenotype, drug, response) cells of each shape; the drug effect stays in, as a stratum.
SHAPES = {
    "6 v 7": {"imipramine": (3, 4), "ketamine": (3, 3)},
    "10 v 10": {"imipramine": (5, 5), "ketamine": (5, 5)},
}
# Fewer trees than by default, to save time.
FIXED = {"xgboost": {"rounds": 15}}
LINEAR = ("elastic_net", "nearest_centroid")


@dataclass(frozen=True)
class Setting:
    """One row of a table.

    With so few relabellings none ends early because p is small; one that ends because p is large is above 0.05 with all of them
    too, but for a probability of 0.001.
    """

    shape: str
    effect: float
    cohorts: int
    classifiers: tuple[str, ...] = LINEAR
    repeats: int = 1
    trials: int = 4
    relabellings: int = 99


TABLES = {
    "null": [
        Setting("6 v 7", 0.0, 300),
        Setting("10 v 10", 0.0, 300),
        Setting("6 v 7", 0.0, 300, ("elastic_net", "xgboost"), trials=3, relabellings=39),
    ],
    "power": [Setting(shape, effect, 30) for shape in SHAPES for effect in (0.5, 1.0, 1.5)],
}


def simulate(shape: str, effect: float, seed: int):
    """Return one labelled cohort of PFC samples."""
    cells = {
        ("susceptible", drug, response): count
        for drug, counts in SHAPES[shape].items()
        for response, count in zip(("responder", "non_responder"), counts, strict=True)
    }
    cohort = simulate_cohort(seed=seed, effect=effect, n_genes=GENES, cells=cells, regions=["PFC"])
    by_class = np.argsort(cohort.obs["response"].to_numpy(), kind="stable")
    return label_cohort(cohort[by_class].copy(), Endpoint("response", "responder", "non_responder", ("drug",)))


def one_cohort(setting: Setting, seed: int) -> dict:
    """Return p, AUROC and mean of the null for one cohort."""
    labelled = simulate(setting.shape, setting.effect, seed)
    builder = Genes(units="counts", max_genes=200)
    candidates = [Candidate("genes", builder, CLASSIFIERS[name], FIXED.get(name, {})) for name in setting.classifiers]
    plan = SearchPlan(5, 3, setting.trials, seed, repeats=setting.repeats)
    procedure = Procedure(SearchData.of(labelled), candidates, plan, Workers(1))
    observed = procedure.observe(labelled.labels)
    null_plan = NullPlan(setting.relabellings, ALPHA, seed, least=1)
    null = run_null(
        procedure.statistics, labelled.labels, labelled.strata, observed.measured(procedure.cells), null_plan, "strata",
    )  # fmt: skip
    return {"p": null.p_value, "auroc": auroc(observed.auto), "null_mean": null.mean, "draws": len(null.values)}


def run_setting(setting: Setting, seed: int, workers: Workers, path: Path) -> list[dict]:
    """Run what is missing of one setting and return all of it."""
    cohorts = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    seeds = [seed + number for number in range(len(cohorts), setting.cohorts)]
    with path.open("a") as lines:
        for result in workers.map(partial(one_cohort, setting), seeds):
            cohorts.append(result)
            lines.write(json.dumps(result) + "\n")
            lines.flush()
    return cohorts[: setting.cohorts]


def row(setting: Setting, cohorts: list[dict]) -> str:
    """Return one line of the table."""
    hits = sum(cohort["p"] <= ALPHA for cohort in cohorts)
    interval = binomtest(hits, len(cohorts)).proportion_ci(0.95)
    cells = [
        setting.shape, " + ".join(setting.classifiers), f"{setting.effect:g}", str(setting.repeats), str(setting.trials),
        str(setting.relabellings), str(len(cohorts)),
        f"{np.mean([cohort['auroc'] for cohort in cohorts]):.3f}", f"{np.mean([cohort['null_mean'] for cohort in cohorts]):.3f}",
        f"{hits / len(cohorts):.3f}", f"{interval.low:.3f} to {interval.high:.3f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run both tables and write them beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished cohorts")
    arguments = parser.parse_args()
    arguments.kept.mkdir(exist_ok=True)
    start = time.perf_counter()
    head = (
        "| subjects | candidates | effect | repeats | trials | relabellings | cohorts | mean AUROC | mean of the null | "
        "share p <= 0.05 | 95 % interval |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for name, settings in TABLES.items():
        rows = []
        for number, setting in enumerate(settings):
            path = arguments.kept / f"{name}-{number}-{arguments.seed}.jsonl"
            cohorts = run_setting(setting, arguments.seed + 100_000 * number, Workers(arguments.workers), path)
            rows.append(row(setting, cohorts))
            print(rows[-1], f"({time.perf_counter() - start:.0f} s)", flush=True)
        (HERE / f"{name}.md").write_text("\n".join([head, *rows]) + "\n")


if __name__ == "__main__":
    main()
