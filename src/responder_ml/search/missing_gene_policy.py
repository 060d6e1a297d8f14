"""A model's decision on samples that may lack some of its genes."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.errors import CoverageError
from responder_ml.features.missing_genes import fill_missing
from responder_ml.search.prefix_model import PrefixModel

Missing = Literal["impute", "skip", "refuse"]

_SHOWN = 5


@dataclass(frozen=True)
class Decision:
    """What a model makes of some samples.

    Attributes
    ----------
    log_odds
        Of the positive class, shape ``(n_samples,)``.
    features
        Feature values, samples x features; not-a-number for features that had to be left out.
    standardised
        The same in training standard deviations, 0 for features left out.
    """

    log_odds: Floats
    features: Floats
    standardised: Floats


def check_missing(missing: str) -> None:
    """Refuse an unknown policy.

    Raises
    ------
    CoverageError
        With the policies there are.
    """
    if missing not in get_args(Missing):
        raise CoverageError(
            f"The policy for missing genes is '{missing}', but must be one of {', '.join(get_args(Missing))}."
        )


def decide(model: PrefixModel, values: Floats, found: Flags, typical: Floats, units: str, missing: str) -> Decision:
    """Decide, with missing genes contributing nothing of their own.

    ``impute``: a missing gene is given what a typical training sample has, so a signature keeps what its other genes
    say; a feature all of whose genes are missing is set to its training mean. ``skip``: a feature that lacks any gene
    is set to its training mean. ``refuse``: it is an error. For features of one gene ``impute`` and ``skip`` agree.

    Parameters
    ----------
    model
        Fitted.
    values
        Samples x the model's training genes in ``units``; what stands in missing columns is not read.
    found
        Whether each gene is there.
    typical
        From `typical_sample`.
    units
        Of the values, the model's own.
    missing
        ``impute``, ``skip`` or ``refuse``.

    Raises
    ------
    CoverageError
        A gene behind a feature is missing and the policy is ``refuse``.
    """
    return decide_filled(model, fill_missing(values, found, typical, units), found, missing)


def decide_filled(model: PrefixModel, filled: Floats, found: Flags, missing: str) -> Decision:
    """Decide on samples that `fill_missing` has filled, which is the same for all models of one cohort.

    Parameters
    ----------
    model
        Fitted.
    filled
        Samples x the model's training genes.
    found, missing
        As for `decide`.

    Raises
    ------
    CoverageError
        As `decide` does.
    """
    check_missing(missing)
    if found.all():
        features = model.features(filled)
        standardised = np.asarray((features - model.mean_) / model.scale_, dtype=np.float64)
        return Decision(model.classifier_.decision_function(standardised), features, standardised)
    present = set(model.genes_[found].tolist())
    behind = [members.tolist() for members, _ in model.genes_behind().values()]
    lost = sorted({gene for members in behind for gene in members if gene not in present})
    if lost and missing == "refuse":
        raise CoverageError(
            f"{len(lost)} gene(s) behind the model's features are missing: {', '.join(lost[:_SHOWN])}. Add them to the "
            "table, or allow missing genes (impute or skip)."
        )
    enough = all if missing == "skip" else any
    kept = np.array([enough(gene in present for gene in members) for members in behind], dtype=np.bool_)
    features = model.features(filled)
    standardised = np.where(kept, (features - model.mean_) / model.scale_, 0.0)
    log_odds = model.classifier_.decision_function(standardised)
    return Decision(log_odds, np.where(kept, features, np.nan), standardised)
