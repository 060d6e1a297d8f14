"""Does tuning pay on real small cohorts? The headline with tuning, without, and a plain ridge on the same folds.

The cohorts are public ones that lie beside the project (``../shared/data``); nothing of them is copied.

    python experiments/small_cohorts/run.py --data ../shared/data --seed 1

The plain ridge is scikit-learn's logistic regression (C = 1, all genes standardised on the training rows), fitted to the
training rows of every outer fold of the headline. ``reversed`` is the same job with every list in it turned round.
"""

import argparse
import gzip
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from responder_ml.build import prepare_job
from responder_ml.config import JobConfig
from responder_ml.evaluation.metrics import OutOfFold, auroc
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.normalise import log2_expression
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
BUILDERS = [{"kind": "genes"}, {"kind": "all_genes"}, {"kind": "derived"}]
CLASSIFIERS = [{"kind": "elastic_net"}, {"kind": "nearest_centroid"}]
SAMPLE = {"sample": "sample_id"}
COHORTS = {
    "css": ("css_mouse_bla_nac", "expression.tsv.gz", "tpm", {}, "group", "CSS", "Control", {}),
    "melanoma": ("gse93157_melanoma", "expression_717.tsv.gz", "log2", SAMPLE, "response_NR", "R", "N", {}),
    "west": ("microarray/west", "expression_raw.tsv.gz", "log2", {}, "class", "positive", "negative", {}),
    "alon": ("microarray/alon", "expression.tsv.gz", "raw", SAMPLE, "label", "t", "n", {}),
    "pomeroy": ("microarray/pomeroy", "expression.tsv.gz", "raw", SAMPLE, "label", "survived", "died", {}),
    "golub": ("microarray/golub", "expression.tsv.gz", "raw", SAMPLE, "label", "AML", "ALL", {}),
    **{
        f"CVS-{region}": (
            "gse102556_mouse_cvs", "expression_counts.tsv.gz", "counts", SAMPLE, "group", "stress_CVS", "control",
            {"region": region},
        )
        for region in ("NAc", "PFC")
    },
    **{
        f"hippocampus-{region}": (
            "mouse_hippocampus_subfields", "expression_counts.tsv.gz", "counts",
            {"sample": "sample_id", "subject": "animal_id"}, "training", "trained", "yoked", {"region": region},
        )
        for region in ("CA1", "CA3", "DG")
    },
    **{
        f"MDD-{region}": (
            "gse102556_human_mdd", f"{region}_counts.tsv.gz", "counts", {"sample": "sample_id", "subject": "donor"},
            "phenotype", "MDD", "CTRL", {"region": region},
        )
        for region in ("AI", "CG", "DLPFC", "NA", "OFC", "Sub")
    },
}  # fmt: skip


def job_of(
    name: str, data: Path, folder: Path, trials: int, repeats: int, seed: int, *, turned: bool = False
) -> JobConfig:
    """Return the job of one cohort; raw intensities are floored at 20 and logged first."""
    subfolder, file, units, columns, column, positive, negative, where = COHORTS[name]
    expression = data / subfolder / file
    if units == "raw":
        table = pd.read_csv(expression, sep="\t", index_col=0)
        expression, units = folder / f"{name}.tsv.gz", "log2"
        with gzip.open(expression, "wt") as handle:
            np.log2(table.clip(lower=20.0)).to_csv(handle, sep="\t")
    order = -1 if turned else 1
    return JobConfig(
        name=name,
        cohort={
            "source": "table", "expression": str(expression), "samples": str(data / subfolder / "samples.tsv"), "units": units,
            "columns": columns, "where": where,
        },
        endpoint={"column": column, "positive": positive, "negative": negative},
        builders=BUILDERS[::order],
        classifiers=CLASSIFIERS[::order],
        search={"folds": 5, "repeats": repeats, "trials": trials},
        seed=seed,
    )  # fmt: skip


def headline(job: JobConfig) -> tuple[OutOfFold, pd.DataFrame]:
    """Return auto's out-of-fold decisions, and log2 expression by subject."""
    prepared = prepare_job(job)
    labelled = prepared.labelled
    procedure = Procedure(SearchData.of(labelled), prepared.feasible.candidates, prepared.feasible.plan, Workers(1))
    log2 = log2_expression(labelled.expression, job.cohort.units)
    return procedure.observe(labelled.labels).auto, pd.DataFrame(log2).groupby(labelled.subject_of).mean()


def ridge(auto: OutOfFold, log2: np.ndarray) -> float:
    """Return the AUROC of the plain ridge on the same folds."""
    decisions = np.empty_like(auto.decisions)
    for repeat, folds in enumerate(auto.folds):
        for fold in np.unique(folds):
            train = folds != fold
            model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
            decisions[repeat, ~train] = model.fit(log2[train], auto.labels[train]).decision_function(log2[~train])
    return auroc(OutOfFold(auto.labels, decisions, auto.folds, np.zeros_like(decisions)))


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trials", type=int, default=11)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in COHORTS:
            options = (name, args.data.resolve(), Path(folder))
            tuned, log2 = headline(job_of(*options, args.trials, args.repeats, args.seed))
            turned, _ = headline(job_of(*options, args.trials, args.repeats, args.seed, turned=True))
            fixed, _ = headline(job_of(*options, 0, args.repeats, args.seed))
            sizes = f"{int(tuned.labels.sum())} v {int((tuned.labels == 0).sum())}"
            rows.append((name, sizes, auroc(tuned), auroc(fixed), ridge(tuned, log2.to_numpy()), auroc(turned)))
            print(*rows[-1], flush=True)
    means = np.mean([row[2:] for row in rows], axis=0)
    lines = [
        "Public cohorts, AUROC within outer folds (5 folds of subjects), fixed seed.",
        "",
        f"`python experiments/small_cohorts/run.py --seed {args.seed} --repeats {args.repeats} --trials {args.trials}`",
        "",
        "| cohort | subjects | with tuning | without | plain ridge | with tuning, lists reversed |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {sizes} | " + " | ".join(f"{value:.3f}" for value in values) + " |"
            for name, sizes, *values in rows
        ),
        "| mean | | " + " | ".join(f"{value:.3f}" for value in means) + " |",
        "",
        "With fewer than 12 subjects in a class nothing is tuned, so both columns are the same there.",
        "",
    ]
    (HERE / "table.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
