"""Level of p, and coverage of the interval of the standardised difference, of `signatures` on simulated scores.

    python experiments/signature_calibration/run.py --cohorts 700 --seed 20261129

20 genes share a common factor in each subject, and two signatures of 10 genes each are asked. Level: classes say nothing. With a
covariate, the class goes with it (its mean differs by one standard deviation), expression does too, and the covariate is held
constant. Coverage: a score with a true standardised difference.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy import sparse

from responder_ml.evaluation.signature_tests import SignatureTests, run_signature_tests

SIZES, DIFFERENCES = ((3, 3), (6, 7), (12, 12), (20, 20)), (0.0, 1.0, 2.0)
GENES = 20
WEIGHTS = sparse.csr_array(np.repeat(np.eye(2), GENES // 2, axis=0))


def test(labels, log2, scores, covariate, relabellings, seed) -> SignatureTests:
    """Test two signatures."""
    plain, ranked = np.zeros(len(labels), dtype=np.intp), np.zeros(2, dtype=bool)
    return run_signature_tests(scores, log2, WEIGHTS, ranked, labels, plain, covariate, relabellings, seed)


def level(sizes, cohorts, with_covariate, rng) -> list[float]:
    """Return how often p of the score, the smallest corrected p, and p of the cosine are at most 0.05 with no effect."""
    hits = np.zeros(3)
    for number in range(cohorts):
        labels = np.repeat([1, 0], sizes).astype(np.int8)
        covariate = (labels + rng.standard_normal(len(labels)))[:, None] if with_covariate else None
        log2 = rng.standard_normal((len(labels), GENES)) + rng.standard_normal((len(labels), 1))
        log2 += 0.0 if covariate is None else covariate
        tests = test(labels, log2, log2 @ WEIGHTS.toarray(), covariate, 200, number)
        hits += [
            value <= 0.05
            for value in (tests.difference.p_value[0], tests.difference.corrected_p.min(), tests.cosine.p_value[0])
        ]
    return list(hits / cohorts)


def coverage(sizes, difference, cohorts, rng) -> float:
    """Return how often the interval holds the true standardised difference."""
    labels = np.repeat([1, 0], sizes).astype(np.int8)
    inside = 0
    for _ in range(cohorts):
        log2 = rng.standard_normal((len(labels), GENES))
        score = rng.standard_normal((len(labels), 1)) + difference * labels[:, None]
        tests = test(labels, log2, np.repeat(score, 2, axis=1), None, 2, 7)
        inside += tests.low[0] <= difference <= tests.high[0]
    return inside / cohorts


def main() -> None:
    """Write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=700)
    parser.add_argument("--seed", type=int, default=20261129)
    arguments = parser.parse_args()
    rng, error = np.random.default_rng(arguments.seed), np.sqrt(0.05 * 0.95 / arguments.cohorts)
    lines = [
        f"Simulated. `python experiments/signature_calibration/run.py --cohorts {arguments.cohorts} --seed {arguments.seed}`; the "
        f"standard error of a share of 0.05 is {error:.3f}. With 3 against 3 no p is below 0.1.",
        "",
        "| subjects | covariate | p of the score ≤ 0.05 | smallest corrected p ≤ 0.05 | p of the cosine ≤ 0.05 |",
        "|---|---|---|---|---|",
    ]
    for sizes in SIZES[1:]:
        for with_covariate in (False, True):
            shares = level(sizes, arguments.cohorts, with_covariate, rng)
            cells = " | ".join(f"{share:.3f}" for share in shares)
            lines.append(f"| {sizes[0]} v {sizes[1]} | {'yes' if with_covariate else 'no'} | {cells} |")
    lines += ["", "| subjects | true difference | interval covers |", "|---|---|---|"]
    for sizes in SIZES:
        for difference in DIFFERENCES:
            share = coverage(sizes, difference, arguments.cohorts, rng)
            lines.append(f"| {sizes[0]} v {sizes[1]} | {difference:g} | {share:.3f} |")
    (Path(__file__).parent / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
