"""Contributions of genes to held-out predictions: SHAP values in log-odds, never of a row the model was trained on.

Each outer model explains only the samples it did not see. What a feature made of several genes contributes is handed on to them, so
that contributions of genes always add up to those of features and stand in one table with those of single-gene models:

* Where the feature is a sum over genes (mean z, singscore, ... and derived signatures) and the classifier is linear, exactly: a
  gene gets what its own part of the feature, less that part's mean over the training rows, adds to the log-odds.
* Otherwise (pairs of genes, scores that are no sum, trees) by rule: in proportion to the genes' absolute weights in the feature.

References
----------
Lundberg SM, Lee S-I (2017) A unified approach to interpreting model predictions. arXiv:1705.07874
Lundberg SM et al. (2020) doi:10.1038/s42256-019-0138-9 (trees)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_ml.arrays import Floats, Indices, Strings
from responder_ml.classifiers.classifier import Classifier
from responder_ml.explanation.stability import top_features
from responder_ml.search.nested import DrawResult, FoldModel

LEADING = 20
"""Genes of a repeat that count as its leading ones."""


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
class FoldExplanation:
    """One outer model's explanation of the rows it did not see, gene by gene.

    Attributes
    ----------
    repeat, fold
        Which outer fold was held out.
    rows
        Its samples.
    base
        Log-odds before any gene has spoken.
    genes
        Indices in the cohort of the genes behind the model's features, ascending.
    values
        Contributions, rows x genes; ``base + values.sum(axis=1)`` is the decision.
    signed
        The same, times the sign of the gene's value against its training mean.
    """

    repeat: int
    fold: int
    rows: Indices
    base: float
    genes: Indices
    values: Floats
    signed: Floats


@dataclass(frozen=True)
class Contributions:
    """Held-out contributions of genes, or of groups of genes, gathered over repeats.

    Attributes
    ----------
    genes
        Names of the genes any outer model used, or of their groups.
    size
        Mean absolute contribution over samples, repeats x genes.
    support
        Mean contribution towards the subject's true class, repeats x genes: what the gene did for the predictions.
    slope
        Mean of contribution times the sign of the gene's value against its training mean, repeats x genes: above zero where
        more of the gene speaks for the positive class.
    per_sample
        Mean contribution over repeats, samples x genes.
    frequency
        Share of outer models that use the gene.
    """

    genes: Strings
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
                "leading_share": self._leading_share(),
            }
        )
        return frame.sort_values(["contribution", "gene"], ascending=[False, True], ignore_index=True)

    def _leading_share(self) -> Floats:
        """Return the share of repeats in which a gene is among those of largest contribution."""
        leading = np.concatenate(top_features(self.size, LEADING))
        return np.bincount(leading, minlength=len(self.genes)) / len(self.size)


def auto_models(results: Sequence[DrawResult]) -> list[FoldModel]:
    """Return, for every outer fold of every repeat, the model that auto took."""
    return [model for result in results for model in result.models if result.chosen[model.fold] == model.candidate]


def explain_models(models: Sequence[FoldModel]) -> list[FoldExplanation]:
    """Explain every outer model on its held-out rows."""
    return [_explain_held_out(model) for model in models]


def contributions(
    explained: Sequence[FoldExplanation],
    names: Strings,
    labels: NDArray[np.int8],
    signs: NDArray[np.int8] | None = None,
) -> Contributions:
    """Gather what held-out rows say of each gene.

    Parameters
    ----------
    explained
        One per outer fold and repeat.
    names
        Name of each gene of the cohort; genes of one name are added up, those without a name left out.
    labels
        Label of each sample, 0 or 1.
    signs
        -1 for genes that stand the other way round in their group, such as a repressed gene among induced ones.
    """
    n_samples, towards = len(labels), 2.0 * labels - 1.0
    used = np.unique(np.concatenate([each.genes for each in explained]))
    used = used[names[used] != ""]
    gathered, group = np.unique(names[used], return_inverse=True)
    column_of = np.full(len(names), -1, dtype=np.intp)
    column_of[used] = group
    turn = np.ones(len(names)) if signs is None else signs.astype(np.float64)
    repeats = 1 + max(each.repeat for each in explained)
    size, support, slope = (np.zeros((repeats, len(gathered))) for _ in range(3))
    per_sample, frequency = np.zeros((n_samples, len(gathered))), np.zeros(len(gathered))
    for each in explained:
        known = np.flatnonzero(column_of[each.genes] >= 0)
        columns, into = np.unique(column_of[each.genes[known]], return_inverse=True)
        values = _added_up(each.values[:, known], into, len(columns))
        signed = _added_up(each.signed[:, known] * turn[each.genes[known]], into, len(columns))
        size[each.repeat, columns] += np.abs(values).sum(axis=0) / n_samples
        support[each.repeat, columns] += towards[each.rows] @ values / n_samples
        slope[each.repeat, columns] += signed.sum(axis=0) / n_samples
        per_sample[np.ix_(each.rows, columns)] += values / repeats
        frequency[columns] += 1.0 / len(explained)
    return Contributions(gathered, size, support, slope, per_sample, frequency)


def _explain_held_out(model: FoldModel) -> FoldExplanation:
    found = explain(model.classifier, model.test_features)
    genes, values, signed = (_shared_out if model.gene_parts is None else _resolved)(model, found.values)
    return FoldExplanation(model.repeat, model.fold, model.test_rows, found.base, genes, values, signed)


def _shared_out(model: FoldModel, values: Floats) -> tuple[Indices, Floats, Floats]:
    """Hand contributions of features on to genes by their shares."""
    genes = np.unique(model.gene_shares.indices).astype(np.intp)
    shares = model.gene_shares[:, genes]
    # A gene that lowers a feature turns the feature's direction round.
    return genes, np.asarray(values @ abs(shares)), np.asarray((values * np.sign(model.test_features)) @ shares)


def _resolved(model: FoldModel, values: Floats) -> tuple[Indices, Floats, Floats]:
    """Hand contributions of features that a linear classifier weighs on to the genes they are sums over."""
    parts = model.gene_parts or ()
    genes = np.unique(np.concatenate([each.genes for each in parts]))
    resolved, signed = np.zeros((len(values), len(genes))), np.zeros((len(values), len(genes)))
    for coefficient, each in zip(model.classifier.coef_, parts, strict=True):
        columns, found = np.searchsorted(genes, each.genes), coefficient * each.values
        resolved[:, columns] += found
        signed[:, columns] += found * np.sign(each.values * each.weights)
    return genes, resolved, signed


def _added_up(values: Floats, into: Indices, count: int) -> Floats:
    """Add columns up into ``count`` columns."""
    if len(into) == count:
        ordered = np.empty_like(values)
        ordered[:, into] = values
        return ordered
    added = np.zeros((len(values), count))
    np.add.at(added.T, into, values.T)
    return added
