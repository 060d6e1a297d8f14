"""The fitted models of one draw, collected fold by fold for explanation and tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from responder_ml.arrays import Floats, Indices
from responder_ml.features.builders.builder import Ranked
from responder_ml.features.signatures.scorer import GeneParts
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import Draw, FoldModel
from responder_ml.search.search_data import Block, standardisation
from responder_ml.search.tune import Tuned


class FoldModels:
    """The models that one draw has fitted so far.

    Parameters
    ----------
    candidates
        The candidates, in order.
    draw
        The draw they are fitted for.
    n_genes
        Genes of the cohort.
    """

    def __init__(self, candidates: Sequence[Candidate], draw: Draw, n_genes: int) -> None:
        self._candidates = candidates
        self._draw = draw
        self._n_genes = n_genes
        self._models: list[FoldModel] = []
        self._columns: dict[tuple[int, int], FittedColumns] = {}

    def fit(
        self,
        index: int,
        fold: int,
        tuned: Tuned,
        columns: "FittedColumns",
        block: Block,
        inner_decisions: Floats | None = None,
    ) -> None:
        """Fit a candidate, by its index, to the outer training rows of one fold.

        Parameters
        ----------
        index, fold
            Which candidate, and which fold.
        tuned
            Its parameters.
        columns
            The columns it sees.
        block
            The same columns, standardised.
        inner_decisions
            As for `FoldModel`; None where nothing is tuned.
        """
        classifier = self._candidates[index].make(tuned.params)
        classifier.learn(block.train, block.labels)
        self._models.append(
            FoldModel(
                candidate=index,
                repeat=self._draw.repeat,
                fold=fold,
                columns=block.position,
                test_rows=columns.test,
                test_features=block.test,
                classifier=classifier,
                tuned=tuned,
                inner_decisions=np.empty(0) if inner_decisions is None else inner_decisions,
                gene_shares=columns.gene_shares(self._n_genes),
            )
        )
        self._columns[index, fold] = columns

    def weighted(self, weights: Floats) -> tuple[FoldModel, ...]:
        """Return the models with their weights in auto, candidates x folds, and what each gene adds to their features."""
        # Candidates of one builder share its columns, so that what genes add to a column is held once for all of them.
        parts: dict[tuple[str, int], dict[int, GeneParts]] = {}
        models = []
        for model in self._models:
            weight = float(weights[model.candidate, model.fold])
            of_genes = self._gene_parts(model, parts) if model.classifier.linear and weight > 0 else None
            models.append(replace(model, weight=weight, gene_parts=of_genes))
        return tuple(models)

    def _gene_parts(
        self, model: FoldModel, parts: dict[tuple[str, int], dict[int, GeneParts]]
    ) -> tuple[GeneParts, ...] | None:
        fitted = self._columns[model.candidate, model.fold]
        of_columns = parts.setdefault((self._candidates[model.candidate].builder_name, model.fold), {})
        columns = fitted.columns.tolist()
        new = [column for column in columns if column not in of_columns]
        computed = fitted.standardised_parts(new)
        if computed is None:
            return None
        of_columns.update(zip(new, computed, strict=True))
        return tuple(of_columns[column] for column in columns)


@dataclass(frozen=True)
class FittedColumns:
    """The columns of an outer model, and what is needed to divide them between their genes.

    Attributes
    ----------
    ranked
        All columns of the training set.
    columns
        Which of them the model sees.
    train, test
        Training and held-out samples.
    """

    ranked: Ranked
    columns: Indices
    train: Indices
    test: Indices

    def standardised_parts(self, columns: list[int]) -> tuple[GeneParts, ...] | None:
        """Return what each gene adds to some columns of the held-out rows, on the training rows' scale."""
        if self.ranked.gene_parts is None:
            return None
        standardised = []
        for parts in self.ranked.gene_parts(columns) if columns else ():
            fitted = parts.values[self.train]
            _, scale = standardisation(fitted.sum(axis=1, keepdims=True))
            held_out = (parts.values[self.test] - fitted.mean(axis=0)) / scale
            standardised.append(GeneParts(parts.genes, held_out, parts.weights))
        return tuple(standardised)

    def gene_shares(self, n_genes: int) -> Any:
        """Return each gene's share of each column, a sparse table columns x genes."""
        genes, shares = zip(*(self.ranked.genes_of(int(column)) for column in self.columns), strict=True)
        starts = np.cumsum([0, *(len(of_column) for of_column in genes)])
        shape = len(self.columns), n_genes
        return sparse.csr_array((np.concatenate(shares), np.concatenate(genes), starts), shape=shape)
