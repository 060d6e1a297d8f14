"""How often does the headline's test reject where there is an effect, and how often do other tests of the same labellings?

Every data set is relabelled 199 times; the observed labelling and these go through the whole procedure (fixed forms, as for so few
subjects) and through every competitor, so all p values stand on the same labellings. Finished data sets are kept in a file
beside this one, so an interrupted run resumes.

    python experiments/power/run.py --seed 20261128
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.global_test import (
    distances_between,
    energy_statistics,
    expressed_genes,
    standardise_within,
)
from responder_ml.evaluation.p_values import exact_p
from responder_ml.evaluation.procedure import Procedure
from responder_ml.evaluation.relabel import draw_labellings
from responder_ml.evaluation.separation import AUTO_AUROC, Standard
from responder_ml.evaluation.small_n import fit_plan_to_n
from responder_ml.features.builders import BUILDERS
from responder_ml.features.normalise import log2_expression
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
ALPHA, RELABELLINGS, GENES = 0.05, 199, 1_500
SIZES = {"6 v 7": (6, 7), "10 v 10": (10, 10)}
# (phenotype, drug, response) cells of the simulator; the drug stays in, as a stratum.
DRUGS = {"6 v 7": {"imipramine": (3, 4), "ketamine": (3, 3)}, "10 v 10": {"imipramine": (5, 5), "ketamine": (5, 5)}}
TOP_GENES, TOP_T, MODULES = 20, 50, 30
FOLDS, REPEATS = 5, 10
SOFTNESSES = (1, 2, 3, 5, 8)
OWN = ("AUROC of auto", "auto alone", "plain maximum", *(f"soft maximum, {softness}" for softness in SOFTNESSES))


@dataclass(frozen=True)
class Cell:
    """One row of the table: a kind of data, a size, a size of effect."""

    kind: str
    size: str
    effect: float


CELLS = [
    Cell("none", "6 v 7", 0.0), Cell("none", "10 v 10", 0.0),
    Cell("simulator", "6 v 7", 1.1), Cell("simulator", "10 v 10", 0.8),
    Cell("sparse", "6 v 7", 1.7), Cell("sparse", "10 v 10", 1.2),
    Cell("dense", "6 v 7", 0.24), Cell("dense", "10 v 10", 0.18),
    Cell("latent", "6 v 7", 2.2), Cell("latent", "10 v 10", 1.3),
]  # fmt: skip


def make_data(cell: Cell, seed: int):
    """Return one labelled cohort and its gene sets."""
    if cell.kind == "simulator":
        cells = {
            ("susceptible", drug, response): count
            for drug, counts in DRUGS[cell.size].items()
            for response, count in zip(("responder", "non_responder"), counts, strict=True)
        }
        cohort = simulate_cohort(seed=seed, effect=cell.effect, n_genes=GENES, cells=cells, regions=["PFC"])
        return label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",))), cohort.uns[
            "gene_sets"
        ]
    rng = np.random.default_rng(seed)
    positives, negatives = SIZES[cell.size]
    labels = np.repeat([1, 0], [positives, negatives])
    values = draw_values(cell, labels, rng)
    sheet = pd.DataFrame({"sample": [f"s{index}" for index in range(len(labels))]})
    sheet["subject"], sheet["response"] = sheet["sample"], np.where(labels, "yes", "no")
    cohort = AnnData(
        X=values,
        obs=sheet.set_axis(sheet["sample"].to_numpy(), axis=0),
        var=pd.DataFrame(index=[f"g{index}" for index in range(GENES)]),
        uns={"units": "log2", "unused_samples": []},
    )
    return label_cohort(cohort, Endpoint("response", "yes", "no")), None


def draw_values(cell: Cell, labels, rng):
    """Return log2 expression with unit noise and modules of correlated genes, and the cell's effect."""
    values = rng.normal(size=(len(labels), GENES))
    for _ in range(MODULES):
        members = rng.choice(GENES, GENES // 40, replace=False)
        values[:, members] += np.outer(rng.normal(size=len(labels)), rng.normal(0, 0.6, len(members)))
    if cell.kind == "sparse":  # 20 genes, up or down
        members = rng.choice(GENES, 20, replace=False)
        values[:, members] += np.outer(labels, cell.effect * rng.choice([-1, 1], 20))
    elif cell.kind == "dense":  # every gene a little
        values += np.outer(labels, cell.effect * rng.normal(size=GENES))
    elif cell.kind == "latent":  # a factor of all genes, whose mean shifts
        values += np.outer(rng.normal(size=len(labels)) + cell.effect * labels, 0.25 * rng.normal(size=GENES))
    return values + 8.0


def make_builders(labelled, gene_sets, names: Sequence[str], folder: Path) -> dict:
    """Return builders by name, and that of the gene sets where there are any, whose file is written into ``folder``."""
    units = str(labelled.cohort.uns["units"])
    builders = {name: BUILDERS[name](units=units) for name in names}
    if gene_sets is not None:
        path = folder / "sets.gmt"
        path.write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in gene_sets.items()))
        builders["gene_sets"] = BUILDERS["gene_sets"](units=units, path=str(path))
    return builders


def make_procedure(labelled, gene_sets, seed: int, folder: Path) -> Procedure:
    """Return the package's procedure: every builder that these data allow x two classifiers, in their fixed forms."""
    builders = make_builders(labelled, gene_sets, ("genes", "all_genes", "derived"), folder)
    candidates = [
        Candidate(name, builder, CLASSIFIERS[classifier])
        for name, builder in builders.items()
        for classifier in ("elastic_net", "nearest_centroid")
    ]
    positives = int(labelled.labels.sum())
    plan = SearchPlan(FOLDS, 3, 0, seed, repeats=REPEATS, complete=True)
    feasible = fit_plan_to_n(plan, candidates, positives, len(labelled.labels) - positives)
    return Procedure(SearchData.of(labelled), feasible.candidates, feasible.plan, Workers(1))


def global_statistics(log2, labellings, strata) -> dict:
    """Return the statistics of tests that train nothing; expression is centred within strata."""
    standardised = standardise_within(log2, strata)
    scale = log2 - np.stack([log2[strata == code].mean(axis=0) for code in strata])
    products, squares = scale @ scale.T, np.einsum("ij,ij->i", scale, scale)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0))
    ones = labellings.astype(float)
    share = np.stack([ones[:, strata == code].mean(axis=1) for code in strata], axis=1)
    residuals, n_positive, n_negative = ones - share, ones[0].sum(), (1 - ones[0]).sum()

    def quadratic(table, weights):
        return np.einsum("ij,ij->i", weights @ table, weights)

    within = quadratic(distances**2, ones) / n_positive + quadratic(distances**2, 1 - ones) / n_negative
    energy = 2 * np.einsum("ij,ij->i", ones @ distances, 1 - ones) / (n_positive * n_negative)
    energy -= quadratic(distances, ones) / n_positive**2 + quadratic(distances, 1 - ones) / n_negative**2
    return {
        "global test": energy_statistics(distances_between(standardised), labellings, strata),
        "energy": energy,
        "globaltest": quadratic(standardised @ standardised.T, residuals),
        "PERMANOVA": -within,
        "top t squared": np.array([top_t_squared(scale, labels == 1) for labels in labellings]),
    }


def top_t_squared(values, positive) -> float:
    """Return the sum of the largest squared moderated differences."""
    one, other = values[positive], values[~positive]
    variance = (len(one) * one.var(axis=0) + len(other) * other.var(axis=0)) / (len(values) - 2)
    squares = (one.mean(axis=0) - other.mean(axis=0)) ** 2 / (variance + np.median(variance))
    return float(np.sort(squares)[-TOP_T:].sum())


def pooled_centroids(log2, labellings, seed: int):
    """Return the AUROC of the pooled decisions of a nearest centroid of 20 genes under each labelling; ties by their means."""
    rng, decisions = np.random.default_rng(seed), np.zeros(labellings.shape)
    values = log2 - log2.mean(axis=0)
    for _ in range(REPEATS):
        order, offset = rng.permutation(len(values)), int(rng.integers(FOLDS))
        # Positive subjects are assigned to folds in turn, then the negative ones, both in random order.
        in_turn = order[np.argsort(1 - labellings[:, order], axis=1, kind="stable")]
        fold = np.empty(labellings.shape, dtype=int)
        np.put_along_axis(fold, in_turn, ((offset + np.arange(len(values))) % FOLDS)[None], axis=1)
        for number in range(FOLDS):
            decisions += np.where(fold == number, centroid_decisions(values, labellings, fold != number), 0.0)
    statistics = []
    for labels, decided in zip(labellings, decisions, strict=True):
        difference = decided[labels == 1][:, None] - decided[labels == 0]
        statistics.append(np.sign(difference).mean() + 1e-6 * difference.mean())
    return np.array(statistics)


def centroid_decisions(values, labellings, train):
    """Return the decisions on all subjects of centroids learnt from some of them, under each labelling (rows of all three)."""
    one, other = train & (labellings == 1), train & (labellings == 0)
    means, squares = [], 0.0
    for members in (one, other):
        counts = members.sum(axis=1, keepdims=True)
        means.append(members @ values / counts)
        squares = squares + members @ values**2 - counts * means[-1] ** 2
    variance = squares / (train.sum(axis=1, keepdims=True) - 2)
    variance = 0.5 * variance + 0.5 * np.median(variance, axis=1, keepdims=True)
    difference = means[0] - means[1]
    top = np.argpartition(-(difference**2) / variance, TOP_GENES, axis=1)[:, :TOP_GENES]
    difference, variance, middle = (
        np.take_along_axis(part, top, axis=1) for part in (difference, variance, (means[0] + means[1]) / 2)
    )
    weights = difference / variance
    noise = np.sqrt(np.sum(weights**2 * variance, axis=1))
    of_genes = values[:, top.ravel()].reshape(len(values), *top.shape)
    return (np.einsum("slg,lg->ls", of_genes, weights) - np.sum(middle * weights, axis=1)[:, None]) / noise[:, None]


def own_statistics(measured) -> dict:
    """Return the package's test statistic, and what else could be made of the same decisions."""
    standard = Standard.of(measured)
    z = standard.standardised(measured)
    soft = {f"soft maximum, {softness}": np.logaddexp.reduce(softness * z, axis=1) for softness in SOFTNESSES}
    return {
        "headline": standard.soft_maximum(measured),
        "AUROC of auto": measured[:, AUTO_AUROC],
        "auto alone": z[:, 0],
        "plain maximum": z.max(axis=1),
        **soft,
    }


def one_data_set(cell: Cell, seed: int) -> dict:
    """Return the p value of every test for one data set."""
    labelled, gene_sets = make_data(cell, seed)
    relabelled = draw_labellings(labelled.labels, labelled.strata, RELABELLINGS, np.random.default_rng([seed, 1]))
    labellings = np.concatenate([labelled.labels[None], relabelled])
    log2 = log2_expression(labelled.expression, str(labelled.cohort.uns["units"]))[:, expressed_genes(labelled)]
    statistics = global_statistics(log2, labellings, labelled.strata)
    statistics["nearest centroid, pooled"] = pooled_centroids(log2, labellings, seed)
    with tempfile.TemporaryDirectory() as folder:
        procedure = make_procedure(labelled, gene_sets, seed, Path(folder))
        statistics.update(own_statistics(np.concatenate(list(procedure.statistics(list(labellings))))))
    return {name: exact_p(values, float(values[0])) for name, values in statistics.items()}


def run_cell(cell: Cell, data_sets: int, seed: int, workers: Workers, path: Path) -> pd.DataFrame:
    """Run what is missing of one cell and return all of it."""
    results = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    seeds = [seed + number for number in range(len(results), data_sets)]
    with path.open("a") as lines:
        for result in workers.map(partial(one_data_set, cell), seeds):
            results.append(result)
            lines.write(json.dumps(result) + "\n")
            lines.flush()
    return pd.DataFrame(results[:data_sets])


def row(cell: Cell, p_values: pd.DataFrame) -> dict:
    """Return one row of the table: the share of data sets in which each test has p <= 0.05."""
    share = (p_values <= ALPHA).mean()
    rivals = share.drop(["headline", "global test", *OWN])
    return {
        "data": cell.kind, "subjects": cell.size, "effect": f"{cell.effect:g}", "data sets": len(p_values),
        "headline": f"{share['headline']:.3f}", "best rival": f"{rivals.max():.3f} ({rivals.idxmax()})",
        "difference": f"{share['headline'] - rivals.max():+.3f}", "global test": f"{share['global test']:.3f}",
        **{name: f"{rivals[name]:.3f}" for name in rivals.index},
        **{name: f"{share[name]:.3f}" for name in OWN},
    }  # fmt: skip


def main() -> None:
    """Run every cell and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data-sets", type=int, default=200)
    parser.add_argument("--workers", type=int, default=-1)
    parser.add_argument("--kept", type=Path, default=HERE / "kept", help="folder of finished data sets")
    parser.add_argument("--table", type=Path, default=HERE / "table.md")
    arguments = parser.parse_args()
    arguments.kept.mkdir(exist_ok=True)
    rows, start = [], time.perf_counter()
    for number, cell in enumerate(CELLS):
        path = arguments.kept / f"{cell.kind}-{cell.size.replace(' ', '')}-{cell.effect:g}-{arguments.seed}.jsonl"
        p_values = run_cell(
            cell, arguments.data_sets, arguments.seed + 100_000 * number, Workers(arguments.workers), path
        )
        rows.append(row(cell, p_values))
        print(rows[-1], f"({time.perf_counter() - start:.0f} s)", flush=True)
        command = f"`python experiments/power/run.py --seed {arguments.seed} --data-sets {arguments.data_sets}`"
        lines = [f"Simulated data. {command}", "", "| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
        lines += ["| " + " | ".join(map(str, cells.values())) + " |" for cells in rows]
        arguments.table.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
