"""Seconds and memory of scoring many samples with one bundle, from each format a large table comes in.

``python benchmarks/scoring.py --samples 10000 --genes 20000 --folder /tmp/scoring`` makes simulated counts, fits a bundle with
outer models, and scores every file in a process of its own; the table goes to ``benchmarks/scoring.md``. Nothing is skipped:
alignment, applicability, the interval over the outer models, the table and its summary.
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
FILES = {
    "counts.h5ad": "h5ad, samples x genes",
    "sparse.h5ad": "h5ad, sparse rows",
    "samples_in_rows.parquet": "Parquet, a column per gene",
    "genes_in_rows.parquet": "Parquet, a column per sample",
}


def make_bundle(folder: Path, genes: int) -> np.ndarray:
    """Fit a model and five outer models to simulated counts; return what a typical sample has of each gene."""
    from responder_ml.bundle import pack_bundle, write_bundle
    from responder_ml.classifiers import CLASSIFIERS
    from responder_ml.cohort.endpoint import Endpoint, label_cohort
    from responder_ml.cohort.simulate import simulate_cohort
    from responder_ml.features.builders.genes import Genes
    from responder_ml.search.prefix_model import PrefixModel

    cohort = simulate_cohort(seed=SEED, n_genes=genes, replicates=4, regions=("PFC",))
    labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder"))
    kept = [np.ones(len(labelled.subject_of), dtype=bool)]
    kept += [np.arange(len(labelled.subject_of)) % 5 != fold for fold in range(5)]
    model, *outer = (
        PrefixModel(Genes(units="counts"), CLASSIFIERS["elastic_net"](C=0.01), 100).fit(
            labelled.expression[rows], labelled.sample_labels[rows], genes=labelled.genes
        )
        for rows in kept
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
    bundle = pack_bundle(model, labelled, result, models=outer)
    write_bundle(bundle, folder / "bundle")
    return np.asarray(bundle.reference.typical)


def make_files(folder: Path, samples: int, typical: np.ndarray) -> None:
    """Write simulated counts in every layout."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    from anndata import AnnData
    from scipy import sparse

    rng = np.random.default_rng(SEED)
    genes = json.loads((folder / "bundle" / "manifest.json").read_text())["genes"]
    names = [f"s{index}" for index in range(samples)]
    counts = np.empty((samples, len(genes)), dtype=np.float32)
    for start in range(0, samples, BLOCK):
        part = counts[start : start + BLOCK]
        depth = rng.lognormal(0.0, 0.3, size=(len(part), 1))
        part[:] = rng.poisson(typical * depth * rng.lognormal(0.0, 0.3, size=part.shape))
    frame = {"obs": pd.DataFrame(index=names), "var": pd.DataFrame(index=genes)}
    AnnData(counts, **frame).write_h5ad(folder / "counts.h5ad")
    AnnData(sparse.csr_matrix(counts), **frame).write_h5ad(folder / "sparse.h5ad")
    whole = counts.astype(np.int32)
    columns = [pa.array(names), *(pa.array(np.ascontiguousarray(column)) for column in whole.T)]
    pq.write_table(pa.table(columns, ["sample", *genes]), folder / "samples_in_rows.parquet", row_group_size=BLOCK * 4)
    columns = [pa.array(genes), *(pa.array(row) for row in whole)]
    pq.write_table(pa.table(columns, ["gene", *names]), folder / "genes_in_rows.parquet")


def score_one(folder: Path, name: str) -> None:
    """Score one file and print seconds and peak memory; for a process of its own."""
    from responder_ml.scoring import score

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
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        if found["rows"] != samples:
            raise SystemExit(f"{name} gave {found['rows']} rows")
        size = (folder / name).stat().st_size / 1e6
        cells = [words, f"{size:.0f}", *(f"{found[key]:.1f}" for key in ("wall", "processor", "peak_gib", "load"))]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Make, score, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--one", help="score this file only, in this process")
    parser.add_argument("--made", action="store_true", help="the files are there already")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    given = parser.parse_args()
    if given.one:
        score_one(given.folder, given.one)
        return
    given.out.write_text(run(given.folder, given.samples, given.genes, given.made))


if __name__ == "__main__":
    main()
