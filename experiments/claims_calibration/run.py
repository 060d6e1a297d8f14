"""Are the claims centred on their no-effect values, are their p-values honest, and do they find what was planted?

Simulated cohorts of the founding study's shape go through what `claims` does: regions split, filtered and normalised, the table of
claims of each, the ranking of regions, a verdict per claim. Finished cohorts are kept, so an interrupted run resumes.

    nice -n 10 python experiments/claims_calibration/run.py --seed 20261125 --workers 1
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.claim_verdicts import judge_claims
from responder_ml.contrasts.evaluate_claims import evaluate_claims
from responder_ml.contrasts.founding_claims import NO_RESPONSE_EFFECT
from responder_ml.contrasts.region_ranks import rank_regions
from responder_ml.contrasts.study_regions import StudyRegion, split_regions
from responder_ml.search.workers import Workers
from responder_ml.statistics.multiple_testing import holm

HERE = Path(__file__).parent
GENES, RELABELLINGS, BOOTSTRAP, ALPHA = 1_000, 99, 40, 0.05
REGIONS = ("PFC", "NAc", "AMY", "HIP")


@dataclass(frozen=True)
class Setting:
    """One table: what is planted, and how the claims are evaluated.

    ``effect`` multiplies what stress and response do in the first region; in the others nothing is planted.
    """

    name: str
    title: str
    cohorts: int
    effect: float
    drug_effect: float
    batch_effect: float
    rotate: bool = False
    regions: tuple[str, ...] = REGIONS
    hypothesis: str = ""


SETTINGS = (
    Setting("null", "No effect of stress, drug or response, four regions", 200, 0, 0, 0),
    Setting("planted", "Stress and response doubled in the PFC alone, nothing elsewhere", 50, 2, 0, 0),
    Setting(
        "drugs-only", "Drugs act, response does not: only rows whose null is about response", 200, 0, 1, 0,
        regions=("PFC",), hypothesis=NO_RESPONSE_EFFECT,
    ),
    Setting(
        "null-batch", "No effect, batch as unbalanced as in the study; batch in the model, residuals rotated", 100, 0, 0, 1,
        rotate=True, regions=("PFC",),
    ),
    Setting(
        "null-batch-ignored", "The first of the same cohorts, batch ignored, subjects relabelled: what goes wrong", 50, 0, 0, 1,
        regions=("PFC",),
    ),
)  # fmt: skip
SHOWN = (
    "reversal_share", "reversal_cosine", "rescued_share", "induction_share", "induction_cosine", "induction_shift", "common_cosine",
    "response_degs", "opposition_cosine", "aggravation_share",
)  # fmt: skip


def evaluate(setting: Setting, seed: int) -> dict:
    """Return the table of claims of one cohort: one list of numbers per row and region, region ranks and verdicts."""
    results = [result for region in simulate(setting, seed) for result in evaluate_region(setting, region, seed)]
    ranks = rank_regions(results) if len(setting.regions) > 1 else []
    return {
        "seed": seed,
        "rows": [numbers(result) for result in results if setting.hypothesis in ("", result.hypothesis)],
        "ranks": [asdict(rank) for rank in ranks if rank.statistic in SHOWN],
        "verdicts": [
            [verdict.claim, verdict.level, list(verdict.regions)] for verdict in judge_claims(results, ranks, ALPHA)
        ],
    }


def simulate(setting: Setting, seed: int) -> list[StudyRegion]:
    """Return the regions of one cohort: the same animals throughout, effects in the first region only."""
    regions = []
    for effect, names in ((setting.effect, setting.regions[:1]), (0.0, setting.regions[1:])):
        if names:
            cohort = simulate_cohort(
                seed=seed, effect=effect, drug_effect=setting.drug_effect, batch_effect=setting.batch_effect,
                n_genes=GENES, regions=setting.regions,
            )  # fmt: skip
            selected = cohort[cohort.obs["region"].isin(names).to_numpy()].copy()
            regions += split_regions(selected, covariates=("batch",) if setting.rotate else ())
    return regions


def evaluate_region(setting: Setting, region: StudyRegion, seed: int) -> list[ClaimResult]:
    """Return the table of claims of one region."""
    return evaluate_claims(
        region.expression,
        region.groups,
        region.name,
        seed=seed,
        relabellings=RELABELLINGS,
        bootstrap=BOOTSTRAP,
        subjects=region.subjects,
        covariates=region.covariates,
    )


def numbers(result: ClaimResult) -> list:
    """Return what the tables need of one row."""
    low, high = result.interval
    key = "|".join((result.claim, result.statistic, result.drug, result.arm, result.region))
    values = (result.observed, result.expected_no_effect, result.p_value, low, high)
    return [key, *(float(f"{value:.6g}") for value in values)]


def run_setting(setting: Setting, seed: int, workers: Workers, path: Path) -> list[dict]:
    """Run what is missing of one setting and return all of it."""
    cohorts = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    seeds = [seed + number for number in range(len(cohorts), setting.cohorts)]
    with path.open("a") as lines:
        for result in workers.map(partial(evaluate, setting), seeds):
            cohorts.append(result)
            lines.write(json.dumps(result) + "\n")
            lines.flush()
    return cohorts[: setting.cohorts]


def summarise(cohorts: list[dict]) -> pd.DataFrame:
    """Return one line per row of the table of claims, over cohorts."""
    names = ["key", "observed", "expected", "p", "low", "high"]
    long = pd.DataFrame([row for cohort in cohorts for row in cohort["rows"]], columns=names)
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


def describe(setting: Setting, table: pd.DataFrame, cohorts: list[dict]) -> list[str]:
    """Return the section of the README about one setting."""
    pieces = [f"## {setting.title}", "", f"{len(cohorts)} cohorts; every row in `{setting.name}.csv`.", ""]
    if not setting.effect:
        pieces += [*centred(table), *honest(table), ""]
    pieces += [*markdown(table[table["statistic"].isin(SHOWN) & (table["region"] == REGIONS[0])]), ""]
    if setting.effect:
        pieces += [*elsewhere(table), "", *lead(cohorts), ""]
    if not setting.hypothesis:
        pieces += [*judged(cohorts), ""]
    return pieces


def centred(table: pd.DataFrame) -> list[str]:
    """Say how far the mean of observed less expected lies from 0, in standard errors."""
    z = (table["difference"] / table["se"]).where(table["se"] > 0, 0.0).abs()
    largest = table.loc[z.idxmax()]
    return [
        f"* {len(table)} rows. |mean of observed less printed no-effect value| over its standard error: {z.mean():.2f} on average "
        f"(0.80 expected), beyond 2 in {int((z > 2).sum())} rows ({0.0455 * len(table):.0f} expected), largest {z.max():.1f} "
        f"({largest['statistic']}, {largest['drug'] or 'no drug'}, {largest['arm']}, {largest['region']}). Rows are correlated.",
    ]


def honest(table: pd.DataFrame) -> list[str]:
    """Say how often p reaches the level, and whether any row does so more often than it may, by an exact test and Holm's rule."""
    hits = (table["share_p"] * table["cohorts"]).round().astype(int)
    worst = holm([binomtest(k, n, ALPHA, "greater").pvalue for k, n in zip(hits, table["cohorts"], strict=True)]).min()
    above = table[table["share_p_low"] > ALPHA]
    names = "; ".join(
        f"{row['statistic']}, {row['drug']}, {row['arm']}, {row['region']}: {row['share_p']:.3f}"
        for _, row in above.iterrows()
    )
    return [
        f"* Share of p <= {ALPHA}: {table['share_p'].mean():.3f} over all rows, at most {table['share_p'].max():.3f} in one. "
        f"{len(above)} rows have a 95 % interval wholly above {ALPHA}{f' ({names})' if names else ''}; "
        f"{0.025 * len(table):.0f} would by chance, were each at {ALPHA} and independent of the others. Smallest exact binomial "
        f"p of a share above {ALPHA}, corrected for {len(table)} rows (Holm): {worst:.2f}.",
    ]


def judged(cohorts: list[dict]) -> list[str]:
    """Return how often each claim's verdict was which, and where it was called consistent."""
    long = pd.DataFrame(
        [row for cohort in cohorts for row in cohort["verdicts"]], columns=["claim", "level", "regions"]
    )
    lines = [
        "| claim | consistent (95 % interval) | not shown | out of reach | named regions, when consistent |",
        "|---|---|---|---|---|",
    ]
    for claim, part in long.groupby("claim", sort=False):
        if (part["level"] == "not_asked").all():
            continue
        hits = int((part["level"] == "consistent").sum())
        ends = binomtest(hits, len(part)).proportion_ci(0.95)
        named = part.loc[part["level"] == "consistent", "regions"].map(", ".join).value_counts()
        where = "; ".join(f"{name} {count}" for name, count in named.items()) or "-"
        shares = [f"{(part['level'] == level).mean():.2f}" for level in ("not_shown", "out_of_reach")]
        lines.append(
            f"| {claim} | {hits / len(part):.3f} ({ends.low:.3f} to {ends.high:.3f}) | {' | '.join(shares)} | {where} |"
        )
    return lines


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


def elsewhere(table: pd.DataFrame) -> list[str]:
    """Say what the regions show in which nothing is planted."""
    others = table[table["region"] != REGIONS[0]]
    return [
        f"The other regions ({', '.join(REGIONS[1:])}), where nothing is planted: share of p <= {ALPHA} "
        f"{others['share_p'].mean():.3f} over {len(others)} rows."
    ]


def lead(cohorts: list[dict]) -> list[str]:
    """Return how often each region ranks first in responders minus non-responders, both drugs together."""
    ranks = pd.DataFrame([rank for cohort in cohorts for rank in cohort["ranks"]])
    ranks = ranks[ranks["arm"].str.contains("less") & ranks["drug"].str.contains("+", regex=False)]
    lines = ["| statistic | region | cohorts in which it leads | mean share of bootstrap draws |", "|---|---|---|---|"]
    for (statistic, region), part in ranks.groupby(["statistic", "region"], sort=False):
        lines.append(
            f"| {statistic} | {region} | {(part['rank'] == 1).mean():.2f} | {part['first_share'].mean():.2f} |"
        )
    return lines


def write(tables: Sequence[tuple[Setting, pd.DataFrame, list[dict]]], seed: int) -> None:
    """Write a CSV per setting and the tables for the README."""
    pieces = ["# Tables", "", f"Written by `run.py --seed {seed}`; `README.md` says how to read them.", ""]
    for setting, table, cohorts in tables:
        table.round(5).to_csv(HERE / f"{setting.name}.csv", index=False)
        pieces += describe(setting, table, cohorts)
    (HERE / "tables.md").write_text("\n".join(pieces).rstrip() + "\n")


def main() -> None:
    """Run the settings and write the tables beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument(
        "--settings", nargs="+", default=[setting.name for setting in SETTINGS], help="which tables to make"
    )
    parser.add_argument("--cohorts", type=int, help="fewer cohorts per setting, for a trial run")
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished cohorts")
    arguments = parser.parse_args()
    arguments.kept.mkdir(parents=True, exist_ok=True)
    start, tables = time.perf_counter(), []
    for number, setting in enumerate(SETTINGS):
        if setting.name not in arguments.settings:
            continue
        if arguments.cohorts:
            setting = Setting(**{**asdict(setting), "cohorts": arguments.cohorts})
        path = arguments.kept / f"{setting.name}-{arguments.seed}.jsonl"
        # Settings that are to be compared share their cohorts.
        first = arguments.seed + 100_000 * (number if setting.name != "null-batch-ignored" else number - 1)
        cohorts = run_setting(setting, first, Workers(arguments.workers), path)
        tables.append((setting, summarise(cohorts), cohorts))
        table = tables[-1][1]
        write(tables, arguments.seed)
        print(
            f"{setting.name}: share p <= {ALPHA} {table['share_p'].mean():.3f} ({time.perf_counter() - start:.0f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
