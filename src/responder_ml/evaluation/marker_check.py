"""Whether the marker genes of a sample look as in training samples: those of its region, and those of contamination.

A marker's relative rank is the share of background genes that it exceeds within its own sample, so neither units nor any
other sample matters; the score of a marker set is the mean relative rank of its genes. The limits are those that a
further sample of the training kind crosses with probability `SHARE_BEYOND` over all sets together, under normal theory.
The markers are those of `responder_ml.features.facts.markers`: a region's own cells by NeuroExpresso. Those of contamination come
from memory and are unconfirmed, and so are the flags that rest on them; the reason says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from responder_ml.arrays import Flags, Floats, Indices, Strings
from responder_ml.features.facts import markers

SHARE_BEYOND = 0.005
"""Share of samples of the training kind expected beyond each limit."""
REGION, CONTAMINATION = "region", "contamination"
_LEAST_GENES = 2
"""Fewest genes of a set that give it a score."""
# Where training samples hardly differ, the score of a set may still vary by this much before it is flagged.
_LEAST_SPREAD = 0.02


@dataclass(frozen=True)
class MarkerCheck:
    """The marker genes in training samples.

    Attributes
    ----------
    names, kinds
        Name of each set, and its kind, ``region`` or ``contamination``.
    genes, set_of
        Index of each marker gene among the training genes, and the index of its set.
    background_genes
        Indices of the genes that markers are compared with; stored in bundles as ``ruler``.
    relative_ranks
        Relative rank of each marker gene in each training sample, 0 to 1, samples x markers; stored in bundles as
        ``places``.
    n_subjects
        Number of training subjects, shape ``(1,)``.
    """

    names: Strings
    kinds: Strings
    genes: Indices
    set_of: Indices
    background_genes: Indices
    relative_ranks: Floats
    n_subjects: Indices

    @classmethod
    def learn(
        cls, values: Floats, genes: Sequence[str], background_genes: Indices, n_subjects: int
    ) -> "MarkerCheck | None":
        """Learn from training samples; None where too few markers are among their genes.

        Parameters
        ----------
        values
            Training samples x genes, any units that keep the order of genes within a sample.
        genes
            Gene names.
        background_genes
            Indices of the genes to compare markers with.
        n_subjects
            Number of subjects the samples are from.
        """
        column_of = {str(gene): column for column, gene in enumerate(genes)}
        table = markers()
        table = table[table["kind"].isin([REGION, CONTAMINATION]) & table["gene"].isin(list(column_of))]
        table = table[table.groupby("set")["gene"].transform("size") >= _LEAST_GENES]
        if table.empty or not background_genes.size:
            return None
        sets = table.drop_duplicates("set")
        index_of = {name: index for index, name in enumerate(sets["set"])}
        columns = np.array([column_of[gene] for gene in table["gene"]], dtype=np.intp)
        return cls(
            names=np.array(list(index_of), dtype=np.str_),
            kinds=np.array(sets["kind"].tolist(), dtype=np.str_),
            genes=columns,
            set_of=np.array([index_of[name] for name in table["set"]], dtype=np.intp),
            background_genes=background_genes,
            relative_ranks=_relative_ranks(values[:, columns], values[:, background_genes]),
            n_subjects=np.array([n_subjects], dtype=np.intp),
        )

    def limits(self, present: Flags) -> tuple[Floats, Floats]:
        """Return the lowest and highest score of each set over the genes present; nan where too few are present.

        A region's markers have both limits: low scores are not of the training region, high ones are of another. A
        contamination has only the high one.
        """
        share = SHARE_BEYOND / (2 * np.sum(self.kinds == REGION) + np.sum(self.kinds == CONTAMINATION))
        low, high = np.full(len(self.names), np.nan), np.full(len(self.names), np.nan)
        for index, scores in enumerate(self._scores(self.relative_ranks, present).T):
            if np.isnan(scores).any():
                continue
            n = int(self.n_subjects[0])
            high[index] = prediction_limit(scores, n, share, _LEAST_SPREAD)
            low[index] = -prediction_limit(-scores, n, share, _LEAST_SPREAD)
        low[self.kinds == CONTAMINATION] = np.nan
        return low, high

    def score(self, values: Floats, present: Flags) -> Floats:
        """Return samples x sets; nan where too few genes of a set, or no background genes, are present."""
        background = self.background_genes[present[self.background_genes]]
        if not background.size:
            return np.full((len(values), len(self.names)), np.nan)
        return self._scores(_relative_ranks(values[:, self.genes], values[:, background]), present)

    def find(self, values: Floats, present: Flags) -> list[list[tuple[str, str]]]:
        """Return, for each sample, the kind of every limit it crosses, with a sentence.

        Parameters
        ----------
        values
            Samples x training genes; columns of missing genes are not read.
        present
            Whether each gene was measured.
        """
        scores, (low, high) = self.score(values, present), self.limits(present)
        # Bundles of earlier versions hold sets that are not listed any more.
        confirmed = set(markers().query("certainty == 'S'")["set"])
        crossed: list[list[tuple[str, str]]] = [[] for _ in values]
        for row, column in np.argwhere((scores < low) | (scores > high)).tolist():
            name, score = self.names[column], scores[row, column]
            side, limit = ("above", high[column]) if score > high[column] else ("below", low[column])
            doubt = "" if name in confirmed else " (unconfirmed)"
            sentence = f"markers of {name}{doubt} score {score:.2f} within the sample, {side} {limit:.2f}"
            crossed[row].append((str(self.kinds[column]), sentence))
        return crossed

    def checksum(self, typical: Floats) -> float:
        """Return one number that depends on every array: the typical sample's scores and the limits.

        Parameters
        ----------
        typical
            One sample x training genes.
        """
        present = np.ones(typical.shape[1], dtype=np.bool_)
        low, high = self.limits(present)
        weight = 1.0 + np.arange(len(self.names)) + np.array([float(sum(map(ord, name))) for name in self.names])
        return float(np.sum(weight * (np.nan_to_num(low) + high + self.score(typical, present)[0])))

    def _scores(self, relative_ranks: Floats, present: Flags) -> Floats:
        scores = np.full((len(relative_ranks), len(self.names)), np.nan)
        for index in range(len(self.names)):
            of_set = (self.set_of == index) & present[self.genes]
            if np.count_nonzero(of_set) >= _LEAST_GENES:
                scores[:, index] = relative_ranks[:, of_set].mean(axis=1)
        return scores


def prediction_limit(
    values: Floats, n_independent: int, beyond: float = SHARE_BEYOND, least_spread: float = 0.0
) -> float:
    """Return the value that a further normal value exceeds with probability ``beyond``.

    ``mean + t(1 - beyond; n - 1) x sd x sqrt(1 + 1 / n)``: how far out a further sample of the training kind lies only
    rarely, from few left-out training samples.

    Parameters
    ----------
    values
        Shape ``(n_samples,)``.
    n_independent
        Number of subjects the values are from (n), at least 2.
    beyond
        The probability.
    least_spread
        Standard deviation used where that of the values is smaller.

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


def _relative_ranks(of_markers: Floats, of_background: Floats) -> Floats:
    """Return the share of each sample's background values that each marker value exceeds, ties counting half."""
    ranks = np.empty(of_markers.shape)
    for row, (values, background) in enumerate(zip(of_markers, np.sort(of_background, axis=1), strict=True)):
        ranks[row] = np.searchsorted(background, values, "left") + np.searchsorted(background, values, "right")
    return np.asarray(ranks / (2.0 * of_background.shape[1]), dtype=np.float64)
