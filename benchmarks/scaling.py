"""Measure what one outer search costs as subjects and genes grow: wall and processor seconds, and peak resident memory.

    python benchmarks/scaling.py

One search is what `train` does once per repeat: `Procedure.observe` with one repeat, 5 outer folds, 3 inner folds and 10 trials of
`genes` + `elastic_net`, and then `Procedure.refit` on all subjects. One worker and one thread. Data are simulated: normal log2
values with a planted effect, or Poisson counts about them, which take the way of TMM.

Each size runs in a process of its own, so its peak is the whole process's: interpreter, libraries, the data and the search. Values
are simulated in place, so that drawing them needs no more than the matrix itself. Growth is the slope of log seconds against log
size by least squares: 1 is linear.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from measure import Timed, described, simulate, timed
from threadpoolctl import threadpool_limits

from responder_ml.classifiers.elastic_net import ElasticNet
from responder_ml.evaluation.metrics import auroc
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

FOLDS, INNER_FOLDS, TRIALS = 5, 3, 10
PLANTED, EFFECT = 50, 0.2
# Rows turned into counts in one go, so that the draw adds little to the peak.
_ROWS_PER_PIECE = 100
_MIB = 2**20


@dataclass(frozen=True)
class Size:
    """The data of one row."""

    subjects: int
    genes: int
    units: str = "log2"

    @property
    def values(self) -> int:
        """How many numbers they are."""
        return self.subjects * self.genes


BY_SUBJECTS = tuple(Size(subjects, 20_000) for subjects in (100, 300, 1_000, 3_000, 10_000))
BY_GENES = tuple(Size(1_000, genes) for genes in (2_000, 5_000, 10_000, 20_000))
COUNTS = tuple(Size(subjects, 20_000, "counts") for subjects in (300, 1_000))


@dataclass(frozen=True)
class Cost:
    """What one size took.

    Attributes
    ----------
    prepare, observe, refit
        Wall and processor seconds of the parts.
    libraries, peak
        Most resident memory before there were data, and in all, bytes.
    statistic
        The search's test statistic (AUROC, ties broken), which says that something was learnt.
    """

    prepare: Timed
    observe: Timed
    refit: Timed
    libraries: int
    peak: int
    statistic: float

    @property
    def total(self) -> Timed:
        """All parts together."""
        return self.prepare + self.observe + self.refit

    @classmethod
    def read(cls, text: str) -> "Cost":
        """Read what `measure_one` printed in its own process."""
        costs = json.loads(text)
        times = {name: Timed(**costs.pop(name)) for name in ("prepare", "observe", "refit")}
        return cls(**times, **costs)


def measure_one(size: Size, seed: int) -> Cost:
    """Search data of one size in this process."""
    libraries = _peak()
    X, y = simulate(size.subjects, size.genes, PLANTED, EFFECT, seed)
    if size.units == "counts":
        turn_into_counts(X, seed)
    labels = y.astype(np.int8)
    prepare, procedure = timed(lambda: prepared(X, size.units, seed))
    observe, observed = timed(lambda: procedure.observe(labels, 1))
    refit, _ = timed(lambda: procedure.refit(labels))
    return Cost(prepare, observe, refit, libraries, _peak(), auroc(observed.auto))


def turn_into_counts(log2: np.ndarray, seed: int) -> None:
    """Replace log2 means by Poisson counts about them."""
    rng = np.random.default_rng([seed, 1])
    for start in range(0, len(log2), _ROWS_PER_PIECE):
        piece = slice(start, start + _ROWS_PER_PIECE)
        log2[piece] = rng.poisson(np.exp2(log2[piece]))


def prepared(X: np.ndarray, units: str, seed: int) -> Procedure:
    """Return the search with everything done that no training set changes."""
    names = np.array([f"g{index}" for index in range(X.shape[1])])
    search_data = SearchData(X, names, np.arange(len(X)), np.zeros(len(X), dtype=int))
    candidate = Candidate("genes", Genes(units=units), ElasticNet)
    return Procedure(search_data, [candidate], SearchPlan(FOLDS, INNER_FOLDS, TRIALS, seed), Workers(1))


def measured_apart(size: Size, seed: int) -> Cost:
    """Search data of one size in a process of its own."""
    command = [sys.executable, __file__, "--seed", str(seed), "--one", str(size.subjects), str(size.genes), size.units]
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, check=True, text=True
    )
    return Cost.read(done.stdout)


def row(size: Size, cost: Cost) -> str:
    """Return the table row of one size."""
    matrix = size.values * np.dtype(np.float64).itemsize
    parts = " | ".join(f"{step_cost.processor:.1f}" for step_cost in (cost.prepare, cost.observe, cost.refit))
    return (
        f"| {size.subjects:,} x {size.genes:,} | {size.units} | {parts} | {cost.total.processor:.1f} | {cost.total.wall:.1f} "
        f"| {matrix / _MIB:,.0f} | {cost.peak / _MIB:,.0f} | {(cost.peak - cost.libraries) / matrix:.1f} | {cost.statistic:.2f} |"
    )


def growth(lengths: Sequence[int], costs: Sequence[Cost]) -> str:
    """Return table cells: growth of processor seconds, and of memory above the libraries."""
    seen = ([cost.total.processor for cost in costs], [cost.peak - cost.libraries for cost in costs])
    slopes = [np.polyfit(np.log(lengths), np.log(times), 1)[0] for times in seen]
    return " | ".join(f"{slope:.2f}" for slope in slopes)


def growth_table(costs: dict[Size, Cost]) -> list[str]:
    """Return how costs grow with subjects and with genes, over all sizes and between the last two."""
    lines = ["| growth with | over | processor s | memory |", "|---|---|---|---|"]
    for what, sizes, at in (
        ("subjects", BY_SUBJECTS, "20,000 genes, log2"),
        ("subjects", COUNTS, "20,000 genes, counts"),
        ("genes", BY_GENES, "1,000 subjects, log2"),
    ):
        done = [size for size in sizes if size in costs]
        lengths = [getattr(size, what) for size in done]
        for first in sorted({0, max(len(done) - 2, 0)}):
            cells = growth(lengths[first:], [costs[size] for size in done[first:]])
            lines.append(f"| {what}, at {at} | {lengths[first]:,} to {lengths[-1]:,} | {cells} |")
    return lines


def report(costs: dict[Size, Cost], command: str) -> str:
    """Return the page that is kept beside the script."""
    return "\n".join(
        [
            "# Scaling: what one search costs",
            "",
            f"One repeat of the nested search ({FOLDS} outer folds, {INNER_FOLDS} inner folds, {TRIALS} trials; `genes` + "
            "`elastic_net`) and the refit on all subjects; one worker, one thread. Simulated values, "
            f"{PLANTED} genes shifted by {EFFECT} standard deviations; counts are Poisson, normalised by TMM.",
            "",
            "*Prepare* is what is done once per cohort, *observe* the search, *refit* tuning and fitting on all subjects. *Peak* "
            "is the most resident memory of the whole process; the last but one column is that peak less what interpreter and "
            "libraries took before there were data, in float64 matrices, the data themselves among them. *AUROC* is "
            "out-of-fold.",
            "",
            "| subjects x genes | units | prepare, processor s | observe, processor s | refit, processor s | all, processor s "
            "| all, wall s | matrix MiB | peak MiB | peak in matrices | AUROC |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *(row(size, cost) for size, cost in costs.items()),
            "",
            "Growth is the slope of log cost against log size by least squares, over all sizes and between the last two: 1 is "
            "linear, and less grows more slowly. Memory is the peak less the libraries'. Wall seconds are those of a machine "
            "shared with other work and say little about growth, so processor seconds stand for time.",
            "",
            *growth_table(costs),
            "",
            f"Command: `{command}`",
            "",
            described(("numpy", "scipy", "scikit-learn", "optuna")),
            "",
        ]
    )


def _peak() -> int:
    """Return the most resident memory of this process so far, bytes (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure one size, or all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--largest", type=int, default=max(size.values for size in BY_SUBJECTS), help="most values")
    parser.add_argument("--one", nargs=3, metavar=("SUBJECTS", "GENES", "UNITS"), help="measure here, print as JSON")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    if args.one:
        with threadpool_limits(1):
            print(json.dumps(asdict(measure_one(Size(int(args.one[0]), int(args.one[1]), args.one[2]), args.seed))))
        return
    costs: dict[Size, Cost] = {}
    for size in dict.fromkeys((*BY_SUBJECTS, *BY_GENES, *COUNTS)):
        if size.values <= args.largest:
            costs[size] = measured_apart(size, args.seed)
            print(row(size, costs[size]), flush=True)
    args.out.write_text(report(costs, f"python benchmarks/scaling.py --seed {args.seed}"), encoding="utf-8")


if __name__ == "__main__":
    main()
