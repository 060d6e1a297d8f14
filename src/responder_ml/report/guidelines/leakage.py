"""Kapoor and Narayanan's eight kinds of leakage: the check that meets each, or that none can."""

from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.guidelines.item import Guideline, Item, filled, needs_author
from responder_ml.report.references import WORKS


def _items(facts: Facts) -> list[Item]:
    return [
        filled("L1.1", "no test set", facts.validation),
        filled("L1.2", "preprocessing on training and test rows", facts.preparation),
        filled("L1.3", "feature selection on training and test rows", "Repeated inside every training set, inner and outer."),
        filled("L1.4", "duplicates across the split", f"{facts.separation} {facts.audit} Equal samples are looked for."),
        needs_author("L2", "illegitimate features", "Not checkable: is any gene measured or changed because of the label?"),
        needs_author("L3.1", "temporal leakage", "Tissue taken after the outcome: discrimination, not prognosis."),
        filled("L3.2", "dependence between training and test", f"{facts.separation} Author: litter, cage, surgery day?"),
        needs_author("L3.3", "sampling bias in the test distribution", "Not checkable: picked for sequencing by outcome?"),
    ]  # fmt: skip


LEAKAGE = Guideline("Leakage taxonomy", WORKS["kapoor"], _items)
