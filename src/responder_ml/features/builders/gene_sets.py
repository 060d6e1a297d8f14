"""Signatures from a file of gene sets, ranked by moderated t of their scores."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone

from responder_ml.arrays import Floats, Indices, Labels, Strings
from responder_ml.features.builders.builder import Builder, Ranked, is_graded
from responder_ml.features.builders.context import Context
from responder_ml.features.facts import marker_sets
from responder_ml.features.gene_map import read_one_to_one, translate
from responder_ml.features.gene_sets import GeneSet, read_gmt
from responder_ml.features.membership import Membership, match_sets_to_genes
from responder_ml.features.normalise import Normalisation, Normaliser, SharedExpression
from responder_ml.features.signatures import SCORERS
from responder_ml.features.signatures.scorer import GeneParts, SignatureScorer
from responder_ml.parameters import Count, Share
from responder_ml.statistics.columns import Columns
from responder_ml.statistics.many_contrasts import Designs, ManyContrasts
from responder_ml.statistics.moderated_t import best_columns, moderated_t
from responder_ml.statistics.training_sets import TrainingSets

_NAMED = 5


class GeneSets(Builder):
    """Scores of published gene sets, the sets that differ most between the classes of the training rows first.

    With a graded outcome, those that follow it most closely come first.

    The sets come from elsewhere and are never changed; the order of the columns, and what the scorer learns, come from
    training rows alone. Genes of low expression are not filtered: a set's score must not depend on a fold.

    Parameters
    ----------
    path
        GMT file.
    scorer
        How a set is scored, by name.
    scorer_params
        Arguments of the scorer.
    min_genes, min_coverage
        Sets with fewer genes, or a smaller share of their genes, in the data are left out.
    normalisation
        For counts: ``tmm`` or ``log_cpm``. Scorers that use one sample only do not depend on it.
    units
        Units of the values; the cohort's, set when a job is built.
    markers
        Kinds of the package's marker genes, such as ``cell_type`` and ``immediate_early``, as further sets: a signature
        must not merely stand for these. Without ``path`` and ``markers`` all genes make one set.
    mapping
        Table of two columns that translates the sets' gene identifiers to those of the data, such as symbol to Entrez id.

    Attributes
    ----------
    scorer_
        Fitted scorer over the sets that were kept.

    References
    ----------
    Foroutan M et al. (2018) doi:10.1186/s12859-018-2435-4 (the default scorer)
    """

    name = "gene_sets"
    summary = "scores of gene sets from a GMT file, ranked by moderated t within each training set"
    reference = "doi:10.1186/s12859-018-2435-4"
    fixed_length = 5
    of_signatures = True
    takes_outcomes = True

    def __init__(
        self,
        path: str | None = None,
        scorer: str = "singscore",
        scorer_params: Mapping[str, Any] | None = None,
        min_genes: Count = 5,
        min_coverage: Share = 0.5,
        normalisation: Normalisation = "tmm",
        units: str = "log2",
        markers: Sequence[str] | None = None,
        mapping: str | None = None,
    ) -> None:
        self.path = path
        self.markers = markers
        self.mapping = mapping
        self.scorer = scorer
        self.scorer_params = scorer_params
        self.min_genes = min_genes
        self.min_coverage = min_coverage
        self.normalisation = normalisation
        self.units = units

    def share(self, X: Floats, genes: Strings, context: Context | None = None) -> "SharedGeneSets":
        """Normalise the cohort, and score it once where the scorer uses one sample only."""
        table, names = self._sets(genes)
        return SharedGeneSets(self, X, table, names, None if context is None else context.adjusted)

    @property
    def by_order(self) -> bool:
        """As the scorer is."""
        return type(self.make_scorer()).by_order

    def make_scorer(self) -> SignatureScorer:
        """Return the unfitted scorer.

        Raises
        ------
        UnknownNameError
            There is no scorer of that name.
        """
        return SCORERS[self.scorer](**(self.scorer_params or {}))

    def match_sets(self, genes: Strings) -> Membership | None:
        """Return the sets matched to the genes with their coverage; None where all genes make one set.

        Raises
        ------
        FeatureError
            A file cannot be read, or no set has enough of its genes in the data.
        """
        if self.path is None and self.markers is None:
            return None
        sets: tuple[GeneSet, ...] = () if self.path is None else read_gmt(self.path)
        sets += () if self.markers is None else marker_sets(kinds=self.markers)
        if self.mapping is not None:
            sets = translate(sets, read_one_to_one(self.mapping))
        return match_sets_to_genes(sets, genes.tolist(), min_genes=self.min_genes, min_coverage=self.min_coverage)

    def notes(self, genes: Strings) -> tuple[str, ...]:
        """Return one sentence on how many of the sets' genes the data have."""
        matched = self.match_sets(genes)
        return () if matched is None else (describe_coverage(matched),)

    def _sets(self, genes: Strings) -> tuple[Any, list[str]]:
        matched = self.match_sets(genes)
        if matched is None:
            return sparse.csr_array(np.ones((len(genes), 1))), ["all genes"]
        return matched.weights, list(matched.names)

    def _fit(self, X: Floats, labels: Labels | Floats, genes: Strings, context: Context | None) -> None:
        self.normaliser_ = Normaliser(self.units, self.normalisation).fit(X)
        table, names = self._sets(genes)
        log2 = self.normaliser_.transform(X)
        self.scorer_ = self.make_scorer().fit(log2, members=table, names=names)
        t = _moderated_t(self.scorer_.transform(log2), labels, None if context is None else context.adjusted)
        self.position_ = np.argsort(-np.abs(t), kind="stable")
        self.names_ = self.scorer_.get_feature_names_out().astype(str)[self.position_]
        self.genes_ = genes

    def _transform(self, X: Floats) -> Floats:
        return np.asarray(self.scorer_.transform(self.normaliser_.transform(X))[:, self.position_], dtype=np.float64)

    def genes_of(self, column: int) -> tuple[Strings, Floats]:
        """Return a signature's genes and their signed shares by weight."""
        genes, shares = shares_of(self.scorer_.members, int(self.position_[column]))
        return self.genes_[genes], shares


def describe_coverage(matched: Membership) -> str:
    """Return one sentence on which sets are kept and how many of their genes the data have."""
    scored = matched.coverage.loc[list(matched.names)]
    lowest = scored.iloc[int(np.argmin(scored["coverage"]))]
    text = (
        f"{len(scored)} of {len(matched.coverage)} gene set(s) are scored; the data have {int(scored['found'].sum())} of their "
        f"{int(scored['genes'].sum())} genes, least of '{lowest.name}' ({int(lowest['found'])} of {int(lowest['genes'])})."
    )
    dropped = [f"'{name}' ({reason})" for name, reason in matched.dropped.items()]
    if not dropped:
        return text
    return f"{text} Left out: {'; '.join(dropped[:_NAMED])}{' and more' if len(dropped) > _NAMED else ''}."


class SharedGeneSets:
    """Scores of one cohort, once for all training sets where the scorer allows it, and their ranking.

    Parameters
    ----------
    builder
        Gives the settings.
    X
        Samples x genes in the builder's units.
    table, names
        Genes x sets, and the sets' names.
    covariates
        What the ranking is adjusted for, samples x columns.

    Attributes
    ----------
    names
        Name of each column in natural order.
    """

    def __init__(
        self, builder: GeneSets, X: Floats, table: Any, names: list[str], covariates: Floats | None = None
    ) -> None:
        self._covariates = covariates
        self._expression = SharedExpression(X, builder.units, builder.normalisation)
        self._scorer = builder.make_scorer()
        self._table = table
        self._set_names = names
        base = self._expression.base
        fitted = builder.make_scorer().fit(base, members=table, names=names)
        self.names: Strings = fitted.get_feature_names_out().astype(str)
        self._columns = Columns.prepare(fitted.transform(base)) if fitted.sample_wise else None
        self._additive = fitted.additive

    def rank(self, sets: TrainingSets) -> list[Ranked]:
        """Return each training set's signatures by absolute moderated t."""
        if self._columns is not None:
            rankings = best_columns(self._columns, sets, len(self.names), covariates=self._covariates)
            return [self._ranked(columns, self._columns.values, self._sample_wise_parts) for columns in rankings]
        shifts = self._expression.shifts(sets.rows)
        return [
            self._rank_one(sets[index : index + 1], None if shifts is None else shifts[index])
            for index in range(len(sets))
        ]

    def _rank_one(self, one: TrainingSets, shift: Floats | None) -> Ranked:
        def scored() -> tuple[SignatureScorer, Floats]:
            log2 = self._expression.base if shift is None else self._expression.base + shift[:, None]
            return clone(self._scorer).fit(log2[one.rows[0]], members=self._table, names=self._set_names), log2

        def gene_parts(chosen: Sequence[int]) -> tuple[GeneParts, ...]:
            # Needed for a few training sets only, so learnt again then rather than stored for all.
            scorer, log2 = scored()
            return scorer.gene_parts(log2, chosen)

        scorer, log2 = scored()
        scores = scorer.transform(log2)
        (columns,) = best_columns(Columns.prepare(scores), one, len(self.names), covariates=self._covariates)
        return self._ranked(columns, scores, gene_parts)

    def _sample_wise_parts(self, chosen: Sequence[int]) -> tuple[GeneParts, ...]:
        base = self._expression.base
        scorer: SignatureScorer = clone(self._scorer)
        return scorer.fit(base, members=self._table, names=self._set_names).gene_parts(base, chosen)

    def _ranked(
        self, columns: Indices, values: Floats, parts: Callable[[Sequence[int]], tuple[GeneParts, ...]]
    ) -> Ranked:
        return Ranked(
            columns,
            lambda: values[:, columns],
            lambda column: shares_of(self._table, int(columns[column])),
            gene_parts=(lambda chosen: parts(columns[chosen].tolist())) if self._additive else None,
        )


def _moderated_t(scores: Floats, labels: Labels | Floats, covariates: Floats | None) -> Floats:
    """Return each column's moderated t of the classes or the outcome of training rows, with their covariates held constant."""
    if covariates is None and not is_graded(labels):
        return moderated_t(scores, labels == 1, labels == 0)
    designs = Designs.of_labels(labels, covariates)
    return np.asarray(ManyContrasts(scores).moderated_t(designs)[0], dtype=np.float64)


def shares_of(table: Any, column: int) -> tuple[Indices, Floats]:
    """Return the indices of one set's genes and their signed shares; absolute shares add up to one.

    Parameters
    ----------
    table
        Sparse genes x sets table of signed weights.
    column
        The set.
    """
    weights = np.ravel(table[:, [column]].toarray())
    inside = np.flatnonzero(weights)
    return inside, weights[inside] / np.abs(weights[inside]).sum()
