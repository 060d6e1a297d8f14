"""Which statistic for the global test? Six of them on the same relabellings, for shifts of means, of spread, and one poor library.

python experiments/power/global_tests.py --seed 20261128
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
from run import ALPHA, GENES, RELABELLINGS, Cell, draw_values

from responder_ml.evaluation.global_test import distances_between, energy_statistics, standardise_within
from responder_ml.evaluation.p_values import exact_p
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
# Kind of data, positives, negatives, effect.
CELLS = [
    ("none", 6, 7, 0.0), ("none", 10, 10, 0.0),
    ("sparse", 6, 7, 1.7), ("sparse", 10, 10, 1.2),
    ("dense", 6, 7, 0.24), ("dense", 10, 10, 0.18), ("dense", 6, 12, 0.2),
    ("latent", 6, 7, 2.2), ("latent", 10, 10, 1.3),
    ("dense, one noisy library", 6, 7, 0.24),
    ("spread of positives", 6, 7, 0.3), ("spread of negatives", 6, 7, 0.3), ("spread of positives", 10, 10, 0.3),
    ("spread of positives", 6, 12, 0.3), ("spread of negatives", 6, 12, 0.3),
]  # fmt: skip


def make_values(kind: str, labels, effect: float, rng):
    """Return subjects x genes; a spread is the standard deviation of one class, ``1 + effect`` times the other's."""
    if kind.startswith("spread"):
        wider = labels == (1 if kind.endswith("positives") else 0)
        return (draw_values(Cell("none", "", 0.0), labels, rng) - 8.0) * (1 + effect * wider)[:, None]
    values = draw_values(Cell(kind.split(",")[0], "", effect), labels, rng)
    if kind.endswith("library"):
        values[rng.integers(len(labels))] += rng.normal(0, 1.7, GENES)
    return values


def statistics_of(values, labellings) -> dict:
    """Return every statistic of every labelling."""
    strata = np.zeros(len(values), dtype=int)
    standardised = standardise_within(values, strata)
    products = standardised @ standardised.T
    ones, zeros = labellings.astype(float), 1.0 - labellings
    n_ones, n_zeros = ones[0].sum(), zeros[0].sum()
    residuals = ones - n_ones / len(values)

    def quadratic(table, left, right):
        return np.einsum("ij,ij->i", left @ table, right)

    def energy(distances):
        between = 2 * quadratic(distances, ones, zeros) / (n_ones * n_zeros)
        return between - quadratic(distances, ones, ones) / n_ones**2 - quadratic(distances, zeros, zeros) / n_zeros**2

    raw = distances_between(values - values.mean(axis=0))
    off = products - np.diag(np.diagonal(products))
    chen_qin = quadratic(off, ones, ones) / (n_ones * (n_ones - 1)) + quadratic(off, zeros, zeros) / (
        n_zeros * (n_zeros - 1)
    )
    return {
        "energy, standardised, no self-pairs (taken)": energy_statistics(
            distances_between(standardised), labellings, strata
        ),
        "energy, standardised": energy(distances_between(standardised)),
        "energy": energy(raw),
        "globaltest": quadratic(products, residuals, residuals),
        "Chen-Qin, standardised": chen_qin - 2 * quadratic(off, ones, zeros) / (n_ones * n_zeros),
        "PERMANOVA": -quadratic(raw**2, ones, ones) / n_ones - quadratic(raw**2, zeros, zeros) / n_zeros,
    }


def one_data_set(cell: tuple, seed: int) -> dict:
    """Return the p value of every statistic for one data set."""
    kind, positives, negatives, effect = cell
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 0], [positives, negatives]).astype(np.int8)
    values = make_values(kind, labels, effect, rng)
    relabelled = draw_labellings(labels, np.zeros(len(labels), dtype=int), RELABELLINGS, rng)
    table = statistics_of(values, np.concatenate([labels[None], relabelled]))
    return {name: exact_p(statistics, float(statistics[0])) for name, statistics in table.items()}


def main() -> None:
    """Run every cell and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data-sets", type=int, default=300)
    parser.add_argument("--workers", type=int, default=-1)
    arguments = parser.parse_args()
    lines = []
    for number, cell in enumerate(CELLS):
        seeds = [arguments.seed + 100_000 * number + data_set for data_set in range(arguments.data_sets)]
        results = list(Workers(arguments.workers).map(partial(one_data_set, cell), seeds))
        if not lines:
            lines = [
                "| data | subjects | effect | " + " | ".join(results[0]) + " |",
                "|" + "---|" * (3 + len(results[0])),
            ]
        shares = [f"{np.mean([result[name] <= ALPHA for result in results]):.3f}" for name in results[0]]
        kind, positives, negatives, effect = cell
        lines.append(f"| {kind} | {positives} v {negatives} | {effect:g} | " + " | ".join(shares) + " |")
        print(lines[-1], flush=True)
    (HERE / "global_tests.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
