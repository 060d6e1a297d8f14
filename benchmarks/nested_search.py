"""Time the nested search against a plain scikit-learn pipeline searched by Optuna, and compare their out-of-fold scores.

    python benchmarks/nested_search.py

5 outer folds x 3 repeats, 3 inner folds, 25 trials of the seeded TPE sampler: 1,140 fits. Data are simulated normal log2
values with a planted effect. Both sides run in this process on one core and one thread, repeat by repeat in turn, so that both
meet the same load; a ratio is the median over repeats of the peer's time over ours.

The peer is written as one would by hand: log2 values come in, `SelectKBest` with our function of moderated t and `StandardScaler`
on the selected columns only, scikit-learn's or xgboost's own classifier with settings equal to ours, and one in-memory Optuna
study per outer fold with the same sampler, seed, distributions and splits. Solvers are converged tightly on both sides, and
objectives rounded to ten digits, for TPE turns the last bit of an AUROC into another sequence of trials.
"""

import argparse
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from measure import Timed, described, ratios, simulate, timed, use_one_core
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, DrawResult, SearchPlan
from responder_ml.search.nested import search_draws
from responder_ml.search.search_data import SearchData
from responder_ml.search.splits import assign_folds
from responder_ml.search.tune import InnerScore, tune
from responder_ml.statistics.moderated_t import moderated_t
from responder_ml.statistics.seeds import generator, integer_seed

REPEATS = 3
PLANTED, EFFECT = 50, 0.5


@dataclass(frozen=True)
class Contest:
    """One classifier: ours by name, and the peer's with the same settings."""

    name: str
    fixed: dict[str, Any]
    peer: Callable[[dict[str, Any]], Any]
    decide: Callable[[Pipeline, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Size:
    """The data, what competes on them, and how many outer folds of each repeat the peer is given."""

    samples: int
    genes: int
    contests: tuple[str, ...]
    peer_folds: int


SIZES = (Size(40, 35_000, ("elastic_net", "linear_svm", "xgboost"), 5), Size(1_000, 20_000, ("elastic_net",), 1))


def decide_linear(pipeline: Pipeline, X: np.ndarray) -> np.ndarray:
    """Return the decision of a linear model."""
    return pipeline.decision_function(X)


def decide_trees(pipeline: Pipeline, X: np.ndarray) -> np.ndarray:
    """Return the log-odds of boosted trees."""
    return pipeline[-1].predict(pipeline[:-1].transform(X), output_margin=True)


CONTESTS = {
    entry.name: entry
    for entry in (
        Contest(
            "elastic_net",
            {"l1_ratio": 0.0},
            lambda params: LogisticRegression(C=params["C"], tol=1e-8, max_iter=100_000),
            decide_linear,
        ),
        Contest("linear_svm", {}, lambda params: SVC(kernel="linear", C=params["C"], tol=1e-5), decide_linear),
        Contest(
            "xgboost",
            {},
            lambda params: XGBClassifier(
                n_estimators=50,
                max_depth=params["max_depth"],
                learning_rate=params["learning_rate"],
                min_child_weight=params["min_child_weight"],
                colsample_bytree=0.3,
                reg_lambda=1.0,
                tree_method="hist",
                random_state=0,
                n_jobs=1,
            ),
            decide_trees,
        ),
    )
}


def absolute_t(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Score genes for `SelectKBest`."""
    return np.abs(moderated_t(X, y == 1, y == 0))


class Job:
    """One contest on one data set."""

    def __init__(self, contest: Contest, X: np.ndarray, y: np.ndarray, seed: int) -> None:
        self.contest, self.X, self.y = contest, X, y
        self.plan = SearchPlan(folds=5, inner_folds=3, trials=25, seed=seed)
        self.builder = Genes(units="log2")
        self.candidate = Candidate("genes", self.builder, CLASSIFIERS[contest.name], contest.fixed)
        self.defaults = CLASSIFIERS[contest.name]().get_params()
        names = np.array([f"g{index}" for index in range(X.shape[1])])
        self.search_data = SearchData(X, names, np.arange(len(X)), np.zeros(len(X), dtype=int))

    def share(self) -> dict[str, Any]:
        """Do what no training set changes."""
        return {"genes": self.builder.share(self.X, self.search_data.genes)}

    def run_ours(self, shared: dict[str, Any], repeat: int) -> DrawResult:
        """Search all outer folds of one repeat."""
        draw = Draw(self.y.astype(np.int8), repeat)
        return search_draws(self.search_data, shared, [self.candidate], self.plan, [draw])[0]

    def run_peer(self, repeat: int, folds: int) -> np.ndarray:
        """Search some outer folds of one repeat; return their out-of-fold decisions."""
        decisions = np.full(len(self.y), np.nan)
        outer = self._folds(None, self.plan.folds, "outer", repeat)
        for fold in range(folds):
            train, test = np.flatnonzero(outer != fold), np.flatnonzero(outer == fold)
            inner = self._folds(outer != fold, self.plan.inner_folds, "inner", fold, repeat)
            best = self._tune(train, inner[train], repeat, fold)
            pipeline = self._pipeline(best).fit(self.X[train], self.y[train])
            decisions[test] = self.contest.decide(pipeline, self.X[test])
        return decisions

    def _tune(self, train: np.ndarray, inner: np.ndarray, repeat: int, fold: int) -> dict[str, Any]:
        def score(params: dict[str, Any]) -> InnerScore:
            aurocs, losses = [], []
            for held_out in range(self.plan.inner_folds):
                fit, test = train[inner != held_out], train[inner == held_out]
                pipeline = self._pipeline(self.defaults | params).fit(self.X[fit], self.y[fit])
                decisions = self.contest.decide(pipeline, self.X[test])
                aurocs.append(roc_auc_score(self.y[test], decisions))
                losses.append(np.mean(np.logaddexp(0.0, np.where(self.y[test] == 1, -1.0, 1.0) * decisions)))
            return InnerScore(np.array(aurocs), float(np.mean(losses)))

        return (
            self.defaults
            | tune(
                self.candidate.space(self.builder.max_genes, len(train)),
                lambda settings: [score(dict(params)) for params in settings],
                trials=self.plan.trials,
                seed=integer_seed(self.plan.seed, "tune", self.candidate.name),
                inner_folds=self.plan.inner_folds,
                fixed=self.candidate.fixed_form_params(self.builder.max_genes),
            ).params
        )

    def _pipeline(self, params: dict[str, Any]) -> Pipeline:
        return Pipeline(
            [
                ("select", SelectKBest(absolute_t, k=params["n_features"])),
                ("scale", StandardScaler()),
                ("model", self.contest.peer(params)),
            ]
        )

    def _folds(self, members: np.ndarray | None, folds: int, *names: str | int) -> np.ndarray:
        rng = generator(self.plan.seed, *names)
        return assign_folds(self.y, np.zeros(len(self.y), dtype=int), folds, rng, members)


def compare(contest: Contest, size: Size, seed: int, repeats: int) -> str:
    """Return the row of one contest on data of one size."""
    X, y = simulate(size.samples, size.genes, PLANTED, EFFECT, seed)
    job = Job(contest, X, y, seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    setup, shared = timed(job.share)
    job.run_ours(shared, 0)
    peak = 1.0 + (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / X.nbytes
    ours: list[Timed] = []
    peer: list[Timed] = []
    apart, scale = [], []
    for repeat in range(repeats):
        first, aurocs = timed(lambda repeat=repeat: job.run_ours(shared, repeat))
        there, expected = timed(lambda repeat=repeat: job.run_peer(repeat, size.peer_folds))
        second, _ = timed(lambda repeat=repeat: job.run_ours(shared, repeat))
        ours.append((first + second) / 2 + setup / REPEATS)
        peer.append(there / (size.peer_folds / job.plan.folds))
        done = ~np.isnan(expected)
        apart.append(np.abs(aurocs.decisions[0] - expected)[done])
        scale.append(expected[done])
    differences = np.concatenate(apart)
    row = (
        f"| {size.samples:,} x {size.genes:,} | {contest.name} | {median(o.wall for o in ours):.2f} "
        f"| {median(p.wall for p in peer):.1f} | {ratios(peer, ours)} | {differences.max():.1g} "
        f"| {np.std(np.concatenate(scale)):.2g} | {repeats} x {size.peer_folds} | {setup.wall:.2f} | {peak:.1f} |"
    )
    print(row, flush=True)
    return row


def warm_up() -> None:
    """Load what is compiled, as every process does once; its memory has nothing to do with the size of the data."""
    X, y = simulate(40, 500, PLANTED, EFFECT, 0)
    job = Job(CONTESTS["elastic_net"], X, y, 0)
    job.run_ours(job.share(), 0)


def report(rows: list[str], command: str) -> str:
    """Return the page that is kept beside the script."""
    return "\n".join(
        [
            "# Nested search, against scikit-learn and Optuna",
            "",
            f"Simulated log2 values, {PLANTED} genes shifted by {EFFECT} standard deviations. 5 outer folds x {REPEATS} repeats, "
            "3 inner folds, 25 TPE trials over the number of genes (by moderated t) and the classifier's own settings. The "
            "peer is a plain `Pipeline` with the same splits, sampler, seeds and trials.",
            "",
            "One core and one thread each, in one process, repeat by repeat in turn (ours before and after the peer). Seconds "
            "per repeat of 5 outer folds, medians over repeats; the ratio is the median of ratios within a repeat, its range "
            f"in brackets. Our preparation (*setup*) is counted as a {REPEATS}rd of its time in each. Where the peer was given "
            "fewer outer folds, its time is scaled up to five. *Largest difference* is between the out-of-fold "
            "decisions of both, beside their standard deviation. *Peak* is the highest growth of resident memory on our side, with "
            "the matrix itself counted, over the size of the float64 matrix.",
            "",
            "| samples x genes | classifier | ours s | peer s | ratio, wall | ratio, processor | largest difference | sd "
            "| repeats x folds compared | setup s | peak |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"Command: `{command}`",
            "",
            described(("numpy", "scipy", "scikit-learn", "xgboost", "optuna")),
            "",
        ]
    )


def main() -> None:
    """Run all contests and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    use_one_core()
    with threadpool_limits(1):
        warm_up()
        rows = [compare(CONTESTS[name], size, args.seed, args.repeats) for size in SIZES for name in size.contests]
    command = f"python benchmarks/nested_search.py --seed {args.seed} --repeats {args.repeats}"
    args.out.write_text(report(rows, command), encoding="utf-8")


if __name__ == "__main__":
    main()
