"""Reporting guidelines, filled in as far as a run can answer them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from responder_ml.records.run import Run
from responder_ml.report.guidelines import GUIDELINES
from responder_ml.report.guidelines.facts import Facts
from responder_ml.report.section import Section


class Checklist(Section):
    """One table per guideline: filled, not applicable, or left to the author."""

    title = "Reporting checklists"
    anchor = "checklist"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return the items of every guideline and the number of items by status."""
        facts = Facts.of(run)
        checklists = []
        for guideline in GUIDELINES:
            items = guideline.items(facts)
            checklists.append({"guideline": guideline, "items": items, "tally": Counter(item.status for item in items)})
        return {"checklists": checklists}
