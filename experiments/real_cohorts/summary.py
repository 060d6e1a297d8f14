"""The tables and the figure of what has been computed so far."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student
from scipy.stats import wilcoxon

from responder_ml.evaluation.intervals import corrected_t

HEADLINE, TUNED, REVERSED, AND = "headline", "tuned", "tuned, lists reversed", "headline and "
LISTS = {
    HEADLINE: ("genes", "all_genes_ridge"),
    "former headline": ("genes", "all_genes", "derived"),
    "genes alone": ("genes",),
    "ridge signature": ("all_genes_ridge",),
}
"""Builders of the headline, which are those of a new job (`init`), and of what else was tried; all with both classifiers and fixed
settings."""
# Differences of an AUROC below this are ties.
TIE = 0.005
SMALL = 60
"""Subjects up to which a cohort is small."""
NOT_PROVIDED = {
    "ridge": "no null, no verdict, no choice of genes, one setting",
    "shrunken centroids": "no null, no verdict; scikit-learn has no scores of the original method and no choice of the threshold",
    "random forest": "no null, no verdict, no probability that can be trusted at this n; importance is that of training rows",
    "geneicl": "no null, no verdict, no genes: the prediction cannot be traced to any; needs torch (5 GB with its defaults)",
}
Record = dict[str, Any]


def read_records(work: Path, names: Sequence[str]) -> dict[str, dict[str, Record]]:
    """Return what has been computed, by cohort and method, of the cohorts whose headline is there."""
    records: dict[str, dict[str, Record]] = {}
    for name in names:
        of_cohort = {
            path.name.split(".")[1].replace("_", " "): json.loads(path.read_text())
            for path in work.glob(f"{name}.*.json")
        }
        if HEADLINE in of_cohort:
            records[name] = of_cohort
    return records


def judge(record: Record, entry: Mapping[str, Any]) -> str:
    """Return whether the verdict is what is known of the cohort: right, WRONG, or empty where nothing is known."""
    if "must_be" in entry:
        return "right" if record["verdict"] in entry["must_be"] else "WRONG"
    if "must_not_be" in entry:
        return "WRONG" if record["verdict"] in entry["must_not_be"] else "right"
    return ""


def cohort_rows(
    records: Mapping[str, Mapping[str, Record]], cohorts: Mapping[str, Any], peers: Sequence[str]
) -> list[str]:
    """Return the table of cohorts: verdict, AUROC with interval and p of the headline, and the AUROC of every other method."""
    lines = [
        "| cohort | subjects | genes | verdict | AUROC (95 % interval) | p | " + " | ".join((TUNED, *peers)) + " |",
        "|" + "---|" * (7 + len(peers)),
    ]
    for name, methods in records.items():
        record = methods[HEADLINE]
        low, high = record["interval"]
        judged = judge(record, cohorts[name])
        others = [f"{methods[method]['auroc']:.3f}" if method in methods else "" for method in (TUNED, *peers)]
        lines.append(
            f"| {name} | {' v '.join(map(str, record['subjects']))} | {record['genes']:,} | {record['verdict']}"
            f"{f' ({judged})' if judged else ''} | {record['auroc']:.3f} ({low:.2f} to {high:.2f}) | {record['p']:.3f} "
            f"({record['relabellings']}) | {' | '.join(others)} |"
        )
    return lines


def differences(
    records: Mapping[str, Mapping[str, Record]], cohorts: Mapping[str, Any], first: str, second: str
) -> tuple[np.ndarray, list[str], int, int]:
    """Return the differences of two methods' AUROCs, the cohorts' studies, and how often each is better beyond the folds' noise.

    A method is better in one cohort where the corrected t test on its folds says so.
    """
    values, studies, better, worse = [], [], 0, 0
    for name, methods in records.items():
        if first not in methods or second not in methods:
            continue
        values.append(methods[first]["auroc"] - methods[second]["auroc"])
        studies.append(cohorts[name]["study"])
        of_folds = [np.array(methods[method]["fold_aurocs"], dtype=float) for method in (first, second)]
        test = corrected_t(of_folds[0] - of_folds[1], of_folds[0].shape[1])
        better += test.p_value <= 0.05 and test.difference > 0
        worse += test.p_value <= 0.05 and test.difference < 0
    return np.array(values), studies, better, worse


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean with its 95 % interval by Student's t."""
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def paired_rows(
    records: Mapping[str, Mapping[str, Record]],
    cohorts: Mapping[str, Any],
    first: str,
    others: Sequence[str],
) -> list[str]:
    """Return the table of one method against others over some cohorts; once more with one value per study."""
    lines = [
        f"| {first} against | cohorts | wins, ties, losses | of these beyond the folds' noise | mean AUROC of both | mean "
        "difference (95 % interval) | Wilcoxon p | mean difference, one value per study |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for other in others:
        values, studies, better, worse = differences(records, cohorts, first, other)
        if len(values) < 3:
            continue
        means = [
            np.mean([
                methods[method]["auroc"] for methods in records.values()
                if first in methods and other in methods
            ])
            for method in (first, other)
        ]  # fmt: skip
        wins, losses = int((values > TIE).sum()), int((values < -TIE).sum())
        mean, low, high = interval(values)
        of_study = np.array([values[np.array(studies) == study].mean() for study in dict.fromkeys(studies)])
        p = wilcoxon(values).pvalue if np.any(values != 0) else 1.0
        lines.append(
            f"| {other} | {len(values)} | {wins}, {len(values) - wins - losses}, {losses} | {better} better, {worse} worse | "
            f"{means[0]:.3f}, {means[1]:.3f} | {mean:+.3f} ({low:+.3f} to {high:+.3f}) | {p:.2f} | "
            f"{len(of_study)}: {'{:+.3f} ({:+.3f} to {:+.3f})'.format(*interval(of_study)) if len(of_study) > 2 else ''} |"
        )
    return lines


def time_rows(records: Mapping[str, Mapping[str, Record]], methods: Sequence[str]) -> list[str]:
    """Return the table of processor time and of what a method does not give."""
    lines = ["| method | processor seconds a cohort, median (largest) | what it does not give |", "|---|---|---|"]
    for method in methods:
        seconds = [of_cohort[method]["seconds"] for of_cohort in records.values() if method in of_cohort]
        if seconds:
            lines.append(
                f"| {method} | {np.median(seconds):.1f} ({max(seconds):.0f}) | {NOT_PROVIDED.get(method, '')} |"
            )
    nulls = [methods[HEADLINE]["null_seconds"] for methods in records.values()]
    lines.append(f"| null, baselines and verdict of the headline | {np.median(nulls):.0f} ({max(nulls):.0f}) | |")
    return lines


def draw(records: Mapping[str, Mapping[str, Record]], methods: Sequence[str], path: Path) -> None:
    """Draw the AUROC of every method, one row per cohort, with the interval of the headline."""
    from matplotlib.figure import Figure

    order = sorted(records, key=lambda name: records[name][HEADLINE]["auroc"])
    figure = Figure(figsize=(7, 0.27 * len(order) + 1.2), layout="constrained")
    axes = figure.subplots()
    ends = np.array([records[name][HEADLINE]["interval"] for name in order])
    axes.hlines(range(len(order)), ends[:, 0], ends[:, 1], color="0.8", linewidth=5, zorder=1)
    marks = dict(zip((HEADLINE, *methods), "o|sD^v*", strict=False))
    for method, mark in marks.items():
        rows = [(records[name][method]["auroc"], row) for row, name in enumerate(order) if method in records[name]]
        size = 45 if method == HEADLINE else 24
        axes.scatter(*zip(*rows, strict=True), marker=mark, s=size, label=method, zorder=3 if method == HEADLINE else 2)
    axes.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(
        yticks=range(len(order)),
        yticklabels=order,
        xlabel="AUROC within outer folds; bar: 95 % interval of the headline",
    )
    figure.legend(loc="outside upper center", ncols=len(marks), frameon=False, fontsize=8, columnspacing=1.0)
    figure.savefig(path, metadata={"Date": None})


def write_summary(work: Path, cohorts: Mapping[str, Any], folder: Path, settings: Mapping[str, Any]) -> None:
    """Write ``tables.md`` and ``auroc.svg`` of the cohorts that are there."""
    records = read_records(work, list(cohorts))
    if not records:
        return
    peers = [name for name in NOT_PROVIDED if any(name in of_cohort for of_cohort in records.values())]
    added = [f"{AND}{name}" for name in peers if any(f"{AND}{name}" in of_cohort for of_cohort in records.values())]
    tried = [name for name in LISTS if name != HEADLINE]
    wrong = [name for name in records if judge(records[name][HEADLINE], cohorts[name]) == "WRONG"]
    absent = [name for name in NOT_PROVIDED if name not in peers]
    lines = [
        "# Real cohorts: the tables",
        "",
        f"`python experiments/real_cohorts/run.py --seed {settings['seed']} --repeats {settings['repeats']} --trials "
        f"{settings['trials']} --permutations {settings['permutations']}`: five outer folds of subjects, {settings['repeats']} "
        f"repeats, for every method the same. The headline's settings are fixed; `{TUNED}` is the same job with "
        f"{settings['trials']} trials, where 12 subjects of a class allow it. In brackets after p: relabellings. "
        f"{len(records)} of {len(cohorts)} cohorts"
        + (
            f"; not yet: {', '.join(name for name in cohorts if name not in records)}."
            if len(records) < len(cohorts)
            else "."
        ),
        *([f"Not installed here and left out: {', '.join(absent)}."] if absent else []),
        "",
        *cohort_rows(records, cohorts, peers),
        "",
        f"Labelled traps and known cases with a wrong verdict: {', '.join(wrong) or 'none'}.",
    ]
    small = {name: methods for name, methods in records.items() if sum(methods[HEADLINE]["subjects"]) <= SMALL}
    for words, some in ((f"Cohorts of at most {SMALL} subjects", small), ("All cohorts", records)):
        lines += ["", f"## {words}"]
        others = [TUNED, *peers, *added, *tried]
        lines += ["", *paired_rows(some, cohorts, TUNED, [REVERSED])]
        for first, compared in ((HEADLINE, others), *((name, peers) for name in (TUNED, *added, *tried))):
            lines += ["", *paired_rows(some, cohorts, first, compared)]
    lines += ["", "## Time and what is not given", "", *time_rows(records, [HEADLINE, TUNED, *peers]), ""]
    (folder / "tables.md").write_text("\n".join(lines))
    draw(records, [TUNED, *peers], folder / "auroc.svg")
