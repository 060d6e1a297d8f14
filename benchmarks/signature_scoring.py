"""Time our signature scorers against decoupler and gseapy in one run, and print how far they agree.

    python benchmarks/signature_scoring.py --samples 99 --genes 35000 --sets 5000 --repeats 3

Data are simulated: normal values without ties, sets of 15 to 500 random genes. Each repeat runs every scorer of ours and its
peer one after the other, so both meet the same load; a ratio is the median over repeats of peer time over our time. Ours,
being short, is the median of five runs before and five after the peer's.

Ours run on one thread. Peers are called as their documentation does, with their own defaults: decoupler's numba uses all
cores, gseapy four threads. A peer's call takes expression and sets by name and does its own matching, so our time is given twice:
the scorer alone (fit and transform; sets are laid over the genes once per cohort), and with that included.
"""

import argparse
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from responder_ml.features.gene_sets import GeneSet
from responder_ml.features.membership import Membership, match_sets_to_genes
from responder_ml.features.signatures import SCORERS
from responder_ml.versions import version_of

OURS = ("singscore", "mean_z", "weighted_projection")


@dataclass
class SearchData:
    """One simulated cohort and its sets, in every form a library asks for."""

    values: np.ndarray
    frame: pd.DataFrame
    sets: tuple[GeneSet, ...]
    network: pd.DataFrame
    membership: Membership


@dataclass
class Contest:
    """A scorer of ours and a peer that computes the same number."""

    scorer: str
    params: dict[str, str]
    peer: str
    run_peer: Callable[[SearchData], np.ndarray]
    scale: Callable[[SearchData], np.ndarray | float] = lambda search_data: 1.0
    """What our score is multiplied by to be the peer's."""


def simulate(samples: int, genes: int, sets: int, seed: int) -> SearchData:
    """Draw expression and sets."""
    rng = np.random.default_rng(seed)
    values = rng.normal(6.0, 2.0, size=(samples, genes))
    names = [f"g{index}" for index in range(genes)]
    gene_sets = tuple(
        GeneSet(f"set{index:05d}", tuple(names[row] for row in rng.choice(genes, size, replace=False)))
        for index, size in enumerate(rng.integers(15, 501, size=sets))
    )
    network = pd.DataFrame(
        [(gene_set.name, gene, 1.0) for gene_set in gene_sets for gene in gene_set.up],
        columns=["source", "target", "weight"],
    )
    frame = pd.DataFrame(values, columns=names, index=[f"s{index}" for index in range(samples)])
    return SearchData(values, frame, gene_sets, network, match_all_sets(gene_sets, names))


def match_all_sets(sets: tuple[GeneSet, ...], genes: list[str]) -> Membership:
    """Lay all sets over the genes."""
    return match_sets_to_genes(sets, genes, min_genes=1, min_coverage=0.0)


def score(search_data: SearchData, scorer: str, params: dict[str, str], membership: Membership) -> np.ndarray:
    """Fit and score with one of ours."""
    return np.asarray(
        SCORERS[scorer](**params).fit(search_data.values, members=membership.weights).transform(search_data.values)
    )


def score_decoupler(method: str) -> Callable[[SearchData], np.ndarray]:
    """Return a call of decoupler's method."""
    import decoupler

    def run(search_data: SearchData) -> np.ndarray:
        result = getattr(decoupler.mt, method)(search_data.frame, search_data.network, tmin=1)
        scores = result[0] if isinstance(result, tuple) else result
        return scores[list(search_data.membership.names)].to_numpy()

    return run


def score_gseapy(search_data: SearchData) -> np.ndarray:
    """Call gseapy's ssGSEA."""
    import gseapy

    lists = {gene_set.name: list(gene_set.up) for gene_set in search_data.sets}
    result = gseapy.ssgsea(
        search_data.frame.T,
        lists,
        outdir=None,
        sample_norm_method="rank",
        min_size=1,
        max_size=search_data.frame.shape[1],
    )
    table = result.res2d.pivot(index="Name", columns="Term", values="ES").astype(float)
    return table.loc[search_data.frame.index, list(search_data.membership.names)].to_numpy()


def contests() -> list[Contest]:
    """Return what is compared."""

    def root_of_size(search_data: SearchData) -> np.ndarray:
        return np.sqrt([len(gene_set.up) for gene_set in search_data.sets])

    return [
        Contest("mean_z", {"against": "sample"}, "decoupler zscore", score_decoupler("zscore"), root_of_size),
        Contest("ulm", {}, "decoupler ulm", score_decoupler("ulm")),
        Contest("aucell", {}, "decoupler aucell", score_decoupler("aucell")),
        Contest("ssgsea", {}, "gseapy ssgsea", score_gseapy),
    ]


def timed(call: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return wall and processor seconds (of all threads), and the result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return np.array([time.perf_counter() - wall, time.process_time() - processor]), result


def timed_often(call: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return medians of five runs on one thread, and the result."""
    with threadpool_limits(1):
        runs = [timed(call) for _ in range(5)]
    return np.median([seconds for seconds, _ in runs], axis=0), runs[0][1]


def compare(contest: Contest, search_data: SearchData, repeats: int) -> str:
    """Return one row of the table."""
    names = list(search_data.frame.columns)

    def alone() -> np.ndarray:
        return score(search_data, contest.scorer, contest.params, search_data.membership)

    def with_matching() -> np.ndarray:
        return score(search_data, contest.scorer, contest.params, match_all_sets(search_data.sets, names))

    peer, ours, whole = [], [], []
    for _ in range(repeats):
        # The quicker one is timed before and after the slower, so that a passing load falls on both.
        before, result = timed_often(alone)
        seconds, expected = timed(lambda: contest.run_peer(search_data))
        after, _ = timed_often(alone)
        peer.append(seconds)
        ours.append((before + after) / 2)
        whole.append(timed_often(with_matching)[0])
    difference = np.max(np.abs(result * contest.scale(search_data) - expected))
    ratio, processor_ratio = np.median(np.divide(peer, ours), axis=0)
    with_names = np.median(np.divide(peer, whole), axis=0)[0]
    peer_s, ours_s, whole_s = (np.median(seconds, axis=0)[0] for seconds in (peer, ours, whole))
    row = (
        f"| {contest.scorer} | {contest.peer} | {peer_s:.3g} | {ours_s:.3g} | **{ratio:.0f}x** | {processor_ratio:.0f}x "
        f"| {whole_s:.3g} | {with_names:.0f}x | {difference:.1g} | {np.std(expected):.2g} |"
    )
    print(row, flush=True)
    return row


def report(rows: list[str], alone: list[str], args: argparse.Namespace) -> str:
    """Return the page that is kept beside the script."""
    packages = ("decoupler", "gseapy", "numpy", "scipy", "numba", "scikit-learn")
    versions = ", ".join(f"{name} {version_of(name)}" for name in packages)
    command = " ".join(f"--{name} {value}" for name, value in vars(args).items() if name != "out")
    return "\n".join(
        [
            "# Signature scoring against decoupler and gseapy",
            "",
            f"Simulated data without ties, {args.samples} samples x {args.genes} genes, {args.sets} sets of 15 to 500 genes. "
            "Wall seconds, medians over repeats; a ratio is the median of ratios within a repeat.",
            "Ours on one thread; peers with their defaults (decoupler: numba on all cores; gseapy: four threads). "
            f"{cpu_count()} cores, shared with other work.",
            "*ours* is fit and transform. *with matching* adds laying the sets over the gene names, which a peer's call does "
            "each time and ours once per cohort.",
            "",
            "*processor* is the ratio of processor seconds over all threads, which other work on the machine disturbs less.",
            "",
            "| ours | peer | peer s | ours s | ratio | processor | with matching s | ratio | max difference | sd of scores |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Ours without a peer here:",
            "",
            "| scorer | fit and transform s |",
            "|---|---|",
            *alone,
            "",
            f"Command: `python benchmarks/signature_scoring.py {command}`",
            "",
            f"Versions: Python {platform.python_version()}, {versions}.",
            "",
        ]
    )


def main() -> None:
    """Run the comparison and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=99)
    parser.add_argument("--genes", type=int, default=35_000)
    parser.add_argument("--sets", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    # Peers warn about themselves; and numba compiles at the first call, which is nobody's running time.
    warnings.simplefilter("ignore")
    small = simulate(4, 1_000, 5, args.seed)
    entered = contests()
    for contest in entered:
        contest.run_peer(small)
    search_data = simulate(args.samples, args.genes, args.sets, args.seed)
    rows = [compare(contest, search_data, args.repeats) for contest in entered]
    alone = []
    with threadpool_limits(1):
        for name, repeats in (*((name, args.repeats) for name in OURS), ("eigengene", 1)):
            seconds = [
                timed(lambda name=name: score(search_data, name, {}, search_data.membership))[0] for _ in range(repeats)
            ]
            alone.append(f"| {name} | {np.median(seconds):.3g} |")
            print(alone[-1], flush=True)
    args.out.write_text(report(rows, alone, args), encoding="utf-8")


if __name__ == "__main__":
    main()
