"""Contributions of genes to held-out predictions: SHAP values in log-odds, never of a row the model was trained on.

Each outer model explains only the samples it did not see. A feature that is made of several genes hands its contribution on to them
by their shares of it, so contributions of genes always add up to those of features.

References
----------
Lundberg SM, Lee S-I (2017) A unified approach to interpreting model predictions. arXiv:1705.07874
Lundberg SM et al. (2020) doi:10.1038/s42256-019-0138-9 (trees)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.classifiers.classifier import Classifier
from responder_ml.search.nested import DrawResult, FoldModel

Floats = NDArray[np.float64]
GenesOf = Callable[[FoldModel, int], tuple[NDArray[np.str_], Floats]]


@dataclass(frozen=True)
class Explained:
    """SHAP values of some rows.

    Attributes
    ----------
    base
        Log-odds before any feature has spoken.
    values
        Samples x features, log-odds; ``base + values.sum(axis=1)`` is the decision.
    """

    base: float
    values: Floats


def explain(classifier: Classifier, X: Floats) -> Explained:
    """Return SHAP values of a fitted classifier for standardised rows ``X``.

    The background of a linear classifier is the training mean, which is zero in every standardised column; trees are explained
    by their own cover (path-dependent TreeSHAP).
    """
    import shap

    if classifier.linear:
        coefficients, intercept = classifier.coef_, float(classifier.intercept_)
        explainer = shap.LinearExplainer((coefficients, intercept), np.zeros((1, X.shape[1])))
        return Explained(intercept, np.asarray(explainer.shap_values(X), dtype=np.float64))
    explainer = shap.TreeExplainer(classifier.booster_, feature_perturbation="tree_path_dependent")
    # The explainer knows its expected value only once it has explained something.
    values = np.asarray(explainer.shap_values(X), dtype=np.float64)
    return Explained(float(np.ravel(explainer.expected_value)[-1]), values)


@dataclass(frozen=True)
class Contributions:
    """Held-out contributions of genes, gathered over repeats.

    Attributes
    ----------
    genes
        Genes any outer model used.
    size
        Mean absolute contribution over samples, repeats x genes.
    support
        Mean contribution towards the subject's true class, repeats x genes: what the gene did for the predictions.
    slope
        Mean of contribution times the sign of the standardised value, repeats x genes: above zero where more of the gene speaks
        for the positive class.
    per_sample
        Mean contribution over repeats, samples x genes.
    frequency
        Share of outer models that use the gene.
    """

    genes: NDArray[np.str_]
    size: Floats
    support: Floats
    slope: Floats
    per_sample: Floats
    frequency: Floats

    def table(self) -> pd.DataFrame:
        """Return one row per gene, largest mean contribution first."""
        direction = self.slope.mean(axis=0)
        agreeing = (np.sign(self.slope) == np.sign(direction)) & (self.slope != 0)
        low, high = np.quantile(self.size, [0.025, 0.975], axis=0)
        frame = pd.DataFrame(
            {
                "gene": self.genes,
                "contribution": self.size.mean(axis=0),
                "support": self.support.mean(axis=0),
                "direction": direction,
                "sign_consistency": agreeing.mean(axis=0),
                "contribution_low": low,
                "contribution_high": high,
                "selection_frequency": self.frequency,
            }
        )
        return frame.sort_values(["contribution", "gene"], ascending=[False, True], ignore_index=True)


def auto_models(results: Sequence[DrawResult]) -> list[FoldModel]:
    """Return, for every outer fold of every repeat, the model that auto took."""
    return [model for result in results for model in result.models if result.chosen[model.fold] == model.candidate]


def contributions(models: Sequence[FoldModel], genes_of: GenesOf, labels: NDArray[np.int8]) -> Contributions:
    """Explain every model on its held-out rows and gather by gene.

    Parameters
    ----------
    models
        One per outer fold and repeat.
    genes_of
        Returns the genes behind a model's feature and their shares.
    labels
        Label of each sample, 0 or 1.
    """
    n_samples, towards = len(labels), 2.0 * labels - 1.0
    place: dict[str, int] = {}
    parts: list[tuple[FoldModel, NDArray[np.intp], Floats, Floats]] = []
    for model in models:
        values = explain(model.classifier, model.test).values
        columns, gene_values, gene_signs = _by_gene(model, values, genes_of, place)
        parts.append((model, columns, gene_values, gene_signs))
    names = sorted(place, key=place.__getitem__)
    repeats = 1 + max(model.repeat for model in models)
    size, support, slope = (np.zeros((repeats, len(names))) for _ in range(3))
    per_sample, frequency = np.zeros((n_samples, len(names))), np.zeros(len(names))
    for model, columns, values, signed in parts:
        size[model.repeat, columns] += np.abs(values).sum(axis=0) / n_samples
        support[model.repeat, columns] += towards[model.test_rows] @ values / n_samples
        slope[model.repeat, columns] += signed.sum(axis=0) / n_samples
        per_sample[np.ix_(model.test_rows, columns)] += values / repeats
        frequency[columns] += 1.0 / len(models)
    return Contributions(np.asarray(names, dtype=str), size, support, slope, per_sample, frequency)


def _by_gene(
    model: FoldModel, values: Floats, genes_of: GenesOf, place: dict[str, int]
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Hand feature contributions on to genes; returns gene columns, contributions and signed contributions."""
    columns: dict[int, int] = {}
    rows: list[int] = []
    features: list[int] = []
    shares: list[float] = []
    for feature in range(len(model.columns)):
        for gene, share in zip(*genes_of(model, feature), strict=True):
            column = place.setdefault(str(gene), len(place))
            rows.append(columns.setdefault(column, len(columns)))
            features.append(feature)
            shares.append(float(share))
    split = np.zeros((len(model.columns), len(columns)))
    np.add.at(split, (features, rows), shares)
    # A gene that lowers a feature turns the feature's direction round.
    signed = values * np.sign(model.test)
    return np.fromiter(columns, dtype=np.intp, count=len(columns)), values @ np.abs(split), signed @ split
