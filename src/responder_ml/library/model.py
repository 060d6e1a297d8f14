"""A trained model in Python, which scores samples of a table, an AnnData or a file."""

import os
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
from anndata import AnnData

from responder_ml.bundles.bundle import Bundle, read_bundle
from responder_ml.bundles.class_bundle import ClassBundle, is_class_bundle, read_class_bundle
from responder_ml.bundles.graded_bundle import GradedBundle, is_graded, read_graded_bundle
from responder_ml.cohort.h5ad import h5ad_bytes
from responder_ml.errors import CohortError
from responder_ml.library.jobs import plain_cohort
from responder_ml.temporary_folder import temporary_folder

Samples: TypeAlias = AnnData | pd.DataFrame | str | os.PathLike[str]

_PREFIX = "score_"


class Model:
    """A frozen model with everything needed to score new samples, and to know when it must not.

    Parameters
    ----------
    folder
        Folder of the bundle that `train` wrote.
    bundle
        What it holds: a model of two classes, one of every two of several, or one of a graded outcome.

    Attributes
    ----------
    folder
        As given.
    """

    def __init__(self, folder: Path, bundle: Bundle | ClassBundle | GradedBundle) -> None:
        self.folder = folder
        self._bundle = bundle

    @property
    def genes(self) -> list[str]:
        """Names of the training genes."""
        return self._bundle.genes

    @property
    def classes(self) -> tuple[str, ...]:
        """The positive and the negative class, or all of several; none where a graded outcome is predicted."""
        return () if isinstance(self._bundle, GradedBundle) else self._bundle.classes

    @property
    def units(self) -> str:
        """Units of the training expression, and of new samples unless they are named."""
        return self._bundle.units

    @property
    def manifest(self) -> dict[str, Any]:
        """What the model is: features with weights, endpoint, training result, limits."""
        return self._bundle.manifest.model_dump(mode="json")

    def score(self, samples: Samples, **options: Any) -> pd.DataFrame:
        """Score new samples.

        Parameters
        ----------
        samples
            Samples x genes: an AnnData, a data frame with names on both axes (genes in columns or in rows), or a file. The
            columns of the answer are also written into an AnnData's ``obs``, as ``score_probability`` and so on, and what concerns
            all samples into ``uns["score"]``.
        **options
            Those of `responder_ml.score.score`, or of `responder_ml.score_classes.score_classes` for several classes, such as
            ``units``, ``prior``, ``missing``, ``gene_map`` and ``anyway``; ``layer`` names the layer of an AnnData to score in
            place of ``X``.

        Returns
        -------
        pandas.DataFrame
            One row per sample; docs/scoring.md describes the columns. ``attrs["summary"]`` holds what concerns all rows.

        Raises
        ------
        ResponderError
            The samples cannot be scored by this model.
        """
        if isinstance(samples, AnnData):
            table = self._score_in_memory(plain_cohort(samples, options.pop("layer", None)), options)
            _write_back(samples, table)
            return table
        if isinstance(samples, pd.DataFrame):
            data = AnnData(samples.set_axis(samples.index.astype(str)).set_axis(samples.columns.astype(str), axis=1))
            return self._score_in_memory(data, options)
        return self._score_file(Path(samples), options)

    def _score_file(self, path: Path, options: dict[str, Any]) -> pd.DataFrame:
        if isinstance(self._bundle, ClassBundle):
            from responder_ml.score_classes import score_classes

            return score_classes(self.folder, path, **options)
        # The module by its full name: in the package, its name is that of the public function.
        from responder_ml.score import score as score_two_classes

        return score_two_classes(self.folder, path, **options)

    def _score_in_memory(self, data: AnnData, options: dict[str, Any]) -> pd.DataFrame:
        # Names and numbers alone: what else a sheet holds has no say in a score, but for the covariates of an adjusted model.
        plain = AnnData(X=data.X, obs=data.obs[[]], var=data.var[[]])
        wanted = [covariate.name for covariate in self._bundle.covariates if covariate.name in data.obs]
        with temporary_folder() as folder:
            if wanted and "samples" not in options:
                options = {**options, "samples": folder / "samples.csv"}
                data.obs[wanted].assign(sample=data.obs_names).to_csv(options["samples"], index=False)
            path = folder / "samples.h5ad"
            try:
                path.write_bytes(h5ad_bytes(plain))
            except OSError as problem:
                raise CohortError(
                    f"The samples could not be written to {folder}: {problem}. Free space there, or set TMPDIR to a folder with "
                    "room."
                ) from problem
            return self._score_file(path, options)

    def __repr__(self) -> str:
        manifest = self._bundle.manifest
        simulated = ", trained on simulated data" if manifest.simulated else ""
        bundle = self._bundle
        what = bundle.outcome.column if isinstance(bundle, GradedBundle) else " against ".join(self.classes)
        return f"Model '{manifest.name}': {what}, {len(self.genes):,} genes in {self.units}{simulated}"


def load_bundle(folder: str | os.PathLike[str]) -> Model:
    """Read a model from the folder that `train` wrote.

    Raises
    ------
    BundleError
        The folder is not a bundle, is damaged, or is from a newer version.
    """
    path = Path(folder)
    if is_class_bundle(path):
        return Model(path, read_class_bundle(path))
    return Model(path, read_graded_bundle(path) if is_graded(path) else read_bundle(path))


def _write_back(data: AnnData, table: pd.DataFrame) -> None:
    columns = table.drop(columns="sample").set_axis(data.obs_names, axis=0).add_prefix(_PREFIX)
    for name in columns:
        data.obs[name] = columns[name]
    data.uns["score"] = {key: value for key, value in table.attrs["summary"].items() if value is not None}
