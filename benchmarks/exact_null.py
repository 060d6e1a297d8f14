"""Time the exact null of the shipped job (configs/pfc.yaml), by the engine of an earlier commit and by this one.

    git worktree add --detach /tmp/before 2a459e5
    python benchmarks/exact_null.py --before /tmp/before

Each side runs its own procedure on its own shipped configuration: the earlier one tunes ten trials in five random outer folds
and runs its null over three of its ten repeats; this one has fixed forms in the complete design of its 13 subjects, and its
null runs over all of it. Every side is a process of its own on one core and one thread, in turn, so that both meet the same
load. What is timed is `Procedure.statistics`, which a null in `train` runs, after one labelling has loaded all that is compiled.
The earlier engine is timed on some labellings and multiplied up to all of them; this one runs all.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from measure import described, use_one_core

HERE = Path(__file__).resolve()
ROOT = HERE.parents[1]


def time_null(labellings: int, repeats: int | None, tuned: bool) -> dict[str, Any]:
    """Time the statistics of some labellings of the shipped job in this process's package.

    Parameters
    ----------
    labellings
        How many of all labellings are timed; 0 for all.
    repeats
        Repeats of the outer folds in each; None for what the plan says.
    tuned
        Whether settings are tuned as the plan says, or fixed.
    """
    from responder_ml.build import prepare_job
    from responder_ml.config import load_config
    from responder_ml.evaluation.procedure import Procedure
    from responder_ml.evaluation.relabel import enumerate_labellings
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.workers import Workers

    prepared = prepare_job(load_config(Path("configs/pfc.yaml")))
    labelled, feasible = prepared.labelled, prepared.feasible
    start = time.perf_counter()
    plan = feasible.plan if tuned else replace(feasible.plan, trials=0)
    procedure = Procedure(SearchData.of(labelled), feasible.candidates, plan, Workers(1))
    setup = time.perf_counter() - start
    every = list(enumerate_labellings(labelled.labels, labelled.strata))
    timed = every[:labellings] if labellings else every
    named = {} if repeats is None else {"repeats": repeats}
    list(procedure.statistics(every[:1], **named))
    wall, processor = time.perf_counter(), time.process_time()
    list(procedure.statistics(timed, **named))
    return {
        "labellings": len(every),
        "timed": len(timed),
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "setup": setup,
        "folds": plan.folds,
        "sets": plan.folds * (repeats or plan.repeats),
        "trials": plan.trials,
    }


def run(checkout: Path, labellings: int, repeats: int | None, tuned: bool = True) -> dict[str, Any]:
    """Run `time_null` in a process with the package, and in the folder, of a checkout."""
    environment = os.environ | {
        "PYTHONPATH": str(checkout / "src"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, str(HERE), "--time", str(labellings), str(repeats or 0), str(int(tuned))]
    output = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(output.splitlines()[-1]))


def row(name: str, runs: list[dict[str, Any]], repeats: int) -> tuple[str, float]:
    """Return a row of the table and the processor seconds of the whole null."""
    one = runs[0]
    scale = one["labellings"] / one["timed"]
    processor = scale * median(r["processor"] for r in runs)
    wall = scale * median(r["wall"] for r in runs)
    measured = "measured" if scale == 1 else f"extrapolated from {one['timed']}"
    text = (
        f"| {name} | {one['trials']} | {repeats} | {one['sets']} | {one['labellings']} | {measured} "
        f"| {1e3 * processor / one['labellings']:.1f} | {processor:.0f} | {wall:.0f} |"
    )
    return text, processor


def report(before: list[dict[str, Any]], fixed: list[dict[str, Any]], after: list[dict[str, Any]], commit: str) -> str:
    """Return the table and what it says."""
    # A repeat of the earlier engine costs the same whichever it is.
    every = [{**r, "wall": r["wall"] * 10 / 3, "processor": r["processor"] * 10 / 3, "sets": 50} for r in before]
    first, of_before = row(f"{commit}, its null over 3 repeats", before, 3)
    second, of_every = row(f"{commit}, its 10 repeats", every, 10)
    third, of_fixed = row(f"{commit}, its 10 repeats, fixed forms", fixed, 10)
    fourth, of_after = row("this commit, all its repeats", after, after[0]["sets"] // after[0]["folds"])
    per_set = (of_fixed / fixed[0]["sets"]) / (of_after / after[0]["sets"])
    return "\n".join(
        [
            "# The exact null of the shipped job",
            "",
            "All labellings of `configs/pfc.yaml` (13 subjects x 20,000 genes, 4 builders x 2 classifiers) within drugs, one "
            "core, one thread, each side in a process of its own and in turn; medians over rounds. *Sets* are outer training "
            "sets per labelling, each ranked by every builder and fitted by every candidate. Where time is extrapolated, the "
            "earlier engine ran so many labellings and is multiplied up; its ten repeats are its three, times 10 / 3.",
            "",
            "| engine | trials | repeats | sets | labellings | time | ms per labelling, processor | whole null, s processor "
            "| s wall |",
            "|---|---|---|---|---|---|---|---|---|",
            *(first, second, third, fourth),
            "",
            f"Ratio of processor time, whole null: **{of_before / of_after:.0f}x** against its null over three repeats, "
            f"**{of_every / of_after:.0f}x** against all of its repeats. Fixed forms against fixed forms, per outer training "
            f"set, it is {per_set:.1f}x: the rest is that nothing is tuned with so few subjects.",
        ]
    )


def main() -> None:
    """Time both sides in turn and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="a checkout of the earlier commit")
    parser.add_argument(
        "--labellings", type=int, default=16, help="labellings the earlier engine is timed on per round"
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--time", type=int, nargs=3, metavar=("LABELLINGS", "REPEATS", "TUNED"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE.with_suffix(".md"))
    args = parser.parse_args()
    use_one_core()
    if args.time:
        print(json.dumps(time_null(args.time[0], args.time[1] or None, bool(args.time[2]))))
        return
    before, fixed, after = [], [], []
    for _ in range(args.rounds):
        before.append(run(args.before, args.labellings, 3))
        fixed.append(run(args.before, args.labellings, 10, tuned=False))
        after.append(run(ROOT, 0, None))
        print(before[-1], fixed[-1], after[-1], sep="\n", flush=True)
    commit = subprocess.run(
        ["git", "-C", str(args.before), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    command = f"python benchmarks/exact_null.py --before CHECKOUT_OF_{commit} --labellings {args.labellings} --rounds {args.rounds}"
    page = [
        report(before, fixed, after, commit),
        f"Command: `{command}`",
        described(("numpy", "scipy", "numba", "scikit-learn")),
    ]
    args.out.write_text("\n\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
