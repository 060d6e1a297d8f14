"""Contributions of genes to held-out predictions: SHAP values in log-odds, never of a row the model was trained on.

Each outer model explains only the samples it did not see. Auto is a weighted mean of log-odds, so its contributions and its base
are the same mean of its members'. The contribution of a feature made of several genes is divided between these genes, so that
contributions of genes always add up to those of features, and those of all models fit in one table:

* Where the feature is a sum over genes (mean z, singscore, ... and derived signatures) and the classifier is linear, exactly: a
  gene gets what its own part of the feature, less that part's mean over the training rows, adds to the log-odds.
* Otherwise (pairs of genes, scores that are no sum, trees) by convention: in proportion to the genes' absolute weights in the
  feature.

References
----------
Lundberg SM, Lee S-I (2017) A unified approach to interpreting model predictions. arXiv:1705.07874
Lundberg SM et al. (2020) doi:10.1038/s42256-019-0138-9 (trees)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from responder_ml.arrays import Flags, Floats, Indices, Labels, Signs, Strings
from responder_ml.classifiers.learner import Learner
from responder_ml.classifiers.xgboost import BoostedTrees
from responder_ml.explanation.stability import top_features
from responder_ml.regressors.regressor import Regressor
from responder_ml.search.averaging import weighted_sum
from responder_ml.search.draw import DrawResult, FoldModel, auto_members

N_LEADING = 20
"""Number of genes with the largest contributions that are a repeat's leading genes."""


@dataclass(frozen=True)
class ShapValues:
    """SHAP values of some rows.

    Attributes
    ----------
    base
        Log-odds, or outcome, that the model expects before it sees any feature.
    values
        Samples x features, log-odds or units of the outcome; ``base + values.sum(axis=1)`` is the decision.
    """

    base: float
    values: Floats


def shap_values(classifier: Learner, X: Floats) -> ShapValues:
    """Return SHAP values of a fitted classifier, or regressor, for standardised rows ``X``.

    The background of a linear classifier is the training mean, which is zero in every standardised column; trees are explained
    by their own cover (path-dependent TreeSHAP). Any other classifier is explained by columns that take their values one after
    another, from the training mean on, in their order and in the reverse order: permutation sampling of Shapley values with one
    antithetic pair (Mitchell et al. 2022, arXiv:2104.12199), which adds up exactly.
    """
    if isinstance(classifier, BoostedTrees) and isinstance(classifier, Regressor):
        # Trees know the standardised outcome only.
        of_trees = _of_trees(classifier, X)
        return ShapValues(classifier.mean_ + classifier.scale_ * of_trees.base, classifier.scale_ * of_trees.values)
    if classifier.linear:
        # What `shap.LinearExplainer` gives with a background of zeros, without its cost in every outer model.
        return ShapValues(float(classifier.intercept_), np.asarray(X * classifier.coef_, dtype=np.float64))
    return _of_trees(classifier, X) if isinstance(classifier, BoostedTrees) else _one_after_another(classifier, X)


def _of_trees(classifier: BoostedTrees, X: Floats) -> ShapValues:
    import shap

    explainer = shap.TreeExplainer(classifier.booster_, feature_perturbation="tree_path_dependent")
    # The explainer sets its expected value only when it has explained some rows.
    values = np.asarray(explainer.shap_values(X), dtype=np.float64)
    return ShapValues(float(np.ravel(explainer.expected_value)[-1]), values)


def _one_after_another(classifier: Learner, X: Floats) -> ShapValues:
    n_rows, n_columns = X.shape
    present = np.tri(n_columns + 1, n_columns, -1, dtype=np.bool_)
    forward, backward = (
        classifier.decision_function((row * mask).reshape(-1, n_columns)).reshape(n_rows, -1)
        for row, mask in ((X[:, None], present), (X[:, None], present[:, ::-1]))
    )
    values = 0.5 * (np.diff(forward, axis=1) + np.diff(backward, axis=1)[:, ::-1])
    return ShapValues(float(forward[0, 0]) if n_rows else 0.0, np.asarray(values, dtype=np.float64))


@dataclass(frozen=True)
class FoldExplanation:
    """The explanation of the rows that one outer model, or a mean of some, did not see, gene by gene.

    Attributes
    ----------
    repeat, fold
        The outer fold that was held out.
    rows
        The samples of that fold.
    base
        Log-odds that the model expects before it sees any gene.
    genes
        Indices in the cohort of the genes of the model's features, ascending.
    values
        Contributions, rows x genes; ``base + values.sum(axis=1)`` is the decision.
    signed
        The same, times the sign of the gene's value against its training mean.
    uses
        Whether each model of the mean uses each gene, models x genes; None for one model that uses them all.
    weights
        Weight of each model of the mean, shape ``(n_models, 1)``; they add up to one. None for one model.
    """

    repeat: int
    fold: int
    rows: Indices
    base: float
    genes: Indices
    values: Floats
    signed: Floats
    uses: Flags | None = None
    weights: Floats | None = None


@dataclass(frozen=True)
class Contributions:
    """Held-out contributions of genes, or of groups of genes, over all repeats.

    Attributes
    ----------
    genes
        Names of the genes any outer model used, or of their groups.
    magnitude
        Mean absolute contribution over samples, repeats x genes.
    support
        Mean contribution towards the subject's true class, repeats x genes: how much the gene helped the predictions.
    slope
        Mean of contribution times the sign of the gene's value against its training mean, repeats x genes: above zero where
        higher values of the gene favour the positive class.
    per_sample
        Mean contribution over repeats, samples x genes.
    frequency
        Share of outer models that use the gene, each counted with its weight.
    """

    genes: Strings
    magnitude: Floats
    support: Floats
    slope: Floats
    per_sample: Floats
    frequency: Floats

    def table(self) -> pd.DataFrame:
        """Return one row per gene, largest mean contribution first."""
        direction = self.slope.mean(axis=0)
        agreeing = (np.sign(self.slope) == np.sign(direction)) & (self.slope != 0)
        low, high = np.quantile(self.magnitude, [0.025, 0.975], axis=0)
        table = pd.DataFrame(
            {
                "gene": self.genes,
                "contribution": self.magnitude.mean(axis=0),
                "support": self.support.mean(axis=0),
                "direction": direction,
                "sign_consistency": agreeing.mean(axis=0),
                "contribution_low": low,
                "contribution_high": high,
                "selection_frequency": self.frequency,
                "leading_share": self._leading_share(),
            }
        )
        return table.sort_values(["contribution", "gene"], ascending=[False, True], ignore_index=True)

    def _leading_share(self) -> Floats:
        """Return the share of repeats in which a gene is among those of largest contribution."""
        leading = np.concatenate(top_features(self.magnitude, N_LEADING))
        return np.bincount(leading, minlength=len(self.genes)) / len(self.magnitude)


def explain_models(models: Sequence[FoldModel]) -> list[FoldExplanation]:
    """Explain every outer model on its held-out rows."""
    return [_explain_held_out(model) for model in models]


def explain_auto(results: Sequence[DrawResult]) -> list[FoldExplanation]:
    """Explain auto on the held-out rows of every outer fold of every repeat."""
    return [
        mean_explanation(explain_models(members), [model.weight for model in members])
        for members in auto_members(results)
    ]


def mean_explanation(explanations: Sequence[FoldExplanation], weights: Sequence[float]) -> FoldExplanation:
    """Return the explanation of a weighted mean of models of one outer fold.

    Parameters
    ----------
    explanations
        Of each model, on the same rows.
    weights
        Not below 0, and not all 0; they are divided by their sum.
    """
    first, size = explanations[0], np.asarray(weights, dtype=np.float64)
    # Divided only where necessary, so that weights that add up to one are used as they are.
    total = float(np.sort(size).sum())
    shares = size if abs(total - 1.0) < 1e-12 else size / total
    genes = np.unique(np.concatenate([explanation.genes for explanation in explanations]))
    shape = len(explanations), len(first.rows), len(genes)
    values, signed, uses = np.zeros(shape), np.zeros(shape), np.zeros((len(explanations), len(genes)), dtype=np.bool_)
    for index, explanation in enumerate(explanations):
        columns = np.searchsorted(genes, explanation.genes)
        values[index][:, columns], signed[index][:, columns] = explanation.values, explanation.signed
        uses[index, columns] = True
    of_models = shares[:, None, None]
    return FoldExplanation(
        first.repeat,
        first.fold,
        first.rows,
        float(weighted_sum(np.array([explanation.base for explanation in explanations]), shares)),
        genes,
        weighted_sum(values, of_models),
        weighted_sum(signed, of_models),
        uses,
        shares[:, None],
    )


def gather_contributions(
    explanations: Sequence[FoldExplanation],
    names: Strings,
    labels: Labels,
    signs: Signs | None = None,
) -> Contributions:
    """Average the held-out contributions of each gene, or group of genes, over samples and repeats.

    Parameters
    ----------
    explanations
        One per outer fold and repeat.
    names
        Name of each gene of the cohort, or of its group; genes of one name are added up, those without a name left out.
    labels
        Label of each sample, 0 or 1.
    signs
        -1 for genes of opposite direction in their group, such as a repressed gene among induced ones; all 1 by default.
    """
    n_samples, towards = len(labels), 2.0 * labels - 1.0
    used = np.unique(np.concatenate([fold.genes for fold in explanations]))
    used = used[names[used] != ""]
    groups, group_of_used = np.unique(names[used], return_inverse=True)
    group_of = np.full(len(names), -1, dtype=np.intp)
    group_of[used] = group_of_used
    sign_of = np.ones(len(names)) if signs is None else signs.astype(np.float64)
    repeats = 1 + max(fold.repeat for fold in explanations)
    magnitude, support, slope = (np.zeros((repeats, len(groups))) for _ in range(3))
    per_sample, frequency = np.zeros((n_samples, len(groups))), np.zeros(len(groups))
    for fold in explanations:
        named = np.flatnonzero(group_of[fold.genes] >= 0)
        columns, column_of = np.unique(group_of[fold.genes[named]], return_inverse=True)
        values = _sum_columns(fold.values[:, named], column_of, len(columns))
        signed = _sum_columns(fold.signed[:, named] * sign_of[fold.genes[named]], column_of, len(columns))
        magnitude[fold.repeat, columns] += np.abs(values).sum(axis=0) / n_samples
        support[fold.repeat, columns] += towards[fold.rows] @ values / n_samples
        slope[fold.repeat, columns] += signed.sum(axis=0) / n_samples
        per_sample[np.ix_(fold.rows, columns)] += values / repeats
        frequency[columns] += _share_using(fold, named, column_of, len(columns)) / len(explanations)
    return Contributions(groups, magnitude, support, slope, per_sample, frequency)


def _share_using(fold: FoldExplanation, named: Indices, column_of: Indices, count: int) -> Floats:
    """Return the weight of the models that use any gene of each of ``count`` groups."""
    if fold.uses is None or fold.weights is None:
        return np.ones(count)
    used = _sum_columns(fold.uses[:, named].astype(np.float64), column_of, count) > 0
    return weighted_sum(used.astype(np.float64), fold.weights)


def _explain_held_out(model: FoldModel) -> FoldExplanation:
    of_features = shap_values(model.classifier, model.test_features)
    divide = _divide_by_shares if model.gene_parts is None else _divide_by_parts
    genes, values, signed = divide(model, of_features.values)
    return FoldExplanation(model.repeat, model.fold, model.test_rows, of_features.base, genes, values, signed)


def _divide_by_shares(model: FoldModel, values: Floats) -> tuple[Indices, Floats, Floats]:
    """Divide contributions of features between genes by the genes' shares; return genes, values and signed values."""
    genes = np.unique(model.gene_shares.indices).astype(np.intp)
    shares = model.gene_shares[:, genes]
    # For a gene that lowers a feature, the feature's direction is reversed.
    return genes, np.asarray(values @ abs(shares)), np.asarray((values * np.sign(model.test_features)) @ shares)


def _divide_by_parts(model: FoldModel, values: Floats) -> tuple[Indices, Floats, Floats]:
    """Divide contributions of features of a linear classifier between the genes whose sums the features are."""
    features = model.gene_parts or ()
    genes = np.unique(np.concatenate([parts.genes for parts in features]))
    of_genes, signed = np.zeros((len(values), len(genes))), np.zeros((len(values), len(genes)))
    for coefficient, parts in zip(model.classifier.coef_, features, strict=True):
        columns, contribution = np.searchsorted(genes, parts.genes), coefficient * parts.values
        of_genes[:, columns] += contribution
        signed[:, columns] += contribution * np.sign(parts.values * parts.weights)
    return genes, of_genes, signed


def _sum_columns(values: Floats, column_of: Indices, count: int) -> Floats:
    """Add each column of ``values`` to its one of ``count`` columns."""
    if len(column_of) == count:
        ordered = np.empty_like(values)
        ordered[:, column_of] = values
        return ordered
    sums = np.zeros((len(values), count))
    np.add.at(sums.T, column_of, values.T)
    return sums
