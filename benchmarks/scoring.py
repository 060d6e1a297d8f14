"""Seconds and memory of scoring many samples with one bundle, from each format a large table comes in.

``python benchmarks/scoring.py --samples 10000 --genes 20000 --folder /tmp/scoring`` makes simulated counts, fits a bundle with
outer models, and scores every file in a process of its own; the table goes to ``benchmarks/scoring.md``. Nothing is skipped:
alignment, applicability, calibration, the interval over the outer models, the search for training samples, the table and its
summary.

``--against CHECKOUT`` scores the first file in turn with this code and with that of another checkout (`git worktree add`), which
makes a bundle of its own in its format, and prints the ratio of processor seconds and of peak memory.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

CORES = 2
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_IO_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  (after the number of threads is set)

SEED = 7
BLOCK = 256
ROW_GROUP = 2048
POOL = 1 << 20
FILES = {
    "counts.h5ad": "h5ad, samples x genes",
    "sparse.h5ad": "h5ad, sparse rows",
    "samples_in_rows.parquet": "Parquet, a column per gene",
    "genes_in_rows.parquet": "Parquet, a column per sample",
}


def make_bundle(folder: Path, genes: int) -> np.ndarray:
    """Fit a model and five outer models to simulated counts; return what a typical sample has of each gene."""
    from responder_ml.bundles.bundle import write_bundle
    from responder_ml.bundles.pack import pack_bundle
    from responder_ml.classifiers import CLASSIFIERS
    from responder_ml.cohort.endpoint import Endpoint, label_cohort
    from responder_ml.cohort.simulate import simulate_cohort
    from responder_ml.evaluation.metrics import OutOfFold
    from responder_ml.features.builders.genes import Genes
    from responder_ml.search.prefix_model import PrefixModel

    cohort = simulate_cohort(seed=SEED, n_genes=genes, replicates=4, regions=("PFC",))
    labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder"))
    training_sets = [np.ones(len(labelled.subject_of), dtype=bool)]
    training_sets += [np.arange(len(labelled.subject_of)) % 5 != fold for fold in range(5)]
    model, *outer = (
        PrefixModel(Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 100).fit(
            labelled.expression[rows], labelled.sample_labels[rows], genes=labelled.genes
        )
        for rows in training_sets
    )
    positive = int(labelled.labels.sum())
    result = {
        "name": "benchmark",
        "simulated": True,
        "endpoint": {"units": "counts"},
        "n": {"positive": positive, "negative": len(labelled.labels) - positive},
        "verdict": None,
        "versions": {},
    }
    fold = np.arange(len(labelled.labels)) % 5
    held_out = np.array([outer[of].decision_function(labelled.expression[[row]])[0] for row, of in enumerate(fold)])
    out_of_fold = OutOfFold(labelled.labels, held_out[None], fold[None], np.zeros((1, len(fold))))
    bundle = pack_bundle(model, labelled, result, outer_models=outer, out_of_fold=out_of_fold)
    write_bundle(bundle, folder / "bundle")
    return np.asarray(bundle.reference.typical)


def make_counts(samples: int, typical: np.ndarray) -> np.ndarray:
    """Return simulated counts, samples x genes: lognormal depth and noise, rounded up as often as the fraction says."""
    rng = np.random.default_rng(SEED)
    pool = rng.lognormal(0.0, 0.3, size=POOL).astype(np.float32)
    rounding = rng.random(POOL, dtype=np.float32)
    depth = rng.lognormal(0.0, 0.3, size=samples).astype(np.float32)
    start = rng.integers(0, POOL - len(typical), size=(2, samples))
    mean = typical.astype(np.float32)
    counts = np.empty((samples, len(mean)), dtype=np.int32)
    for row, (noise, up) in enumerate(start.T):
        counts[row] = mean * (depth[row] * pool[noise : noise + len(mean)]) + rounding[up : up + len(mean)]
    return counts


def make_files(folder: Path, samples: int, typical: np.ndarray) -> None:
    """Write simulated counts in every layout, uncompressed: 10,000 Poisson samples compressed took 20 minutes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    genes = json.loads((folder / "bundle" / "manifest.json").read_text())["genes"]
    names = [f"s{index}" for index in range(samples)]
    counts = make_counts(samples, typical)
    write_h5ad(folder / "counts.h5ad", counts, names, genes, is_sparse=False)
    write_h5ad(folder / "sparse.h5ad", counts, names, genes, is_sparse=True)
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    columns = [pa.array(names), *(pa.array(column) for column in np.ascontiguousarray(counts.T))]
    table = pa.table(columns, ["sample", *genes])
    pq.write_table(table, folder / "samples_in_rows.parquet", row_group_size=ROW_GROUP, **plain)
    columns = [pa.array(genes), *(pa.array(row) for row in counts)]
    pq.write_table(pa.table(columns, ["gene", *names]), folder / "genes_in_rows.parquet", **plain)


def write_h5ad(path: Path, counts: np.ndarray, names: list[str], genes: list[str], *, is_sparse: bool) -> None:
    """Write the axes with anndata and the matrix with h5py, a block of rows at a time."""
    import h5py
    import pandas as pd
    from anndata import AnnData
    from scipy import sparse

    AnnData(obs=pd.DataFrame(index=names), var=pd.DataFrame(index=genes)).write_h5ad(path)
    with h5py.File(path, "a") as file:
        if not is_sparse:
            matrix = file.create_dataset("X", counts.shape, dtype=np.float32)
            matrix.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            for start in range(0, len(counts), BLOCK):
                matrix[start : start + BLOCK] = counts[start : start + BLOCK]
            return
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": counts.shape})
        ends = np.concatenate([[0], np.cumsum(np.count_nonzero(counts, axis=1))])
        group.create_dataset("indptr", data=ends)
        values = group.create_dataset("data", (ends[-1],), dtype=np.float32)
        columns = group.create_dataset("indices", (ends[-1],), dtype=np.int32)
        for start in range(0, len(counts), BLOCK):
            part = sparse.csr_matrix(counts[start : start + BLOCK])
            here = slice(ends[start], ends[start] + part.nnz)
            values[here], columns[here] = part.data, part.indices


def score_one(folder: Path, name: str) -> None:
    """Score one file and print seconds and peak memory; for a process of its own."""
    from responder_ml.score import score

    start = time.perf_counter()
    table = score(folder / "bundle", folder / name, out=folder / "scores.csv")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rows": len(table),
                "wall": time.perf_counter() - start,
                "processor": used.ru_utime + used.ru_stime,
                "peak_gib": used.ru_maxrss / 2**20,
                "load": os.getloadavg()[0],
            }
        )
    )


def run(folder: Path, samples: int, genes: int, made: bool) -> str:
    """Return the table."""
    if not made:
        folder.mkdir(parents=True, exist_ok=True)
        make_files(folder, samples, make_bundle(folder, genes))
    lines = [
        f"`python benchmarks/scoring.py --samples {samples} --genes {genes}`, seed {SEED}, simulated counts, {CORES} cores, "
        "one numerical thread. Wall seconds depend on what else the machine did (load beside them); processor seconds less so.",
        "",
        "| file | MB | wall s | processor s | peak GiB | load |",
        "|---|---|---|---|---|---|",
    ]
    for name, words in FILES.items():
        command = [sys.executable, __file__, "--folder", str(folder), "--one", name]
        measurement = json.loads(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        )
        if measurement["rows"] != samples:
            raise SystemExit(f"{name} gave {measurement['rows']} rows")
        size = (folder / name).stat().st_size / 1e6
        cells = [
            words,
            f"{size:.0f}",
            *(f"{measurement[key]:.1f}" for key in ("wall", "processor", "peak_gib", "load")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def compare(folder: Path, genes: int, checkout: Path, rounds: int) -> str:
    """Return a sentence on processor seconds and peak memory of this code over those of another checkout, the first file."""
    name, (before, now) = next(iter(FILES)), (folder / "before", folder)
    before.mkdir(exist_ok=True)
    scripts = {before: checkout.absolute() / "benchmarks" / "scoring.py", now: Path(__file__).absolute()}
    environments = {of: {**os.environ, "PYTHONPATH": str(script.parents[1] / "src")} for of, script in scripts.items()}
    make = f"import pathlib, scoring; scoring.make_bundle(pathlib.Path({str(before.absolute())!r}), {genes})"
    if not (before / "bundle").exists():
        subprocess.run([sys.executable, "-c", make], check=True, env=environments[before], cwd=scripts[before].parent)
        (before / name).hardlink_to(folder / name)
    seconds, peaks = {before: [], now: []}, {before: [], now: []}
    for _ in range(rounds):
        for of, script in scripts.items():
            command = [sys.executable, str(script), "--folder", str(of), "--one", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environments[of])
            measurement = json.loads(done.stdout.splitlines()[-1])
            seconds[of].append(measurement["processor"])
            peaks[of].append(measurement["peak_gib"])
            print(of, measurement, flush=True)
    ratio = {
        key: np.median(values[now]) / np.median(values[before]) for key, values in (("s", seconds), ("gib", peaks))
    }
    told = " and ".join(
        f"{', '.join(f'{value:.1f}' for value in seconds[of])} {when}"
        for of, when in ((before, "before"), (now, "now"))
    )
    return (
        f"{FILES[name]}, {rounds} times in turn: processor seconds {told}, ratio of medians {ratio['s']:.2f}; peak "
        f"{np.median(peaks[before]):.2f} GiB before and {np.median(peaks[now]):.2f} GiB now, ratio {ratio['gib']:.2f}."
    )


def main() -> None:
    """Make, score, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--one", help="score this file only, in this process")
    parser.add_argument("--made", action="store_true", help="the files are there already")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--against", type=Path, help="another checkout to compare with, on the files that are there")
    parser.add_argument("--rounds", type=int, default=3, help="how often each of both scores")
    arguments = parser.parse_args()
    if arguments.against:
        print(compare(arguments.folder, arguments.genes, arguments.against, arguments.rounds))
        return
    if arguments.one:
        score_one(arguments.folder, arguments.one)
        return
    arguments.out.write_text(run(arguments.folder, arguments.samples, arguments.genes, arguments.made))


if __name__ == "__main__":
    main()
