"""Whether a sample's marker genes stand where training samples have them: its region, and what the punch took along.

A marker's place is the share of the profile genes that it exceeds within its own sample, so neither units nor any other
sample matter; a set's score is the mean place of its genes. The limits are those that a further sample of the training
kind crosses with probability `SHARE_BEYOND` over all sets together, on normal theory. The markers are those of
`responder_ml.features.facts.markers`, which says how sure each is; most are recalled and unconfirmed, and so are the flags.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.features.facts import markers

SHARE_BEYOND = 0.005
"""Share of samples of the training kind expected beyond each limit."""


def prediction_limit(
    values: Floats, n_independent: int, beyond: float = SHARE_BEYOND, least_spread: float = 0.0
) -> float:
    """Return what a further normal value exceeds with probability ``beyond``.

    ``mean + t(1 - beyond; n - 1) x sd x sqrt(1 + 1 / n)``

    Parameters
    ----------
    values
        Shape ``(n_samples,)``.
    n_independent
        Number of subjects behind them, at least 2.
    beyond
        The probability.
    least_spread
        Standard deviation taken where that of the values is smaller.

    Raises
    ------
    ValueError
        Fewer than 2 values or subjects.
    """
    if values.size < 2 or n_independent < 2:
        raise ValueError(f"a limit needs 2 values of 2 subjects, not {values.size} of {n_independent}")
    quantile = float(t.ppf(1.0 - beyond, n_independent - 1))
    spread = max(float(values.std(ddof=1)), least_spread)
    return float(values.mean() + quantile * spread * np.sqrt(1.0 + 1.0 / n_independent))


REGION, CONTAMINATION = "region", "contamination"
_LEAST_GENES = 2
"""Genes of a set that must be there for it to be asked."""
# Where training samples hardly differ, a set may still move by this share of the profile genes before it is called odd.
_LEAST_SPREAD = 0.02


@dataclass(frozen=True)
class MarkerCheck:
    """Where the marker genes of training samples stood.

    Attributes
    ----------
    names, kinds
        Of each set: its name, and ``region`` or ``contamination``.
    genes, set_of
        Places of the marker genes among the training genes, and the set of each.
    ruler
        Places of the genes they are compared with.
    places
        Place of each marker gene in each training sample, 0 to 1, samples x markers.
    n_subjects
        Number of training subjects, shape ``(1,)``.
    """

    names: Strings
    kinds: Strings
    genes: Indices
    set_of: Indices
    ruler: Indices
    places: Floats
    n_subjects: Indices

    @classmethod
    def learn(cls, values: Floats, genes: Sequence[str], ruler: Indices, n_subjects: int) -> "MarkerCheck | None":
        """Learn from training samples; None where too few markers are among their genes.

        Parameters
        ----------
        values
            Training samples x genes, any units that keep the order of genes within a sample.
        genes
            Gene names.
        ruler
            Places of the genes to compare with.
        n_subjects
            Subjects behind the samples.
        """
        where = {str(gene): place for place, gene in enumerate(genes)}
        table = markers()
        table = table[table["kind"].isin([REGION, CONTAMINATION]) & table["gene"].isin(list(where))]
        table = table[table.groupby("set")["gene"].transform("size") >= _LEAST_GENES]
        if table.empty or not ruler.size:
            return None
        sets = table.drop_duplicates("set")
        index = {name: place for place, name in enumerate(sets["set"])}
        chosen = np.array([where[gene] for gene in table["gene"]], dtype=np.intp)
        return cls(
            names=np.array(list(index), dtype=np.str_),
            kinds=np.array(sets["kind"].tolist(), dtype=np.str_),
            genes=chosen,
            set_of=np.array([index[name] for name in table["set"]], dtype=np.intp),
            ruler=ruler,
            places=_places(values[:, chosen], values[:, ruler]),
            n_subjects=np.array([n_subjects], dtype=np.intp),
        )

    def limits(self, found: Flags) -> tuple[Floats, Floats]:
        """Return the lowest and highest score of each set over the genes found; nan where the set cannot be asked.

        A region's markers have both limits: low ones are not of the training region, high ones are of another. Of a
        contamination only the high one counts.
        """
        shared = SHARE_BEYOND / (2 * np.sum(self.kinds == REGION) + np.sum(self.kinds == CONTAMINATION))
        low, high = np.full(len(self.names), np.nan), np.full(len(self.names), np.nan)
        for place, scores in enumerate(self._scores(self.places, found).T):
            if np.isnan(scores).any():
                continue
            n = int(self.n_subjects[0])
            high[place] = prediction_limit(scores, n, shared, _LEAST_SPREAD)
            low[place] = -prediction_limit(-scores, n, shared, _LEAST_SPREAD)
        low[self.kinds == CONTAMINATION] = np.nan
        return low, high

    def score(self, values: Floats, found: Flags) -> Floats:
        """Return samples x sets; nan where too few genes of a set, or none to compare with, are there."""
        there = self.ruler[found[self.ruler]]
        if not there.size:
            return np.full((len(values), len(self.names)), np.nan)
        return self._scores(_places(values[:, self.genes], values[:, there]), found)

    def find(self, values: Floats, found: Flags) -> list[list[tuple[str, str]]]:
        """Return, for each sample, the kind and a sentence for every limit it crosses.

        Parameters
        ----------
        values
            Samples x training genes; what stands in missing columns is not read.
        found
            Whether each gene is there.
        """
        scores, (low, high) = self.score(values, found), self.limits(found)
        odd: list[list[tuple[str, str]]] = [[] for _ in values]
        for row, place in np.argwhere((scores < low) | (scores > high)).tolist():
            name, score = self.names[place], scores[row, place]
            side, limit = ("above", high[place]) if score > high[place] else ("below", low[place])
            sentence = f"markers of {name} (unconfirmed) stand at {score:.2f} within the sample, {side} {limit:.2f}"
            odd[row].append((str(self.kinds[place]), sentence))
        return odd

    def checksum(self, typical: Floats) -> float:
        """Return one number in which every array has its say: the typical sample's scores and the limits.

        Parameters
        ----------
        typical
            One sample x training genes.
        """
        everything = np.ones(typical.shape[1], dtype=np.bool_)
        low, high = self.limits(everything)
        weight = 1.0 + np.arange(len(self.names)) + np.array([float(sum(map(ord, name))) for name in self.names])
        return float(np.sum(weight * (np.nan_to_num(low) + high + self.score(typical, everything)[0])))

    def _scores(self, places: Floats, found: Flags) -> Floats:
        scores = np.full((len(places), len(self.names)), np.nan)
        for index in range(len(self.names)):
            mine = (self.set_of == index) & found[self.genes]
            if np.count_nonzero(mine) >= _LEAST_GENES:
                scores[:, index] = places[:, mine].mean(axis=1)
        return scores


def _places(chosen: Floats, ruler: Floats) -> Floats:
    """Return the share of each sample's ruler values that each chosen value exceeds, ties counting half."""
    places = np.empty(chosen.shape)
    for row, (values, steps) in enumerate(zip(chosen, np.sort(ruler, axis=1), strict=True)):
        places[row] = np.searchsorted(steps, values, "left") + np.searchsorted(steps, values, "right")
    return np.asarray(places / (2.0 * ruler.shape[1]), dtype=np.float64)
