"""Whether the verdict keeps its promises on simulated cohorts: false evidence, nuisances, and what another seed changes.

Every cohort goes through the same steps as in ``train``: labels, plan, search, null, conditional null and verdict.

    python experiments/verdict_calibration/run.py type1 --cohorts 300 --seed 1
    python experiments/verdict_calibration/run.py nuisance --cohorts 300 --seed 1
    python experiments/verdict_calibration/run.py seeds --cohorts 200 --seed 1
    python experiments/verdict_calibration/run.py type1 --cohorts 100 --seed 1 --new-job --only "6 v 7"

Finished cohorts are kept in ``results-*.jsonl`` and not run again; the table is written beside this file.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import binom

HERE = Path(__file__).parent
GENES, SPARSE = 300, 20
# Name: subjects per class and stratum, samples of each subject, whether subjects come in pairs.
DESIGNS = {
    "6 v 7 in two strata": ([(3, 3), (3, 4)], 1, False),
    "10 v 10": ([(10, 10)], 1, False),
    "20 v 20": ([(20, 20)], 1, False),
    "unbalanced strata, 3 v 9 and 5 v 2": ([(3, 9), (5, 2)], 1, False),
    "repeated samples, 6 v 6 in two strata, 1 to 5 each": ([(3, 3), (3, 3)], 5, False),
    "8 pairs": ([(8, 8)], 1, True),
}
EFFECTS = (0.8, 1.0, 1.2, 1.5)
NONE = "none named"
# Marks tasks whose job has the builders and classifiers that `init` writes.
NEW_JOB = "new job"
SEEDS_OF_EXACT = 20
# Of cohorts with a true effect fewer are needed than of those that must not reject.
HARMLESS_SHARE = 3
# Nuisances of 10 v 10 subjects: what they do to expression, and whether they go with the class.
NUISANCES = {
    "batch 7/3 against 3/7, moves half of the genes": ("batch", True),
    "RIN higher in one class, moves half of the genes": ("rin", True),
    "two balanced batches, harmless": ("batch", False),
    "cages of three or four, harmless": ("cage", False),
    "RIN, harmless": ("rin", False),
}


def add_nuisance(cohort: AnnData, column: str, driven: bool, seed: int) -> None:
    """Write a nuisance column into the sheet of 10 v 10 subjects and, if it drives expression, move half of the genes."""
    rng = np.random.default_rng([seed, 99])
    positive = cohort.obs["response"].to_numpy() == "yes"
    position = np.concatenate([rng.permutation(10), rng.permutation(10)])
    if column == "batch":
        share = np.where(positive, 7, 3) if driven else np.full(20, 5)
        values, strength = position < share, (position < share).astype(float)
        cohort.obs[column] = np.where(values, "one", "two")
    elif column == "cage":
        strength = np.zeros(20)
        cohort.obs[column] = [f"c{cage}" for cage in rng.permutation(np.arange(20) // 3 % 6)]
    else:
        strength = rng.normal(0.0, 1.0, 20) + (1.0 * positive if driven else 0.0)
        cohort.obs[column] = np.round(8.0 + 0.5 * strength, 2)
    if driven:
        moved = np.where(np.arange(GENES) % 2 == 0, 1.0, 0.0) * rng.choice([-1.0, 1.0], GENES)
        cohort.X = cohort.X + np.outer(strength, moved)


def simulate(design: str, kind: str, effect: float, seed: int) -> AnnData:
    """Return log2 expression of one cohort; genes are correlated in 15 modules, strata differ in a third of the genes.

    ``sparse``: 20 genes differ by ``effect`` standard deviations; ``dense``: all genes by a random 0.17 times ``effect`` of one.
    """
    cells, most, paired = DESIGNS[design]
    rng = np.random.default_rng(seed)
    rows = []
    for stratum, (positive, negative) in enumerate(cells):
        rows += [("yes", stratum)] * positive + [("no", stratum)] * negative
    sheet = pd.DataFrame(rows, columns=["response", "stratum"])
    sheet["subject"] = [f"m{index:02d}" for index in range(len(sheet))]
    if paired:
        sheet["pair"] = [f"p{index}" for index in range(len(sheet) // 2)] * 2
    loadings = rng.normal(0.0, 0.6, (15, GENES)) * (rng.random((15, GENES)) < 0.1)
    values = rng.normal(0.0, 1.0, (len(sheet), GENES)) + rng.normal(0.0, 1.0, (len(sheet), 15)) @ loadings
    shift = np.zeros(GENES)
    if kind == "sparse":
        shift[:SPARSE] = effect * rng.choice([-1.0, 1.0], SPARSE)
    elif kind == "dense":
        shift = 0.17 * effect * rng.normal(0.0, 1.0, GENES)
    values += np.outer(sheet["response"] == "yes", shift)
    values += np.where(np.arange(GENES) % 3 == 0, 1.0, 0.0) * sheet["stratum"].to_numpy()[:, None]
    if paired:
        values += rng.normal(0.0, 1.5, (len(sheet) // 2, GENES))[pd.factorize(sheet["pair"])[0]]
    copies = rng.integers(1, most + 1, len(sheet))
    index = np.repeat(np.arange(len(sheet)), copies)
    values = values[index] + (rng.normal(0.0, 0.5, (len(index), GENES)) if most > 1 else 0.0)
    obs = sheet.iloc[index].reset_index(drop=True)
    obs["stratum"] = obs["stratum"].map({0: "a", 1: "b"})
    obs.insert(0, "sample", [f"s{row:03d}" for row in range(len(obs))])
    var = pd.DataFrame(index=[f"g{gene}" for gene in range(GENES)])
    units = {
        "units": "log2",
        "simulated": True,
        "source": "simulated",
        "subject_source": "column",
        "unused_samples": [],
    }
    return AnnData(values + 8.0, obs=obs.set_index("sample", drop=False), var=var, uns=units)


def judge(task: tuple) -> dict:
    """Return verdict, p and AUROC of one cohort under one seed of the job."""
    design, kind, effect, data_seed, seed, *others = task
    is_new_job, nuisance = NEW_JOB in others, [name for name in others if name != NEW_JOB]
    from responder_ml.build import prepare_job
    from responder_ml.config import JobConfig
    from responder_ml.evaluation.evidence import assess_evidence
    from responder_ml.evaluation.metrics import auroc
    from responder_ml.evaluation.procedure import Procedure
    from responder_ml.progress import Progress
    from responder_ml.search.search_data import SearchData
    from responder_ml.search.workers import Workers

    cells, _, paired = DESIGNS[design]
    endpoint = {"column": "response", "positive": "yes", "negative": "no"}
    if len(cells) > 1:
        endpoint["strata"] = ["stratum"]
    if paired:
        endpoint["pairs"] = "pair"
    if nuisance and nuisance[0] != NONE:
        endpoint["nuisance"] = [NUISANCES[nuisance[0]][0]]
    builders = ["genes"] if nuisance else ["genes", "all_genes_ridge" if is_new_job else "all_genes"]
    classifiers = ["elastic_net", "nearest_centroid"] if is_new_job else ["nearest_centroid"]
    job = JobConfig(
        name="calibration",
        cohort={"source": "table", "units": "log2"},
        endpoint=endpoint,
        builders=[{"kind": name} for name in builders],
        classifiers=[{"kind": name} for name in classifiers],
        search={"trials": 0},
        seed=seed,
    )
    cohort = simulate(design, kind, effect, data_seed)
    if nuisance and nuisance[0] != NONE:
        add_nuisance(cohort, *NUISANCES[nuisance[0]], data_seed)
    prepared = prepare_job(job, cohort)
    labelled = prepared.labelled
    procedure = Procedure(SearchData.of(labelled), prepared.feasible.candidates, prepared.feasible.plan, Workers(1))
    observed = procedure.observe(labelled.labels)
    log2 = np.asarray(labelled.expression, dtype=np.float64)
    evidence = assess_evidence(procedure, observed, labelled, prepared.null_plan, log2, Progress())
    return {
        "task": list(task),
        "level": evidence.verdict.level,
        "p": evidence.null.p_value,
        "draws": len(evidence.null.values),
        "auroc": auroc(observed.auto),
        "global_p": None if evidence.global_test is None else evidence.global_test.within_strata.p_value,
    }


def run(tasks: list[tuple], path: Path) -> list[dict]:
    """Run what is missing, unless STORED is set, and return all results, in the order of the tasks."""
    stored = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {json.dumps(result["task"]): result for result in stored}
    missing = [task for task in tasks if json.dumps(list(task)) not in done]
    if os.environ.get("STORED"):
        return [done[json.dumps(list(task))] for task in tasks if task not in missing]
    with ProcessPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool, path.open("a") as file:
        for result in pool.map(judge, missing, chunksize=2):
            file.write(json.dumps(result) + "\n")
            file.flush()
            done[json.dumps(result["task"])] = result
    return [done[json.dumps(list(task))] for task in tasks]


def type1(cohorts: int, seed: int, only: str = "", *, new_job: bool = False) -> Iterator[str]:
    """Yield the lines of the table of false evidence."""
    job = " The job is that of `init`: genes and all_genes_ridge, elastic_net and nearest_centroid." * new_job
    yield f"Cohorts without effect, seed {seed}.{job} The range holds 95 % of shares where the true rate is 0.05."
    yield ""
    yield "| design | cohorts | p <= 0.05 | range | evidence | global test p <= 0.05 | mean AUROC | mean relabellings |"
    yield "|---|---|---|---|---|---|---|---|"
    for number, design in enumerate(DESIGNS):
        if not design.startswith(only):
            continue
        first_seed = seed * 10**6 + number * 10**4
        tasks = [(design, "none", 0.0, first_seed + index, 7, *[NEW_JOB] * new_job) for index in range(cohorts)]
        results = run(tasks, HERE / "results-type1.jsonl")
        if not results:
            continue
        low, high = binom.interval(0.95, len(results), 0.05) / np.array(len(results))
        shares = [
            np.mean([result["p"] <= 0.05 for result in results]),
            np.mean([result["level"] == "evidence" for result in results]),
            np.mean([(result["global_p"] or 1.0) <= 0.05 for result in results]),
        ]
        first, *others = (f"{share:.3f}" for share in shares)
        cells = " | ".join([str(len(results)), first, f"{low:.3f} to {high:.3f}", *others])
        aurocs, draws = ([result[key] for result in results] for key in ("auroc", "draws"))
        yield f"| {design} | {cells} | {np.mean(aurocs):.3f} | {np.mean(draws):.0f} |"


def nuisances(cohorts: int, seed: int, only: str = "", effect: float = 1.5) -> Iterator[str]:
    """Yield the lines of the table of nuisances: false evidence where they explain all, results lost where they do no harm."""
    harmless = cohorts // HARMLESS_SHARE
    yield f"Cohorts of 10 v 10, seed {seed}; one candidate, genes+nearest_centroid. {cohorts} cohorts with each harmful nuisance"
    yield f"and no effect beside it; {harmless} with each harmless one, in which 20 genes differ by {effect:g} standard deviations,"
    yield "and the same without naming it."
    yield ""
    yield "| nuisance | p <= 0.05 | evidence | confounded | not separable | undecided | evidence lost by naming it |"
    yield "|---|---|---|---|---|---|---|"
    for number, (name, (_, driven)) in enumerate(NUISANCES.items()):
        if not name.endswith(only):
            continue
        # Harmless columns are written beside the same cohorts.
        start = seed * 10**6 + (number + 30 if driven else 40) * 10**4
        kind = ("none", 0.0) if driven else ("sparse", effect)
        tasks = [("10 v 10", *kind, start + index, 7, name) for index in range(cohorts if driven else harmless)]
        results = run(tasks, HERE / "results-nuisance.jsonl")
        levels = ("evidence", "confounded", "not_separable", "undecided")
        shares = [np.mean([result["p"] <= 0.05 for result in results])]
        shares += [np.mean([result["level"] == level for result in results]) for level in levels]
        lost = "| "
        if not driven:
            plain = run([(*task[:-1], NONE) for task in tasks], HERE / "results-nuisance.jsonl")
            both = [(one["level"], other["level"]) for one, other in zip(plain, results, strict=True)]
            with_evidence = [other for one, other in both if one == "evidence"]
            lost = f"| {np.mean([level != 'evidence' for level in with_evidence]):.3f} of {len(with_evidence)} "
        yield f"| {name} | " + " | ".join(f"{share:.3f}" for share in shares) + f" {lost}|"


def seeds(cohorts: int, seed: int) -> Iterator[str]:
    """Yield the lines of the table of verdicts under five seeds."""
    effects = ", ".join(map(str, EFFECTS))
    yield f"{cohorts} cohorts each under five seeds of the job, seed {seed}; half sparse, half dense effects of {effects}."
    yield f"At 6 v 7 nothing is drawn at random: there five seeds are run on the first {SEEDS_OF_EXACT} cohorts, one on the others."
    yield ""
    yield "| design | effect | verdicts differ between seeds | of these with undecided | evidence | best of five has evidence |"
    yield "|---|---|---|---|---|---|"
    for number, design in enumerate(("6 v 7 in two strata", "10 v 10")):
        for with_effect in (True, False):
            tasks = []
            for index in range(cohorts):
                kind = ("sparse", "dense")[index % 2] if with_effect else "none"
                effect = EFFECTS[index // 2 % 4] if with_effect else 0.0
                data_seed = seed * 10**6 + (number + 10) * 10**4 + 2000 * with_effect + index
                exact = design == "6 v 7 in two strata" and index >= SEEDS_OF_EXACT
                tasks += [(design, kind, effect, data_seed, job_seed) for job_seed in range(1, 2 if exact else 6)]
            by_data: dict[int, list[dict]] = {}
            for result in run(tasks, HERE / "results-seeds.jsonl"):
                by_data.setdefault(result["task"][3], []).append(result)
            groups = list(by_data.values())
            levels = [Counter(result["level"] for result in group) for group in groups]
            differ, undecided = (
                np.mean([len(of_group) > 1 for of_group in levels]),
                np.mean([len(of_group) > 1 and "undecided" in of_group for of_group in levels]),
            )
            evidence = np.mean([np.mean([result["level"] == "evidence" for result in group]) for group in groups])
            best = np.mean([any(result["level"] == "evidence" for result in group) for group in groups])
            name = "0.8 to 1.5" if with_effect else "none"
            yield f"| {design} | {name} | {differ:.3f} | {undecided:.3f} | {evidence:.3f} | {best:.3f} |"


def main() -> None:
    """Run one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=("type1", "nuisance", "seeds"))
    parser.add_argument("--cohorts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only",
        default="",
        help="designs of type1 whose names begin so, or nuisances whose names end so, in a table of their own",
    )
    parser.add_argument(
        "--new-job", action="store_true", help="type1: with the builders and classifiers that `init` writes"
    )
    parser.add_argument("--effect", type=float, default=1.5, help="of the cohorts with a harmless nuisance")
    args = parser.parse_args()
    lines = {
        "type1": lambda: type1(args.cohorts, args.seed, args.only, new_job=args.new_job),
        "nuisance": lambda: nuisances(args.cohorts, args.seed, args.only, args.effect),
        "seeds": lambda: seeds(args.cohorts, args.seed),
    }[args.table]()
    only = " --new-job" * args.new_job
    only += f' --only "{args.only}"' if args.only else ""
    only += f" --effect {args.effect:g}" if args.effect != parser.get_default("effect") else ""
    command = f"`python experiments/verdict_calibration/run.py {args.table} --cohorts {args.cohorts} --seed {args.seed}{only}`"
    lines = ["Simulated data.", "", command, "", *lines, ""]
    suffix = f"-{args.only}-{args.seed if args.table == 'type1' else args.effect}" if args.only else ""
    suffix = "-new-job" if args.new_job else suffix
    (HERE / f"{args.table}{suffix}.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
