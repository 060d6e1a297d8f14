"""Does the printed 95 % interval cover? The package's own procedure on its own simulated cohorts, with new subjects scored beside.

New subjects are rows that no model is trained on; each outer model decides its share of them. The AUROC of these decisions is the
conditional target (these models on new subjects), its mean over cohorts the unconditional one (this procedure at this size).
Nothing is tuned: fixed forms of two classifiers on genes, averaged. Expression is log2 counts per million, to save the time of TMM.
Finished cohorts are kept in files, so a run resumes.

    python experiments/interval_coverage/package.py --seed 20261128 --cohorts 200
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import EverySubject
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
GENES, NEW = 500, 150
"""Genes, and new subjects of each class."""
# Effects that give AUROCs with room to both sides.
CELLS = [
    (shape, effect)
    for shape, size in (((6, 7), 1.0), ((10, 10), 0.8), ((20, 20), 0.8), ((50, 50), 0.6))
    for effect in (0.0, size)
]


class WithNewSubjects:
    """Ordinary folds of the cohort; new subjects, listed after it, are decided but never trained on."""

    def __init__(self, n_cohort: int, n_new: int) -> None:
        self._cohort = EverySubject(n_cohort)
        self.trains = np.arange(n_cohort + n_new) < n_cohort
        self.decided = np.ones(n_cohort + n_new, dtype=bool)

    def assign(self, labels, strata, plan, repeat, rng):
        """Return the cohort's folds, then each class of the new subjects spread over them."""
        n = int(self.trains.sum())
        new = np.empty(len(labels) - n, dtype=np.intp)
        for label in (0, 1):
            rows = np.flatnonzero(labels[n:] == label)
            new[rows] = (np.arange(len(rows)) + repeat) % plan.folds
        return np.concatenate([self._cohort.assign(labels[:n], strata[:n], plan, repeat, rng), new])


def one_cohort(shape, effect, seed):
    """Return the AUROC, its interval and the AUROC on new subjects of one cohort."""
    kinds = ("responder", "non_responder")
    cells = {("susceptible", "ketamine", kind): size + NEW for kind, size in zip(kinds, shape, strict=True)}
    cohort = simulate_cohort(seed=seed, effect=effect, n_genes=GENES, cells=cells, regions=["PFC"], batch_effect=0.0)
    cohort.X = np.log2(1e6 * cohort.X / cohort.X.sum(axis=1, keepdims=True) + 1)
    cohort.uns["units"] = "log2"
    response = cohort.obs["response"].to_numpy()
    rows = [np.flatnonzero(response == kind) for kind in kinds]
    first = np.concatenate([of_kind[:size] for of_kind, size in zip(rows, shape, strict=True)])
    rest = np.concatenate([of_kind[size:] for of_kind, size in zip(rows, shape, strict=True)])
    labelled = label_cohort(cohort[np.concatenate([first, rest])].copy(), Endpoint("response", *kinds))
    n, few = len(first), min(shape) < 12
    candidates = [
        Candidate("genes", Genes(units="log2", max_genes=200), CLASSIFIERS[name])
        for name in ("elastic_net", "nearest_centroid")
    ]
    folds, repeats = (min(shape), min(shape)) if few else (5, 10)
    plan = SearchPlan(folds, 3, 0, seed, repeats=repeats, complete=few)
    split = WithNewSubjects(n, len(rest))
    observed = Procedure(SearchData.of(labelled), candidates, plan, Workers(1), split).observe(labelled.labels)
    auto = observed.auto
    parts = [
        OutOfFold(auto.labels[part], auto.decisions[:, part], auto.folds[:, part], auto.thresholds[:, part])
        for part in (slice(0, n), slice(n, None))
    ]
    low, high = auroc_interval(parts[0])
    return {"auroc": auroc(parts[0]), "low": low, "high": high, "new": auroc(parts[1])}


def main():
    """Run what is missing and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished cohorts")
    arguments = parser.parse_args()
    arguments.kept.mkdir(exist_ok=True)
    lines = []
    for shape, effect in CELLS:
        path = arguments.kept / f"{shape[0]}v{shape[1]}-{effect:g}-{arguments.seed}.jsonl"
        cohorts = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        start = time.perf_counter()
        with path.open("a") as file:
            for number in range(len(cohorts), arguments.cohorts):
                cohorts.append(one_cohort(shape, effect, arguments.seed + number))
                file.write(json.dumps(cohorts[-1]) + "\n")
                file.flush()
        value, low, high, new = (np.array([c[key] for c in cohorts]) for key in ("auroc", "low", "high", "new"))
        # With no effect no score can be better than a coin, so the target is one half exactly.
        true = np.full_like(new, 0.5) if effect == 0 else new
        lines.append([
            f"{shape[0]} v {shape[1]}", "complete" if min(shape) < 12 else "5 x 10", effect, len(cohorts), f"{value.mean():.3f}",
            f"{true.mean():.3f}", f"{np.mean((low <= true) & (true <= high)):.3f}",
            f"{np.mean((low <= true.mean()) & (true.mean() <= high)):.3f}", f"{np.mean(high - low):.3f}",
        ])  # fmt: skip
        print(lines[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
    columns = ["shape", "design", "effect", "cohorts", "auroc", "true_auroc", "conditional", "unconditional", "width"]
    with (HERE / "package.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *lines])


if __name__ == "__main__":
    main()
