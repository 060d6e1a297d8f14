"""The ridge signature on the cohorts that it was not chosen on: fixed settings, no null, so that the tables need not be whole.

python experiments/real_cohorts/confirm.py --shared ../shared/data --seed 1
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from run import COHORTS, HERE, auto, decide, describe, make_job, peer
from summary import CHOICE, HEADLINE, LISTS, interval

from responder_ml.build import prepare_job

METHODS = (HEADLINE, "ridge signature", "with ridge signature", "ridge")


def one_cohort(name: str, args: argparse.Namespace) -> dict[str, float]:
    """Return the AUROC of every method on the folds of the headline."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare_job(make_job(name, args, Path(folder)))
    _, observed, _ = decide(prepared, LISTS[HEADLINE], 0)
    aurocs = {HEADLINE: describe(observed.auto, 0.0)["auroc"]}
    aurocs |= {method: auto(prepared, LISTS[method])["auroc"] for method in METHODS[1:3]}
    aurocs["ridge"] = peer("ridge", prepared, observed.auto.folds, args.seed)["auroc"]
    positive, negative = np.bincount(prepared.labelled.labels, minlength=2)[::-1].tolist()
    return {"positive": positive, "negative": negative, **aurocs}


def main() -> None:
    """Compute what is missing, and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder of the cohorts")
    parser.add_argument("--work", type=Path, default=Path("runs/real_cohorts"), help="folder of what is computed")
    parser.add_argument("--seed", type=int, default=1)
    parser.set_defaults(repeats=2, trials=0, permutations=0)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    rows = {}
    for name in COHORTS:
        path = args.work / f"{name}.confirm.json"
        if name in CHOICE:
            continue
        if not path.exists():
            path.write_text(json.dumps(one_cohort(name, args)))
        rows[name] = json.loads(path.read_text())
        print(name, rows[name], flush=True)
    lines = [f"| cohort | subjects | {' | '.join(METHODS)} |", "|---|---|" + "---|" * len(METHODS)]
    for name, row in rows.items():
        aurocs = " | ".join(f"{row[method]:.3f}" for method in METHODS)
        lines.append(f"| {name} | {row['positive']} v {row['negative']} | {aurocs} |")
    lines.append(f"| mean | | {' | '.join(f'{np.mean([row[m] for row in rows.values()]):.3f}' for m in METHODS)} |")
    for method in METHODS[1:]:
        change = np.array([row[method] - row[HEADLINE] for row in rows.values()])
        lines += ["", f"{method} less headline: {'{:+.3f} ({:+.3f} to {:+.3f})'.format(*interval(change))}"]
    (HERE / "confirm.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
