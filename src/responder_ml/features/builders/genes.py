"""Single genes, ranked by moderated t or by the ordinary one."""

import hashlib
from collections.abc import Sequence

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels, Strings
from responder_ml.errors import FeatureError
from responder_ml.features.builders.builder import Builder, Ranked, is_graded
from responder_ml.features.builders.context import Context
from responder_ml.features.expression_filter import ExpressionFilter, SharedDetection, detected
from responder_ml.features.normalise import Normalisation, Normaliser, SharedShifts, log2_expression
from responder_ml.parameters import Count, Finite, Share
from responder_ml.statistics.columns import Columns
from responder_ml.statistics.many_contrasts import Designs, ManyContrasts
from responder_ml.statistics.moderated_t import best_columns, moderated_t
from responder_ml.statistics.training_sets import TrainingSets


class Genes(Builder):
    """The genes that differ most between the classes of the training rows, or follow a graded outcome most closely.

    Expression is normalised with a frozen reference, filtered by detection and ranked by the absolute moderated t of
    limma (or the ordinary one), each from training rows alone. Columns are log2 expression.

    Parameters
    ----------
    normalisation
        For counts: ``tmm`` or ``log_cpm``.
    min_expression
        Counts per million (or TPM) from which a gene counts as expressed in a sample.
    min_share
        Share of training samples that must express a gene.
    max_genes
        Longest prefix a classifier may see.
    moderated
        Whether genes are ranked by limma's moderated t; by the ordinary t of equal variances otherwise, which orders genes as
        scikit-learn's ``f_classif`` does and suits hundreds of samples.
    covariates
        Columns of the sample sheet to adjust for in ranking, such as ``drug`` or ``batch``: the linear model of each
        training set has them beside the class. Expression itself is not adjusted, so that new samples need no sheet. Where
        covariates determine the class of a training set, all its genes rank equal.
    units
        Units of the values; the cohort's, set when a job is built.

    References
    ----------
    Smyth GK (2004) doi:10.2202/1544-6115.1027
    """

    name = "genes"
    summary = "single genes, ranked by moderated t within each training set"
    reference = "doi:10.2202/1544-6115.1027"
    shortest = 5
    takes_outcomes = True

    def __init__(
        self,
        normalisation: Normalisation = "tmm",
        min_expression: Finite = 1.0,
        min_share: Share = 0.25,
        max_genes: Count = 500,
        moderated: bool = True,
        covariates: Sequence[str] = (),
        units: str = "log2",
    ) -> None:
        self.normalisation = normalisation
        self.min_expression = min_expression
        self.min_share = min_share
        self.max_genes = max_genes
        self.moderated = moderated
        self.covariates = covariates
        self.units = units

    def check(self, context: Context) -> None:
        """Check that the sheet has the covariates."""
        context.covariates(self.covariates)

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedGenes":
        """Normalise the cohort and count detections once."""
        return SharedGenes(self, X, genes, self.adjusted_for(context))

    def adjusted_for(self, context: Context | None) -> Floats | None:
        """Return the covariates of the builder and of the job, samples x columns, or None if there are none.

        Raises
        ------
        FeatureError
            They are not in the sheet, or there is no sheet.
        """
        of_job = None if context is None else context.adjusted
        if not self.covariates:
            return of_job
        if context is None:
            raise FeatureError(
                f"Covariates ({', '.join(self.covariates)}) need a sample sheet. Pass a context, or drop the covariates."
            )
        own = context.covariates(self.covariates)
        return own if of_job is None else np.column_stack([own, of_job])

    def _fit(self, X: Floats, labels: Labels | Floats, genes: Strings, context: Context | None) -> None:
        self.normaliser_ = Normaliser(self.units, self.normalisation).fit(X)
        self.filter_ = ExpressionFilter(self.units, self.min_expression, self.min_share).fit(X)
        expressed = np.flatnonzero(self.filter_.kept_)
        covariates = self.adjusted_for(context)
        log2 = self.normaliser_.transform_genes(X, slice(None))
        if covariates is None and not is_graded(labels):
            t = moderated_t(log2, labels == 1, labels == 0, expressed, squeezed=self.moderated)
        else:
            designs = Designs.of_labels(labels, covariates)
            t = ManyContrasts(log2[:, expressed]).moderated_t(designs, squeezed=self.moderated)[0]
        best = np.argsort(-np.abs(t), kind="stable")[: self.max_genes]
        self.position_ = expressed[best]
        self.names_ = genes[self.position_]

    def _transform(self, X: Floats) -> Floats:
        return self.normaliser_.transform_genes(X, self.position_)


class SharedGenes:
    """Normalised expression and detections of one cohort, and the ranking of many training sets at once.

    Parameters
    ----------
    builder
        Gives the settings.
    X
        Samples x genes in the builder's units.
    names
        Gene names.
    covariates
        What the ranking is adjusted for, samples x columns.
    """

    def __init__(self, builder: Genes, X: Floats, names: Strings, covariates: Floats | None = None) -> None:
        self.names = names
        is_detected = detected(X, builder.units, builder.min_expression)
        if is_detected is None:
            self._candidates = np.arange(X.shape[1])
        else:
            # A gene that no sample expresses can never be used; leaving it out here only saves time.
            self._candidates = np.flatnonzero(is_detected.any(axis=0))
            is_detected = is_detected[:, self._candidates]
        self._detection = SharedDetection(is_detected, builder.min_share)
        self._shifts = SharedShifts(X, builder.units, builder.normalisation)
        # What is not stored here is not sent to other processes: the columns hold all that is needed later.
        self._columns = Columns.prepare(log2_expression(X, builder.units), self._candidates)
        self._longest, self._moderated = builder.max_genes, builder.moderated
        self._covariates = covariates
        # Builders that rank the same genes alike, such as `genes` and `derived`, do so once.
        values = hashlib.blake2b(np.ascontiguousarray(X).data).hexdigest()
        held = b"" if covariates is None else np.ascontiguousarray(covariates).tobytes()
        self._identity = f"{values} {X.shape} {builder.get_params()} {hashlib.blake2b(held).hexdigest()}"

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's genes by absolute t."""
        shifts = self._shifts.shifts(sets.rows)
        longest = self._longest if sets.longest is None else min(sets.longest, self._longest)
        if self._identity not in sets.known:
            expressed = self._detection.expressed(sets.rows)
            best = best_columns(
                self._columns, sets, longest, expressed, shifts, self._covariates, squeezed=self._moderated
            )
            sets.known[self._identity] = best
        best = sets.known[self._identity]
        return [self._ranked(columns, None if shifts is None else shifts[index]) for index, columns in enumerate(best)]

    def _ranked(self, columns: Indices, shift: Floats | None) -> Ranked:
        def values() -> Floats:
            taken = self._columns.take(columns)
            return taken if shift is None else taken + shift[:, None]

        position = self._candidates[columns]
        return Ranked(position, values, lambda column: (position[column : column + 1], np.ones(1)))
