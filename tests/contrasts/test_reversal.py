import numpy as np
import pytest

from responder_ml.contrasts.group_fits import fit_groups
from responder_ml.contrasts.reversal import agreement_share, called_reversal_share, reversal_share, signature_shift

SIGNATURE = np.array([1, 1, -1, -1, 0, 0], dtype=np.int8)
CHANGE = np.array([-2.0, 1.0, 3.0, 0.0, 5.0, -5.0])


def test_shares_and_shift_by_hand():
    assert reversal_share(SIGNATURE, CHANGE) == 0.5
    assert agreement_share(SIGNATURE, CHANGE) == 0.25
    assert called_reversal_share(SIGNATURE, np.array([-1, 0, 0, 1, 1, 0], dtype=np.int8)) == 0.5
    assert signature_shift(SIGNATURE, CHANGE) == pytest.approx((-2 + 1 - 3 - 0) / 4)


def test_empty_signature_speaks_neither_way():
    nothing = np.zeros(6, dtype=np.int8)
    assert reversal_share(nothing, CHANGE) == agreement_share(nothing, CHANGE) == 0.5
    assert called_reversal_share(nothing, nothing) == signature_shift(nothing, CHANGE) == 0


def test_labellings_are_independent_rows():
    both = reversal_share(np.stack([SIGNATURE, -SIGNATURE]), np.stack([CHANGE, CHANGE]))
    np.testing.assert_array_equal(both, [0.5, 0.25])


def test_shared_reference_reverses_nearly_everything_without_any_effect(rng):
    """Five controls, three susceptible, three treated, no effect at all: the trap the whole table of claims is about."""
    codes = np.array([[0] * 5 + [1] * 3 + [2] * 3])
    shares = []
    for _ in range(20):
        fits = fit_groups(rng.normal(size=(11, 2000)), codes, 3)
        stress, drug = fits.t(np.array([-1.0, 1, 0])), fits.t(np.array([0.0, -1, 1]))
        signature = np.where(np.abs(stress) > 2.2, np.sign(stress), 0).astype(np.int8)
        shares.append(float(reversal_share(signature, drug)[0]))
    assert np.mean(shares) == pytest.approx(0.95, abs=0.015)
