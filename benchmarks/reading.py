"""Seconds and memory of reading a large table of counts into a cohort, against `pandas.read_csv` with its fastest parser.

``python benchmarks/reading.py --samples 1000 --genes 20000 --folder /tmp/reading`` simulates counts, writes them as gzipped text
in both orientations, and reads each file in a process of its own, in turn with pandas; the table goes to
``benchmarks/reading.md``. Ours is everything a job does before its audit: the layout of the file, its sheet, what is no gene,
missing values, units. pandas makes a table of numbers, nothing else.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np

SEED = 7
FILES = {"genes_in_rows.tsv.gz": "genes in rows", "samples_in_rows.tsv.gz": "samples in rows"}


def make_files(folder: Path, samples: int, genes: int) -> None:
    """Write simulated counts and their sheet."""
    from responder_ml.cohort.write import write_matrix

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    counts = rng.negative_binomial(1, 0.005, size=(genes, samples)).astype(float)
    names, rows = [f"Gene{index}" for index in range(genes)], [f"s{index}" for index in range(samples)]
    with (folder / "genes_in_rows.tsv.gz").open("wb") as file:
        write_matrix(file, names, rows, counts)
    with (folder / "samples_in_rows.tsv.gz").open("wb") as file:
        write_matrix(file, rows, names, counts.T)
    text = "".join(f"{row}\t{'ab'[index % 2]}\n" for index, row in enumerate(rows))
    (folder / "samples.tsv").write_text(f"sample\tanswer\n{text}")


def read_once(path: Path, reader: str) -> dict[str, float]:
    """Read a file and return wall seconds, processor seconds and the most memory beyond that before, in bytes."""
    from measure import timed

    before = _peak()
    if reader == "pandas":
        import pandas as pd

        time, _ = timed(lambda: pd.read_csv(path, sep="\t", engine="pyarrow"))
    else:
        from responder_ml.cohort.read import read_table

        time, _ = timed(lambda: read_table(path, path.with_name("samples.tsv"), units="counts"))
    return {"wall": time.wall, "processor": time.processor, "memory": float(_peak() - before)}


def _peak() -> int:
    """Return the most memory this program took so far; unlike that of `resource`, it does not include its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def _in_own_process(path: Path, reader: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--read", str(path), "--reader", reader]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(answer.stdout))


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--genes", type=int, default=20000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/reading"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--read", type=Path)
    parser.add_argument("--reader")
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read_once(options.read, options.reader)))
        return
    from measure import described

    make_files(options.folder, options.samples, options.genes)
    machine = described(["pandas", "pyarrow", "numpy"])
    matrix = 8.0 * options.samples * options.genes
    lines = [
        f"# Reading {options.samples:,} samples x {options.genes:,} genes of counts",
        "",
        f"`python benchmarks/reading.py --samples {options.samples} --genes {options.genes}`. {machine}",
        f"Median of {options.rounds} round(s), each file in a process of its own, ours and pandas in turn. One matrix of float64 "
        f"is {matrix / 1e6:.0f} MB; memory is what the process takes at its peak beyond the imports.",
        "",
        "| file | ours, s | pandas (pyarrow), s | ours / pandas | the same, processor time | ours, matrices | pandas, matrices |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, words in FILES.items():
        ours, pandas = [], []
        for _ in range(options.rounds):
            ours.append(_in_own_process(options.folder / name, "ours"))
            pandas.append(_in_own_process(options.folder / name, "pandas"))
        wall, peer = (median(run["wall"] for run in runs) for runs in (ours, pandas))
        used, peer_used = (median(run["processor"] for run in runs) for runs in (ours, pandas))
        memory, peer_memory = (median(run["memory"] for run in runs) / matrix for runs in (ours, pandas))
        lines.append(
            f"| {words} | {wall:.1f} | {peer:.1f} | {wall / peer:.2f} | {used / peer_used:.2f} | {memory:.1f} | "
            f"{peer_memory:.1f} |"
        )
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
