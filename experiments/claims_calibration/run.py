"""Are the claims centred on their no-effect values, are their p-values honest, and do they find what was planted?

Simulated cohorts of the founding study's shape go through what `claims` does in one region: expressed genes, log2 counts per
million with TMM, the table of claims. Finished cohorts are kept, so an interrupted run resumes.

    python experiments/claims_calibration/run.py --seed 20261123
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.evaluate_claims import evaluate_claims
from responder_ml.contrasts.founding_claims import NO_RESPONSE_EFFECT, founding_groups
from responder_ml.contrasts.regions import rank_regions
from responder_ml.features.expression_filter import ExpressionFilter
from responder_ml.features.normalise import Normaliser
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
GENES, RELABELLINGS, BOOTSTRAP, ALPHA = 2_000, 199, 60, 0.05
REGIONS = ("PFC", "NAc", "AMY", "HIP")


@dataclass(frozen=True)
class Setting:
    """One table: what is planted, and how the claims are evaluated."""

    name: str
    title: str
    cohorts: int
    effect: float
    drug_effect: float
    batch_effect: float
    adjust: bool = False
    rotate: bool = False
    regions: tuple[str, ...] = ("PFC",)
    hypothesis: str = ""


SETTINGS = (
    Setting("null", "No effect of stress, drug or response, no batch; subjects relabelled", 200, 0, 0, 0),
    Setting(
        "null-batch", "No effect, batch as unbalanced as in the study; batch in the model, residuals rotated", 200, 0, 0, 1,
        adjust=True, rotate=True,
    ),
    Setting("null-batch-ignored", "The same cohorts, batch ignored, subjects relabelled: what goes wrong", 100, 0, 0, 1),
    Setting(
        "drugs-only", "Drugs act, response does not: only rows whose null is about response", 200, 0, 1, 0,
        hypothesis=NO_RESPONSE_EFFECT,
    ),
    Setting("planted-2", "Effects of stress and response doubled, drugs act; subjects relabelled", 30, 2, 1, 0, regions=REGIONS),
    Setting(
        "planted-2-batch", "The same with batch; batch in the model, residuals rotated", 30, 2, 1, 1,
        adjust=True, rotate=True, regions=REGIONS,
    ),
)  # fmt: skip
SHOWN = (
    "reversal_share", "reversal_cosine", "rescued_share", "induction_share", "induction_shift", "common_cosine", "opposition_share",
)  # fmt: skip


def evaluate(setting: Setting, seed: int) -> dict:
    """Return the table of claims of one cohort: one list of numbers per row and region, and region ranks."""
    cohort = simulate_cohort(
        seed=seed, effect=setting.effect, drug_effect=setting.drug_effect, batch_effect=setting.batch_effect,
        n_genes=GENES, regions=setting.regions,
    )  # fmt: skip
    results = [each for region in setting.regions for each in evaluate_region(setting, cohort, region, seed)]
    ranks = rank_regions([each for each in results if each.statistic in SHOWN]) if len(setting.regions) > 1 else []
    return {
        "seed": seed,
        "rows": [numbers(each) for each in results if setting.hypothesis in ("", each.hypothesis)],
        "ranks": [asdict(each) for each in ranks],
    }


def evaluate_region(setting: Setting, cohort, region: str, seed: int) -> list[ClaimResult]:
    """Return the table of claims of one region."""
    part = cohort[(cohort.obs["region"] == region).to_numpy()]
    counts = ExpressionFilter(units="counts").fit_transform(np.asarray(part.X))
    covariates = None
    if setting.adjust:
        covariates = pd.get_dummies(part.obs["batch"].astype(str), drop_first=True).to_numpy(np.float64)
    return evaluate_claims(
        Normaliser(units="counts", method="tmm").fit_transform(counts),
        founding_groups(part.obs["phenotype"], part.obs["drug"], part.obs["response"]),
        region,
        seed=seed,
        relabellings=RELABELLINGS,
        bootstrap=BOOTSTRAP,
        subjects=part.obs["subject"].astype(str).tolist(),
        covariates=covariates,
        rotate=setting.rotate,
    )


def numbers(result: ClaimResult) -> list:
    """Return what the tables need of one row."""
    low, high = result.interval
    key = "|".join((result.claim, result.statistic, result.drug, result.arm, result.region))
    values = (result.observed, result.expected_no_effect, result.p_value, low, high)
    return [key, *(float(f"{value:.6g}") for value in values)]


def run_setting(setting: Setting, seed: int, workers: Workers, kept: Path) -> list[dict]:
    """Run what is missing of one setting and return all of it."""
    found = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    seeds = [seed + number for number in range(len(found), setting.cohorts)]
    with kept.open("a") as lines:
        for result in workers.map(partial(evaluate, setting), seeds):
            found.append(result)
            lines.write(json.dumps(result) + "\n")
            lines.flush()
    return found[: setting.cohorts]


def summarise(found: list[dict]) -> pd.DataFrame:
    """Return one line per row of the table of claims, over cohorts."""
    names = ["key", "observed", "expected", "p", "low", "high"]
    long = pd.DataFrame([row for cohort in found for row in cohort["rows"]], columns=names)
    lines = []
    for key, part in long.groupby("key", sort=False):
        gap = part["observed"] - part["expected"]
        hits = int((part["p"] <= ALPHA).sum())
        ends = binomtest(hits, len(part)).proportion_ci(0.95)
        lines.append(
            dict(zip(("claim", "statistic", "drug", "arm", "region"), key.split("|"), strict=True))
            | {
                "cohorts": len(part),
                "observed": part["observed"].mean(),
                "expected_no_effect": part["expected"].mean(),
                "difference": gap.mean(),
                "se": gap.std(ddof=1) / math.sqrt(len(part)),
                "higher": (gap > 0).mean(),
                "share_p": hits / len(part),
                "share_p_low": ends.low,
                "share_p_high": ends.high,
                "interval_holds_no_effect": (
                    (part["low"] <= part["expected"]) & (part["expected"] <= part["high"])
                ).mean(),
            }
        )
    return pd.DataFrame(lines)


def describe(setting: Setting, table: pd.DataFrame, found: list[dict]) -> list[str]:
    """Return the section of the README about one setting."""
    z = (table["difference"] / table["se"]).where(table["se"] > 0, 0.0).abs()
    above = int((table["share_p_low"] > ALPHA).sum())
    pieces = [f"## {setting.title}", "", f"{setting.cohorts} cohorts; every row in `{setting.name}.csv`.", ""]
    if not setting.effect:
        largest = table.loc[z.idxmax()]
        pieces += [
            f"* {len(table)} rows. Largest distance between observed and printed no-effect mean: {z.max():.1f} standard errors "
            f"({largest['statistic']}, {largest['drug'] or 'no drug'}, {largest['arm']}); {int((z > 2).sum())} rows are beyond 2.",
            f"* Share of p <= {ALPHA}: {table['share_p'].mean():.3f} over all rows, at most {table['share_p'].max():.3f} in one; "
            f"{above} rows have a 95 % interval wholly above {ALPHA}.",
            "",
        ]
    shown = table[table["statistic"].isin(SHOWN) & (table["region"] == "PFC")]
    pieces += [*markdown(shown), ""]
    if setting.effect:
        pieces += [*lead(found), ""]
    return pieces


def markdown(table: pd.DataFrame) -> list[str]:
    """Return a table of the rows shown."""
    head = "| claim | statistic | drug | arm | observed | no effect | difference (SE) | share p <= 0.05 (95 % interval) | higher |"
    lines = [head, "|" + "---|" * 9]
    for _, row in table.iterrows():
        share = f"{row['share_p']:.3f} ({row['share_p_low']:.3f} to {row['share_p_high']:.3f})"
        cells = [
            row["claim"], row["statistic"], row["drug"], row["arm"], f"{row['observed']:.3f}", f"{row['expected_no_effect']:.3f}",
            f"{row['difference']:+.3f} ({row['se']:.3f})", share, f"{row['higher']:.2f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def lead(found: list[dict]) -> list[str]:
    """Return how often each region ranks first in responders less non-responders, both drugs together."""
    ranks = pd.DataFrame([each for cohort in found for each in cohort["ranks"]])
    ranks = ranks[ranks["arm"].str.contains("less") & ranks["drug"].str.contains("+", regex=False)]
    lines = ["| statistic | region | cohorts in which it leads | mean share of bootstrap draws |", "|---|---|---|---|"]
    for (statistic, region), part in ranks.groupby(["statistic", "region"], sort=False):
        lines.append(
            f"| {statistic} | {region} | {(part['rank'] == 1).mean():.2f} | {part['first_share'].mean():.2f} |"
        )
    return lines


def write(tables: Sequence[tuple[Setting, pd.DataFrame, list[dict]]], seed: int, minutes: float) -> None:
    """Write a CSV per setting and the README."""
    pieces = [
        "# Calibration of the table of claims",
        "",
        "Everything here is simulated. One row per statistic, drug and arm; `observed` and `no effect` are means over cohorts of",
        "the statistic and of the value printed beside it. Where nothing is planted their difference should be 0 and the share of",
        "p <= 0.05 at most 0.05. `higher` is the share of cohorts above the no-effect value.",
        "",
        f"    python experiments/claims_calibration/run.py --seed {seed}",
        "",
        f"{GENES} genes, {RELABELLINGS} relabellings or rotations where there are more, {BOOTSTRAP} bootstrap draws; the last run",
        f"took {minutes:.0f} minutes.",
        "",
    ]
    for setting, table, found in tables:
        table.round(5).to_csv(HERE / f"{setting.name}.csv", index=False)
        pieces += describe(setting, table, found)
    (HERE / "README.md").write_text("\n".join(pieces).rstrip() + "\n")


def main() -> None:
    """Run all settings and write the tables beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument("--cohorts", type=int, help="fewer cohorts per setting, for a trial run")
    parser.add_argument("--kept", type=Path, default=Path("runs/claims_calibration"), help="folder of finished cohorts")
    arguments = parser.parse_args()
    arguments.kept.mkdir(parents=True, exist_ok=True)
    start, tables = time.perf_counter(), []
    for number, setting in enumerate(SETTINGS):
        if arguments.cohorts:
            setting = Setting(**{**asdict(setting), "cohorts": arguments.cohorts})
        kept = arguments.kept / f"{setting.name}-{arguments.seed}.jsonl"
        # Settings that are to be compared share their cohorts.
        first = arguments.seed + 100_000 * (1 if setting.batch_effect and not setting.effect else number)
        found = run_setting(setting, first, Workers(arguments.workers), kept)
        tables.append((setting, summarise(found), found))
        table = tables[-1][1]
        print(
            f"{setting.name}: share p <= {ALPHA} {table['share_p'].mean():.3f} ({time.perf_counter() - start:.0f} s)",
            flush=True,
        )
    write(tables, arguments.seed, (time.perf_counter() - start) / 60)


if __name__ == "__main__":
    main()
