"""Serve a bundle: MLflow's scoring server hands over a posted table and returns the table that `score` would write.

MLflow imports this module by name in the serving process (the model's ``loader_module``) and calls ``_load_pyfunc``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_ml.arrays import Floats, Indices
from responder_ml.bundles.bundle import Bundle, read_bundle
from responder_ml.bundles.sample_covariates import SampleCovariates
from responder_ml.bundles.scorer import Scorer, match_source
from responder_ml.cohort.expression_source import ExpressionSource
from responder_ml.errors import ExpressionError, list_names

_SAMPLE = "sample"


class ServedBundle:
    """A bundle behind MLflow's ``predict``.

    Parameters
    ----------
    bundle
        The model, and what is known about its training samples. Expression is expected in its units; missing genes are
        imputed, as `score` does by default.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def predict(self, table: pd.DataFrame) -> pd.DataFrame:
        """Score samples.

        Parameters
        ----------
        table
            Samples in rows, genes in columns, in the bundle's units; beside them a column for each covariate that the model is
            adjusted for (`docs/serving.md`). Samples are named by a column ``sample``, or by the
            index where there is none (``dataframe_split`` keeps an index, ``dataframe_records`` does not).

        Returns
        -------
        The columns that ``docs/scoring.md`` describes; None where a value is missing, since JSON has no NaN.

        Raises
        ------
        CoverageError, ExpressionError, GeneNameError, SampleSheetError
            The table lacks too many genes or a covariate, or does not hold expression in the bundle's units.
        """
        scores = self.scores(table)
        return scores.astype(object).where(scores.notna(), None)

    def scores(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the same with every column in its own type; parameters and errors as for `predict`."""
        bundle = self._bundle
        names = [one.name for one in bundle.covariates if one.name in table.columns]
        source = ExpressionSource(_PostedTable(table.drop(columns=names)), genes_in_rows=False)
        matched = match_source(bundle, source)
        sheet = table[names].assign(sample=list(source.samples))
        covariates = SampleCovariates(bundle, source.samples, sheet)
        scorer = Scorer(bundle, matched, bundle.units, missing="impute", prior=None, covariates=covariates)
        return scorer.rows(list(source.samples), source.block(np.arange(len(source.samples)), matched.columns))

    def typical_table(self) -> pd.DataFrame:
        """Return a table that can be posted: the typical training sample, with covariates where the model has any."""
        bundle = self._bundle
        typical = bundle.reference.typical
        values = np.round(typical) if bundle.units == "counts" else np.round(typical, 3)
        table = pd.DataFrame([values], columns=bundle.genes)
        table.insert(0, _SAMPLE, ["typical"])
        for covariate in bundle.covariates:
            if not covariate.markers:
                middle = (covariate.least + covariate.greatest) / 2
                table[covariate.name] = covariate.levels[0] if covariate.levels else middle
        return table


class _PostedTable:
    """A posted table, read like the cells of a file."""

    source = "the posted table"

    def __init__(self, table: pd.DataFrame) -> None:
        names = table[_SAMPLE] if _SAMPLE in table.columns else table.index
        self._values = table.drop(columns=_SAMPLE, errors="ignore")
        self.rows: Sequence[str] = [str(name) for name in names]
        self.columns: Sequence[str] = [str(name) for name in self._values.columns]

    def numbers(self, rows: Indices, columns: Indices, genes_in_rows: bool) -> Floats:
        """Return the chosen cells as numbers, missing ones as NaN; text is refused."""
        del genes_in_rows  # samples are in rows, always
        chosen = self._values.iloc[rows, columns]
        try:
            return np.asarray(chosen.to_numpy(dtype=np.float64, na_value=np.nan))
        except (ValueError, TypeError) as problem:
            are_numbers = chosen.apply(pd.to_numeric, errors="coerce")
            text = [str(name) for name, is_text in (are_numbers.isna() & chosen.notna()).any().items() if is_text]
            raise ExpressionError(
                f"{self.source}: gene(s) {list_names(text)} hold text. Post numbers, genes in columns, and sample names in "
                f"the index or in a column '{_SAMPLE}'."
            ) from problem


def example(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a table that a bundle's model can be asked about, and its answer, for the record of the model."""
    served = ServedBundle(read_bundle(path))
    table = served.typical_table()
    return table, served.scores(table)


def _load_pyfunc(path: str) -> Any:
    """Return the bundle in a logged model's data folder, in the form that MLflow expects."""
    return ServedBundle(read_bundle(Path(path)))
