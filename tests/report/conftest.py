"""Simulated runs of the shapes a report has to bear; their numbers come from their own tables, as in a real run."""

import hashlib
import time
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from responder_ml.evaluation import metrics
from responder_ml.evaluation.auroc_interval import auroc_interval
from responder_ml.evaluation.verdict import BaselineResult, NuisanceSummary, NullSummary, conclude
from responder_ml.records.classes import ClassesNull, ClassesResult, ClassesRun, ClassPrediction, PairRow
from responder_ml.records.graded import GRADED_FOLDER, GradedNull, GradedRecord, GradedRun
from responder_ml.records.result import SCHEMA_VERSION, Result
from responder_ml.records.run import TABLES, Run, empty_table
from responder_ml.report.card_facts import CardFacts
from responder_ml.report.class_card import describe_classes
from responder_ml.report.graded_card import describe_graded
from responder_ml.report.html import render_report

CANDIDATES = ("genes+elastic_net", "genes+nearest_centroid", "genes+xgboost")
GENES = (
    "Zfp189", "Otx2", "Esr1", "Fos", "Egr1", "Arc", "Npas4", "Bdnf", "Crh", "Fkbp5", "Nr3c1", "Sst", "Pvalb", "Vip", "Gad1",
    "Gad2", "Slc17a7", "Grin2b", "Gria1", "Homer1", "Creb1", "Hdac5", "Dnmt3a", "Tet1", "Sirt1", "Mtor", "Vgf", "Drd1", "Drd2",
    "Oprk1", "Penk", "Pdyn", "Tac1", "Npy", "Cck", "Il6", "Tnf", "Apoe", "Mbp", "Plp1",
)  # fmt: skip

MODULE_SUMS = ("contribution", "support", "contribution_low", "contribution_high")
MODULE_FIRSTS = ("direction", "sign_consistency", "selection_frequency", "leading_share", "strength", "null_high")


def make_run(
    *,
    positives: int = 6,
    negatives: int = 7,
    repeats: int = 10,
    folds: int = 5,
    effect: float = 1.5,
    candidates: tuple[str, ...] = CANDIDATES,
    genes: tuple[str, ...] = GENES,
    draws: int = 200,
    classes: tuple[str, str] = ("responder", "non_responder"),
    name: str = "pfc-response",
    seed: int = 3,
) -> Run:
    """Return a run with a planted difference; ``draws`` 0 leaves the null out."""
    rng = np.random.default_rng(seed)
    n = positives + negatives
    labels = np.repeat([1, 0], [positives, negatives]).astype(np.int8)
    subjects = [f"m{index + 1:02d}" for index in range(n)]
    samples = [f"{subject}_PFC" for subject in subjects]
    fold = np.array([_folds(rng, labels, folds) for _ in range(repeats)])
    latent = effect * (labels - 0.5) + rng.normal(0, 0.8, n)
    out_of_folds = {}
    for candidate in ("auto", *candidates):
        noise = (
            rng.normal(0, 0.45, (repeats, n)) + rng.normal(0, 0.3, (repeats, folds))[np.arange(repeats)[:, None], fold]
        )
        decisions = latent * rng.uniform(0.7, 1.2) + noise
        out_of_folds[candidate] = metrics.OutOfFold(labels, decisions, fold, np.zeros_like(decisions))
    tables = {
        "out_of_fold": _out_of_fold(out_of_folds, samples, subjects),
        "candidates": _candidates(out_of_folds, rng),
        "folds": _fold_table(out_of_folds, rng),
        "contributions": _contributions(rng, genes, samples, labels),
        "null": _null_draws(rng, draws),
        "samples": _samples(rng, samples, subjects, labels, classes),
    }
    tables["genes"] = _genes(rng, genes, tables["contributions"])
    tables["modules"] = _modules(tables["genes"])
    tables["signatures"] = _signatures(tables["genes"])
    headline = _performance(out_of_folds["auto"])
    tables["baselines"] = _baselines(headline["auroc"])
    null = _null(tables["null"], out_of_folds["auto"]) if draws else None
    result = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "simulated": True,
        "endpoint": {
            "column": "response", "positive": classes[0], "negative": classes[1], "strata": ["drug"], "nuisance": ["batch"],
            "where": {"region": "PFC"}, "units": "counts",
        },
        "n": {"samples": n, "subjects": n, "positive": positives, "negative": negatives, "genes": 20000},
        "headline": {
            "candidate": "auto", **headline, "calibration": {"in_the_large": 0.1023, "intercept": None, "slope": None},
        },
        "null": null,
        "baselines": [
            {"name": row["name"], "auroc": row["auroc"], "gain": row["gain"], "gain_ci": [row["gain_low"], row["gain_high"]]}
            for row in tables["baselines"].to_dict("records")
        ],
        "candidates": [
            {"name": candidate, "builder": "genes", "classifier": candidate.split("+")[1], "chosen_share": 0.5,
             **_performance(out_of_folds[candidate])}
            for candidate in candidates
        ],
        "audit": [
            {"code": "RML01", "severity": "warning", "message": "The smaller class has 6 subjects; intervals are wide."},
            {"code": "RML04", "severity": "info", "message": "Cramer's V of batch and response is 0.21."},
        ],
        "verdict": _verdict(classes, headline["auroc"], null, tables["baselines"].to_dict("records")),
        "stability": {
            "nogueira": 0.3123, "interval": [0.2511, 0.3744], "of": "genes behind the features of auto's outer models",
            "models": repeats * folds,
        },
        "search": {"folds": folds, "repeats": repeats, "inner_folds": 3, "trials": 10},
        "refit": {"candidate": candidates[0], "params": {"n_features": 50, "C": 0.1}, "n_features": 50},
        "timings": {"search_s": 8.213, "null_s": 40.021, "total_s": 60.104},
        "versions": {"python": "3.11.7", "responder-ml": "0.1.0", "numpy": "2.4.6"},
        "data_sha256": hashlib.sha256(b"simulated").hexdigest(),
        "seed": 7,
    }  # fmt: skip
    return Run(Result.model_validate(result), tables, _config(name, candidates))


def _config(name: str, candidates: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": name,
        "cohort": {"source": "simulated", "units": "counts", "where": {"region": "PFC"}, "params": {}},
        "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"]},
        "builders": [{"kind": "genes", "params": {}}],
        "classifiers": [{"kind": candidate.split("+")[1], "params": {}} for candidate in candidates],
        "search": {"folds": 5, "repeats": 10, "inner_folds": 3, "trials": 10},
        "null": {"permutations": 200, "alpha": 0.05},
        "tracking": {"uri": "postgresql://me:secret@host/db"},
        "seed": 7,
    }


def _folds(rng, labels, folds):
    fold = np.empty(len(labels), dtype=np.intp)
    for label in (0, 1):
        members = rng.permutation(np.flatnonzero(labels == label))
        fold[members] = (np.arange(len(members)) + label * 2) % folds
    return fold


def _performance(out_of_fold: metrics.OutOfFold) -> dict[str, Any]:
    low, high = auroc_interval(out_of_fold)
    return {
        "auroc": metrics.auroc(out_of_fold),
        "auroc_ci": [low, high],
        "balanced_accuracy": metrics.balanced_accuracy(out_of_fold),
        "mcc": metrics.matthews(out_of_fold),
        "brier": metrics.brier(out_of_fold),
    }


def _out_of_fold(out_of_folds, samples, subjects) -> pd.DataFrame:
    parts = []
    for candidate, out_of_fold in out_of_folds.items():
        for repeat in range(len(out_of_fold.folds)):
            parts.append(
                pd.DataFrame(
                    {
                        "sample": samples, "subject": subjects, "label": out_of_fold.labels, "repeat": repeat,
                        "fold": out_of_fold.folds[repeat], "candidate": candidate, "log_odds": out_of_fold.decisions[repeat],
                        "probability": out_of_fold.probabilities[repeat],
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _candidates(out_of_folds, rng) -> pd.DataFrame:
    rows = []
    shares = [1.0, *rng.dirichlet(np.ones(len(out_of_folds) - 1))]
    for (name, out_of_fold), share in zip(out_of_folds.items(), shares, strict=True):
        performance = _performance(out_of_fold)
        low, high = performance.pop("auroc_ci")
        builder, _, classifier = name.partition("+") if name != "auto" else ("", "", "")
        rows.append(
            {"name": name, "builder": builder, "classifier": classifier, "auroc_low": low, "auroc_high": high, **performance,
             "chosen_share": share}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _fold_table(out_of_folds, rng) -> pd.DataFrame:
    rows = []
    for candidate, out_of_fold in out_of_folds.items():
        scores = metrics.fold_aurocs(out_of_fold)
        for repeat, fold in np.ndindex(scores.shape):
            rows.append(
                {"candidate": candidate, "repeat": repeat, "fold": fold, "auroc": scores[repeat, fold], "inner_score": 0.8,
                 "weight": 1.0, "n_features": int(rng.integers(10, 200)), "params": "{}"}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _genes(rng, genes, contributions) -> pd.DataFrame:
    by_gene = contributions.assign(slope=contributions["contribution"] * np.sign(contributions["expression"])).groupby(
        "gene"
    )
    contribution = contributions["contribution"].abs().groupby(contributions["gene"]).mean().loc[list(genes)].to_numpy()
    frame = pd.DataFrame(
        {
            "gene": genes,
            "contribution": contribution,
            "support": contribution * rng.uniform(0.2, 0.7, len(genes)),
            "direction": by_gene["slope"].mean().loc[list(genes)].to_numpy(),
            "sign_consistency": np.clip(1 - rng.gamma(0.5, 0.1, len(genes)), 0.3, 1),
            "contribution_low": contribution * 0.6,
            "contribution_high": contribution * 1.5,
            "selection_frequency": np.clip(np.linspace(1.1, 0.05, len(genes)), 0, 1),
        }
    ).sort_values("contribution", ascending=False, ignore_index=True)
    strength = frame["support"] / frame["contribution"] * 6 + rng.normal(0, 0.5, len(genes))
    limit = np.sort(strength)[-min(3, len(genes))] * 0.99
    module = np.where(np.arange(len(genes)) < 6, frame["gene"].iloc[0], "")
    return frame.assign(
        leading_share=np.clip(frame["selection_frequency"] * 1.1, 0, 1),
        strength=strength, null_high=limit, called_out=(strength > limit).astype(int), module=module,
    )  # fmt: skip


def _modules(genes: pd.DataFrame) -> pd.DataFrame:
    """Return modules of four neighbouring rows each, the second called out; none where there are few genes."""
    parts = [genes.iloc[start : start + 4] for start in (0, 4, 8) if start + 1 < len(genes)]
    rows = [
        {
            "module": part["gene"].iloc[0],
            "genes": " -".join(part["gene"]),
            "n_genes": len(part),
            "weakest_correlation": 0.83,
            **part[list(MODULE_SUMS)].sum(),
            **part[list(MODULE_FIRSTS)].iloc[0],
            "called_out": int(index == 1),
        }
        for index, part in enumerate(parts)
    ]
    return pd.DataFrame(rows, columns=list(TABLES["modules"]))


def _signatures(genes: pd.DataFrame) -> pd.DataFrame:
    rows = genes.head(5).assign(builder="gene_sets", signature=[f"SET_{index}" for index in range(len(genes.head(5)))])
    return rows[list(TABLES["signatures"])]


def _contributions(rng, genes, samples, labels) -> pd.DataFrame:
    parts = []
    for index, gene in enumerate(genes):
        direction = rng.choice([-1, 1])
        expression = rng.normal(0, 0.5, len(samples)) + direction * rng.uniform(0.2, 0.7) * (labels - labels.mean())
        expression = expression - expression.mean()
        contribution = direction * 0.3 / (index + 1) ** 0.6 * expression + rng.normal(0, 0.004, len(samples))
        parts.append(
            pd.DataFrame({"sample": samples, "gene": gene, "contribution": contribution, "expression": expression})
        )
    return pd.concat(parts, ignore_index=True)


def _null_draws(rng, draws) -> pd.DataFrame:
    if not draws:
        return empty_table("null")
    parts = []
    for kind, count, mean in (("unconditional", draws, 0.49), ("conditional", draws // 2, 0.52)):
        values = np.clip(rng.normal(mean, 0.14, count), 0, 1).round(3)
        parts.append(pd.DataFrame({"kind": kind, "draw": np.arange(count), "auroc": values}))
    return pd.concat(parts, ignore_index=True)


def _null(draws: pd.DataFrame, auto: metrics.OutOfFold) -> dict[str, Any]:
    observed = metrics.auroc(auto)
    both = {}
    for kind in ("unconditional", "conditional"):
        values = draws.loc[draws["kind"] == kind, "auroc"].to_numpy()
        p = (1 + np.count_nonzero(values >= observed)) / (1 + len(values))
        both[kind] = {
            "p_value": p, "p_interval": [p * 0.5, p * 2], "permutations": len(values), "labellings": 700, "observed": observed,
            "null_mean": float(values.mean()), "null_sd": float(values.std(ddof=1)), "exact": False, "stopped_early": False,
            "min_attainable_p": 1 / (1 + len(values)),
        }  # fmt: skip
    return {**both["unconditional"], "conditional": both["conditional"]}


def _verdict(classes, auroc, null, baselines) -> dict[str, str]:
    results = [
        BaselineResult(
            row["name"],
            row["name"] == "batch",
            row["auroc"],
            (row["auroc_low"], row["auroc_high"]),
            row["gain"],
            (row["gain_low"], row["gain_high"]),
        )
        for row in baselines
    ]
    conditional = null["conditional"] if null else None
    verdict = conclude(
        question=f"{classes[0]} from {classes[1]}",
        auroc=auroc,
        null=NullSummary(null["p_value"], null["min_attainable_p"], null["null_mean"])
        if null
        else NullSummary(None, 0.0),
        nuisance=NuisanceSummary(
            "batch", NullSummary(conditional["p_value"], conditional["min_attainable_p"]), 0.2, False, results[1]
        )
        if conditional
        else None,
        best=results[3],
        alpha=0.05,
    )
    return {"level": verdict.level, "sentence": verdict.sentence}


def _baselines(headline: float) -> pd.DataFrame:
    rows = []
    for name, auroc in (
        ("majority", 0.5),
        ("batch", 0.5512),
        ("depth and quality", 0.4423),
        ("random signatures", 0.6134),
    ):
        rows.append(
            {"name": name, "auroc": auroc, "auroc_low": auroc - 0.21 * (name != "majority"),
             "auroc_high": auroc + 0.19 * (name != "majority"), "gain": headline - auroc, "gain_low": headline - auroc - 0.22,
             "gain_high": headline - auroc + 0.24}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _samples(rng, samples, subjects, labels, classes) -> pd.DataFrame:
    n = len(samples)
    return pd.DataFrame(
        {
            "sample": samples,
            "subject": subjects,
            "region": "PFC",
            "drug": rng.choice(["imipramine", "ketamine"], n),
            "response": np.where(labels == 1, classes[0], classes[1]),
            "batch": rng.choice(["run59", "run158", "run206"], n),
            "rin": rng.normal(8, 0.5, n).round(1),
        }
    )


def changed(result: Result, **sections: Any) -> Result:
    """Return a result with some sections put in the place of its own."""
    return Result.model_validate({**result.content(), **sections})


@pytest.fixture(scope="session")
def typical_run() -> Run:
    return make_run()


@pytest.fixture(scope="session")
def no_null_run() -> Run:
    run = make_run(draws=0)
    silent = {name: run.tables[name].assign(null_high=np.nan, called_out=0) for name in ("genes", "modules")}
    return Run(run.result, {**run.tables, **silent}, run.config)


@pytest.fixture(scope="session")
def underpowered_run() -> Run:
    """3 against 3 with nothing trained: every table empty, every estimate absent."""
    run = make_run(positives=3, negatives=3, folds=3)
    sentence = "Underpowered: with these subjects no result can reach p < 0.05 (the smallest attainable p is 0.05)."
    result = changed(
        run.result,
        headline={"auroc": None, "auroc_ci": [None, None]},
        null=None,
        baselines=[],
        candidates=[],
        stability={},
        refit=None,
        timings={},
        verdict={"level": "underpowered", "sentence": sentence},
    )
    return Run(result, {"samples": run.tables["samples"]}, run.config)


@pytest.fixture(scope="session")
def one_candidate_run() -> Run:
    return make_run(candidates=("genes+nearest_centroid",), genes=("Fos",), repeats=1)


@pytest.fixture(scope="session")
def large_run() -> Run:
    run = make_run(positives=480, negatives=520, repeats=10, draws=1000)
    calibration = {"in_the_large": 0.02, "intercept": 0.0312, "slope": 0.9134}
    headline = {**run.result.headline.model_dump(), "calibration": calibration}
    return Run(changed(run.result, headline=headline), run.tables, run.config)


@pytest.fixture(scope="session")
def awkward_run() -> Run:
    """Names that are markup, formulas or in another script, and every optional value absent."""
    names = ("<script>alert(1)</script>", "A&B", "$x_1$", "H2-K1\"'", "基因", "nan", "_x_")
    run = make_run(genes=names, classes=("<b>good</b>", "bad & worse"), name="awk")
    headline = {**run.result.headline.model_dump(), "calibration": None, "auroc_ci": [None, None], "mcc": None}
    result = changed(
        run.result,
        headline=headline,
        audit=[{"code": "RML09", "severity": "error", "message": "batch <i>1</i> & 2 hold one class"}],
        verdict={"level": "confounded", "sentence": "Confounded: <img src=x onerror=alert(1)>."},
        stability={},
        refit=None,
        timings={},
        versions={},
    )
    samples = run.tables["samples"].assign(batch=[None, *run.tables["samples"]["batch"][1:]])
    baselines = run.tables["baselines"].assign(auroc_low=np.nan, gain_low=np.nan)
    return Run(result, {**run.tables, "samples": samples, "baselines": baselines}, run.config)


RUNS = ("typical_run", "no_null_run", "underpowered_run", "one_candidate_run", "large_run", "awkward_run")


@pytest.fixture(params=RUNS)
def any_run(request) -> Run:
    return request.getfixturevalue(request.param)


def make_classes_run(
    names=("control", "resilient", "susceptible"), level="evidence", draws=999, **changes
) -> ClassesRun:
    """A training of several classes that never was."""
    rng = np.random.default_rng(5)
    pairs = list(combinations(names, 2))
    tested = {"p_value": 0.004, "corrected_p": 0.01} if draws else {}
    rows = [
        PairRow(
            positive=one, negative=other, n_positive=6, n_negative=7, auroc=0.9 - 0.1 * number, auroc_low=0.6, auroc_high=0.99,
            verdict=level, sentence="In words.", run=f"three-12345678-{number}", **tested,
        )
        for number, (one, other) in enumerate(pairs)
    ]  # fmt: skip
    null = ClassesNull(
        statistic="soft maximum", p_value=0.01, p_interval=(0.005, 0.02), labellings="34650", relabellings=draws, exact=False,
        settled=True, null_mean=0.51, min_attainable_p=0.001,
    )  # fmt: skip
    size = len(names)
    known = {
        "name": "three", "simulated": True, "taken": "after", "column": "phenotype", "classes": dict.fromkeys(names, 7),
        "macro_auroc": 0.8, "null": null if draws else None, "alpha": 0.05, "level": level,
        "sentence": "Simulated data: Evidence that expression tells the classes apart.", "pairs": rows,
        "prediction": ClassPrediction(
            balanced_accuracy=0.62, confusion=[[5 if row == column else 1 for column in range(size)] for row in range(size)]
        ),
        "samples": 30, "genes": 14_077, "units": "counts", "where": {"region": ["PFC", "NAc"]}, "strata": ["drug"],
        "nuisances": ["batch", "library size"], "adjust": ["age"], "classifiers": ["elastic_net", "nearest_centroid"],
        "findings": [f"RML08: batch goes with the class ({names[0]} against {names[1]})"], "data_sha256": "ab" * 32,
        "versions": {"responder-ml": "0.2.0", "numpy": "2.4.6"}, "seed": 7,
    }  # fmt: skip
    result = ClassesResult(**{**known, **changes})
    null_table = pd.DataFrame(
        {"draw": range(draws), "statistic": rng.normal(size=draws), "auroc": rng.normal(0.51, 0.08, draws)}
    )
    return ClassesRun(result, {"pairs": pd.DataFrame([row.model_dump() for row in rows]), "null": null_table}, {})


CLASSES_RUNS = {
    "three": {},
    "no null": {"draws": 0, "level": "not_tested"},
    "real": {"simulated": False, "sentence": "No evidence.", "level": "no_evidence"},
    "five": {"names": ("a", "b", "c", "d", "e"), "prediction": None},
    "long names": {
        "names": ("control", "resilient_to_social_defeat", "susceptible_to_social_defeat", "ketamine_responder", "non_responder"),
    },
    "awkward": {"names": ("<b>good</b>", "bad & worse", "_x_"), "name": "a|b", "column": "$x_1$", "level": "confounded"},
    "of a version that knew less": {
        "samples": None, "genes": None, "units": "", "where": {}, "strata": (), "nuisances": (), "adjust": (), "classifiers": (),
        "findings": (), "data_sha256": "", "versions": {},
    },
}  # fmt: skip


@pytest.fixture(params=list(CLASSES_RUNS))
def any_classes_run(request) -> ClassesRun:
    return make_classes_run(**CLASSES_RUNS[request.param])


def make_graded_run(level="evidence", draws=999, **changes) -> GradedRun:
    """A training on a graded outcome that never was."""
    part = {"concordance": 0.81, "concordance_ci": (0.6, 0.95), "spearman": 0.55, "r2": 0.2, "mae": 0.31}
    null = GradedNull(
        statistic="soft maximum", p_value=0.004, p_interval=(0.002, 0.008), labellings="34650", relabellings=draws, exact=False,
        settled=True, null_mean=0.5, null_sd=0.1, min_attainable_p=0.001,
    )  # fmt: skip
    content = {
        "name": "ratio", "simulated": True, "taken": "after", "units": "counts", "where": {"region": "PFC"}, "strata": ("drug",),
        "nuisance": ("batch",), "adjust": ("age",), "n": {"subjects": 25, "samples": 30, "genes": 14_077}, "headline": part,
        "outcome": {"column": "si_ratio", "mean": 1.04, "sd": 0.3, "low": 0.4, "high": 1.6, "distinct": 24},
        "candidates": [
            {**part, "name": f"genes+{kind}", "builder": "genes", "regressor": kind, "chosen_share": 0.5}
            for kind in ("ridge", "elastic_net")
        ],
        "null": null if draws else None, "conditional": null if draws else None,
        "links": {"names": ("batch", "library size"), "association_p": 0.2, "following_p": 0.1} if draws else None,
        "alpha": 0.05, "verdict": {"level": level, "sentence": "Simulated data: A sentence on si_ratio."},
        "audit": [{"code": "RML08", "severity": "warning", "message": "batch goes with it"},
                  {"code": "RML00", "severity": "info", "message": "A note."}],
        "search": {"folds": 5, "repeats": 10, "inner_folds": 3, "inner_repeats": 1, "trials": 0},
        "members": [{"name": f"genes+{kind}", "weight": 0.5, "params": {}} for kind in ("ridge", "elastic_net")],
        "versions": {"responder-ml": "0.2.0", "numpy": "2.4.6"}, "data_sha256": "ab" * 32, "seed": 7, **changes,
    }  # fmt: skip
    tables = {name: GRADED_FOLDER.table(name) for name in GRADED_FOLDER.tables}
    rng, subjects = np.random.default_rng(3), np.arange(25)
    outcome, repeats = rng.uniform(0.4, 1.6, 25), np.repeat(np.arange(2), 25)
    tables["predictions"] = pd.DataFrame({
        "subject": [f"m{subject:02d}" for subject in np.tile(subjects, 2)], "repeat": repeats, "fold": np.tile(subjects % 5, 2),
        "stratum": 0, "outcome": np.tile(outcome, 2), "prediction": np.tile(outcome, 2) * 0.3 + rng.normal(0.7, 0.1, 50),
    })  # fmt: skip
    tables["null"] = pd.DataFrame({
        "kind": "unconditional", "draw": range(draws), "statistic": rng.normal(size=draws),
        "concordance": rng.normal(0.5, 0.1, draws),
    })  # fmt: skip
    tables["nuisances"] = pd.DataFrame(
        {"name": ["batch", "library size"], "correlation": [0.3, -0.1], "p_value": [0.2, 0.6]}
    )
    tables["genes"] = pd.DataFrame({
        "gene": ["Fos", "Arc", "Mbp"], "contribution": [0.1, 0.3, 0.0], "direction": [1.0, -1.0, 0.0], "sign_consistency": 1.0,
        "contribution_low": 0.05, "contribution_high": 0.4, "selection_frequency": 0.9, "leading_share": 1.0,
    })  # fmt: skip
    return GradedRun(GradedRecord.model_validate(content), tables, {})


GRADED_RUNS = {
    "graded": {},
    "graded, no null": {"draws": 0, "level": "not_tested"},
    "graded, nothing measured": {
        "headline": {"concordance": None, "concordance_ci": (None, None), "spearman": None, "r2": None, "mae": 0.1},
        "candidates": (), "members": (), "level": "no_evidence",
    },
    "graded, awkward": {
        "name": "<b>a|b</b>", "simulated": False, "where": {}, "strata": (), "nuisance": (), "adjust": (), "versions": {},
        "outcome": {"column": "$x_1$ | <i>", "mean": 0.0, "sd": 1e-9, "low": -1e-9, "high": 1e12, "distinct": 2},
        "verdict": {"level": "confounded", "sentence": "Confounded: <img src=x onerror=alert(1)>."},
    },
}  # fmt: skip


@pytest.fixture(params=[*RUNS, *CLASSES_RUNS, *GRADED_RUNS])
def any_facts(request) -> CardFacts:
    """What the card of any kind of run says."""
    if request.param in RUNS:
        return CardFacts.of(request.getfixturevalue(request.param))
    if request.param in GRADED_RUNS:
        return describe_graded(make_graded_run(**GRADED_RUNS[request.param]))
    return describe_classes(make_classes_run(**CLASSES_RUNS[request.param]))


@dataclass(frozen=True)
class Built:
    """A report, the processor seconds it took, and the global settings of matplotlib that it left changed."""

    html: str
    seconds: float
    changed: set[str]

    def section(self, anchor: str) -> str:
        return self.html.split(f'<section id="{anchor}">')[1].split("</section>")[0]


@pytest.fixture(scope="session")
def built(request):
    """Return a function that builds the report of a run, named by its fixture, once."""
    import matplotlib as mpl

    reports = {}

    def build(name: str) -> Built:
        if name not in reports:
            run = request.getfixturevalue(name)
            before, start = dict(mpl.rcParams), time.process_time()
            html = render_report(run)
            seconds = time.process_time() - start
            reports[name] = Built(html, seconds, {key for key, value in mpl.rcParams.items() if before[key] != value})
        return reports[name]

    return build
