"""AUROC of every outer fold as one metric, in the order the folds were held out."""

from collections.abc import Iterator

from responder_ml.records.run import Run
from responder_ml.tracking.items import Metric, series
from responder_ml.tracking.table import table_of


def fold_metrics(run: Run, candidate: str) -> Iterator[Metric]:
    """Yield a candidate's AUROC per outer fold; the step is repeat x folds + fold.

    Folds that held out one class only have no AUROC and leave a gap.

    Parameters
    ----------
    run
        The run.
    candidate
        Candidate name, or "auto".
    """
    table = table_of(run, "folds")
    if table.empty:
        return
    folds = int(table["fold"].max()) + 1
    rows = table[(table["candidate"] == candidate) & table["auroc"].notna()].sort_values(["repeat", "fold"])
    steps = rows["repeat"] * folds + rows["fold"]
    yield from series("each_fold/auroc", zip(steps, rows["auroc"], strict=True))
    # Trackers show a series by its last value; this one ends at the mean over all folds.
    yield from series("each_fold/auroc_mean_so_far", zip(steps, rows["auroc"].expanding().mean(), strict=True))
