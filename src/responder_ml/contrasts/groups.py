"""Named groups of subjects, and the groups of the founding study."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from responder_ml.arrays import Indices
from responder_ml.errors import ContrastError
from responder_ml.registry import did_you_mean

CONTROL, RESILIENT, SUSCEPTIBLE = "control", "resilient", "susceptible"
RESPONDER, NON_RESPONDER = "responder", "non_responder"
VEHICLE = "saline"
FEWEST = 2
"""Subjects a group needs to take part in a claim."""


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
        codes = {name: code for code, name in enumerate(names)}
        return cls(names, np.array([codes.get(label, -1) for label in text.tolist()], dtype=np.intp))

    def code(self, name: str) -> int:
        """Return the position of a group in ``names``.

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


def founding_groups(
    phenotype: Sequence[str],
    drug: Sequence[str],
    response: Sequence[str],
    *,
    vehicle: str = VEHICLE,
) -> Groups:
    """Return each subject's group: control, resilient or susceptible under vehicle, else drug and response, "ketamine responder".

    Subjects of any other combination belong to no group.

    Parameters
    ----------
    phenotype
        ``control``, ``resilient`` or ``susceptible``.
    drug
        The vehicle's name or a drug's.
    response
        ``responder``, ``non_responder`` or anything else.
    vehicle
        What untreated animals were given.

    Raises
    ------
    ContrastError
        The lengths differ.
    """
    if not len(phenotype) == len(drug) == len(response):
        raise ContrastError(
            f"One phenotype, drug and response per subject are expected; found {len(phenotype)}, {len(drug)} and {len(response)}."
        )
    subjects = zip(map(str, phenotype), map(str, drug), map(str, response), strict=True)
    return Groups.of([_label(*subject, vehicle) for subject in subjects])


def _label(phenotype: str, drug: str, response: str, vehicle: str) -> str:
    if drug == vehicle:
        return phenotype if phenotype in (CONTROL, RESILIENT, SUSCEPTIBLE) else ""
    return f"{drug} {response}" if response in (RESPONDER, NON_RESPONDER) else ""
