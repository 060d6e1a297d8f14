"""Are claims called consistent only where they are true, and do their intervals cover? A grid of truths x sizes x claims.

All data are simulated. Noise is that of simulated cohorts of the founding study without any effect (counts, correlated genes,
animals and libraries that vary), split, filtered and normalised as `claims` does. The truth of a cell is then added to each group's
log2 expression: programmes of 80 genes that have no gene in common, in units of each gene's standard deviation. Cohorts of one
size share their noise over the truths, so cells differ by truth alone.

    nice -n 5 python experiments/claims_calibration/run.py --seed 20261128

Finished rounds are kept under ``kept/``, so an interrupted run resumes.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from responder_ml.cohort.simulate import REGIONS, simulate_cohort
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_tests import build_tests
from responder_ml.contrasts.claim_verdicts import HEADLINES, headlines, judge_claims
from responder_ml.contrasts.evaluate_tests import TestSettings, evaluate_tests
from responder_ml.contrasts.groups import Groups
from responder_ml.contrasts.region_ranks import rank_regions
from responder_ml.contrasts.study_regions import StudyRegion, split_regions
from responder_ml.contrasts.true_changes import AnimalDesign, TrueChanges

HERE = Path(__file__).parent
GENES, PROGRAMME, SIZE, ALPHA = 1_000, 80, 1.4, 0.05
COHORTS, REGION_COHORTS, ROUNDS = {1: 200, 3: 100}, 100, 20
SETTINGS = TestSettings(seed=7, relabellings=199)
STRESS, RESILIENCE, FIRST, SECOND, THIRD, FOURTH = np.eye(6)
ARMS = ("imipramine responder", "imipramine non_responder", "ketamine responder", "ketamine non_responder")

Means = dict[str, np.ndarray]


@dataclass(frozen=True)
class Truth:
    """One row of the grid: what the groups' true means are, in programmes, and what disturbs the data."""

    name: str
    means: Means
    noisy: tuple[str, ...] = ()
    batch: bool = False


def means(
    responders: tuple[np.ndarray, np.ndarray] | None = None, others: tuple[np.ndarray, np.ndarray] | None = None
) -> Means:
    """Return the means of the groups; responders and non-responders to both drugs are as susceptible animals if not given."""
    ours, theirs = responders or (STRESS, STRESS), others or (STRESS, STRESS)
    treated = (ours[0], theirs[0], ours[1], theirs[1])
    base = {"control": 0 * STRESS, "susceptible": STRESS, "resilient": 0.3 * STRESS + RESILIENCE}
    return base | dict(zip(ARMS, treated, strict=True))


def both(change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the same mean for both drugs."""
    return change, change


BACK, ON = both(0.2 * STRESS), both(1.8 * STRESS)
APART, OTHERS = (STRESS + FIRST, STRESS + SECOND), (STRESS + THIRD, STRESS + FOURTH)
LARGE = (STRESS + 3 * THIRD, STRESS + 3 * FOURTH)
TRUTHS = (
    Truth("nothing at all", dict.fromkeys(means(), 0 * STRESS)),
    Truth("stress only", means()),
    Truth("drugs only, in all treated", means(APART, APART)),
    Truth("responders only, unrelated", means(APART)),
    Truth("non-responders only, unrelated", means(None, APART)),
    Truth("non-responders only, more stressed", means(None, ON)),
    Truth("both, independent", means(APART, OTHERS)),
    Truth("both, independent, non-responders 3 x", means(APART, LARGE)),
    Truth("one drug reverses", means((0.2 * STRESS, STRESS))),
    Truth("reversal in all treated", means(BACK, BACK)),
    Truth("reversal, half of it in non-responders", means(BACK, both(0.6 * STRESS))),
    Truth("reversal", means(BACK)),
    Truth("reversal, non-responders on their own", means(BACK, OTHERS)),
    Truth("reversal and induction", means(both(0.2 * STRESS + 0.7 * RESILIENCE))),
    Truth("opposition along stress", means(BACK, ON)),
    Truth("opposition apart from stress", means(both(STRESS + FIRST), both(STRESS - FIRST))),
    Truth("stress only, non-responders 1.5 x as noisy", means(), noisy=(ARMS[1], ARMS[3])),
    Truth("stress only, susceptible 1.5 x as noisy", means(), noisy=("susceptible",)),
    Truth("both independent, responders 1.5 x as noisy", means(APART, OTHERS), noisy=(ARMS[0], ARMS[2])),
    Truth("stress only, batch goes with the group", means(), batch=True),
    Truth("opposition along stress, batch goes with the group", means(BACK, ON), batch=True),
)


def noise_of(seed: int, factor: int, regions: tuple[str, ...] = ("PFC",)) -> list[StudyRegion]:
    """Return the regions of a cohort without any effect."""
    cohort = simulate_cohort(
        seed=seed, effect=0, drug_effect=0, batch_effect=0, n_genes=GENES, replicates=factor, regions=regions
    )
    return split_regions(cohort)


def plant(region: StudyRegion, truth: Truth, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
    """Return expression with the truth planted, and indicators of batch where there is one."""
    deviation = deviations(region)
    centred = region.expression - region.expression.mean(axis=0)
    for name in truth.noisy:
        members = region.groups.codes == region.groups.code(name)
        centred[members] *= 1.5
    table = np.stack([truth.means[name] @ programmes(region) for name in region.groups.names])
    expression = centred + table[region.groups.codes] * deviation
    if not truth.batch:
        return expression, None
    # No group is in one run alone: two thirds of responders and controls are in the late one, a third of the others.
    late = np.zeros(region.groups.codes.size, dtype=bool)
    for code, name in enumerate(region.groups.names):
        members = np.flatnonzero(region.groups.codes == code)
        share = 2 / 3 if name.endswith(" responder") or name == "control" else 1 / 3
        late[members[: max(1, round(share * members.size))]] = True
    shift = rng.normal(0.0, 1.0, expression.shape[1]) * deviation
    return expression + late[:, None] * shift, late[:, None].astype(float)


def deviations(region: StudyRegion) -> np.ndarray:
    """Return the standard deviation of each gene."""
    return region.expression.std(axis=0, ddof=1)


def programmes(region: StudyRegion) -> np.ndarray:
    """Return six programmes of genes, none in two of them, in standard deviations."""
    table = np.zeros((6, region.expression.shape[1]))
    for index, row in enumerate(table):
        row[index * PROGRAMME : (index + 1) * PROGRAMME] = np.where(np.arange(PROGRAMME) % 2, SIZE, -SIZE)
    return table


def truth_of(truth: Truth, groups: Groups) -> dict[str, tuple[bool, float]]:
    """Return for each claim whether it is true, and the true value of its estimate; nan where there is none."""
    # Two animals a group whose means are exact: the estimates are then the true values.
    doubled = Groups.of([name for name in groups.names for _ in range(2)])
    exact = np.stack([truth.means[doubled.names[code]] for code in doubled.codes])
    jitter = 1e-4 * np.random.default_rng(0).normal(size=(len(exact), 40))
    tests = build_tests(TrueChanges(np.column_stack([exact, jitter]), AnimalDesign(doubled)))
    table = np.stack([truth.means[name] for name in doubled.names])
    gram = table @ table.T * PROGRAMME * SIZE**2 / GENES
    values = {}
    for claim in HEADLINES:
        test = next(test for test in tests if test.claim == claim and len(test.drugs) != 1)
        is_true = min(np.sum(part.form * gram) for part in test.parts) > 1e-3
        values[claim] = (bool(is_true), true_value(test, gram))
    return values


def true_value(test, gram: np.ndarray) -> float:
    """Return a claim's estimate on true products of means."""
    product: Callable[[np.ndarray], np.ndarray] = lambda form: np.sum(form * gram, axis=(-2, -1))  # noqa: E731
    top, bottom = product(test.top), product(test.bottom)
    with np.errstate(all="ignore"):
        if test.scale == "size":
            return float(np.sqrt(top))
        if test.scale == "correlation":
            return float(top / np.sqrt(bottom.prod())) if bottom.min() > 1e-3 else float("nan")
        if np.min(bottom) < 1e-3:
            return float("nan")
        share = np.min(top / bottom)
        return float(1 - share if test.scale == "absent" else share)


def covers(line: ClaimResult, value: float) -> float:
    """Return 1 where the interval holds the true value, 0 where not, nan where there is no interval or no true value."""
    if line.interval is None or not np.isfinite(value):
        return float("nan")
    return float(line.interval[0] - 1e-9 <= value <= line.interval[1] + 1e-9)


def run_cohort(factor: int, number: int, seed: int) -> list[dict]:
    """Return one row per truth and claim of one cohort."""
    (region,) = noise_of(seed + 10_000 * factor + number, factor)
    rows = []
    for index, truth in enumerate(TRUTHS):
        expression, batch = plant(region, truth, np.random.default_rng([seed, factor, number, index]))
        lines = evaluate_tests(expression, region.groups, region.name, region.subjects, SETTINGS, batch)
        # The size of the stress change is in units of the residual scales of the cohort itself.
        scale = TrueChanges(expression, AnimalDesign(region.groups, batch)).scale
        change = (truth.means["susceptible"] - truth.means["control"]) @ programmes(region) * deviations(region)
        size = float(np.sqrt(np.mean((change / scale) ** 2)))
        for claim in HEADLINES:
            (line,) = headlines(lines, claim)
            level = next(verdict.level for verdict in judge_claims([line], [], ALPHA) if verdict.claim == claim)
            low, high = line.interval or (None, None)
            rows.append({
                "truth": truth.name, "claim": claim, "level": level, "observed": line.observed, "low": low, "high": high,
                "with_shared_animals": line.with_shared_animals, "size": size,
            })  # fmt: skip
    return rows


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell and claim."""
    (region,) = noise_of(0, 1)
    known = {truth.name: truth_of(truth, region.groups) for truth in TRUTHS}
    lines = []
    for (factor, truth, claim), part in table.groupby(["factor", "truth", "claim"], sort=False):
        is_true, value = known[truth][claim]
        hits = int((part["level"] == "consistent").sum())
        ends = binomtest(hits, len(part)).proportion_ci(0.95)
        counted = part["low"].notna() & np.isfinite(value)
        expected = part["size"] if claim == "R2" else value
        inside = (part["low"] - 1e-9 <= expected) & (expected <= part["high"] + 1e-9)
        lines.append({
            "factor": factor, "truth": truth, "claim": claim, "true": is_true, "cohorts": len(part),
            "consistent": hits / len(part), "consistent_low": ends.low, "consistent_high": ends.high,
            "contradicted": (part["level"] == "contradicted").mean(), "true_value": value, "mean_observed": part["observed"].mean(),
            "mean_with_shared_animals": part["with_shared_animals"].mean(), "intervals": int(counted.sum()),
            "coverage": inside[counted].mean() if counted.any() else np.nan,
        })  # fmt: skip
    return pd.DataFrame(lines)


def run_regions(number: int, seed: int) -> list[dict]:
    """Return whether a region is said to lead (R8): effects in no region, alike in all four, or in the first alone."""
    rows = []
    settings = replace(SETTINGS, draws=200)
    induced = next(truth for truth in TRUTHS if truth.name == "reversal and induction")
    regions = noise_of(seed + 50_000 + number, 1, tuple(REGIONS))
    for name, planted, is_true in (
        ("nothing", 0, False),
        ("alike in four regions", 4, False),
        ("in the first region alone", 1, True),
    ):
        lines = []
        for index, region in enumerate(regions):
            expression, _ = plant(region, induced if index < planted else TRUTHS[0], np.random.default_rng(0))
            lines += evaluate_tests(expression, region.groups, region.name, region.subjects, settings)
        verdict = next(v for v in judge_claims(lines, rank_regions(lines), ALPHA) if v.claim == "R8")
        rows.append({"truth": name, "true": is_true, "consistent": verdict.level == "consistent"})
    return rows


def markdown(summary: pd.DataFrame, factor: int) -> list[str]:
    """Return the grid of one size: the share called consistent, in bold where the claim is true."""
    part = summary[summary["factor"] == factor]
    claims = list(HEADLINES)
    lines = ["| truth | " + " | ".join(claims) + " |", "|---|" + "---|" * len(claims)]
    for truth, rows in part.groupby("truth", sort=False):
        shares = rows.set_index("claim")
        cells = [
            f"**{shares.loc[claim, 'consistent']:.2f}**"
            if shares.loc[claim, "true"]
            else f"{shares.loc[claim, 'consistent']:.3f}"
            for claim in claims
        ]
        lines.append(f"| {truth} | {' | '.join(cells)} |")
    return lines


def write(kept: Path, seed: int) -> None:
    """Write the grid as CSV and the tables for the README from all finished rounds."""
    rounds = [json.loads(path.read_text()) for path in sorted(kept.glob(f"{seed}-*.json"))]
    summary = summarise(pd.DataFrame([row for part in rounds for row in part["rows"]]))
    ranked = pd.DataFrame([row for part in rounds for row in part["regions"]])
    regions = ranked.groupby(["truth", "true"], sort=False)["consistent"].agg(["mean", "size"]).reset_index()
    seconds = sum(part["seconds"] for part in rounds)
    summary.round(5).to_csv(HERE / "grid.csv", index=False)
    false = summary[~summary["true"]]
    above = false[false["consistent_low"] > ALPHA]
    pieces = [
        "# Tables", "", f"Written by `run.py --seed {seed}` in {seconds / 60:.0f} minutes of processor time. Data are simulated.",
        "Bold: the claim is true in that cell, so the share is power. Plain: it is false, so the share should be at most 0.05.", "",
        f"False cells: {len(false)}; largest share {false['consistent'].max():.3f}; cells whose 95 % interval lies wholly above "
        f"{ALPHA}: {len(above)}{': ' + '; '.join(above['truth'] + ' ' + above['claim']) if len(above) else ''}.", "",
    ]  # fmt: skip
    for factor, cohorts in summary.groupby("factor")["cohorts"].max().items():
        size = "the founding study's size" if factor == 1 else f"{factor} times that size"
        pieces += [
            f"## Share called consistent, {size}, {cohorts} cohorts a cell",
            "",
            *markdown(summary, int(factor)),
            "",
        ]
    pieces += ["## Coverage of 95 % intervals", ""]
    pieces += [
        "| claim | estimates with an interval | coverage | least coverage of a cell with 50 intervals or more |",
        "|---|---|---|---|",
    ]
    for claim, rows in summary[summary["intervals"] > 0].groupby("claim"):
        count = rows["intervals"].sum()
        many = rows[rows["intervals"] >= 50]
        least = many.loc[many["coverage"].idxmin()] if len(many) else None
        words = "-" if least is None else f"{least['coverage']:.3f} ({least['truth']}, x {least['factor']})"
        pieces.append(f"| {claim} | {count} | {(rows['coverage'] * rows['intervals']).sum() / count:.3f} | {words} |")
    pieces += [
        "",
        "## R8: a region is said to lead",
        "",
        "| effects | R8 is | share consistent | cohorts |",
        "|---|---|---|---|",
    ]
    pieces += [
        f"| {row['truth']} | {'true' if row['true'] else 'false'} | {row['mean']:.3f} | {row['size']} |"
        for _, row in regions.iterrows()
    ]
    (HERE / "tables.md").write_text("\n".join(pieces).rstrip() + "\n")


def main() -> None:
    """Run what is missing of the grid, a round of cohorts of every size at a time, and write the tables after each round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds to run at most, for a trial")
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished rounds")
    arguments = parser.parse_args()
    arguments.kept.mkdir(parents=True, exist_ok=True)
    for number in range(arguments.rounds):
        path = arguments.kept / f"{arguments.seed}-{number:02d}.json"
        if not path.exists():
            finished = run_round(number, arguments.seed)
            path.write_text(json.dumps(finished))
        write(arguments.kept, arguments.seed)
        print(f"round {number + 1} of {arguments.rounds}", flush=True)


def run_round(number: int, seed: int) -> dict:
    """Return the rows of one round of cohorts, and the processor time it took."""
    start, rows, ranked = time.process_time(), [], []
    for factor, cohorts in COHORTS.items():
        size = cohorts // ROUNDS
        for cohort in range(number * size, (number + 1) * size):
            rows += [{"factor": factor, **row} for row in run_cohort(factor, cohort, seed)]
    for cohort in range(number * (REGION_COHORTS // ROUNDS), (number + 1) * (REGION_COHORTS // ROUNDS)):
        ranked += run_regions(cohort, seed)
    return {"rows": rows, "regions": ranked, "seconds": time.process_time() - start}


if __name__ == "__main__":
    main()
