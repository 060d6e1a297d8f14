"""Which subjects of two cohorts are the same animals: by name only where the data are the same, and by equal samples."""

from collections.abc import Sequence

import numpy as np

from responder_ml.arrays import Indices


def match_subjects(
    first: Sequence[str], second: Sequence[str], same_data: bool, equal: Sequence[tuple[str, str]] = ()
) -> Indices:
    """Return for each subject of the first its index among those of the second, -1 where it is not there.

    Parameters
    ----------
    first, second
        Names of subjects.
    same_data
        Whether both come from the same data, so that one name is one animal. In different data ``m01`` and ``m01`` are two.
    equal
        Subjects of the first and of the second that have a sample of the same values, whatever their names.

    Examples
    --------
    >>> match_subjects(["m1", "m2", "m3"], ["m3", "m1", "x"], True, [("m2", "x")]).tolist()
    [1, 2, 0]
    >>> match_subjects(["m1", "m2", "m3"], ["m3", "m1", "x"], False).tolist()
    [-1, -1, -1]
    """
    index_of = {name: index for index, name in enumerate(second)}
    same_as = dict(equal)
    partner = np.full(len(first), -1, dtype=np.intp)
    for index, name in enumerate(first):
        other = same_as.get(name, name if same_data else None)
        if other in index_of and index_of[other] not in partner:
            partner[index] = index_of[other]
    return partner
