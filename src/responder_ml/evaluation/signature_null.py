"""Two questions of a study's change over all genes, each answered by relabelling its subjects within strata.

*Is there anything to replicate?* The sum over genes of squared moderated t. *Does this study show the change of another?* The
product of its moderated t with the other study's change, which is fixed; one-sided, since only the same direction counts. Moderated
variances are estimated anew under every labelling, so all labellings are treated alike.
"""

from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Floats, Indices, Labels
from responder_ml.contrasts.relabelled_change import RelabelledChange
from responder_ml.evaluation.p_values import exact_p
from responder_ml.evaluation.relabel import count_labellings, relabellings, smallest_exact_p

MOST_LABELLINGS = 2_000
"""All labellings are run up to this number; otherwise so many, the observed one among them."""


@dataclass(frozen=True)
class SignatureP:
    """A p by relabelling.

    Attributes
    ----------
    p_value
        Share of labellings at or above the observed statistic, the observed one counted.
    exact
        Whether all labellings were run.
    labellings
        How many were run.
    smallest
        The smallest p that they could have given.
    """

    p_value: float
    exact: bool
    labellings: int
    smallest: float


def signal_p(change: RelabelledChange, labels: Labels, strata: Indices, seed: int) -> SignatureP:
    """Ask whether the classes differ over all genes together.

    Parameters
    ----------
    change
        The study.
    labels, strata, seed
        As for `relabel.relabellings`.
    """
    labellings = relabellings(labels, strata, seed, "signal", MOST_LABELLINGS)
    statistic = np.concatenate([np.einsum("ij,ij->i", t, t) for t in change.t(labellings)])
    exact = len(labellings) == count_labellings(labels, strata)
    # A labelling and its mirror image tie.
    smallest = smallest_exact_p(labels, strata) if exact else 1.0 / len(labellings)
    return _p(statistic, exact, smallest)


def shown_p(change: RelabelledChange, signature: Floats, labels: Labels, strata: Indices, seed: int) -> SignatureP:
    """Ask whether a study shows the change of another, none of whose subjects is in it.

    Parameters
    ----------
    change
        The study that is relabelled.
    signature
        Change of the other study, genes in the same order.
    labels, strata, seed
        As for `relabel.relabellings`.
    """
    labellings = relabellings(labels, strata, seed, "shown", MOST_LABELLINGS)
    statistic = np.concatenate([t @ signature for t in change.t(labellings)])
    exact = len(labellings) == count_labellings(labels, strata)
    return _p(statistic, exact, 1.0 / len(labellings))


def _p(statistic: Floats, exact: bool, smallest: float) -> SignatureP:
    # A labelling that strata and covariates explain counts as reaching: nothing can be said of it.
    reached = np.where(np.isnan(statistic), np.inf, statistic)
    return SignatureP(exact_p(reached, float(statistic[0])), exact, len(statistic), smallest)
