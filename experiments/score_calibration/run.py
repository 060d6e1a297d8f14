"""Do the probabilities of new samples mean what they say? Bundles from simulated noise, and with a planted effect.

Every bundle is trained as a job is (fixed forms or tuning by the number of subjects, folds and repeats of the job), packed, written
and read by `score`, which scores new samples of the same simulated population. Of noise the probability should be the share of
positives; with an effect the slope of the labels on the log-odds of new samples should be about one.

    python experiments/score_calibration/run.py --seed 20261128
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.special import expit

from responder_ml.build import PreparedJob, prepare_job
from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.config import JobConfig
from responder_ml.evaluation.calibration import calibrate
from responder_ml.evaluation.calibration_line import CalibrationLine
from responder_ml.evaluation.held_out_features import held_out_features, outer_models
from responder_ml.evaluation.procedure import Procedure
from responder_ml.score import score
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
GENES, EFFECT_GENES, NEW = 300, 30, 300
SIZES = (12, 16, 20, 24, 30, 40, 50, 60)
TRAINING_SETS = 20
EFFECTS = (0.5, 0.8, 1.2)
SEARCH = {"repeats": 3, "folds": 5, "inner_folds": 3, "trials": 8}


def simulate(rng: np.random.Generator, n_samples: int, effect: float, share: float = 0.5) -> AnnData:
    """Return simulated log2 values of correlated genes; in some of them the classes differ."""
    labels = np.arange(n_samples) < round(share * n_samples)
    common = rng.normal(size=(n_samples, 5)) @ np.random.default_rng(1).normal(size=(5, GENES)) * 0.4
    values = 8 + common + rng.normal(size=(n_samples, GENES))
    values[:, :EFFECT_GENES] += effect * labels[:, None]
    names = [f"s{index}" for index in range(n_samples)]
    classes = np.where(labels, "responder", "non_responder")
    sheet = pd.DataFrame({"sample": names, "subject": names, "response": classes}, index=names)
    genes = pd.DataFrame(index=[f"Gene{index:03d}" for index in range(GENES)])
    return AnnData(values, obs=sheet, var=genes, uns={"units": "log2", "simulated": True, "unused_samples": []})


def prepare(n_subjects: int, effect: float, seed: int) -> PreparedJob:
    """Return a job on simulated subjects."""
    job = JobConfig.model_validate(
        {
            "name": "calibration",
            "cohort": {"source": "table", "expression": "none.csv", "samples": "none.csv", "units": "log2"},
            "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": "elastic_net"}, {"kind": "nearest_centroid"}],
            "search": SEARCH,
            "seed": seed,
        }
    )
    return prepare_job(job, simulate(np.random.default_rng(seed), n_subjects, effect))


def one_bundle(n_subjects: int, effect: float, seed: int) -> dict[str, Any]:
    """Train, score new samples, and return how good their probabilities are."""
    prepared = prepare(n_subjects, effect, seed)
    labelled, feasible = prepared.labelled, prepared.feasible
    procedure = Procedure(SearchData.of(labelled), feasible.candidates, feasible.plan, Workers(1))
    observed = procedure.observe(labelled.labels)
    classifiers, features = held_out_features(observed, labelled)
    result = {"name": "b", "simulated": True, "endpoint": {}, "n": {}, "verdict": None, "versions": {}}
    bundle = pack_bundle(
        procedure.refit(labelled.labels).model,
        labelled,
        result,
        outer_models=outer_models(procedure, observed, labelled),
        held_out_features=features,
        held_out_classifiers=classifiers,
        out_of_fold=observed.auto,
    )
    new = simulate(np.random.default_rng(seed + 500_000), NEW, effect)
    with tempfile.TemporaryDirectory() as name:
        write_bundle(bundle, Path(name) / "b")
        new.write_h5ad(Path(name) / "new.h5ad")
        scores = score(Path(name) / "b", Path(name) / "new.h5ad")
    labels = (new.obs["response"] == "responder").to_numpy().astype(int)
    probability = scores["probability"].to_numpy()
    return {
        "n": n_subjects,
        "effect": effect,
        "labels": labels,
        "log_odds": scores["log_odds"].to_numpy(),
        "uncalibrated": bundle.model.decision_function(np.asarray(new[:, bundle.genes].X)),
        "outside": float(
            np.mean((probability < scores["probability_low"]) | (probability > scores["probability_high"]))
        ),
        "width": float(np.mean(scores["probability_high"] - scores["probability_low"])),
        "auroc": float(np.mean(probability[labels == 1][:, None] > probability[labels == 0])),
        "training": float(scores["flags"].str.contains("training").mean()),
    }


def coverage(n_subjects: int, effect: float, seed: int) -> str:
    """Return a line on the interval: how often it holds the mean score over many training sets of the same size."""
    expression = np.asarray(simulate(np.random.default_rng(seed), 200, effect).X)
    scores, halves = [], []
    for number in range(TRAINING_SETS):
        prepared = prepare(n_subjects, effect, seed + 17 * number)
        labelled, feasible = prepared.labelled, prepared.feasible
        procedure = Procedure(SearchData.of(labelled), feasible.candidates, feasible.plan, Workers(1))
        observed = procedure.observe(labelled.labels)
        outer = np.stack([model.decision_function(expression) for model in outer_models(procedure, observed, labelled)])
        decisions = np.mean([procedure.refit(labelled.labels).model.decision_function(expression), *outer], axis=0)
        learnt = CalibrationLine.learn(observed.auto.decisions.mean(axis=0), labelled.labels)
        scores.append(learnt.log_odds(decisions))
        halves.append(learnt.half_width(decisions, outer))
    log_odds, half = np.array(scores), np.array(halves)
    holds = np.mean(np.abs(log_odds - log_odds.mean(axis=0)) <= half)
    width = np.mean(expit(log_odds + half) - expit(log_odds - half))
    return f"| {effect:g} | {n_subjects} | {holds:.3f} | {width:.2f} |"


def slope(rows: pd.DataFrame, column: str) -> str:
    """Return the slope of the labels on the log-odds of the new samples of all bundles together."""
    fitted = calibrate(np.concatenate(rows[column].tolist()), np.concatenate(rows["labels"].tolist())).slope
    return "" if fitted is None else f"{fitted:.2f}"


def line(effect: str, n_subjects: str, rows: pd.DataFrame) -> str:
    """Return a line of the table."""
    away = [
        np.mean([np.mean(np.abs(expit(values) - 0.5)) for values in rows[name]])
        for name in ("log_odds", "uncalibrated")
    ]
    slopes = ["", ""] if effect == "0" else [slope(rows, name) for name in ("log_odds", "uncalibrated")]
    cells = [effect, str(len(rows)), n_subjects, *(f"{value:.3f}" for value in away), *slopes]
    cells += [f"{rows['auroc'].mean():.2f}", f"{rows['outside'].mean():.4f}", f"{rows['width'].mean():.2f}"]
    return f"| {' | '.join([*cells, format(rows['training'].mean(), '.4f')])} |"


def summary(rows: pd.DataFrame) -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| effect | bundles | n | mean abs(p - 1/2) | of the final model, uncalibrated | slope in new samples | uncalibrated | "
        "mean AUROC | outside interval | width of interval | called training |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for effect, of_effect in rows.groupby("effect"):
        lines.append(line(f"{effect:g}", "12 to 60", of_effect))
    planted = rows[rows["effect"] > 0]
    lines.append(line("any but 0", "12 to 60", planted))
    for words, part in (("0", rows[rows["effect"] == 0]), ("any but 0", planted)):
        for low, high in ((12, 20), (24, 60)):
            lines.append(line(words, f"{low} to {high}", part[part["n"].between(low, high)]))
    return lines


def main() -> None:
    """Run every bundle and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--bundles", type=int, default=40, help="from noise, and as many with an effect")
    arguments = parser.parse_args()
    start, rows = time.perf_counter(), []
    for is_planted in (False, True):
        for number in range(arguments.bundles):
            effect = EFFECTS[number % len(EFFECTS)] if is_planted else 0.0
            rows.append(
                one_bundle(SIZES[number % len(SIZES)], effect, arguments.seed + 1000 * number + round(100 * effect))
            )
            print(len(rows), flush=True)
    table = summary(pd.DataFrame(rows))
    head = [
        f"`python experiments/score_calibration/run.py --seed {arguments.seed} --bundles {arguments.bundles}`, "
        f"{time.perf_counter() - start:.0f} s. All data are simulated: {NEW} new samples for each bundle, {GENES} genes, the "
        f"effect in standard deviations of {EFFECT_GENES} of them. The slope is that of all new samples of the bundles together.",
        "",
    ]
    intervals = [
        "",
        f"How often the interval holds the mean log-odds over {TRAINING_SETS} training sets of the same size, 200 new samples:",
        "",
        "| effect | n | share | width of interval |",
        "|---|---|---|---|",
        *(
            coverage(size, effect, arguments.seed)
            for size, effect in ((16, 0.0), (16, 0.8), (30, 0.8), (60, 0.5), (60, 0.8))
        ),
    ]
    (HERE / "score_calibration.md").write_text("\n".join([*head, *table, *intervals]) + "\n")


if __name__ == "__main__":
    main()
