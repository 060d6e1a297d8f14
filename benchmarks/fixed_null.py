"""Time a relabelling null of a fixed linear pipeline against scikit-learn's, and compare every relabelling's AUROC.

    python benchmarks/fixed_null.py

The pipeline: the 200 genes of largest absolute t, standardised, and a linear rule: nearest centroid (what `train` itself uses as
its fixed form) or ridge-penalised logistic regression; all inside five folds that are drawn afresh for every labelling. Data
are simulated normal log2 values. Both sides run in this process on one core and one thread, chunk by chunk in turn, so that
both meet the same load; a ratio is the median over chunks of the peer's time per labelling over ours.

The peer is `sklearn.model_selection.permutation_test_score` of a plain `Pipeline`. Genes are ranked in two ways:

* by the ordinary t of equal variances: the peer selects with scikit-learn's `f_classif` (t squared), we with `moderated: false`;
* by limma's moderated t, the default of our builder, which scikit-learn has not: the peer gets our function of it, which is a
  good deal faster than `f_classif`, so this peer is half ours.

The peer's folds come from our `assign_folds`, its logistic regression has a tight tolerance (the default stops before the
scores have settled), and for nearest centroid it gets our estimator, there being none of scikit-learn's that gives log-odds.
Our side is what a null in `train` runs, `Procedure.statistics`, on the labellings scikit-learn drew.
"""

import argparse
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from measure import described, ratios, simulate, timed, use_one_core
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import permutation_test_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from responder_ml.classifiers.classifier import Classifier
from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import assign_folds
from responder_ml.search.workers import Workers
from responder_ml.statistics.moderated_t import moderated_t
from responder_ml.statistics.seeds import generator

GENES_KEPT = 200
C = 0.1
FOLDS = 5


class KeptGenes(Genes):
    """The gene builder whose fixed form keeps as many genes as this benchmark does."""

    fixed_length = GENES_KEPT


@dataclass(frozen=True)
class Rule:
    """A linear rule: ours with its fixed parameters, and the peer's."""

    name: str
    ours: type[Classifier]
    params: dict[str, Any]
    peer: Any


RULES = (
    Rule("nearest_centroid", NearestCentroid, {}, NearestCentroid()),
    Rule("logistic", ElasticNet, {"C": C, "l1_ratio": 0.0}, LogisticRegression(C=C, tol=1e-8, max_iter=10_000)),
)


@dataclass(frozen=True)
class Score:
    """How genes are ranked: by us with variances moderated or not, and by the peer."""

    name: str
    moderated: bool
    peer: Any


@dataclass(frozen=True)
class Size:
    """The data, and how many relabellings each chunk gives to either side."""

    samples: int
    genes: int
    chunks: int
    relabellings: int


# Units of a null in `train` hold eight labellings.
SIZES = (Size(40, 35_000, 10, 100), Size(1_000, 20_000, 5, 7))


class OurFolds:
    """Folds of the labels it is given, as our search draws them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def split(self, X: Any, y: np.ndarray, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield training and held-out rows."""
        assigned = assign_folds(y, np.zeros(len(y), dtype=int), FOLDS, generator(self.seed, "outer", 0))
        for fold in range(FOLDS):
            yield np.flatnonzero(assigned != fold), np.flatnonzero(assigned == fold)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return FOLDS


def absolute_t(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Score genes for `SelectKBest`."""
    return np.abs(moderated_t(X, y == 1, y == 0))


SCORES = (Score("ordinary t", False, f_classif), Score("moderated t", True, absolute_t))


def prepare(X: np.ndarray, score: Score, rule: Rule, seed: int) -> Procedure:
    """Return our side with everything done that no labelling changes."""
    names = np.array([f"g{index}" for index in range(X.shape[1])])
    search_data = SearchData(X, names, np.arange(len(X)), np.zeros(len(X), dtype=int))
    builder = KeptGenes(units="log2", max_genes=GENES_KEPT, moderated=score.moderated)
    candidate = Candidate("genes", builder, rule.ours, rule.params)
    return Procedure(search_data, [candidate], SearchPlan(FOLDS, 3, 0, seed), Workers(1))


def run_ours(procedure: Procedure, labellings: list[np.ndarray]) -> np.ndarray:
    """Return the AUROC of each labelling.

    The statistic is the AUROC less a millionth of the Brier score, which breaks ties; an AUROC is a whole number of half pairs.
    """
    statistics = np.concatenate(list(procedure.statistics([labelling.astype(np.int8) for labelling in labellings])))
    held_out = labellings[0].size // FOLDS
    half_pairs = 2 * FOLDS * (held_out // 2) ** 2
    return np.ceil(statistics * half_pairs) / half_pairs


def run_peer(
    X: np.ndarray, y: np.ndarray, rule: Rule, relabellings: int, seed: int, chunk: int, scorer: Any
) -> np.ndarray:
    """Return the AUROC of the observed labelling and of each permuted one."""
    pipeline = Pipeline(
        [("select", SelectKBest(scorer, k=GENES_KEPT)), ("scale", StandardScaler()), ("model", rule.peer)]
    )
    observed, permuted, _ = permutation_test_score(
        pipeline, X, y, cv=OurFolds(seed), scoring="roc_auc", n_permutations=relabellings, random_state=chunk
    )
    return np.append(observed, permuted)


def labellings_of_peer(y: np.ndarray, relabellings: int, chunk: int) -> list[np.ndarray]:
    """Return the labellings `permutation_test_score` meets under this seed."""
    rng = check_random_state(chunk)
    return [y, *(y[rng.permutation(len(y))] for _ in range(relabellings))]


def compare(size: Size, score: Score, rule: Rule, seed: int, total: int) -> str:
    """Return the row of one ranking and one rule on data of one size."""
    X, y = simulate(size.samples, size.genes, 0, 0.0, seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    setup, procedure = timed(lambda: prepare(X, score, rule, seed))
    run_ours(procedure, labellings_of_peer(y, 7, 0))
    peak = 1.0 + (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / X.nbytes
    ours, peer, differences = [], [], []
    for chunk in range(size.chunks):
        labellings = labellings_of_peer(y, size.relabellings, chunk)
        first, statistics = timed(lambda labellings=labellings: run_ours(procedure, labellings))
        there, expected = timed(lambda chunk=chunk: run_peer(X, y, rule, size.relabellings, seed, chunk, score.peer))
        second, _ = timed(lambda labellings=labellings: run_ours(procedure, labellings))
        # What is done once is shared by all the labellings of a whole null.
        ours.append((first + second) / (2 * len(labellings)) + setup / total)
        peer.append(there / len(labellings))
        differences.append(np.abs(statistics - expected))
    apart = np.concatenate(differences)
    row = (
        f"| {size.samples:,} x {size.genes:,} | {score.name} | {rule.name} | {len(apart):,} "
        f"| {1e3 * median(o.wall for o in ours):.2f} | {1e3 * median(p.wall for p in peer):.0f} | {ratios(peer, ours)} "
        f"| {np.count_nonzero(apart < 1e-12):,} | {apart.max():.1g} | {setup.wall:.2f} | {peak:.1f} |"
    )
    print(row, flush=True)
    return row


def warm_up() -> float:
    """Load what is compiled, as every null does once in each of its processes, and return how many seconds that took."""
    X, y = simulate(40, 500, 0, 0.0, 0)
    taken, _ = timed(lambda: [run_ours(prepare(X, score, rule, 0), [y]) for score in SCORES for rule in RULES])
    return taken.wall


def report(rows: list[str], loading: float, total: int, seed: int) -> str:
    """Return the page that is kept beside the script."""
    return "\n".join(
        [
            "# A relabelling null of a fixed linear pipeline, against scikit-learn",
            "",
            f"Simulated log2 values without effect. {GENES_KEPT} genes by absolute t, standardised, then nearest centroid or "
            f"ridge-penalised logistic regression (C = {C}), all inside {FOLDS} folds drawn afresh for every labelling. The peer "
            "is `permutation_test_score` of a plain `Pipeline` on the same labellings and folds. *Ordinary t*: it selects with "
            "scikit-learn's `f_classif`, we with `moderated: false`. *Moderated t*, our default, is not in scikit-learn: the "
            "peer gets our function of it in `SelectKBest`, which is faster than `f_classif`.",
            "",
            "One core and one thread each, in one process, chunks of labellings in turn (ours before and after the peer). "
            "Milliseconds per labelling, medians over chunks; the ratio is the median of ratios within a chunk, its range in "
            f"brackets. Our preparation (*setup*) is counted as its share of a null of {total:,} labellings. Where fewer "
            "than that were run, time per labelling is what scales. *Peak* is the highest growth of resident memory on our "
            "side, with the matrix itself counted, over the size of the float64 matrix, in the first row of each size (later "
            f"rows find the memory there). Loading our compiled loops took {loading:.1f} s once (some seconds more where they "
            "have never been compiled) and is in no row.",
            "",
            "| samples x genes | ranked by | rule | labellings compared | ours ms | peer ms | ratio, wall | ratio, processor "
            "| AUROCs equal | largest difference | setup s | peak |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"Command: `python benchmarks/fixed_null.py --seed {seed} --total {total}`",
            "",
            described(("numpy", "scipy", "numba", "scikit-learn")),
            "",
        ]
    )


def main() -> None:
    """Run every row and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--total", type=int, default=1_000, help="labellings in a whole null, over which setup is shared"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    use_one_core()
    with threadpool_limits(1):
        loading = warm_up()
        rows = [
            compare(size, score, rule, args.seed, args.total) for size in SIZES for score in SCORES for rule in RULES
        ]
    args.out.write_text(report(rows, loading, args.total, args.seed), encoding="utf-8")


if __name__ == "__main__":
    main()
