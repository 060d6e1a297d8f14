"""The contrasts of one block of labellings, each computed once, from which every claim statistic is computed."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from scipy.special import stdtr, stdtrit

from responder_ml.arrays import Flags, Floats, Signs
from responder_ml.contrasts.group_fits import GroupFits
from responder_ml.contrasts.ranking import Ranking
from responder_ml.errors import ContrastError
from responder_ml.statistics.multiple_testing import benjamini_hochberg

Computed = TypeVar("Computed", Floats, Signs, Ranking)


@dataclass(frozen=True)
class Cutoffs:
    """When a gene counts as changed, and how long gene lists are.

    The defaults are those commonly attributed to the founding study, nominal p < 0.05 and a fold change above 1.3: an unverified
    preset, since its methods section could not be read. `FDR_CUTOFFS` is the stricter alternative.

    Attributes
    ----------
    p
        Largest p, nominal or adjusted.
    log2_fold_change
        Smallest absolute log2 fold change; also the margin of equivalence to zero.
    adjust
        Whether p is nominal (``none``) or adjusted over genes within the contrast (``fdr``).
    query
        Genes at each end of a contrast that make up its query signature; at most a quarter of all genes are used.
    extreme
        Genes at each end of a contrast that XSum looks at; at most half of all genes are used.
    rrho2_lists
        Lists along each axis of the RRHO2 map.
    """

    p: float = 0.05
    log2_fold_change: float = float(np.log2(1.3))
    adjust: Literal["none", "fdr"] = "none"
    query: int = 150
    extreme: int = 500
    rrho2_lists: int = 40

    def __post_init__(self) -> None:
        """Refuse values outside their ranges."""
        if not 0 < self.p < 1 or self.log2_fold_change < 0 or min(self.query, self.extreme, self.rrho2_lists) < 1:
            raise ContrastError(
                f"Cut-offs need 0 < p < 1, a fold change of 0 or more on the log2 scale and sizes of 1 or more; these are {self}."
            )


FOUNDING_CUTOFFS_UNVERIFIED = Cutoffs()
FDR_CUTOFFS = Cutoffs(p=0.10, log2_fold_change=0.0, adjust="fdr")


class Comparisons:
    """Pairwise contrasts of named groups under every labelling of a block.

    Parameters
    ----------
    fits
        Group means and variances.
    names
        Groups in the order of the fits.
    cutoffs
        When a gene counts as changed.
    """

    def __init__(self, fits: GroupFits, names: tuple[str, ...], cutoffs: Cutoffs) -> None:
        self.fits = fits
        self.cutoffs = cutoffs
        self._index = {name: index for index, name in enumerate(names)}
        self._cache: dict[Hashable, Floats | Signs | Ranking] = {}

    def has(self, group: str) -> bool:
        """Tell whether there is such a group."""
        return group in self._index

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return int(self.fits.variance.shape[1])

    @property
    def scale(self) -> Floats:
        """Residual standard deviation of each gene, labellings x genes."""
        return self.cached(("scale",), lambda: np.sqrt(self.fits.variance))

    def weights(self, plus: str, minus: str) -> Floats:
        """Return the group weights of a contrast."""
        weights = np.zeros(len(self._index))
        weights[self._index[plus]] += 1.0
        weights[self._index[minus]] -= 1.0
        return weights

    def effect(self, plus: str, minus: str) -> Floats:
        """Return log2 fold changes, labellings x genes."""
        return self.cached(("effect", plus, minus), lambda: self.fits.effect(self.weights(plus, minus)))

    def t(self, plus: str, minus: str) -> Floats:
        """Return moderated t, labellings x genes."""
        return self.cached(("t", plus, minus), lambda: self.fits.t(self.weights(plus, minus)))

    def ranking(self, plus: str, minus: str) -> Ranking:
        """Return the genes ranked by moderated t."""
        return self.cached(("ranking", plus, minus), lambda: Ranking.of(self.t(plus, minus)))

    def ranks(self, plus: str, minus: str) -> Floats:
        """Return ranks of moderated t, ties at their mean, labellings x genes."""
        return self.cached(("ranks", plus, minus), lambda: self.ranking(plus, minus).mean_ranks(self.t(plus, minus)))

    def called(self, plus: str, minus: str) -> Signs:
        """Return 1 for genes called up, -1 for genes called down, 0 for the others, labellings x genes."""
        return self.cached(("called", plus, minus), lambda: self.call(self.effect(plus, minus), self.t(plus, minus)))

    def call(self, effect: Floats, t: Floats) -> Signs:
        """Apply the cut-offs to any contrast."""
        df = self.fits.df_total[:, None]
        if self.cutoffs.adjust == "fdr":
            passes = benjamini_hochberg(2.0 * stdtr(df, -np.abs(t))) < self.cutoffs.p
        else:
            passes = np.abs(t) > -stdtrit(df, self.cutoffs.p / 2.0)
        passes &= np.abs(effect) > self.cutoffs.log2_fold_change
        return (np.sign(effect) * passes).astype(np.int8)

    def specific(self, plus: str, absent: str, minus: str) -> Signs:
        """Return genes called in plus - minus and not called in absent - minus."""

        def select() -> Signs:
            return np.where(self.called(absent, minus) == 0, self.called(plus, minus), 0).astype(np.int8)

        return self.cached(("specific", plus, absent, minus), select)

    def equivalent(self, plus: str, minus: str) -> Flags:
        """Return genes whose log2 fold change lies within the cut-off around zero by two one-sided tests at 0.05."""
        limit = -stdtrit(self.fits.df_total[:, None], 0.05)
        error = self.fits.error(self.weights(plus, minus))
        return np.asarray(np.abs(self.effect(plus, minus)) + limit * error < self.cutoffs.log2_fold_change)

    def cached(self, key: Hashable, compute: Callable[[], Computed]) -> Computed:
        """Return what was computed before under ``key``, or compute it now."""
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]  # type: ignore[return-value]
