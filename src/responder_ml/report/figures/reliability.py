"""Probabilities against what happened, in groups of subjects."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from responder_ml.arrays import Floats, Indices
from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import OBSERVED, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Groups:
    """Subjects grouped by probability.

    Attributes
    ----------
    mean, share
        Mean probability and share of positives in each group.
    low, high
        95 % interval of the share.
    sizes
        Subjects in each group.
    """

    mean: Floats
    share: Floats
    low: Floats
    high: Floats
    sizes: Indices


def reliability(groups: Groups, positive: str) -> Markup:
    """Draw the share of positives against the mean probability of each group.

    Parameters
    ----------
    groups
        Groups of subjects.
    positive
        Name of the positive class.
    """

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label="perfectly calibrated")
        axes.errorbar(
            groups.mean, groups.share, yerr=[groups.share - groups.low, groups.high - groups.share], fmt="o-",
            color=OBSERVED, linewidth=1.2, markersize=5, capsize=2.5, label="group of subjects, 95 % interval",
        )  # fmt: skip
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set_xlabel(f"mean held-out probability of {positive}")
        axes.set_ylabel(f"share that is {positive}")
        axes.set_box_aspect(1)
        legend_below(figure, axes, columns=1)

    alt = (
        f"Share of {positive} against mean held-out probability in {len(groups.mean)} groups of "
        f"{groups.sizes.min()} to {groups.sizes.max()} subjects; the diagonal is perfect calibration."
    )
    return figure_svg("reliability", (WIDTH, 4.2), alt, paint)
