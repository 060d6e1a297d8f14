"""Relabel subjects once for many jobs: one exchange of subjects changes the labels of all jobs they take part in.

Subjects are exchanged within *blocks*: those that take part in the same jobs and share their stratum in each. A subject carries its
labels of all jobs along. So every job keeps the class sizes of its strata under every relabelling, and jobs that share subjects
(regions of one animal, a drug and both drugs together) keep the dependence between their statistics. Under the hypothesis that,
within blocks, subjects' labels have nothing to do with the expression of any job, all relabellings are equally likely, and a test
that looks at all jobs at once is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int8]


@dataclass(frozen=True)
class JobLabels:
    """The subjects of one job.

    Attributes
    ----------
    subjects
        Names; a subject has one name in all jobs.
    labels, strata
        Of each, shape ``(n_subjects,)``.
    """

    subjects: tuple[str, ...]
    labels: Labels
    strata: NDArray[np.intp]


class JointRelabelling:
    """The relabellings of several jobs of one cohort.

    Parameters
    ----------
    jobs
        By name.
    """

    def __init__(self, jobs: Mapping[str, JobLabels]) -> None:
        everyone = sorted({name for job in jobs.values() for name in job.subjects})
        place = {name: index for index, name in enumerate(everyone)}
        takes_part: list[list[tuple[str, int]]] = [[] for _ in everyone]
        self._rows = {name: np.array([place[each] for each in job.subjects]) for name, job in jobs.items()}
        self._labels: dict[str, Labels] = {}
        for name, job in jobs.items():
            self._labels[name] = np.zeros(len(everyone), dtype=np.int8)
            self._labels[name][self._rows[name]] = job.labels
            for row, stratum in zip(self._rows[name], job.strata, strict=True):
                takes_part[row].append((name, int(stratum)))
        kinds: dict[tuple[tuple[str, int], ...], int] = {}
        self._block = np.array([kinds.setdefault(tuple(each), len(kinds)) for each in takes_part], dtype=np.intp)

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return int(self._block.max()) + 1

    def blocks(self, job: str) -> NDArray[np.intp]:
        """Return the block of each subject of a job: the strata within which the job's labels are exchanged."""
        return np.asarray(self._block[self._rows[job]], dtype=np.intp)

    def labels(self, job: str) -> Labels:
        """Return the observed label of each subject of a job."""
        return np.asarray(self._labels[job][self._rows[job]], dtype=np.int8)

    def count(self) -> int:
        """Return the number of distinct joint relabellings, the observed one included."""
        carried = np.stack(list(self._labels.values()), axis=1)
        return prod(_arrangements(carried[self._block == block]) for block in range(self.n_blocks))

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, Labels]:
        """Return random relabellings of every job, ``(count, n_subjects)`` each; a row is one exchange of subjects for all.

        Parameters
        ----------
        count
            Number of draws, independent and equally likely.
        rng
            Source of the random numbers.
        """
        standing = np.tile(np.arange(len(self._block)), (count, 1))
        for block, stream in enumerate(rng.spawn(self.n_blocks)):
            members = np.flatnonzero(self._block == block)
            standing[:, members] = stream.permuted(standing[:, members], axis=1)
        return {name: self._labels[name][standing[:, rows]] for name, rows in self._rows.items()}


def _arrangements(carried: Labels) -> int:
    """Return in how many ways subjects that carry these labels (rows) can be told apart."""
    sizes: Sequence[int] = np.unique(carried, axis=0, return_counts=True)[1].tolist()
    left, ways = sum(sizes), 1
    for size in sizes:
        ways *= comb(left, size)
        left -= size
    return ways
