"""Which 95 % interval of a cross-validated AUROC covers? Simple procedures on simulated cohorts whose true AUROC is known.

    python experiments/interval_coverage/run.py --seed 20261128 --cohorts 100

Writes ``simulated.csv`` (one row per setting and interval) and ``differences.csv`` (the corrected t of two procedures).
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.stats import norm
from simulate import PROCEDURES, Truth, complete_folds, cross_validate, draw, fresh_subjects, random_folds

from responder_ml.evaluation.auroc_interval import auroc_interval, score_interval
from responder_ml.evaluation.intervals import corrected_t
from responder_ml.evaluation.metrics import OutOfFold, auroc, concordance, fold_aurocs

HERE = Path(__file__).parent
SHAPES = ((6, 7), (10, 10), (20, 20), (50, 50))
# Sparse effects that leave room to both sides, and ones near AUROC 1.
MODERATE = {6: 1.6, 10: 1.2, 20: 0.9, 50: 0.6}
STRONG = {6: 3.0, 10: 2.2, 20: 1.8, 50: 1.2}
DRAWS = 300
LEVELS = (0.025, 0.975)
HEAD = ["shape", "design", "truth", "effect"]


def truths(size):
    """Return the truths tried at a size."""
    return (
        Truth("null"), Truth("nulltails"), Truth("sparse", MODERATE[size]), Truth("sparse", STRONG[size]),
        Truth("dense", 0.3), Truth("module", 1.5), Truth("half", 2.5),
    )  # fmt: skip


def bootstrap(result, table, rng):
    """Percentiles over subjects redrawn within their class, as printed until now."""
    weights = [rng.multinomial(size, np.full(size, 1 / size), DRAWS).astype(float) for size in table.right.shape]
    return np.nanquantile(table.auroc(*weights), LEVELS)


def delong_logit(result, table, rng):
    """DeLong's variance of the pairs, on the logit."""
    value = float(table.auroc())
    variance = sum(
        np.var(table.right.sum(axis) / table.met.sum(axis), ddof=1) / table.right.shape[1 - axis] for axis in (0, 1)
    )
    inside = np.clip(value, 1e-6, 1 - 1e-6)
    reach = norm.ppf(LEVELS) * np.sqrt(variance) / (inside * (1 - inside))
    return 1 / (1 + np.exp(-(np.log(inside / (1 - inside)) + reach)))


def nadeau_bengio(result, table, rng):
    """Corrected t over the AUROCs of folds."""
    folds = fold_aurocs(result)
    test = corrected_t(folds, folds.shape[1])
    return test.low, test.high


def newcombe(result, table, rng):
    """Score interval of a score fixed in advance."""
    return score_interval(float(table.auroc()), *table.right.shape)


def this_one(result, table, rng):
    """Return the interval of the package."""
    return auroc_interval(result)


INTERVALS = {
    "bootstrap": bootstrap, "DeLong, logit": delong_logit, "Nadeau-Bengio": nadeau_bengio,
    "Newcombe, fixed score": newcombe, "auroc_interval": this_one,
}  # fmt: skip


def one_setting(shape, truth, design, seed, cohorts):
    """Return, by procedure: AUROCs, true AUROCs, ends by interval, and the corrected t of the difference of both procedures."""
    rng = np.random.default_rng(seed)
    y = np.repeat([1, 0], shape)
    fresh = fresh_subjects(truth, rng)
    rows = {name: [] for name in PROCEDURES}
    differences = []
    for _ in range(cohorts):
        x = draw(truth, *shape, rng)
        folds = complete_folds(y) if design == "complete" else random_folds(y, 5, 10, rng)
        both = []
        for name in PROCEDURES:
            decisions, true = cross_validate(truth, x, y, folds, name, fresh)
            result = OutOfFold(y.astype(np.int8), decisions, folds, np.zeros_like(decisions))
            table = concordance(result)
            ends = [interval(result, table, rng) for interval in INTERVALS.values()]
            rows[name].append((auroc(result), true, ends))
            both.append((fold_aurocs(result), true))
        (first, true_first), (second, true_second) = both
        test = corrected_t(first - second, first.shape[1])
        differences.append((test.low, test.high, test.difference, true_first - true_second))
    return rows, np.array(differences)


def covered(low, high, value):
    """Return the share of intervals that hold a value, to three digits."""
    return f"{np.mean((low <= value) & (value <= high)):.3f}"


def main():
    """Run all settings and write both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--cohorts", type=int, default=100)
    arguments = parser.parse_args()
    lines, comparisons = [], []
    for shape in SHAPES:
        for truth in truths(shape[0]):
            for design in ("5 x 10", "complete")[: 2 if shape[0] <= 10 else 1]:
                rows, differences = one_setting(shape, truth, design, arguments.seed, arguments.cohorts)
                where = [f"{shape[0]} v {shape[1]}", design, truth.kind, truth.effect]
                for name, of_procedure in rows.items():
                    value, true = (np.array([row[index] for row in of_procedure]) for index in (0, 1))
                    for index, interval in enumerate(INTERVALS):
                        low, high = np.array([row[2][index] for row in of_procedure], dtype=float).T
                        lines.append([
                            *where, name, f"{value.mean():.3f}", f"{true.mean():.3f}", interval,
                            covered(low, high, true), covered(low, high, true.mean()), f"{np.mean(high - low):.3f}",
                        ])  # fmt: skip
                low, high, estimate, true = differences.T
                comparisons.append([
                    *where, f"{estimate.mean():.3f}", f"{true.mean():.3f}", covered(low, high, true.mean()),
                    covered(low, high, true), f"{np.mean(high - low):.3f}",
                ])  # fmt: skip
        write(
            "simulated.csv",
            [*HEAD, "procedure", "auroc", "true_auroc", "interval", "conditional", "unconditional", "width"],
            lines,
        )
        write(
            "differences.csv",
            [*HEAD, "difference", "true_difference", "unconditional", "conditional", "width"],
            comparisons,
        )
        print(shape, flush=True)


def write(name, columns, rows):
    """Write one table beside this file."""
    with (HERE / name).open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])


if __name__ == "__main__":
    main()
