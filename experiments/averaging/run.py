"""How should auto combine its candidates? Several rules on the same searches of simulated cohorts.

Each cohort is searched once; every rule combines the same out-of-fold decisions, so differences between rules are paired.

    python experiments/averaging/run.py --seed 20261128
"""

import argparse
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.metrics import OutOfFold, auroc, brier
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers

HERE = Path(__file__).parent
GENES = 2_000
BUILDERS = {"genes": Genes(units="counts"), "derived": Derived(units="counts"), "pairs": Pairs()}
CLASSIFIER_NAMES = ("elastic_net", "nearest_centroid")
RULES = {
    "auto": "auto: mean of log-odds; where tuned, of those the inner folds cannot tell from the best",
    "all": "mean of log-odds of all",
    "best": "the best inner AUROC, the first listed of equals",
    "unit": "mean of log-odds in units of each candidate's spread",
    "probability": "mean of probabilities",
    "single": "one candidate taken at random",
}


@dataclass(frozen=True)
class Setting:
    """One block of the table: subjects of each class and drug (two drugs), simulated effect, trials, repeats."""

    subjects: tuple[int, int]
    effect: float
    trials: int
    cohorts: int
    repeats: int


SETTINGS = [
    *[Setting((3, 3), effect, 0, 100, 4) for effect in (0.8, 1.1)],
    *[Setting((6, 6), effect, 10, 100, 1) for effect in (0.5, 0.8)],
    *[Setting((10, 10), effect, 10, 80, 1) for effect in (0.4, 0.6)],
]


def one_cohort(setting: Setting, seed: int) -> dict[str, tuple[float, float]]:
    """Return AUROC and Brier score of every rule, by its key."""
    cells = {
        ("susceptible", drug, response): count
        for drug in ("imipramine", "ketamine")
        for response, count in zip(("responder", "non_responder"), setting.subjects, strict=True)
    }
    cohort = simulate_cohort(seed=seed, effect=setting.effect, n_genes=GENES, cells=cells, regions=["PFC"])
    labelled = label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",)))
    candidates = [Candidate(name, BUILDERS[name], CLASSIFIERS[kind]) for name in BUILDERS for kind in CLASSIFIER_NAMES]
    plan = SearchPlan(min(5, 2 * setting.subjects[0]), 3, setting.trials, seed, repeats=setting.repeats)
    observed = Procedure(SearchData.of(labelled), candidates, plan, Workers(1)).observe(labelled.labels)
    one = observed.auto
    decisions = np.stack([of.decisions for of in observed.candidates.values()])
    spread = decisions.std(axis=(1, 2), keepdims=True)
    best = np.empty_like(one.decisions)
    for repeat, result in enumerate(observed.results):
        index = np.argmax(np.nan_to_num(result.inner_scores, nan=0.0), axis=0)[one.folds[repeat]]
        best[repeat] = decisions[index, repeat, np.arange(best.shape[1])]
    probability = np.clip(expit(decisions).mean(axis=0), 1e-12, 1.0 - 1e-12)
    combined = {
        "auto": one.decisions,
        "all": decisions.mean(axis=0),
        "best": best,
        "unit": (decisions / np.where(spread > 0, spread, 1.0)).mean(axis=0),
        "probability": logit(probability),
    }
    scores = {key: _score(replace(one, decisions=values)) for key, values in combined.items()}
    singles = np.array([_score(of) for of in observed.candidates.values()])
    return {**scores, "single": (float(singles[:, 0].mean()), float(singles[:, 1].mean()))}


def _score(out_of_fold: OutOfFold) -> tuple[float, float]:
    return auroc(out_of_fold), brier(out_of_fold)


def rows(setting: Setting, cohorts: list[dict[str, tuple[float, float]]]) -> list[str]:
    """Return a line of the table for every rule."""
    lines, auto = [], np.array([cohort["auto"] for cohort in cohorts])
    n_positive, n_negative = (2 * count for count in setting.subjects)
    for key, meaning in RULES.items():
        values = np.array([cohort[key] for cohort in cohorts])
        loss = auto[:, 0] - values[:, 0]
        error = loss.std(ddof=1) / np.sqrt(len(loss))
        against = "" if key == "auto" else f"{-loss.mean():+.3f} ({error:.3f})"
        lines.append(
            f"| {n_positive} v {n_negative} | {setting.effect:g} | {setting.trials} | {len(cohorts)} | {meaning} | "
            f"{values[:, 0].mean():.3f} | {against} | {values[:, 1].mean():.3f} |"
        )
    return lines


def main() -> None:
    """Run every setting and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, default=-1)
    arguments = parser.parse_args()
    start, lines = time.perf_counter(), []
    for number, setting in enumerate(SETTINGS):
        seeds = [arguments.seed + 1_000 * number + cohort for cohort in range(setting.cohorts)]
        lines += rows(setting, list(Workers(arguments.workers).map(partial(one_cohort, setting), seeds)))
        print("\n".join(lines[-len(RULES) :]), flush=True)
    head = (
        "| subjects | effect | trials | cohorts | rule | mean AUROC | against auto (standard error) | mean Brier |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    seconds = time.perf_counter() - start
    command = f"`python experiments/averaging/run.py --seed {arguments.seed}`, {seconds:.0f} s"
    (HERE / "averaging.md").write_text(f"{head}\n" + "\n".join(lines) + f"\n\n{command}\n")


if __name__ == "__main__":
    main()
