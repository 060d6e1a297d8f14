"""Values declared as log2 that are something else: natural or decimal logarithms, z-scores, quantiles within each sample.

Each has its own mark. Undoing a logarithm of counts by its own base gives multiples of one unit in every sample, and undoing
one of TPM or of scanpy's ``log1p`` gives samples of one sum; another base does neither. Standardised genes have mean 0 and
standard deviation 1 over the samples; quantiles are spread evenly over their range in every sample.
"""

import numpy as np

from responder_ml.arrays import Floats

_BASES = {2.0: "to base 2", float(np.e): "natural", 10.0: "to base 10"}
_FEW_SAMPLES, _FEW_GENES = 4, 50
_SAME_SUM = 0.005
_MOST_SAMPLES = 6
# The first multiples tell best; rounding to three decimals leaves them whole to this.
_MULTIPLES, _WHOLE, _LEAST_MULTIPLES, _MOST_ODD = 12.0, 0.03, 20, 0.02
_MEAN_AT_ZERO, _DEVIATION_AT_ONE, _NEARLY_ALL = 0.01, 0.06, 0.9
# Of a uniform distribution over its range.
_UNIFORM_MEAN, _UNIFORM_DEVIATION, _UNIFORM_WITHIN = 0.5, 12**-0.5, 0.01


def explain_other_scale(values: Floats) -> str:
    """Return what values declared as log2 are instead and what to do; empty where nothing says so.

    Parameters
    ----------
    values
        Samples x genes, finite.
    """
    if values.shape[0] < _FEW_SAMPLES or values.shape[1] < _FEW_GENES:
        return ""
    if _are_standardised(values):
        return (
            "Every gene has mean 0 and standard deviation 1: these are z-scores over the samples, not log2 values. They were made "
            "from all samples together, so that held-out ones are in them, and new samples cannot be given them. Give the values "
            "before scaling."
        )
    if _are_quantiles(values):
        return (
            "In every sample they are spread evenly over that range: these are ranks or quantiles within the sample, not log2 "
            "values. Give the values they were made from; builders such as `gene_sets` rank within samples themselves."
        )
    base = _base_of(values)
    if base in (None, 2.0):
        return ""
    factor = float(np.log2(base))
    return (
        f"They are logarithms {_BASES[base]}, not to base 2, by the numbers they were taken of. Multiply them by {factor:.4f}, or "
        "give the values before the logarithm."
        if base == 10.0
        else f"They are natural logarithms, as of scanpy's or R's log1p, by the numbers they were taken of. Multiply them by "
        f"{factor:.4f} (1 / log(2)) for log2 values, or give the counts before them."
    )


def _are_standardised(values: Floats) -> bool:
    deviation = values.std(axis=0)
    varies = deviation > 0
    if varies.sum() < _FEW_GENES:
        return False
    at_zero = np.abs(values.mean(axis=0)[varies]) < _MEAN_AT_ZERO
    # The divisor may have been n or n - 1.
    correction = np.sqrt(len(values) / (len(values) - 1.0))
    at_one = (
        np.minimum(np.abs(deviation[varies] - 1.0), np.abs(deviation[varies] * correction - 1.0)) < _DEVIATION_AT_ONE
    )
    return bool(np.mean(at_zero & at_one) >= _NEARLY_ALL)


def _are_quantiles(values: Floats) -> bool:
    lowest, highest = values.min(axis=1), values.max(axis=1)
    if np.any(highest <= lowest) or np.ptp(highest) > _UNIFORM_WITHIN * np.mean(highest - lowest):
        return False
    shares = (values - lowest[:, None]) / (highest - lowest)[:, None]
    is_even = np.abs(shares.mean(axis=1) - _UNIFORM_MEAN) < _UNIFORM_WITHIN
    is_even &= np.abs(shares.std(axis=1) - _UNIFORM_DEVIATION) < _UNIFORM_WITHIN
    return bool(is_even.all() and len(np.unique(values[0])) > _FEW_GENES / 2)


def _base_of(values: Floats) -> float | None:
    """Return the base that turns the values back into counts, or into samples of one sum; None where none or several do."""
    some = values[:_MOST_SAMPLES]
    if some.min() < 0 or some.max() > np.log2(1e9):
        return None
    by_base = {base: base**some - 1.0 for base in _BASES}
    for fits in (_have_one_sum, _are_multiples):
        bases = [base for base, counts in by_base.items() if fits(counts)]
        if bases:
            return bases[0] if len(bases) == 1 else None
    return None


def _have_one_sum(counts: Floats) -> bool:
    sums = counts.sum(axis=1)
    return bool(sums.min() > 0 and np.ptp(sums) < _SAME_SUM * sums.mean())


def _are_multiples(counts: Floats) -> bool:
    """Tell whether the small values of every sample are multiples of its smallest."""
    for row in counts:
        positive = row[row > 0]
        if not len(positive):
            return False
        multiples = positive[positive < _MULTIPLES * positive.min()] / positive.min()
        if len(multiples) < _LEAST_MULTIPLES or len(np.unique(np.rint(multiples))) < 3:
            return False
        if np.mean(np.abs(multiples - np.rint(multiples)) > _WHOLE) > _MOST_ODD:
            return False
    return True
