"""The headline and its peers on every real cohort beside the project, on the same outer folds.

    python experiments/real_cohorts/run.py --shared ../shared/data --seed 20261129

Each cohort x method is computed once and written to ``--work``; a call that was interrupted goes on where it stopped. The tables
and the figures are written anew after every cohort. The data are read where they lie; nothing of them is copied into the project.
GeneICL takes part where it is installed (``pip install geneicl``).
"""

import argparse
import gzip
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import yaml
from peers import PEERS
from summary import LISTS, REVERSED, TUNED, write_summary

from responder_ml.build import PreparedJob, prepare_job
from responder_ml.config import JobConfig
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.evidence import assess_evidence
from responder_ml.evaluation.metrics import OutOfFold, auroc, by_subject, fold_aurocs
from responder_ml.evaluation.procedure import ObservedResult, Procedure
from responder_ml.features.normalise import log2_expression
from responder_ml.progress import Progress
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.statistics.seeds import integer_seed

HERE = Path(__file__).parent
COHORTS: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "cohorts.yaml").read_text())
CLASSIFIERS = ["elastic_net", "nearest_centroid"]
ADDED = ("ridge", "geneicl")
"""Peers whose log-odds are also averaged with the headline's, as another candidate's would be."""


def make_job(name: str, args: argparse.Namespace, folder: Path) -> JobConfig:
    """Return the job of one cohort; raw intensities are raised to their floor and logged first, into ``folder``."""
    entry = COHORTS[name]
    cohort = {"source": "table", "units": "counts", **entry["cohort"]}
    expression = args.shared.resolve() / cohort["expression"]
    cohort["samples"] = str(expression.parent / "samples.tsv")
    if "floor" in entry:
        table = pd.read_csv(expression, sep="\t", index_col=0)
        expression, cohort["units"] = folder / f"{name}.tsv.gz", "log2"
        with gzip.open(expression, "wt", compresslevel=1) as file:
            np.log2(table.clip(lower=float(entry["floor"]))).to_csv(file, sep="\t")
    return JobConfig.model_validate(
        {
            "name": name,
            "cohort": {**cohort, "expression": str(expression)},
            "endpoint": entry["endpoint"],
            "builders": list(dict.fromkeys(builder for names in LISTS.values() for builder in names)),
            "classifiers": CLASSIFIERS,
            "search": {"folds": 5, "repeats": args.repeats, "trials": args.trials},
            "null": {"permutations": args.permutations},
            "seed": args.seed,
        }
    )


def decide(
    prepared: PreparedJob, builders: Sequence[str], trials: int, *, in_reverse: bool = False
) -> tuple[Procedure, ObservedResult, float]:
    """Return the procedure of some builders with so many trials, its out-of-fold decisions, and its processor time.

    Settings are tuned only where the number of subjects allows it. Candidates may be listed ``in_reverse``.
    """
    labelled, feasible = prepared.labelled, prepared.feasible
    plan = feasible.plan if trials else replace(feasible.plan, trials=0)
    candidates = [candidate for candidate in feasible.candidates if candidate.builder_name in builders]
    procedure = Procedure(SearchData.of(labelled), candidates[::-1] if in_reverse else candidates, plan, Workers(1))
    start = time.process_time()
    return procedure, procedure.observe(labelled.labels), time.process_time() - start


def headline(prepared: PreparedJob) -> dict[str, Any]:
    """Return the out-of-fold decisions of auto with fixed settings, its null and its verdict."""
    labelled = prepared.labelled
    procedure, observed, seconds = decide(prepared, LISTS["headline"], 0)
    log2 = log2_expression(labelled.expression, str(labelled.cohort.uns["units"]))
    start = time.process_time()
    evidence = assess_evidence(procedure, observed, labelled, prepared.null_plan, log2, Progress())
    return describe(observed.auto, seconds) | {
        "verdict": evidence.verdict.level,
        "sentence": evidence.verdict.sentence,
        "p": evidence.null.p_value,
        "relabellings": len(evidence.null.values),
        "null_seconds": time.process_time() - start,
        "genes": int(labelled.cohort.n_vars),
        "subjects": np.bincount(labelled.labels, minlength=2)[::-1].tolist(),
        "folds": observed.auto.folds.tolist(),
        "candidates": {name: auroc(decisions) for name, decisions in observed.candidates.items()},
    }


def auto(
    prepared: PreparedJob, builders: Sequence[str], trials: int = 0, *, in_reverse: bool = False
) -> dict[str, Any]:
    """Return the out-of-fold decisions of auto with some builders, its settings fixed or tuned."""
    _, observed, seconds = decide(prepared, builders, trials, in_reverse=in_reverse)
    return describe(observed.auto, seconds)


def peer(name: str, prepared: PreparedJob, folds: np.ndarray, seed: int) -> dict[str, Any]:
    """Return the out-of-fold decisions of one peer on the folds of the headline, one row per subject."""
    labelled, fit = prepared.labelled, PEERS[name]
    units = str(labelled.cohort.uns["units"])
    expression = SearchData.of(labelled).expression
    if name == "geneicl" and units == "counts":
        # What its authors ask for.
        values = np.log1p(1e6 * expression / expression.sum(axis=1, keepdims=True))
    else:
        values = log2_expression(expression, units)
    rows = by_subject(values.T, labelled.subject_of, len(labelled.labels)).T
    labels = labelled.labels.astype(np.int64)
    decisions = np.empty(folds.shape)
    start = time.process_time()
    for repeat, of_repeat in enumerate(folds):
        for fold in np.unique(of_repeat):
            train = of_repeat != fold
            number = integer_seed(seed, name, repeat, int(fold))
            decisions[repeat, ~train] = fit(rows[train], labels[train], rows[~train], number)
    out_of_fold = OutOfFold(labelled.labels, decisions, folds, np.zeros_like(decisions))
    return describe(out_of_fold, time.process_time() - start)


def mean_of(first: dict[str, Any], second: dict[str, Any], folds: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return what the mean of two methods' log-odds gives on the same folds."""
    decisions = 0.5 * (np.array(first["decisions"]) + np.array(second["decisions"]))
    out_of_fold = OutOfFold(labels, decisions, folds, np.zeros_like(decisions))
    return describe(out_of_fold, first["seconds"] + second["seconds"])


def describe(out_of_fold: OutOfFold, seconds: float) -> dict[str, Any]:
    """Return the AUROC with its interval, that of every fold, the decisions and the processor time."""
    return {
        "auroc": auroc(out_of_fold),
        "interval": list(auroc_interval(out_of_fold)),
        "fold_aurocs": [[None if np.isnan(score) else score for score in row] for row in fold_aurocs(out_of_fold)],
        "decisions": out_of_fold.decisions.round(6).tolist(),
        "seconds": seconds,
    }


def run_cohort(name: str, args: argparse.Namespace) -> None:
    """Compute what is not there yet of one cohort."""
    methods = [*LISTS, TUNED, REVERSED, *PEERS, *(f"headline and {name}" for name in ADDED if name in PEERS)]
    paths = {method: args.work / f"{name}.{method.replace(' ', '_')}.json" for method in methods}
    if all(path.exists() for path in paths.values()):
        return
    with tempfile.TemporaryDirectory() as folder:
        job = make_job(name, args, Path(folder))
        prepared = prepare_job(job)
        for method, path in paths.items():
            if path.exists():
                continue
            if method == "headline":
                record = headline(prepared)
            elif method in (TUNED, REVERSED):
                record = auto(prepared, LISTS["headline"], args.trials, in_reverse=method == REVERSED)
            elif method in LISTS:
                record = auto(prepared, LISTS[method])
            else:
                first = json.loads(paths["headline"].read_text())
                folds = np.array(first["folds"])
                added = method.removeprefix("headline and ")
                if added == method:
                    record = peer(method, prepared, folds, args.seed)
                else:
                    record = mean_of(first, json.loads(paths[added].read_text()), folds, prepared.labelled.labels)
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(record))
            partial.replace(path)
            print(
                name, method, f"{record['auroc']:.3f}", record.get("verdict", ""), f"{record['seconds']:.0f} s",
                f"{record.get('null_seconds', 0):.0f} s", flush=True,
            )  # fmt: skip


def main() -> None:
    """Compute the cohorts one after another in this process, and write tables and figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder of the cohorts")
    parser.add_argument("--work", type=Path, default=Path("runs/real_cohorts"), help="folder of what is computed")
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--repeats", type=int, default=5, help="of the five outer folds")
    parser.add_argument("--trials", type=int, default=11)
    parser.add_argument("--permutations", type=int, default=1000, help="the most relabellings of a null")
    parser.add_argument("--cohorts", nargs="*", default=list(COHORTS), choices=list(COHORTS), metavar="NAME")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    for name in args.cohorts:
        run_cohort(name, args)
        write_summary(args.work, COHORTS, HERE, vars(args))


if __name__ == "__main__":
    main()
