"""Does the true AUROC that a verdict of no evidence excludes have the power it names?

Each cohort is normal noise in 50 genes, of which five differ between the classes. A nearest centroid is trained in five folds,
three repeats; the statistic is the AUROC of pairs within folds, relabelled 399 times, as the package does. For each size of effect:
the mean AUROC over cohorts (the true one), the share with p <= 0.05 (the power), and the mean of `detectable_auroc` of the nulls.
Last, the power at the true AUROC that is named, interpolated between effects; it should be 0.8 or more.

    python experiments/detectable_auroc/run.py --seed 20261128
"""

import argparse
from pathlib import Path

import numpy as np

from responder_ml.evaluation.p_values import monte_carlo_p
from responder_ml.evaluation.permutation import NullResult
from responder_ml.evaluation.verdict import detectable_auroc

HERE = Path(__file__).parent
GENES, DIFFERENT, FOLDS, REPEATS, RELABELLINGS, ALPHA = 50, 5, 5, 3, 399, 0.05
SHAPES = ((6, 7), (10, 10), (20, 20), (50, 50))
# Differences of means in standard deviations, largest first where subjects are few.
EFFECTS = {(6, 7): 2.4, (10, 10): 1.6, (20, 20): 1.0, (50, 50): 0.6}
STEPS = (0.0, 0.4, 0.55, 0.7, 0.85, 1.0)


def aurocs(expression: np.ndarray, labellings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the AUROC within folds of a nearest centroid, for each labelling; folds are the same for all."""
    products = expression @ expression.T
    right, met = np.zeros(len(labellings)), np.zeros(len(labellings))
    for _ in range(REPEATS):
        folds = rng.permutation(np.arange(len(expression)) % FOLDS)
        for fold in range(FOLDS):
            test, training = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            positive = labellings[:, training].astype(float)
            weights = positive / positive.sum(1, keepdims=True) - (1 - positive) / (1 - positive).sum(1, keepdims=True)
            decisions = weights @ products[np.ix_(training, test)]
            pair = (labellings[:, test] == 1)[:, :, None] & (labellings[:, test] == 0)[:, None, :]
            order = np.sign(decisions[:, :, None] - decisions[:, None, :])
            right += np.where(pair, (order + 1) / 2, 0).sum(axis=(1, 2))
            met += pair.sum(axis=(1, 2))
    return np.divide(right, met, out=np.full(len(met), 0.5), where=met > 0)


def one_cohort(shape: tuple[int, int], effect: float, rng: np.random.Generator) -> tuple[float, bool, float]:
    """Return AUROC, whether p <= 0.05, and the AUROC named as detectable."""
    labels = np.repeat([1, 0], shape)
    expression = rng.normal(size=(len(labels), GENES))
    expression[labels == 1, :DIFFERENT] += effect
    expression -= expression.mean(axis=0)
    labellings = np.stack([labels, *(rng.permutation(labels) for _ in range(RELABELLINGS))])
    values = aurocs(expression, labellings, rng)
    p = monte_carlo_p(values[1:], values[0])
    null = NullResult(values[0], values[1:], p, (0.0, 1.0), False, True, False, 10**9, 0.0, aurocs=values[1:])
    return float(values[0]), p <= ALPHA, float(detectable_auroc(null, ALPHA))


def main() -> None:
    """Write one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cohorts", type=int, default=200)
    arguments = parser.parse_args()
    lines = [
        "| subjects | effect | true AUROC | power | detectable AUROC named | power at it |",
        "|---|---|---|---|---|---|",
    ]
    for index, shape in enumerate(SHAPES):
        rng, true, power, named = np.random.default_rng([arguments.seed, index]), [], [], []
        for step in STEPS:
            effect = step * EFFECTS[shape]
            results = np.array([one_cohort(shape, effect, rng) for _ in range(arguments.cohorts)])
            for values, mean in zip((true, power, named), results.mean(axis=0), strict=True):
                values.append(float(mean))
            last = ""
            if step == STEPS[-1]:
                target = float(np.mean(named))
                last = (
                    f"{np.interp(target, true, power):.2f} (at {target:.2f})"
                    if target <= max(true)
                    else "beyond the effects tried"
                )
            cells = [
                f"{shape[0]} v {shape[1]}",
                f"{effect:.2f}",
                f"{true[-1]:.3f}",
                f"{power[-1]:.3f}",
                f"{named[-1]:.3f}",
                last,
            ]
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    (HERE / "detectable.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
