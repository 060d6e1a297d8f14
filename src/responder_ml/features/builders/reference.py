"""Reference signatures: contrasts of groups such as susceptible and control, scored in every sample."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from responder_ml.arrays import Flags, Floats, Indices, Labels, Strings
from responder_ml.errors import FeatureError
from responder_ml.features.builders.axis_deriver import AxisDeriver
from responder_ml.features.builders.builder import Builder, Ranked
from responder_ml.features.builders.context import Context
from responder_ml.features.builders.reference_contrasts import CATALOGUE, DEFAULT, Contrast, find_contrasts
from responder_ml.features.builders.reference_groups import Axis, check_groups, class_axis, find_axes
from responder_ml.features.builders.reference_signatures import (
    Signature,
    read_signatures,
    score_signatures,
    signature_parts,
    weight_table,
)
from responder_ml.features.normalise import Normalisation, Normaliser, SharedExpression
from responder_ml.features.signatures import SCORERS
from responder_ml.features.signatures.scorer import GeneParts, SignatureScorer
from responder_ml.parameters import Count, Finite, Share
from responder_ml.statistics.many_contrasts import t_of_own_columns
from responder_ml.statistics.training_sets import TrainingSets

CLASS_AXIS = "class_axis"
"""The one signature of bare arrays, which come without a sheet to find groups in."""


class Reference(Builder):
    """Scores of signatures that say how one group of samples differs from another.

    A signature is the genes of largest moderated t between two groups, the strongest up and the strongest down. Groups
    outside the endpoint, such as control animals, give one signature. Where rows of the endpoint take part it is derived
    anew in every training set, from its rows and those outside; a group that names the endpoint's column follows the labels.

    Columns are ranked by moderated t of their scores. A signature that was derived with the labels sets the classes of its
    own training rows apart by construction, whatever it is worth elsewhere. It therefore comes after all
    that used no label, and the search includes it only if it helps with held-out subjects.

    Parameters
    ----------
    signatures
        Names of `CATALOGUE` or of ``contrasts``; by default `DEFAULT`, or none where ``path`` is set.
    contrasts
        Further signatures, or other definitions of known ones: name to ``{plus: {column: value}, minus: {column: value}}``,
        where a list of values means any of them, with optional ``sign: -1`` and ``apart_from: {plus: ..., minus: ...}``.
    path
        Table of further signatures from elsewhere, tab-separated: a column ``gene`` and a column of signed weights for
        each signature.
    n_genes
        Greatest number of genes on each side of a signature.
    scorer
        How a signature is scored, by name. Singscore uses only the order of genes within the sample, so that a score
        means the same in another cohort; `weighted_projection` uses the weights too, on the scale of the training rows.
    scorer_params
        Arguments of the scorer.
    min_expression, min_share
        Counts per million (or TPM) from which a gene counts as expressed, and the share of a contrast's samples that must
        express it.
    min_coverage
        Share of a table signature's genes that the data must have.
    normalisation
        For counts: ``tmm`` or ``log_cpm``.
    units
        Units of the values; the cohort's, set when a job is built.
    mapping
        Table of two columns that translates the table's gene identifiers to those of the data.

    Attributes
    ----------
    scorer_
        Fitted scorer over the signatures that could be derived.
    scored_
        Which signatures these are, in natural order.

    References
    ----------
    Foroutan M et al. (2018) doi:10.1186/s12859-018-2435-4 (the default scorer)
    Bagot RC et al. (2017) doi:10.1016/j.biopsych.2016.06.012 (the claims behind the catalogue)
    """

    name = "reference"
    summary = "scores of signatures from reference groups (control, resilient, other drugs) or a table of weights"
    reference = "doi:10.1016/j.biopsych.2016.06.012"
    fixed_length = 3
    of_signatures = True

    def __init__(
        self,
        signatures: Sequence[str] | None = None,
        contrasts: Mapping[str, Mapping[str, Any]] | None = None,
        path: str | None = None,
        n_genes: Count = 100,
        scorer: str = "singscore",
        scorer_params: Mapping[str, Any] | None = None,
        min_expression: Finite = 1.0,
        min_share: Share = 0.25,
        min_coverage: Share = 0.5,
        normalisation: Normalisation = "tmm",
        units: str = "log2",
        mapping: str | None = None,
    ) -> None:
        self.signatures = signatures
        self.contrasts = contrasts
        self.path = path
        self.mapping = mapping
        self.n_genes = n_genes
        self.scorer = scorer
        self.scorer_params = scorer_params
        self.min_expression = min_expression
        self.min_share = min_share
        self.min_coverage = min_coverage
        self.normalisation = normalisation
        self.units = units

    def check(self, context: Context) -> None:
        """Check every group, and that there is such a scorer."""
        self.make_scorer()
        check_groups(self._contrasts(), context)

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedReference":
        """Derive and score what no training set changes."""
        if context is not None:
            self.check(context)
        return SharedReference(self, X, genes, context)

    def make_scorer(self) -> SignatureScorer:
        """Return the unfitted scorer.

        Raises
        ------
        UnknownNameError
            There is no scorer of that name.
        """
        return SCORERS[self.scorer](**(self.scorer_params or {}))

    def find_axes(self, n_rows: int, context: Context | None) -> dict[str, Axis]:
        """Return the contrasts of the signatures with their groups, by name.

        Parameters
        ----------
        n_rows
            Rows of the endpoint.
        context
            Where their groups are found; without one there is only the contrast of the classes.

        Raises
        ------
        FeatureError
            An unknown signature, or a column that the sheet lacks.
        """
        if context is None:
            return {} if self.path is not None else {CLASS_AXIS: class_axis(n_rows)}
        return find_axes(self._contrasts(), context)

    def _contrasts(self) -> dict[str, Contrast]:
        names = (DEFAULT if self.path is None else ()) if self.signatures is None else self.signatures
        if not names and self.path is None:
            raise FeatureError(
                f"There is no signature to score. Name some of {', '.join(CATALOGUE)}, or give a `path`."
            )
        return find_contrasts(names, self.contrasts or {})

    def make_deriver(self, inside: Floats, outside: Floats) -> AxisDeriver:
        """Return a deriver of axes with this builder's settings."""
        return AxisDeriver(
            inside,
            outside,
            units=self.units,
            normalisation=self.normalisation,
            min_expression=self.min_expression,
            min_share=self.min_share,
            n_genes=self.n_genes,
        )

    def read_table(self, genes: Strings) -> dict[str, Signature]:
        """Return the signatures of the table over the data's genes, by name; none without a table."""
        if self.path is None:
            return {}
        return read_signatures(
            self.path, genes, n_genes=self.n_genes, min_coverage=self.min_coverage, gene_map=self.mapping
        )

    def _fit(self, X: Floats, labels: Labels, genes: Strings, context: Context | None) -> None:
        self.normaliser_ = Normaliser(self.units, self.normalisation).fit(X)
        shared = SharedReference(self, X, genes, context)
        everyone = TrainingSets(np.ones((1, len(X)), dtype=bool), labels[None])
        (signatures,) = versions = shared.signatures(everyone)
        self.scored_ = np.array([signature.genes.size > 0 for signature in signatures], dtype=bool)
        if not self.scored_.any():
            raise FeatureError(
                "No reference signature could be derived: no gene differs between the groups. Check the groups and "
                "the genes, or leave the builder out."
            )
        (ranked,) = shared.rank_versions(everyone, versions)
        table = weight_table([signature for signature in signatures if signature.genes.size], X.shape[1])
        self.scorer_ = self.make_scorer().fit(
            self.normaliser_.transform(X), members=table, names=shared.signature_names[self.scored_].tolist()
        )
        self.position_ = ranked.position
        self.names_ = shared.names[self.position_]
        self.genes_ = genes

    def _transform(self, X: Floats) -> Floats:
        scores = np.zeros((len(X), self.scored_.size))
        scores[:, self.scored_] = self.scorer_.transform(self.normaliser_.transform(X))
        return np.asarray(scores[:, self.position_], dtype=np.float64)

    def genes_of(self, column: int) -> tuple[Strings, Floats]:
        """Return a signature's genes and their signed shares by weight; none where it could not be derived."""
        position = int(self.position_[column])
        if not self.scored_[position]:
            return self.genes_[:0], np.empty(0)
        weights = np.ravel(self.scorer_.members[:, [int(self.scored_[:position].sum())]].toarray())
        signature = Signature(np.flatnonzero(weights), weights[weights != 0])
        return self.genes_[signature.genes], signature.shares


class SharedReference:
    """Reference signatures of one cohort: fixed ones, and those derived anew in each training set.

    Parameters
    ----------
    builder
        Gives the settings.
    X
        Samples x genes in the builder's units.
    genes
        Gene names.
    context
        Sample sheet and samples outside the endpoint.

    Attributes
    ----------
    signature_names, names
        Names of the signatures and of their columns, in natural order: fixed ones first.
    """

    def __init__(self, builder: Reference, X: Floats, genes: Strings, context: Context | None) -> None:
        axes = builder.find_axes(len(X), context)
        self._covariates = None if context is None else context.adjusted
        outside = np.empty((0, X.shape[1])) if context is None else context.outside
        self._scorer = builder.make_scorer()
        self._fixed = builder.read_table(genes)
        _check_names(self._fixed, axes, builder.path)
        self._axes = {name: axis for name, axis in axes.items() if axis.in_training}
        fixed_axes = {name: axis.outside_only() for name, axis in axes.items() if not axis.in_training}
        if fixed_axes:
            nobody = TrainingSets(np.zeros((1, 0), dtype=bool), np.zeros((1, 0), dtype=np.int8))
            deriver = builder.make_deriver(X[:0], outside)
            self._fixed |= {name: deriver.derive(axis, nobody)[0] for name, axis in fixed_axes.items()}
        self._deriver = builder.make_deriver(X, outside) if self._axes else None
        # Scorers that use one sample only do not depend on the shift that TMM adds to all its genes.
        method = "log_cpm" if self._scorer.sample_wise else builder.normalisation
        self._expression = SharedExpression(X, builder.units, method)
        base = self._expression.base
        # Ranks of genes within a sample, for instance, serve all signatures.
        is_shared = self._scorer.sample_wise and self._scorer.additive
        self._gene_values = clone(self._scorer).fit(base).gene_values(base) if is_shared else None
        self._fixed_scores = np.empty((len(X), 0))
        if self._scorer.sample_wise:
            self._fixed_scores = self._score(list(self._fixed.values()))
        self._saw_labels = np.array([name in axes and axes[name].sees_labels for name in (*self._fixed, *self._axes)])
        self.signature_names = np.array([*self._fixed, *self._axes], dtype=str)
        self.names: Strings = np.array([f"{builder.scorer}__{name}" for name in self.signature_names], dtype=str)

    def signatures(self, sets: TrainingSets) -> list[list[Signature]]:
        """Return all signatures of each training set, in natural order."""
        derived = [self._deriver.derive(axis, sets) for axis in self._axes.values()] if self._deriver else []
        fixed = list(self._fixed.values())
        return [[*fixed, *(versions[index] for versions in derived)] for index in range(len(sets))]

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's signatures: those that used no label first, by absolute moderated t of their scores."""
        return self.rank_versions(sets, self.signatures(sets))

    def rank_versions(self, sets: TrainingSets, signatures: list[list[Signature]]) -> list[Ranked]:
        """Return the same for the signatures of each training set, from `signatures`."""
        scores = self._scores(sets, signatures)
        shifts = self._shifts(sets)
        t = t_of_own_columns(scores, sets.positive, sets.negative, self._covariates)
        return [
            self._ranked(sets.rows[index], of_set, t[index], signatures[index], shifts[index])
            for index, of_set in enumerate(scores)
        ]

    def _scores(self, sets: TrainingSets, signatures: list[list[Signature]]) -> list[Floats]:
        """Return samples x signatures under each training set."""
        if not self._scorer.sample_wise:
            return [
                score_signatures(self._scorer, of_set, self._log2(shift), rows)
                for of_set, shift, rows in zip(signatures, self._shifts(sets), sets.rows, strict=True)
            ]
        # Nothing is learnt from training rows: one pass over the cohort scores the versions of all training sets.
        n_fixed, n_sets = len(self._fixed), len(sets)
        derived = [signature for of_set in signatures for signature in of_set[n_fixed:]]
        versions = self._score(derived)
        by_set = versions.reshape(len(versions), n_sets, len(self._axes))
        return [np.hstack([self._fixed_scores, by_set[:, index]]) for index in range(n_sets)]

    def _score(self, signatures: list[Signature]) -> Floats:
        return score_signatures(self._scorer, signatures, self._expression.base, gene_values=self._gene_values)

    def _shifts(self, sets: TrainingSets) -> Sequence[Floats | None]:
        """Return what each training set's normalisation adds to each sample; None for no shift."""
        shifts = None if self._scorer.sample_wise else self._expression.shifts(sets.rows)
        return [None] * len(sets) if shifts is None else list(shifts)

    def _log2(self, shift: Floats | None) -> Floats:
        return self._expression.base if shift is None else self._expression.base + shift[:, None]

    def _ranked(
        self, training: Flags, scores: Floats, t: Floats, signatures: list[Signature], shift: Floats | None
    ) -> Ranked:
        order = np.lexsort((-np.abs(t), self._saw_labels))

        def genes_of(column: int) -> tuple[Indices, Floats]:
            signature = signatures[int(order[column])]
            return signature.genes, signature.shares

        def gene_parts(columns: Sequence[int]) -> tuple[GeneParts, ...]:
            chosen = [signatures[int(order[column])] for column in columns]
            return signature_parts(self._scorer, chosen, self._log2(shift), training, self._gene_values)

        return Ranked(
            order, lambda: scores[:, order], genes_of, gene_parts=gene_parts if self._scorer.additive else None
        )


def _check_names(table: Mapping[str, Signature], axes: Mapping[str, Axis], path: str | None) -> None:
    twice = sorted(set(table) & set(axes))
    if twice:
        raise FeatureError(
            f"Signature(s) {', '.join(twice)} are in {path} and among `signatures`. Give each signature its own name."
        )
