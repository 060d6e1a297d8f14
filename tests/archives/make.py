"""Leave a tiny bundle of this version behind, with samples and the numbers they get: ``python tests/archives/make.py``.

Run once, when a version is released; what was written is never written again. Later versions must read every folder here and
give the same numbers (`tests/test_archives.py`). The data are simulated.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

import responder_ml
from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, LabelledCohort, label_cohort
from responder_ml.evaluation.held_out_features import held_out_features, outer_models
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders import BUILDERS
from responder_ml.score import score
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
SEED = 20261125
GENES = [f"Gene{index}" for index in range(150)]
KINDS = (("genes", "elastic_net"), ("pairs", "nearest_centroid"), ("gene_sets", "linear_svm"), ("genes", "xgboost"))


def simulate(rng: np.random.Generator, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return counts, samples x genes, and labels."""
    mean = np.exp(np.random.default_rng(SEED).normal(size=len(GENES)) + 4.5)
    labels = np.arange(samples) % 2
    effect = np.where(np.arange(len(GENES)) < 15, 0.8, 0.0) * labels[:, None]
    return rng.poisson(mean * np.exp(rng.normal(size=(samples, len(GENES))) * 0.3 + effect)).astype(float), labels


def cohort(rng: np.random.Generator) -> LabelledCohort:
    """Return a simulated cohort of 24 animals."""
    counts, labels = simulate(rng, 24)
    names = [f"s{index}" for index in range(len(counts))]
    sheet = pd.DataFrame(
        {"sample": names, "subject": names, "response": np.where(labels, "responder", "non_responder")}, index=names
    )
    data = AnnData(counts, obs=sheet, var=pd.DataFrame(index=GENES), uns={"units": "counts", "simulated": True})
    return label_cohort(data, Endpoint("response", "responder", "non_responder"))


def write_one(folder: Path, builder: str, classifier: str) -> None:
    """Write a bundle, samples for it, and their scores."""
    rng = np.random.default_rng(SEED + 1)
    labelled = cohort(rng)
    sets = folder.parent / "sets.gmt"
    sets.write_text("".join(f"SET{n}\t.\t" + "\t".join(GENES[n * 10 : n * 10 + 10]) + "\n" for n in range(12)))
    params = {"path": str(sets)} if builder == "gene_sets" else {}
    candidate = Candidate(builder, BUILDERS[builder](units="counts", **params), CLASSIFIERS[classifier])
    procedure = Procedure(SearchData.of(labelled), [candidate], SearchPlan(3, 2, 4, SEED), Workers(1))
    observed = procedure.observe(labelled.labels, 1)
    models = outer_models(procedure, observed, labelled)
    result = {
        "name": folder.name,
        "simulated": True,
        "endpoint": {"units": "counts"},
        "n": {"positive": 12, "negative": 12},
        "verdict": None,
        "versions": {"responder_ml": responder_ml.__version__},
        "seed": SEED,
    }
    packed = pack_bundle(
        procedure.refit(labelled.labels).model,
        labelled,
        result,
        limits=("A test archive of simulated counts.",),
        outer_models=models,
        held_out_features=held_out_features(models, observed, labelled),
        out_of_fold=observed.auto,
    )
    write_bundle(packed, folder)
    samples = pd.DataFrame(simulate(rng, 4)[0], index=[f"new{index}" for index in range(4)], columns=GENES)
    samples.iloc[:, 2:].astype(int).to_csv(folder.parent / f"{folder.name}.samples.csv")
    score(folder, folder.parent / f"{folder.name}.samples.csv", out=folder.parent / f"{folder.name}.scores.csv")


def main() -> None:
    """Write the archive of this version, unless there is one."""
    folder = HERE / responder_ml.__version__
    if folder.exists():
        sys.exit(f"{folder} is there already; an archive is written once")
    folder.mkdir()
    for builder, classifier in KINDS:
        write_one(folder / f"{builder}-{classifier}", builder, classifier)
    (folder / "sets.gmt").unlink()
    for summary in folder.glob("*.summary.json"):
        summary.unlink()


if __name__ == "__main__":
    main()
