"""TRIPOD+AI: 27 items, in our own words, for a study that develops a model."""

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.guidelines.item import Guideline, Item, filled, needs_author, not_applicable
from responder_ml.report.references import WORKS


def _items(facts: Facts) -> list[Item]:
    return [*_front(), *_participants(facts), *_analysis(facts), *_openness(facts), *_results(facts)]


def _front() -> list[Item]:
    return [
        needs_author("1", "title"),
        needs_author("2", "abstract"),
        needs_author("3a", "context and rationale"),
        needs_author("3b", "target population and users"),
        needs_author("3c", "health inequalities", "Where subjects are people; laboratory animals have none to report."),
        filled("4", "objectives", "Development with internal validation; discrimination of two classes."),
    ]


def _participants(facts: Facts) -> list[Item]:
    return [
        filled("5a", "data source", facts.source),
        needs_author("5b", "dates"),
        needs_author("6a", "setting and centres"),
        needs_author("6b", "eligibility", "How animals were called susceptible or resilient before treatment."),
        needs_author("6c", "treatments", "Drug, dose, days; time from last dose to tissue."),
        filled("7", "data preparation", facts.preparation),
        filled("8a", "outcome", f"{facts.outcome} Author: test, cut-off and time of the label."),
        needs_author("8b", "outcome assessors"),
        needs_author("8c", "blinding of the outcome"),
        filled("9a", "initial choice of predictors", "All genes measured; label-aware ranking inside training sets only."),
        filled("9b", "definition of predictors", f"{facts.data} Author: tissue, time and protocol."),
        not_applicable("9c", "predictor assessors", "Expression is measured by an instrument."),
        needs_author("10", "sample size", f"{facts.classes} Author: how it was arrived at; the plan command gives power."),
        filled("11", "missing data", "No missing value is accepted in expression or labels."),
    ]  # fmt: skip


def _analysis(facts: Facts) -> list[Item]:
    return [
        filled("12a", "use of the data", facts.validation),
        filled("12b", "handling of predictors", facts.preparation),
        filled("12c", "model type, building, tuning, validation", f"{facts.models} {facts.tuning}"),
        filled("12d", "clusters", "Strata and nuisance columns as declared; one row of the cohort table each."),
        filled("12e", "performance measures", "AUROC, balanced accuracy, Matthews, Brier; null, baselines."),
        not_applicable("12f", "model updating", "No model is updated."),
        not_applicable("12g", "predictions of an existing model", "A model is developed, none evaluated."),
        filled("13", "class imbalance", "Folds are stratified; no row is re-weighted or made up."),
        needs_author("14", "fairness", "Where subjects are people; in animals at least sex, if both were used."),
        filled("15", "output", "Log-odds and probability; cut-off chosen inside training sets."),
        not_applicable("16", "training against evaluation data", "One cohort."),
        needs_author("17", "ethical approval"),
    ]  # fmt: skip


def _openness(facts: Facts) -> list[Item]:
    return [
        needs_author("18a", "funding"),
        needs_author("18b", "conflicts of interest"),
        needs_author("18c", "protocol"),
        needs_author("18d", "registration"),
        needs_author("18e", "data sharing"),
        filled("18f", "code sharing", f"{facts.software} Author: where the configuration and run folder are kept."),
        needs_author("19", "patient and public involvement", "Where subjects are people."),
    ]  # fmt: skip


def _results(facts: Facts) -> list[Item]:
    return [
        needs_author("20a", "flow of participants"),
        filled("20b", "characteristics", "See 'Cohort and audit'."),
        not_applicable("20c", "comparison with development data", "One cohort."),
        filled("21", "participants in each analysis", facts.classes),
        filled("22", "full model", facts.final_model),
        filled("23a", "performance with intervals", f"{facts.performance} {facts.calibration}"),
        filled("23b", "performance in clusters", "Not split further; within batches by the conditional null where it was run."),
        not_applicable("24", "results of updating", "No model is updated."),
        needs_author("25", "interpretation"),
        filled("26", "limitations", "See the verdict and the model card; the author adds those of the experiment."),
        filled("27a", "poor or missing input", "Scoring reports gene coverage and flags samples unlike the training cohort."),
        filled("27b", "user interaction", "One command on an expression table; no expertise in programming."),
        needs_author("27c", "next steps", "A second cohort first."),
    ]  # fmt: skip


TRIPOD_AI = Guideline("TRIPOD+AI", WORKS["tripod_ai"], _items)
