"""How often does a study without any effect call something out? Many simulated studies, one correction each.

Every study is what `study` does up to its corrected p: the grid of `study.yaml`, each job's search, the joint relabelling of all
16 jobs and the step-down correction. Finished studies are kept in a file beside this one, so an interrupted run resumes.

    python experiments/study_calibration/run.py --seed 20261125 --studies 120
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from responder_ml.build import build_cohort
from responder_ml.evaluation.joint_null import JointRelabelling, run_joint_null
from responder_ml.search.workers import Workers
from responder_ml.studies.jobs import jobs_to_test, search_job
from responder_ml.study_config import load_study

HERE = Path(__file__).parent
LEVELS = (0.05, 0.10, 0.20)


def one_study(seed: int) -> dict:
    """Return the own and corrected p of every job of one study without effect."""
    study = load_study(HERE / "study.yaml")
    study = study.model_copy(update={"job": {**study.job, "seed": seed}})
    base = study.base
    cohort = build_cohort(base.cohort, base.seed)
    jobs = jobs_to_test([search_job(planned, cohort, Workers(1)) for planned in study.planned_jobs()])
    relabelling = JointRelabelling({name: job.subjects for name, job in jobs.items()})
    statistics = {name: job.statistic for name, job in jobs.items()}
    joint_null = run_joint_null(statistics, relabelling, base.null.permutations, base.seed, base.null.alpha)
    return {
        "seed": seed,
        "own": {name: job.null.p_value for name, job in joint_null.jobs.items()},
        "corrected": {name: job.corrected_p for name, job in joint_null.jobs.items()},
    }


def table(studies: list[dict]) -> str:
    """Return the shares of studies in which anything was called out, with and without correction."""
    rows = ["| level | p | studies | called out | share | 95 % interval |", "|---|---|---|---|---|---|"]
    for level in LEVELS:
        for kind in ("corrected", "own"):
            hits = sum(min(study[kind].values()) <= level for study in studies)
            interval = binomtest(hits, len(studies)).proportion_ci(0.95)
            rows.append(
                f"| {level:g} | {kind} | {len(studies)} | {hits} | {hits / len(studies):.3f} | "
                f"{interval.low:.3f} to {interval.high:.3f} |"
            )
    return "\n".join(rows) + "\n"


def main() -> None:
    """Run what is missing and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--studies", type=int, required=True)
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished studies")
    arguments = parser.parse_args()
    arguments.kept.mkdir(exist_ok=True)
    path = arguments.kept / f"{arguments.seed}.jsonl"
    studies = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    start = time.perf_counter()
    with path.open("a") as lines:
        for number in range(len(studies), arguments.studies):
            studies.append(one_study(arguments.seed + number))
            lines.write(json.dumps(studies[-1]) + "\n")
            lines.flush()
            print(
                number + 1,
                f"{np.min(list(studies[-1]['corrected'].values())):.3f}",
                f"{time.perf_counter() - start:.0f} s",
            )
    (HERE / "table.md").write_text(table(studies[: arguments.studies]))


if __name__ == "__main__":
    main()
