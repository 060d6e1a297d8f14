"""A run as `train` leaves it, made of random numbers, so that tracking can be tested without training."""

import hashlib
import json
from functools import partial

import numpy as np
import pandas as pd
import pytest

from responder_ml.records.run import TABLES, Run, write_run

CANDIDATES = (("genes", "elastic_net"), ("genes", "xgboost"), ("stress_sets", "nearest_centroid"))
AUROC = {"genes+elastic_net": 0.81, "genes+xgboost": 0.74, "stress_sets+nearest_centroid": 0.88}


@pytest.fixture
def make_run(make_result):
    return partial(_make_run, make_result)


@pytest.fixture
def run(make_run):
    return make_run()


@pytest.fixture
def folder(run, tmp_path):
    return _write(run, tmp_path / "runs" / "pfc-response-12345678")


@pytest.fixture
def write():
    return _write


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "models" / "pfc-response"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"format_version": 1}', encoding="utf-8")
    return folder


def _write(run, folder):
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_run(run, folder)
    (folder / "report.html").write_text("<!doctype html><title>Report</title><h1>Report</h1>", encoding="utf-8")
    (folder / "card.md").write_text("# Card\n", encoding="utf-8")
    (folder / "figures").mkdir()
    (folder / "figures" / "roc.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    return folder


def _make_run(make_result, *, folds=5, repeats=2, trials=4, null=True, simulated=True, region="PFC", seed=7):
    rng = np.random.default_rng(seed)
    names = ["auto", *AUROC]
    tables = {name: pd.DataFrame(columns=list(columns)) for name, columns in TABLES.items()}
    tables["folds"] = pd.DataFrame(
        {
            "candidate": name,
            "repeat": repeat,
            "fold": fold,
            "auroc": np.nan if (repeat, fold) == (0, 1) else round(rng.uniform(0.4, 1.0), 3),
            "inner_score": round(rng.uniform(0.6, 1.0), 3),
            "weight": 1.0,
            "n_features": int(rng.integers(5, 200)),
            "params": "{}",
        }
        for name in names
        for repeat in range(repeats)
        for fold in range(folds)
    )
    tables["trials"] = pd.DataFrame(
        {
            "candidate": name,
            "repeat": repeat,
            "fold": fold,
            "trial": trial,
            "value": round(rng.uniform(0.5, 0.9), 3),
            "params": json.dumps({"n_features": int(rng.integers(5, 200)), "C": float(rng.uniform(0.01, 10))}),
        }
        for name in names[1:]
        for repeat in range(repeats)
        for fold in range(folds)
        for trial in range(trials)
    )
    tables["baselines"] = pd.DataFrame(
        [
            ["majority", 0.5, 0.5, 0.5, 0.34, 0.11, 0.5],
            ["batch", 0.58, 0.4, 0.7, 0.26, -0.02, 0.44],
            ["drug", np.nan, np.nan, np.nan, np.nan, np.nan, np.nan],
        ],
        columns=list(TABLES["baselines"]),
    )
    tables["genes"] = pd.DataFrame(
        {"gene": ["Fos", "Arc", "Bdnf"], "contribution": [0.4, 0.2, 0.1], "null_high": 0.3, "called_out": [1, 0, 0]}
    ).reindex(columns=list(TABLES["genes"]))
    tables["samples"] = pd.DataFrame(
        {
            "sample": [f"s{index}" for index in range(13)],
            "subject": [f"m{index}" for index in range(13)],
            "region": region,
            "drug": ["imipramine", "ketamine"] * 6 + ["ketamine"],
        }
    )
    result = {
        "name": f"{region.lower()}-response",
        "simulated": simulated,
        "endpoint": {
            "column": "response",
            "positive": "responder",
            "negative": "non_responder",
            "strata": ["drug"],
            "nuisance": ["batch"],
            "where": {"region": region},
            "units": "counts",
        },
        "n": {"samples": 13, "subjects": 13, "positive": 6, "negative": 7, "genes": 20000},
        "headline": {
            "candidate": "auto",
            "auroc": 0.84,
            "auroc_ci": [0.61, 1.0],
            "balanced_accuracy": 0.77,
            "mcc": None,
            "brier": 0.19,
        },
        "null": {
            "p_value": 0.014,
            "permutations": 999,
            "null_mean": 0.49,
            "min_attainable_p": 0.0014,
            "conditional": {"p_value": 0.03, "permutations": 99, "null_mean": 0.5},
        }
        if null
        else None,
        "baselines": [],
        "candidates": [
            {
                "name": f"{builder}+{classifier}",
                "builder": builder,
                "classifier": classifier,
                "auroc": AUROC[f"{builder}+{classifier}"],
                "auroc_ci": [0.55, 0.95],
                "balanced_accuracy": 0.7,
                "mcc": 0.4,
                "brier": 0.2,
                "chosen_share": 0.3,
            }
            for builder, classifier in CANDIDATES
        ],
        "audit": [],
        "verdict": {"level": "evidence", "sentence": f"Simulated: {region} tells responders apart."},
        "stability": {"nogueira": 0.31, "interval": [0.25, 0.37]},
        "search": {"folds": folds, "repeats": repeats, "inner_folds": 3, "trials": trials},
        "refit": {"candidate": "genes+elastic_net", "params": {"n_features": 50, "C": 0.1}, "n_features": 50},
        "timings": {"total_s": 60.5, "search_s": 8.2},
        "versions": {"python": "3.11.7", "responder-ml": "0.1.0"},
        "data_sha256": hashlib.sha256(region.encode()).hexdigest(),
        "seed": seed,
    }
    config = {
        "name": result["name"],
        "cohort": {"source": "simulated", "where": {"region": region}, "params": {}},
        "builders": [
            {"kind": "genes", "params": {}},
            {"kind": "gene_sets", "name": "stress_sets", "params": {"scorer": "singscore"}},
        ],
        "classifiers": [{"kind": kind, "params": {}} for kind in ("elastic_net", "xgboost", "nearest_centroid")],
        "null": {"permutations": 1000, "alpha": 0.05},
        "seed": seed,
    }
    return Run(make_result(**result), tables, config)
