"""The AUROC of models by the number of subjects they were trained on, with the law through the points and its band."""

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from responder_ml.report.figures.canvas import WIDTH, figure_svg, legend_below
from responder_ml.report.figures.palette import BAND, OBSERVED, REFERENCE_LINE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_curve(sizes: pd.DataFrame, alt: str) -> Markup:
    """Draw the curve.

    Parameters
    ----------
    sizes
        The run's table ``learning_curve``.
    alt
        The figure in words.
    """
    trained, law = sizes[sizes["auroc"].notna()], sizes[sizes["fitted"].notna()]
    beyond = law[law["trained"] >= trained["trained"].max()]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots()
        if len(law):
            axes.fill_between(
                law["trained"], law["fitted_low"], law["fitted_high"], facecolor=BAND, alpha=0.35, linewidth=0,
                label="95 % band of the curve",
            )  # fmt: skip
            within = law[law["trained"] <= trained["trained"].max()]
            axes.plot(within["trained"], within["fitted"], color=OBSERVED, linewidth=1.6, label="inverse power law")
            axes.plot(
                beyond["trained"], beyond["fitted"], color=OBSERVED, linewidth=1.6, linestyle=":", label="extrapolated"
            )
        axes.vlines(trained["trained"], trained["auroc_low"], trained["auroc_high"], color=OBSERVED, linewidth=0.8)
        axes.scatter(trained["trained"], trained["auroc"], color=OBSERVED, s=18, zorder=3, label="AUROC, 95 % interval")
        axes.axhline(0.5, color=REFERENCE_LINE, linewidth=1.2, linestyle="--", label="chance")
        axes.set(ylim=(min(0.3, float(trained["auroc_low"].min()) - 0.02), 1.02), xlim=(0, None))
        axes.set_xlabel("subjects in a training set, mean")
        axes.set_ylabel("AUROC on held-out subjects")
        legend_below(figure, axes)

    return figure_svg("learning-curve", (WIDTH, 3.6), alt, paint)
