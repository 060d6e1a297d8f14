"""Contrasts of named groups: effect, moderated t, p and false discovery rate of each gene.

`contrast_table` compares the observed groups, with covariates and weights if wanted; `contrast_many` compares two groups under
many labellings at once.

References
----------
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3. doi:10.2202/1544-6115.1027
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from responder_ml.arrays import Flags, Floats, Indices
from responder_ml.contrasts.group_fits import blocks, fit_groups
from responder_ml.errors import ContrastError
from responder_ml.registry import did_you_mean
from responder_ml.statistics.linear_model import ModeratedFit, fit_linear_model
from responder_ml.statistics.multiple_testing import benjamini_hochberg

_PAIR = np.array([1.0, -1.0])


@dataclass(frozen=True)
class Groups:
    """Which named group each subject belongs to.

    Attributes
    ----------
    names
        Group names.
    codes
        Position in ``names`` for each subject, ``(n_subjects,)``; -1 for none.
    """

    names: tuple[str, ...]
    codes: Indices = field(repr=False)

    @classmethod
    def of(cls, labels: ArrayLike) -> "Groups":
        """Make one group of each distinct label but the empty one, in sorted order."""
        text = np.asarray(labels).astype(str)
        names = tuple(sorted(set(text.tolist()) - {""}))
        place = {name: index for index, name in enumerate(names)}
        return cls(names, np.array([place.get(label, -1) for label in text.tolist()], dtype=np.intp))

    def code(self, name: str) -> int:
        """Return the position of a group.

        Raises
        ------
        ContrastError
            There is no such group.
        """
        if name not in self.names:
            raise ContrastError(f"There is no group '{name}'. {did_you_mean(name, list(self.names))}")
        return self.names.index(name)

    def size(self, name: str) -> int:
        """Return the number of subjects in a group, 0 if there is no such group."""
        return int(np.count_nonzero(self.codes == self.names.index(name))) if name in self.names else 0


@dataclass(frozen=True)
class Contrast:
    """The mean of one group less the mean of another."""

    name: str
    plus: str
    minus: str


@dataclass(frozen=True)
class ContrastTable:
    """Several contrasts of one set of groups; arrays are contrasts x genes.

    Attributes
    ----------
    contrasts
        In the order of the rows.
    effect
        Log2 fold change.
    t, p, fdr
        Moderated t, its two-sided p, and p adjusted within each contrast by Benjamini and Hochberg.
    fit
        The linear model, with its degrees of freedom, prior and the covariance of the contrasts.
    """

    contrasts: tuple[Contrast, ...]
    effect: Floats = field(repr=False)
    t: Floats = field(repr=False)
    p: Floats = field(repr=False)
    fdr: Floats = field(repr=False)
    fit: ModeratedFit = field(repr=False)


def contrast_table(
    expression: Floats,
    groups: Groups,
    contrasts: Sequence[Contrast],
    covariates: Floats | None = None,
    weights: Floats | None = None,
) -> ContrastTable:
    """Compare groups gene by gene in one linear model of all groups that have subjects.

    Parameters
    ----------
    expression
        Subjects x genes, log2 units.
    groups
        One group per subject; subjects without a group are left out.
    contrasts
        What to compare.
    covariates
        Subjects x covariates, such as indicators of batch or drug.
    weights
        Subjects x genes, such as `voom` returns.

    Raises
    ------
    ContrastError
        An unknown or empty group, or groups that covariates cannot be told apart from.
    """
    kept = groups.codes >= 0
    present = np.unique(groups.codes[kept])
    design = (groups.codes[kept][:, None] == present).astype(np.float64)
    if covariates is not None:
        design = np.concatenate([design, covariates[kept]], axis=1)
    wanted = np.zeros((len(contrasts), design.shape[1]))
    for row, contrast in enumerate(contrasts):
        for name, sign in ((contrast.plus, 1.0), (contrast.minus, -1.0)):
            if not groups.size(name):
                raise ContrastError(
                    f"{contrast.name}: group '{name}' has no subject. Groups: {', '.join(groups.names)}."
                )
            wanted[row, np.searchsorted(present, groups.code(name))] += sign
    fit = fit_linear_model(expression[kept], design, wanted, None if weights is None else weights[kept])
    return ContrastTable(tuple(contrasts), fit.effect, fit.t, fit.p, benjamini_hochberg(fit.p), fit)


def contrast_many(
    expression: Floats, plus: Flags, minus: Flags, covariates: Floats | None = None
) -> tuple[Floats, Floats]:
    """Compare two groups under many labellings at once, each in a model of its two groups only.

    Parameters
    ----------
    expression
        Samples x genes, log2 units.
    plus, minus
        Rows of the two groups under each labelling, labellings x samples.
    covariates
        Samples x covariates.

    Returns
    -------
    effect, t
        Log2 fold change and moderated t, labellings x genes.

    Raises
    ------
    ContrastError
        A labelling leaves a group empty, puts a sample in both, or leaves no residual degrees of freedom.
    """
    plus, minus = np.asarray(plus, dtype=np.bool_), np.asarray(minus, dtype=np.bool_)
    if np.any(plus & minus) or not (plus.any(axis=1) & minus.any(axis=1)).all():
        raise ContrastError("Each labelling needs two groups that share no sample and are not empty.")
    codes = np.where(plus, 0, np.where(minus, 1, -1)).astype(np.intp)
    effect, t = (np.empty((len(codes), expression.shape[1])) for _ in range(2))
    for block in blocks(len(codes), 2, expression.shape[1]):
        fits = fit_groups(expression, codes[block], 2, covariates)
        effect[block], t[block] = fits.effect(_PAIR), fits.t(_PAIR)
    return effect, t
