"""A simulated cohort written as the files that a user's own data would be, and any expression matrix as gzipped text.

Equal matrices give equal bytes: the gzip header carries no time stamp and no name.
"""

import gzip
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.arrays import Floats
from responder_ml.errors import CohortError

_README = """{headline}

Source: {source}
{n_samples} samples x {n_genes} genes; values are {units}.

counts.tsv.gz   genes in rows, samples in columns
samples.tsv     one row per sample; `subject` is the animal
gene_sets.gmt   the gene sets, planted ones among unaffected ones (pairs end in _UP and _DN)
truth.tsv       what was planted: per gene its gene set, baseline, dispersion, log2 change per unit of each programme,
                and log2 fold change of each contrast and region. For checking a result; never give it to a model.

To read it, in a job's YAML file:

cohort: {{source: table, expression: counts.tsv.gz, samples: samples.tsv, units: {units}, where: {{region: PFC}}}}
"""
_SIMULATED = (
    "SIMULATED DATA. No animal was involved. Results on these files say whether a method works,\n"
    "never what stress, ketamine or imipramine do. Do not present them as GSE81672."
)


def write_cohort(cohort: AnnData, folder: Path) -> None:
    """Write a simulated cohort's files, all or none.

    Parameters
    ----------
    cohort
        From `simulate_cohort`.
    folder
        Folder to create; it may exist if it is empty.

    Raises
    ------
    CohortError
        The cohort was not simulated, the folder is not empty, or it cannot be written.
    """
    if not cohort.uns.get("simulated") or "truth" not in cohort.uns:
        raise CohortError("Only a cohort that was just simulated can be written: this one has no planted truth.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CohortError(f"{folder} already exists and is not empty. Choose another folder.")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        _write_files(cohort, partial)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as problem:
        raise CohortError(
            f"The cohort could not be written to {folder}: {problem}. Choose another folder."
        ) from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_matrix(raw: IO[bytes], genes: Sequence[str], samples: Sequence[str], values: Floats) -> None:
    """Write genes x samples as gzipped text; whole numbers without a decimal point, others in full."""
    all_whole = bool(np.all(values == np.rint(values)))
    rows = (values.astype(np.int64) if all_whole else values).tolist()
    with gzip.GzipFile("", "wb", compresslevel=5, fileobj=raw, mtime=0) as file:
        file.write(("\t".join(("gene", *samples)) + "\n").encode())
        for gene, row in zip(genes, rows, strict=True):
            file.write(("\t".join((gene, *map(repr, row))) + "\n").encode())


def _write_files(cohort: AnnData, folder: Path) -> None:
    counts = np.asarray(cohort.X, dtype=np.float64).T
    with (folder / "counts.tsv.gz").open("wb") as file:
        write_matrix(file, list(cohort.var_names), list(cohort.obs_names), counts)
    cohort.obs.to_csv(folder / "samples.tsv", sep="\t", index=False)
    lines = ["\t".join((name, "simulated", *genes)) for name, genes in cohort.uns["gene_sets"].items()]
    (folder / "gene_sets.gmt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    truth = pd.concat([cohort.uns["truth"]["genes"], cohort.uns["truth"]["contrasts"]], axis=1)
    truth.to_csv(folder / "truth.tsv", sep="\t", index_label="gene", float_format="%.6g")
    readme = _README.format(
        headline=_SIMULATED,
        source=cohort.uns["source"],
        n_samples=cohort.n_obs,
        n_genes=cohort.n_vars,
        units=cohort.uns["units"],
    )
    (folder / "README.txt").write_text(readme, encoding="utf-8")
