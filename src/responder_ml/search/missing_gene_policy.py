"""A model's decision on samples that may lack some of its genes."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.errors import CoverageError
from responder_ml.search.mean_model import ScoringModel
from responder_ml.search.outcome_model import OutcomeModel

MissingGenePolicy = Literal["impute", "skip", "refuse"]
"""What to do about genes that a sample lacks.

``impute``: a missing gene is given the value of a typical training sample, so a signature is still scored from its other genes; a
feature all of whose genes are missing is set to its training mean. ``skip``: a feature that lacks any gene is set to its training
mean. ``refuse``: a missing gene behind a feature is an error. For features of one gene ``impute`` and ``skip`` agree.
"""

_SHOWN = 5


@dataclass(frozen=True)
class Decision:
    """A model's decision on some samples.

    Attributes
    ----------
    log_odds
        Of the positive class, or the predicted outcome, shape ``(n_samples,)``.
    features
        Feature values, samples x features; not-a-number for features that had to be left out.
    standardised
        The same in training standard deviations, 0 for features left out.
    """

    log_odds: Floats
    features: Floats
    standardised: Floats


def check_policy(policy: str) -> None:
    """Refuse an unknown policy for missing genes.

    Raises
    ------
    CoverageError
        Names the policies there are.
    """
    if policy not in get_args(MissingGenePolicy):
        raise CoverageError(
            f"The policy for missing genes is '{policy}', but must be one of {', '.join(get_args(MissingGenePolicy))}."
        )


def decide(
    model: ScoringModel | OutcomeModel, filled: Floats, present: Flags, policy: str, covariates: Floats | None = None
) -> Decision:
    """Decide on samples whose missing genes `fill_missing` has filled; the filling is the same for all models of one cohort.

    Parameters
    ----------
    model
        Fitted.
    filled
        Samples x the model's training genes, in the model's units.
    present
        Whether each gene was measured.
    policy
        One of `MissingGenePolicy`.
    covariates
        Samples x covariates, for a model that is adjusted for them.

    Raises
    ------
    CoverageError
        The policy is unknown, or it is ``refuse`` and a gene behind a feature is missing.
    """
    check_policy(policy)
    if present.all():
        features = model.features(filled, covariates)
        standardised = np.asarray((features - model.mean_) / model.scale_, dtype=np.float64)
        return Decision(model.classifier_.decision_function(standardised), features, standardised)
    names = set(model.genes_[present].tolist())
    genes_of_features = [genes.tolist() for genes, _ in model.genes_of_features().values()]
    missing = sorted({gene for genes in genes_of_features for gene in genes if gene not in names})
    if missing and policy == "refuse":
        raise CoverageError(
            f"{len(missing)} gene(s) behind the model's features are missing: {', '.join(missing[:_SHOWN])}. Add them to the "
            "table, or allow missing genes (impute or skip)."
        )
    enough = all if policy == "skip" else any
    usable = np.array([enough(gene in names for gene in genes) for genes in genes_of_features], dtype=np.bool_)
    features = model.features(filled, covariates)
    standardised = np.where(usable, (features - model.mean_) / model.scale_, 0.0)
    log_odds = model.classifier_.decision_function(standardised)
    return Decision(log_odds, np.where(usable, features, np.nan), standardised)
