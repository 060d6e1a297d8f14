"""Are genes called out where they were planted, and by hardly any run where nothing was? Many simulated cohorts.

Each cohort goes through what `train` does up to the table of genes: normalisation, filter, ranking, tuning of every candidate,
choice between them, the null, SHAP on held-out rows, and the same on relabelled subjects. Finished cohorts are kept in a file
beside this one, so an interrupted run resumes.

    python experiments/call_out_calibration/run.py --seed 20261125
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, LabelledCohort, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.permutation import NullPlan, NullResult, run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.explanation.call_out import call_out
from responder_ml.features.builders.genes import Genes
from responder_ml.features.normalise import log2_expression
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
GENES, REPEATS, TRIALS, ALPHA = 1_000, 2, 2, 0.05
CLASSIFIER_NAMES = ("elastic_net", "nearest_centroid")
# Susceptible animals per drug and response; the drug effect stays in, as a stratum.
SHAPES = {
    "12 v 12": {"imipramine": (6, 6), "ketamine": (6, 6)},
    "6 v 7": {"imipramine": (3, 4), "ketamine": (3, 3)},
}
# Shape, effect (1 is the simulator's default), cohorts.
SETTINGS = [
    ("12 v 12", 0.0, 100),
    ("12 v 12", 1.5, 20),
    ("6 v 7", 0.0, 60),
]
HEAD = (
    "| subjects | effect | cohorts | what | runs that call any out | 95 % interval | were p ignored | 95 % interval | "
    "called out | precision |\n|---|---|---|---|---|---|---|---|---|---|"
)


def one_cohort(setting: tuple, seed: int) -> dict:
    """Return how many genes and modules one cohort calls out, and how many of them were planted."""
    shape, effect, _ = setting
    cells = {
        ("susceptible", drug, response): count
        for drug, counts in SHAPES[shape].items()
        for response, count in zip(("responder", "non_responder"), counts, strict=True)
    }
    cohort = simulate_cohort(seed=seed, effect=effect, n_genes=GENES, cells=cells, regions=["PFC"])
    labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",)))
    candidates = [
        Candidate("genes", Genes(units="counts", max_genes=200), CLASSIFIERS[name]) for name in CLASSIFIER_NAMES
    ]
    procedure = Procedure(
        SearchData.of(labelled), candidates, SearchPlan(4, 2, TRIALS, seed, repeats=REPEATS), Workers(1)
    )
    observed = procedure.observe(labelled.labels)
    log2 = log2_expression(labelled.expression, "counts")
    plan, passed = NullPlan(99, ALPHA, seed), NullResult(1.0, np.empty(0), 0.0, (0.0, 0.0), False, True, False, 0, 0.0)
    # The rule is looked at whatever p says; the table counts with p and without.
    called = call_out(procedure, observed, labelled, log2, plan, passed)
    genes = set(called.strengths.genes.index[called.strengths.genes > called.gene_threshold])
    leads = set(called.strengths.modules.index[called.strengths.modules > called.module_threshold])
    planted = planted_genes(cohort)
    members = [gene for gene, lead in called.strengths.grouping.lead_of.items() if lead in leads]
    return {
        "p": p_value(procedure, labelled, plan) if genes or leads else None,
        "genes": len(genes),
        "planted": len(genes & planted),
        "modules": len(leads),
        "members": len(members),
        "planted_members": len(planted.intersection(members)),
    }


def p_value(procedure: Procedure, labelled: LabelledCohort, plan: NullPlan) -> float:
    """Return p of the whole procedure; it is asked only where something would be called out."""
    observed = procedure.observe(labelled.labels).measured(procedure.cells)
    return run_null(procedure.statistics, labelled.labels, labelled.strata, observed, plan, "strata").p_value


def planted_genes(cohort) -> set[str]:
    """Return the genes whose planted difference between responders and non-responders is not zero."""
    truth = cohort.uns["truth"]["contrasts"]
    response = truth.filter(regex=r"_responder-.*_non_responder$")
    return set(truth.index[(response.abs() > 0).any(axis=1)])


def run_setting(setting: tuple, seed: int, workers: Workers, path: Path) -> list[dict]:
    """Run what is missing of one setting and return all of it."""
    cohorts = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    seeds = [seed + number for number in range(len(cohorts), setting[2])]
    with path.open("a") as lines:
        for result in workers.map(partial(one_cohort, setting), seeds):
            cohorts.append(result)
            lines.write(json.dumps(result) + "\n")
            lines.flush()
    return cohorts[: setting[2]]


def rows_of(setting: tuple, cohorts: list[dict]) -> list[str]:
    """Return one line of the table for genes and one for modules."""
    shape, effect, _ = setting
    lines = []
    for what, planted, of in (("genes", "planted", "genes"), ("modules", "planted_members", "members")):
        significant = [cohort for cohort in cohorts if cohort["p"] is not None and cohort["p"] < ALPHA]
        called, right = (sum(cohort[key] for cohort in significant) for key in (of, planted))
        cells = [
            shape, f"{effect:g}", str(len(cohorts)), what, *share(sum(bool(cohort[what]) for cohort in significant), len(cohorts)),
            *share(sum(bool(cohort[what]) for cohort in cohorts), len(cohorts)), str(sum(cohort[what] for cohort in significant)),
            f"{right / called:.2f}" if called and effect else "",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def share(hits: int, of: int) -> tuple[str, str]:
    """Return a share and its binomial interval."""
    interval = binomtest(hits, of).proportion_ci(0.95)
    return f"{hits / of:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"


def main() -> None:
    """Run every setting and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished cohorts")
    arguments = parser.parse_args()
    arguments.kept.mkdir(exist_ok=True)
    start, rows = time.perf_counter(), []
    for number, setting in enumerate(SETTINGS):
        path = arguments.kept / f"{number}-{arguments.seed}.jsonl"
        cohorts = run_setting(setting, arguments.seed + 100_000 * number, Workers(arguments.workers), path)
        rows += rows_of(setting, cohorts)
        print(*rows[-2:], f"({time.perf_counter() - start:.0f} s)", sep="\n", flush=True)
        (HERE / "table.md").write_text("\n".join([HEAD, *rows]) + "\n")


if __name__ == "__main__":
    main()
