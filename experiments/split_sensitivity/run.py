"""Does the range over halves of the repeats say how far another seed would move the headline? Many simulated cohorts.

Each cohort is searched under many seeds. The standard deviation of the headline over seeds is compared with that over the
halves of the first seed's repeats, and the headlines of the other seeds with the range of these halves.

    python experiments/split_sensitivity/run.py --seed 20261128
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.split_sensitivity import list_halves, split_sensitivity
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.seeds import integer_seed

HERE = Path(__file__).parent
GENES, FOLDS, SEEDS = 300, 5, 12
CLASSIFIER_NAMES = ("elastic_net", "nearest_centroid")
# Subjects of each class, effect, repeats, cohorts.
SETTINGS = [(10, 0.0, 10, 30), (10, 1.0, 10, 30), (20, 0.0, 10, 20), (20, 1.0, 10, 20), (10, 0.0, 4, 30)]
HEAD = (
    "| subjects | effect | repeats | cohorts | sd over seeds | sd over halves | ratio | other seeds within the range of halves | "
    "cohorts whose headline is above 0.5 under some seeds only |\n|---|---|---|---|---|---|---|---|---|"
)


def one_cohort(n: int, effect: float, repeats: int, seed: int) -> tuple[float, float, float, bool]:
    """Return variance over seeds and over halves, the share of other seeds in the range, and whether 0.5 is crossed."""
    cells = {("susceptible", "imipramine", response): n for response in ("responder", "non_responder")}
    cohort = simulate_cohort(seed=seed, n_genes=GENES, cells=cells, regions=["PFC"], effect=effect, batch_effect=0.0)
    labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder"))
    candidates = [Candidate("genes", Genes(max_genes=50), CLASSIFIERS[name], {}, name) for name in CLASSIFIER_NAMES]
    plan = SearchPlan(folds=FOLDS, inner_folds=3, trials=0, seed=seed, repeats=repeats)
    search_data, headlines = SearchData.of(labelled), []
    for number in range(SEEDS):
        procedure = Procedure(search_data, candidates, replace(plan, seed=seed + number), Workers(1))
        auto = procedure.observe(labelled.labels).auto
        headlines.append(auroc(auto))
        if number == 0:
            first = auto
    halves = [replace(first, decisions=first.decisions[half], folds=first.folds[half], thresholds=first.thresholds[half])
              for half in list_halves(repeats, seed)]  # fmt: skip
    low, high = split_sensitivity(first, labelled.strata, seed).auroc
    inside = np.mean([low <= headline <= high for headline in headlines[1:]])
    crossed = min(headlines) <= 0.5 < max(headlines)
    return np.var(headlines, ddof=1), np.var([auroc(half) for half in halves]), inside, crossed


def main() -> None:
    """Print and write a row for each setting."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261128)
    seed, rows = parser.parse_args().seed, [HEAD]
    for n, effect, repeats, cohorts in SETTINGS:
        start = time.process_time()
        results = [
            one_cohort(n, effect, repeats, integer_seed(seed, n, effect, repeats, number)) for number in range(cohorts)
        ]
        seeds, halves, inside, crossed = np.array(results).T
        sds = np.sqrt(seeds.mean()), np.sqrt(halves.mean())
        rows.append(
            f"| {n} v {n} | {effect:g} | {repeats} | {cohorts} | {sds[0]:.3f} | {sds[1]:.3f} | {sds[1] / sds[0]:.2f} | "
            f"{inside.mean():.2f} | {int(crossed.sum())} |"
        )
        print(rows[-1], f"{time.process_time() - start:.0f} s", flush=True)
        (HERE / "table.md").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
