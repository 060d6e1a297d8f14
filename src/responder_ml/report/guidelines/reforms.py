"""REFORMS: 32 items in eight modules, in our own words."""

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.guidelines.item import Guideline, Item, filled, needs_author
from responder_ml.report.references import WORKS


def _items(facts: Facts) -> list[Item]:
    return [*_study(facts), *_data(facts), *_modelling(facts), *_conclusions(facts)]


def _study(facts: Facts) -> list[Item]:
    return [
        needs_author("1a", "population the claim is about", "Strain, sex, age, paradigm; or patient group."),
        needs_author("1b", "why this population"),
        needs_author("1c", "why machine learning"),
        filled("2a", "dataset, identifiable", f"{facts.data} Author: add a link or accession."),
        filled("2b", "code, identifiable", facts.software),
        needs_author("2c", "computing infrastructure", "Processor, memory and hours; timings are under 'How to reproduce this'."),
        filled("2d", "instructions", "See 'How to reproduce this'."),
        filled("2e", "reproduction script", "One command on config.yaml of the run folder."),
    ]  # fmt: skip


def _data(facts: Facts) -> list[Item]:
    return [
        filled("3a", "data source and annotation", f"{facts.source} Author: how and when labels were given."),
        needs_author("3b", "sampling frame", "From which animals or patients these were selected."),
        needs_author("3c", "why the dataset suits the question"),
        filled("3d", "outcome and its statistics", facts.outcome),
        filled("3e", "sample size and class sizes", facts.classes),
        filled("3f", "missing data", f"No missing value is accepted in expression or labels. {facts.audit}"),
        needs_author("3g", "why the sample represents the population"),
        needs_author("4a", "excluded samples and why", "Any made before the sample sheet was written."),
        filled("4b", "impossible or corrupt samples", f"Refused on reading. {facts.audit}"),
        filled("4c", "transformations from raw to modelled", facts.preparation),
    ]  # fmt: skip


def _modelling(facts: Facts) -> list[Item]:
    return [
        filled("5a", "models trained", facts.models),
        needs_author("5b", "why these model types"),
        filled("5c", "evaluation method", facts.validation),
        filled("5d", "how the model was selected", "By mean inner AUROC within each outer training set; shown as auto."),
        filled("5e", "hyper-parameters", facts.tuning),
        filled("5f", "baselines", f"Same folds, AUROC: {facts.baselines}"),
        filled("6a", "training and test kept apart", facts.separation),
        filled("6b", "dependencies and duplicates", f"{facts.separation} {facts.audit}"),
        needs_author("6c", "every input is legitimate", "No gene or covariate is a proxy of the label or measured because of it."),
    ]  # fmt: skip


def _conclusions(facts: Facts) -> list[Item]:
    return [
        filled("7a", "performance metrics", facts.performance),
        filled("7b", "uncertainty", facts.uncertainty),
        filled("7c", "statistical tests", facts.null),
        filled("8a", "external validity", "None in this run: one cohort, internal validation only."),
        filled("8b", "where findings may not hold", "Other regions, drugs, sexes, platforms; tissue taken before the outcome."),
    ]  # fmt: skip


REFORMS = Guideline("REFORMS", WORKS["reforms"], _items)
