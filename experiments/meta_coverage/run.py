"""How often the interval of the mean, and the prediction interval, of `meta` cover, over heterogeneity and number of cohorts.

    python experiments/meta_coverage/run.py --analyses 2000 --seed 20261129

Cohorts have 12 to 40 subjects; the variance of a logit AUROC is Hanley and McNeil's at the true AUROC of the cohort, and is known,
as the analysis assumes. The true mean logit AUROC is that of 0.7.

The second table is of standardised differences of 6 to 20 subjects a group, of which several share one control group: with the
correlation that follows from the sizes of the groups in the weights, and as if cohorts were independent. Means are simulated
group by group, so that the shared group is one draw.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from responder_ml.statistics.random_effects import pool, shared_correlation

COHORTS, TAU = (3, 4, 6, 10), (0.0, 0.3, 0.8)
MEAN = float(logit(0.7))
SHARED = ((3, 2), (4, 3), (6, 3), (10, 5))
DIFFERENCE = 0.5


def sampling_variance(auroc, n_positive, n_negative):
    """Return the variance of a logit AUROC: Hanley and McNeil (1982) doi:10.1148/radiology.143.1.7063747, by the delta method."""
    one, other = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    variance = auroc * (1 - auroc) + (n_positive - 1) * (one - auroc**2) + (n_negative - 1) * (other - auroc**2)
    return variance / (n_positive * n_negative) / (auroc * (1 - auroc)) ** 2


def cover(cohorts: int, tau: float, analyses: int, rng: np.random.Generator) -> list[float]:
    """Return how often the interval (never narrower, and plain) and the prediction interval cover, and the mean width."""
    hits, widths = np.zeros(3), np.zeros(2)
    for _ in range(analyses):
        true = MEAN + tau * rng.standard_normal(cohorts)
        sizes = rng.integers(6, 21, (2, cohorts))
        variances = sampling_variance(expit(true), *sizes)
        estimates = true + np.sqrt(variances) * rng.standard_normal(cohorts)
        result, plain = pool(estimates, variances), pool(estimates, variances, never_narrower=False)
        new = MEAN + tau * rng.standard_normal()
        inside = [low <= value <= high for (low, high), value in (
            (result.interval, MEAN), (plain.interval, MEAN), (result.prediction, new))]  # fmt: skip
        hits += inside
        widths += [np.diff(result.interval)[0], np.diff(plain.interval)[0]]
    return [*(hits / analyses), *(widths / analyses)]


def cover_shared(cohorts: int, sharing: int, tau: float, analyses: int, rng: np.random.Generator) -> list[float]:
    """Return how often intervals cover where some cohorts share a control group: allowed for, and taken as independent."""
    hits, widths = np.zeros(3), np.zeros(2)
    for _ in range(analyses):
        treated, control = rng.integers(6, 21, (2, cohorts))
        control[:sharing] = control[0]
        names = [0] * sharing + list(range(sharing, cohorts))
        means = rng.standard_normal(cohorts) / np.sqrt(control)
        true = DIFFERENCE + tau * rng.standard_normal(cohorts)
        estimates = true + rng.standard_normal(cohorts) / np.sqrt(treated) - means[names]
        variances = 1 / treated + 1 / control
        members = [
            {f"t{number}-{animal}": 1 for animal in range(treated[number])}
            | {f"c{names[number]}-{animal}": 0 for animal in range(control[number])}
            for number in range(cohorts)
        ]
        result = pool(estimates, variances, correlation=shared_correlation(members))
        ignoring = pool(estimates, variances)
        new = DIFFERENCE + tau * rng.standard_normal()
        hits += [low <= value <= high for (low, high), value in (
            (result.interval, DIFFERENCE), (ignoring.interval, DIFFERENCE), (result.prediction, new))]  # fmt: skip
        widths += [np.diff(result.interval)[0], np.diff(ignoring.interval)[0]]
    return [*(hits / analyses), *(widths / analyses)]


def main() -> None:
    """Write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--analyses", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261129)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    lines = [
        f"Simulated. `python experiments/meta_coverage/run.py --analyses {arguments.analyses} --seed {arguments.seed}`; the "
        f"standard error of a share of 0.95 is {np.sqrt(0.95 * 0.05 / arguments.analyses):.3f}.",
        "",
        "| cohorts | tau, logit | interval covers | Hartung-Knapp alone | prediction interval covers | width | plain width |",
        "|---|---|---|---|---|---|---|",
    ]
    for cohorts in COHORTS:
        for tau in TAU:
            shares = cover(cohorts, tau, arguments.analyses, rng)
            lines.append(f"| {cohorts} | {tau:g} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    lines += [
        "",
        "| cohorts | of which share a control | tau | interval covers | as if independent | prediction interval covers | width | "
        "width as if independent |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cohorts, sharing in SHARED:
        for tau in TAU:
            shares = cover_shared(cohorts, sharing, tau, arguments.analyses, rng)
            cells = " | ".join(f"{share:.3f}" for share in shares)
            lines.append(f"| {cohorts} | {sharing} | {tau:g} | {cells} |")
    (Path(__file__).parent / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
