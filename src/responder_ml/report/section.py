"""What every section of the report shares: a title, an anchor and one hole, the values its template shows."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd

from responder_ml.records.run import Run, empty_table
from responder_ml.report.template import render


class Section(ABC):
    """One heading of the report.

    A member declares ``title`` and ``anchor``; its words live in ``templates/<anchor>.html``.
    """

    title: ClassVar[str]
    anchor: ClassVar[str]

    @abstractmethod
    def content(self, run: Run) -> Mapping[str, Any] | str:
        """Return the template's values, or one sentence that says why there is nothing to show."""

    def render(self, run: Run) -> str:
        """Return the section's HTML, without its heading."""
        content = self.content(run)
        if isinstance(content, str):
            return render("nothing.html", {"reason": content})
        return render(f"{self.anchor}.html", content)


def table(run: Run, name: str) -> pd.DataFrame:
    """Return a table of a run, without rows where the run has none."""
    return run.tables.get(name, empty_table(name))
