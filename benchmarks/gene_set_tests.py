"""Time camera and roast against limma's in one run, and print how far they agree.

    python benchmarks/gene_set_tests.py --samples 99 --genes 22000 --sets 5000 --rotations 1999

Data are simulated: normal values in 200 modules of correlated genes, sets of 15 to 200 random genes, ten of them shifted. limma
(`Rscript` with Debian's r-bioc-limma) and this package get the same numbers, one after the other, with one thread each; times are
processor seconds of the calls alone. Rotations are random in both, so p of roast agree within Monte Carlo error: z below is the
difference of two p over its standard error.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from scipy import sparse

from responder_ml.contrasts.camera import camera
from responder_ml.contrasts.gene_effects import GeneEffects
from responder_ml.contrasts.roast import draw_rotations, roast

MODULES, SHIFTED = 200, 10


def simulate(samples: int, genes: int, n_sets: int, rng: np.random.Generator):
    """Return expression, design and sets."""
    classes = (np.arange(samples) % 2).astype(float)
    values = rng.standard_normal((samples, genes))
    values += 0.5 * rng.standard_normal((samples, MODULES))[:, rng.integers(0, MODULES, genes)]
    sets = [rng.choice(genes, rng.integers(15, 200), replace=False) for _ in range(n_sets)]
    for members in sets[:SHIFTED]:
        values[:, members] += 0.4 * classes[:, None]
    return values, np.column_stack([np.ones(samples), classes]), sets


def run_limma(folder: Path, values, design, sets, rotations: int):
    """Return limma's p values and the lines it prints: seconds of camera and of mroast, versions."""
    values.tofile(folder / "expression.bin")
    design.tofile(folder / "design.bin")
    (folder / "sets.txt").write_text("".join(" ".join(str(gene + 1) for gene in members) + "\n" for members in sets))
    (folder / "shape.txt").write_text(f"{len(values)} {values.shape[1]} {design.shape[1]} {rotations}\n")
    script = Path(__file__).with_suffix(".R")
    done = subprocess.run(["Rscript", script, folder], capture_output=True, text=True, check=True)
    return pd.read_csv(folder / "limma.csv"), done.stdout.split("\n")


def main() -> None:
    """Run both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=99)
    parser.add_argument("--genes", type=int, default=22_000)
    parser.add_argument("--sets", type=int, default=5_000)
    parser.add_argument("--rotations", type=int, default=1_999)
    parser.add_argument("--seed", type=int, default=20261129)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    values, design, sets = simulate(arguments.samples, arguments.genes, arguments.sets, rng)
    rows, columns = np.concatenate(sets), np.repeat(np.arange(len(sets)), [len(members) for members in sets])
    members = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(arguments.genes, len(sets)))
    # The median of three, since the first run compiles and asks for memory.
    seconds = []
    for _ in range(3):
        start = time.process_time()
        by_camera = camera(GeneEffects.of(values, design), members)
        seconds.append(time.process_time() - start)
    camera_s = float(np.median(seconds))
    start = time.process_time()
    effects = GeneEffects.of(values, design)
    by_roast = roast(effects, members, draw_rotations(arguments.rotations, effects.df_residual + 1, rng))
    roast_s = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        limma, (limma_camera, limma_roast, *versions) = run_limma(
            Path(folder), values, design, sets, arguments.rotations
        )
    print(f"limma {versions[0]}, {versions[1]}; {len(values)} x {arguments.genes}, {len(sets)} sets")
    print(
        f"camera: ours {camera_s:.2f} s, limma {float(limma_camera):.2f} s, ratio {float(limma_camera) / camera_s:.1f}"
    )
    print(f"roast, {arguments.rotations} rotations: ours {roast_s:.2f} s, limma {float(limma_roast):.2f} s, "
          f"ratio {float(limma_roast) / roast_s:.1f}")  # fmt: skip
    apart = np.abs(np.log(by_camera["p"]) - np.log(limma["camera"]))
    print(f"camera: largest difference of log p {apart.max():.2g}")
    for ours, peer in (("p", "roast"), ("p_mixed", "mixed")):
        middle = (by_roast[ours] + limma[peer]) / 2
        error = np.sqrt(2 * middle * (1 - middle) / arguments.rotations) + 1 / arguments.rotations
        z = (by_roast[ours] - limma[peer]) / error
        print(
            f"roast, {peer}: z of the difference has mean {z.mean():.2f}, sd {z.std():.2f}, largest {np.abs(z).max():.1f}"
        )


if __name__ == "__main__":
    main()
