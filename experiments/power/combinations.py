"""Which function of the decisions of all candidates, and of the global test, has most power as the test statistic?

The data sets are of the kinds of `run.py` and of other seeds. Decisions of every candidate under 199 relabellings are computed
once, and every statistic is made of them. p values of finished data sets are kept, so an interrupted run resumes.

    python experiments/power/combinations.py --seed 20261129
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from run import ALPHA, CELLS, FOLDS, GENES, RELABELLINGS, REPEATS, Cell, global_statistics, make_builders, make_data
from scipy.stats import norm

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.evaluation.global_test import expressed_genes
from responder_ml.evaluation.p_values import exact_p
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.evaluation.separation import separations
from responder_ml.evaluation.small_n import fit_plan_to_n
from responder_ml.features.normalise import log2_expression
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.shared_gaps import share_with_gaps
from responder_ml.search.splits import EverySubject
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
EFFECTS = [cell for cell in CELLS if cell.effect]
ENERGY = "global test"
FEW = ("genes", "derived", "gene_sets")
"""Builders that rest on lists of genes."""
# Labellings that are searched together.
BLOCK = 8


def decisions_of(labelled, gene_sets, seed: int, labellings) -> dict[str, np.ndarray]:
    """Return the decisions of each candidate, mean over repeats, labellings x subjects."""
    names = ("genes", "all_genes", "derived", "all_genes_ridge")
    with tempfile.TemporaryDirectory() as folder:
        builders = make_builders(labelled, gene_sets, names, Path(folder))
        # Of one column both classifiers say the same.
        candidates = [
            Candidate(name, builder, CLASSIFIERS[classifier])
            for name, builder in builders.items()
            for classifier in ("elastic_net", "nearest_centroid")
            if not (name.startswith("all_genes") and classifier == "elastic_net")
        ]
        data, positives = SearchData.of(labelled), int(labelled.labels.sum())
        plan = SearchPlan(FOLDS, 3, 0, seed, repeats=REPEATS, complete=True)
        feasible = fit_plan_to_n(plan, candidates, positives, len(labelled.labels) - positives)
        shared = {name: share_with_gaps(builder, data) for name, builder in builders.items()}
        search = partial(
            search_draws, data, shared, feasible.candidates, feasible.plan,
            split=EverySubject(data.n_subjects, data.block_of),
        )  # fmt: skip
        means = []
        for start in range(0, len(labellings), BLOCK):
            draws = [
                Draw(labels, repeat)
                for labels in labellings[start : start + BLOCK]
                for repeat in range(feasible.plan.repeats)
            ]
            decided = np.stack([result.decisions for result in search(draws)])
            means.append(decided.reshape(-1, feasible.plan.repeats, *decided.shape[1:]).mean(axis=1))
    of_candidates = np.concatenate(means).transpose(1, 0, 2)
    return {candidate.name: values for candidate, values in zip(feasible.candidates, of_candidates, strict=True)}


def standardised(statistic: np.ndarray) -> np.ndarray:
    """Return a statistic less its mean over labellings over its standard deviation there."""
    return (statistic - statistic.mean()) / max(float(statistic.std()), 1e-9)


def soft_maximum(members: list[np.ndarray], softness: float) -> np.ndarray:
    """Return the soft maximum of standardised statistics, for each labelling."""
    scaled = softness * np.stack([standardised(member) for member in members])
    return np.logaddexp.reduce(scaled, axis=0)


class DataSet:
    """What one data set offers as members of a test statistic; every statistic is an array over labellings."""

    def __init__(self, cell: Cell, seed: int) -> None:
        labelled, gene_sets = make_data(cell, seed)
        rng = np.random.default_rng([seed, 1])
        drawn = draw_labellings(labelled.labels, labelled.strata, RELABELLINGS, rng)
        self.labellings, self.strata = np.concatenate([labelled.labels[None], drawn]), labelled.strata
        log2 = log2_expression(labelled.expression, str(labelled.cohort.uns["units"]))[:, expressed_genes(labelled)]
        self.global_statistics = global_statistics(log2, self.labellings, self.strata)
        self.decisions = decisions_of(labelled, gene_sets, seed, self.labellings)
        self.separation = {name: self._separation(values) for name, values in self.decisions.items()}

    def _separation(self, decisions: np.ndarray) -> np.ndarray:
        of_labellings = zip(self.labellings, decisions, strict=True)
        return np.array([separations(labels, row[None], self.strata)[0] for labels, row in of_labellings])

    def members(self, *builders: str) -> list[str]:
        """Return the candidates of some builders; one of a single column counts twice, as with two classifiers."""
        names = [name for name in self.decisions if name.partition("+")[0] in builders]
        return names + [name for name in names if name.startswith("all_genes")]

    def auto(self, *builders: str, scaled: bool = False) -> np.ndarray:
        """Return the separation of the mean of candidates, each divided by the spread of its decisions if ``scaled``."""
        parts = [self.decisions[name] for name in self.members(*builders)]
        if scaled:
            parts = [part / np.maximum(part.std(axis=1, keepdims=True), 1e-12) for part in parts]
        return self._separation(np.mean(parts, axis=0))

    def of_list(self, *builders: str, scaled: bool = False, energy: bool = False) -> list[np.ndarray]:
        """Return the separations of auto and its candidates, and the energy statistic if it takes part."""
        members = [self.auto(*builders, scaled=scaled), *(self.separation[name] for name in self.members(*builders))]
        return members + [self.global_statistics[ENERGY]] * energy


FORMER = ("all_genes", *FEW)
NEW_JOB = ("genes", "gene_sets", "all_genes_ridge")
STATISTICS: dict[str, Callable[[DataSet], np.ndarray]] = {
    "the test statistic: soft maximum of auto and candidates": lambda data: soft_maximum(data.of_list(*FORMER), 3),
    "the same with the energy statistic": lambda data: soft_maximum(data.of_list(*FORMER, energy=True), 3),
    "the same with the energy statistic, softness 1": lambda data: soft_maximum(data.of_list(*FORMER, energy=True), 1),
    "log-odds of equal spread in auto": lambda data: soft_maximum(data.of_list(*FORMER, scaled=True), 3),
    "auto and the energy statistic only": lambda data: soft_maximum(
        [data.auto(*FORMER), data.global_statistics[ENERGY]], 3
    ),
    "lists of genes as one, and the energy statistic": lambda data: soft_maximum(
        [data.auto(*FEW), data.global_statistics[ENERGY]], 2
    ),
    "lists of genes as one, and all genes": lambda data: soft_maximum(
        [data.auto(*FEW), data.separation["all_genes+nearest_centroid"]], 2
    ),
    "builders of a new job": lambda data: soft_maximum(data.of_list(*NEW_JOB), 3),
    "builders of a new job, with the energy statistic": lambda data: soft_maximum(
        data.of_list(*NEW_JOB, energy=True), 3
    ),
    "auto alone": lambda data: data.auto(*FORMER),
    "auto alone, log-odds of equal spread": lambda data: data.auto(*FORMER, scaled=True),
    "genes and nearest centroid alone": lambda data: data.separation["genes+nearest_centroid"],
    "all genes alone": lambda data: data.separation["all_genes+nearest_centroid"],
    "ridge on all genes alone": lambda data: data.separation["all_genes_ridge+nearest_centroid"],
    **{
        f"{name} (trains nothing)": lambda data, name=name: data.global_statistics[name]
        for name in (ENERGY, "globaltest", "PERMANOVA", "top t squared")
    },
}


def one_data_set(cell: Cell, seed: int) -> dict[str, float]:
    """Return the p of every statistic."""
    data = DataSet(cell, seed)
    return {
        name: exact_p(values, float(values[0]))
        for name, values in ((name, statistic(data)) for name, statistic in STATISTICS.items())
    }


def table(p_values: dict[Cell, list[dict[str, float]]], command: str) -> str:
    """Return the table: the share of data sets with p <= 0.05, its mean over rows, and the mean probit of p."""
    cells = list(p_values)
    titles = [f"{cell.kind} {cell.size} ({len(p_values[cell])})" for cell in cells]
    lines = [
        f"Simulated data of {GENES:,} genes. {command} In brackets: data sets. The standard error of a share of 24 is about 0.09;",
        "rows stand on the same data sets. Probit: the normal deviate of p, mean over all data sets.", "",
        "| statistic | " + " | ".join(titles) + " | mean | probit |", "|---|" + "---|" * (len(cells) + 2),
    ]  # fmt: skip
    for name in STATISTICS:
        of_cells = [np.array([result[name] for result in p_values[cell]]) for cell in cells]
        shares = [float(np.mean(p <= ALPHA)) for p in of_cells]
        deviates = -norm.ppf(np.clip(np.concatenate(of_cells), 1e-3, 1 - 1e-3))
        numbers = [f"{share:.2f}" for share in shares] + [f"{np.mean(shares):.3f}", f"{deviates.mean():.3f}"]
        lines.append(f"| {name} | {' | '.join(numbers)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data-sets", type=int, default=24, help="of each kind and size")
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished data sets")
    arguments = parser.parse_args()
    arguments.kept.mkdir(exist_ok=True)
    path, start = arguments.kept / f"combinations-{arguments.seed}.jsonl", time.perf_counter()
    stored = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(entry["cell"], entry["number"]): entry["p"] for entry in stored}
    workers = Workers(arguments.workers)
    # A few data sets of every kind at a time, so that the table can be read before it is whole.
    with path.open("a") as lines:
        for first in range(0, arguments.data_sets, 4):
            for index, cell in enumerate(EFFECTS):
                missing = [
                    number
                    for number in range(first, min(first + 4, arguments.data_sets))
                    if (index, number) not in done
                ]
                seeds = [arguments.seed + 100_000 * (index + 1) + number for number in missing]
                for number, p in zip(missing, workers.map(partial(one_data_set, cell), seeds), strict=True):
                    done[index, number] = p
                    lines.write(json.dumps({"cell": index, "number": number, "p": p}) + "\n")
                    lines.flush()
            p_values = {
                cell: [p for (of_cell, _), p in sorted(done.items()) if of_cell == index]
                for index, cell in enumerate(EFFECTS)
            }
            command = (
                f"`python experiments/power/combinations.py --seed {arguments.seed} --data-sets {arguments.data_sets}`."
            )
            (HERE / "combinations.md").write_text(table(p_values, command))
            print(
                f"{min(first + 4, arguments.data_sets)} of {arguments.data_sets}, {time.perf_counter() - start:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
