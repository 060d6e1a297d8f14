"""Held-out log-odds of each subject against the measured behaviour its class was cut from."""

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from responder_ml.arrays import Floats
from responder_ml.records.result import BehaviourRecord
from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import GRID, NULL, REFERENCE_LINE, look
from responder_ml.report.subject_decisions import SubjectDecisions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = 36


def behaviour_scatter(
    decisions: SubjectDecisions, behaviour: Floats, rule: BehaviourRecord, classes: tuple[str, str]
) -> Markup:
    """Draw one mark per subject.

    Parameters
    ----------
    decisions
        Held-out decisions of the whole procedure.
    behaviour
        The measured value, ``(n_subjects,)``.
    rule
        ``column``, ``cut`` and ``margin``.
    classes
        Names of the positive and the negative class.
    """
    values = decisions.mean_log_odds

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        if rule.margin:
            axes.axvspan(rule.cut - rule.margin, rule.cut + rule.margin, color=NULL, alpha=0.35, linewidth=0)
        axes.axvline(rule.cut, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", zorder=0)
        axes.axhline(0.0, color=REFERENCE_LINE, linewidth=0.8, zorder=0)
        for label, name in ((1, classes[0]), (0, classes[1])):
            some, style = decisions.labels == label, look(label)
            axes.plot(
                behaviour[some], values[some], linestyle="none", marker=style.marker, markersize=6, color=style.colour,
                markerfacecolor=style.fill or "white", label=f"{name} (n = {np.count_nonzero(some)})",
            )  # fmt: skip
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_xlabel(fill(str(rule.column), _LINE))
        axes.set_ylabel(fill(f"held-out log-odds of {classes[0]}", _LINE))
        legend_below(figure, axes)

    alt = f"Held-out log-odds of {classes[0]} against {rule.column}, {len(values)} subjects, cut-off {rule.cut:g}."
    return figure_svg("behaviour", (WIDTH, 3.2), alt, paint)
