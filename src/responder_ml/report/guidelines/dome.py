"""DOME: data, optimisation, model, evaluation, in our own words."""

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.guidelines.item import Guideline, Item, filled, needs_author, not_applicable
from responder_ml.report.references import WORKS


def _items(facts: Facts) -> list[Item]:
    return [
        filled("D1", "provenance", f"{facts.source} {facts.classes}"),
        filled("D2", "splits", facts.validation),
        filled("D3", "redundancy between splits", facts.separation),
        needs_author("D4", "availability of the data", "Accession or repository."),
        filled("O1", "algorithm", facts.models),
        not_applicable("O2", "meta-predictions", "No other predictor's output is an input."),
        filled("O3", "data encoding", facts.preparation),
        filled("O4", "parameters", facts.tuning),
        filled("O5", "features and their selection", "Ranked inside each training set; how many is tuned inside it."),
        filled("O6", "over- and underfitting", f"{facts.validation} {facts.null}"),
        filled(
            "O7",
            "regularisation",
            "As each classifier declares; strength tuned on inner folds where anything is tuned.",
        ),
        filled("O8", "availability of the configuration", "config.yaml of the run folder, printed below."),
        filled("M1", "interpretability", facts.explanation),
        filled("M2", "output", facts.outcome),
        filled("M3", "execution time", "See 'How to reproduce this'."),
        filled("M4", "availability of software", facts.software),
        filled("E1", "evaluation method", facts.validation),
        filled("E2", "performance measures", facts.performance),
        filled("E3", "comparison", f"Same folds, AUROC: {facts.baselines}"),
        filled("E4", "confidence", f"{facts.uncertainty} {facts.null}"),
        filled(
            "E5", "availability of the evaluation", "Every held-out decision is in out_of_fold.csv of the run folder."
        ),
    ]


DOME = Guideline("DOME", WORKS["dome"], _items)
