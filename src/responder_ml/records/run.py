"""A run: the complete record of one training job, as a folder of plain files.

Everything a report, a tracker or a comparison needs is in the folder; nothing is looked up anywhere else. The folder appears
whole or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from responder_ml.errors import RunError
from responder_ml.records.files import replace_folder
from responder_ml.records.folder import FolderFormat

SCHEMA_VERSION = 1

# Columns of each table, with what a stranger needs to know to read them.
TABLES: dict[str, dict[str, str]] = {
    "out_of_fold": {
        "sample": "sample name",
        "subject": "subject name",
        "label": "1 positive, 0 negative",
        "repeat": "repeat of the outer folds",
        "fold": "outer fold that held the sample out",
        "candidate": "candidate name, or auto",
        "log_odds": "log-odds of the positive class",
        "probability": "the same as a probability",
    },
    "candidates": {
        "name": "builder+classifier, or auto",
        "builder": "builder name",
        "classifier": "classifier name",
        "auroc": "mean out-of-fold AUROC over pairs within a fold",
        "auroc_low": "lower end of its 95 % subject bootstrap interval",
        "auroc_high": "upper end",
        "balanced_accuracy": "mean over repeats at the cut-off chosen inside the folds",
        "mcc": "Matthews correlation, likewise",
        "brier": "mean squared error of the probability",
        "chosen_share": "share of outer folds in which auto chose it",
    },
    "folds": {
        "candidate": "candidate name, or auto",
        "repeat": "repeat",
        "fold": "outer fold",
        "auroc": "AUROC of the fold's held-out subjects, empty if one class is absent",
        "inner_score": "best inner objective",
        "chosen": "1 where auto took this candidate",
        "n_features": "columns used",
        "params": "chosen parameters, JSON",
        "base": "log-odds before any gene has spoken (SHAP base value), auto only",
    },
    "trials": {
        "candidate": "candidate name",
        "repeat": "repeat",
        "fold": "outer fold",
        "trial": "number of the trial",
        "value": "mean inner AUROC",
        "params": "parameters, JSON",
    },
    "genes": {
        "gene": "gene name",
        "contribution": "mean absolute held-out SHAP value of the auto procedure, log-odds",
        "support": "mean contribution towards the subject's true class, log-odds: what the gene did for the predictions",
        "direction": "mean of SHAP x sign of the gene against its training mean: above 0 if more of it speaks for positive",
        "sign_consistency": "share of repeats whose direction has the overall sign",
        "contribution_low": "2.5 % quantile of the contribution over repeats",
        "contribution_high": "97.5 % quantile",
        "selection_frequency": "share of outer models that use the gene",
        "leading_share": "share of repeats in which it is among the 20 genes of largest contribution",
        "strength": "support over its standard error between subjects, on the repeats that relabelled runs have",
        "null_high": "strength that the best gene exceeds in at most 5 % of relabelled runs, empty if not run",
        "called_out": "1 where the strength exceeds it",
        "module": "leading gene of its module of correlated genes, empty if in none",
    },
    "modules": {
        "module": "leading gene of the module, which names it",
        "genes": "its genes, largest contribution first; a minus before those that fall as the leading one rises",
        "n_genes": "their number",
        "weakest_correlation": "least absolute correlation of two of its genes over subjects, log2 expression; no label is used",
        "contribution": "as for genes, of the sum over the module's genes",
        "support": "likewise",
        "direction": "above 0 if more of the leading gene, and what goes with it, speaks for positive",
        "sign_consistency": "as for genes",
        "contribution_low": "as for genes",
        "contribution_high": "as for genes",
        "selection_frequency": "share of outer models that use any of its genes",
        "leading_share": "share of repeats in which it is among the 20 modules of largest contribution",
        "strength": "as for genes",
        "null_high": "strength that the best module exceeds in at most 5 % of relabelled runs, empty if not run",
        "called_out": "1 where the strength exceeds it",
    },
    "signatures": {
        "builder": "builder whose features are signatures",
        "signature": "name of the signature",
        "contribution": "mean absolute held-out SHAP value in the builder's own best models, log-odds",
        "support": "mean contribution towards the subject's true class, log-odds",
        "direction": "above 0 if a higher score speaks for positive",
        "sign_consistency": "share of repeats whose direction has the overall sign",
        "contribution_low": "2.5 % quantile of the contribution over repeats",
        "contribution_high": "97.5 % quantile",
        "selection_frequency": "share of these models that use the signature",
    },
    "contributions": {
        "sample": "sample name",
        "gene": "gene name, the leading ones only",
        "contribution": "mean held-out SHAP value over repeats, log-odds",
        "expression": "log2 expression less the mean over samples",
    },
    "null": {
        "kind": "unconditional, or conditional on batch",
        "draw": "number of the relabelling",
        "auroc": "its value of the test statistic",
    },
    "baselines": {
        "name": "baseline",
        "auroc": "out-of-fold AUROC on the same folds",
        "auroc_low": "lower end of its interval",
        "auroc_high": "upper end",
        "gain": "headline minus baseline",
        "gain_low": "lower end of the corrected paired interval",
        "gain_high": "upper end",
    },
    "samples": {
        "sample": "sample name",
        "subject": "subject name",
    },
}
"""Tables of a run; ``samples`` also carries the sheet's own columns."""

RUN_FOLDER = FolderFormat("run", "train", "result.json", SCHEMA_VERSION, TABLES)


@dataclass(frozen=True)
class Run:
    """What one ``train`` leaves behind.

    Attributes
    ----------
    result
        The content of ``result.json``; its keys are described in ``docs/run_folder.md``.
    tables
        One data frame for each name in `TABLES`; a table with nothing in it is there with its columns.
    config
        The resolved configuration, itself valid input.
    """

    result: dict[str, Any]
    tables: dict[str, pd.DataFrame] = field(repr=False)
    config: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.result["name"])


def empty_table(name: str) -> pd.DataFrame:
    """Return a table of a run without rows."""
    return RUN_FOLDER.table(name)


def check_folder(folder: Path) -> None:
    """Refuse to overwrite something else, before anything is computed.

    Raises
    ------
    RunError
        The folder holds something that is not a run.
    """
    RUN_FOLDER.check(folder)


def write_run(run: Run, folder: Path, pages: Mapping[str, str] | None = None) -> None:
    """Write the folder beside its place first, then in one move.

    Parameters
    ----------
    run
        The run.
    folder
        Where to; a run that was there is replaced.
    pages
        Texts that belong to it, such as its report, by file name.

    Raises
    ------
    RunError
        The folder holds something that is not a run, or cannot be written.
    """
    check_folder(folder)
    texts = {**(pages or {}), **RUN_FOLDER.texts(run.result, run.tables, run.config)}

    def write(partial_folder: Path) -> None:
        for name, text in texts.items():
            (partial_folder / name).write_text(text, encoding="utf-8", newline="\n")

    try:
        replace_folder(folder, write)
    except OSError as problem:
        raise RunError(f"The run could not be written to {folder}: {problem}. Free space or choose --out.") from problem


def read_run(folder: Path) -> Run:
    """Read a run back.

    Raises
    ------
    RunError
        The folder is missing, incomplete or from a newer version.
    """
    return Run(*RUN_FOLDER.read(folder))
