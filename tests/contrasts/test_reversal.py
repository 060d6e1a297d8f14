import numpy as np
import pytest

from responder_ml.contrasts.group_fits import fit_groups
from responder_ml.contrasts.reversal import (
    agreement_share,
    called_reversal_share,
    rescued_share,
    reversal_share,
    signature_shift,
)

SIGNATURE = np.array([1, 1, -1, -1, 0, 0], dtype=np.int8)
CHANGE = np.array([-2.0, 1.0, 3.0, 0.0, 5.0, -5.0])


def test_shares_and_shift_by_hand():
    assert reversal_share(SIGNATURE, CHANGE) == 0.5
    assert agreement_share(SIGNATURE, CHANGE) == 0.25
    assert called_reversal_share(SIGNATURE, np.array([-1, 0, 0, 1, 1, 0], dtype=np.int8)) == 0.5
    assert signature_shift(SIGNATURE, CHANGE) == pytest.approx((-2 + 1 - 3 - 0) / 4)


def test_a_signature_of_one_gene_counts():
    one = np.array([0, 0, 0, 0, 0, 1], dtype=np.int8)
    assert (reversal_share(one, CHANGE), agreement_share(one, CHANGE)) == (1.0, 0.0)
    assert signature_shift(one, CHANGE) == -5.0


def test_a_stress_signal_within_noise_counts_as_a_tenth_of_the_noise():
    # S_xx = V_xx = 2, so the signal is 0; S_xz - V_xz = 2 - 1.5.
    share = rescued_share(np.full(3, np.sqrt(2.0)), np.zeros(3), np.array([[2.0, 0.5], [0.5, 2.0]]))
    assert share == pytest.approx(0.5 / 0.2)


def test_empty_signature_supports_neither_side():
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


ERRORS = np.array([[1 / 3 + 1 / 5, 1 / 5], [1 / 5, 1 / 3 + 1 / 5]])


def _draw(rng, slope, own=0.0, signal=1.5, size=20_000):
    truth = rng.normal(0, signal, size)
    noise = rng.multivariate_normal([0, 0], ERRORS, size)
    return truth + noise[:, 0], slope * truth + rng.normal(0, own, size) + noise[:, 1]


@pytest.mark.parametrize("own", [0.0, 3.0])
@pytest.mark.parametrize("slope", [1.0, 0.4, 0.0, -0.5])
def test_finds_the_slope_whatever_the_drug_does_besides(rng, slope, own):
    stress, treated = _draw(rng, slope, own)
    assert rescued_share(stress, treated, ERRORS) == pytest.approx(1 - slope, abs=0.05)


def test_least_squares_and_total_least_squares_miss_it(rng):
    """The two estimators this one replaces: the first without, the second with changes of the drug's own."""
    stress, treated = _draw(rng, 1.0)
    assert np.polyfit(stress, treated, 1)[0] < 0.92
    stress, treated = _draw(rng, 0.0, own=3.0)
    axis = np.linalg.eigh(np.cov(stress, treated))[1][:, -1]
    assert abs(axis[1] / axis[0]) > 5


def test_by_hand():
    # S_xx = 5, S_xz = (1 * 1 + 3 * 2) / 2 = 3.5; V_xx = 1, V_xz = 0.5.
    share = rescued_share(np.array([1.0, 3.0]), np.array([0.0, 1.0]), np.array([[1.0, 0.5], [0.5, 1.0]]))
    assert share == pytest.approx((3.5 - 0.5) / (5.0 - 1.0))


def test_without_stress_signal_the_share_is_small_and_centred(rng):
    shares = [float(rescued_share(*_draw(rng, 0.0, signal=0.0, size=2000), ERRORS)) for _ in range(200)]
    assert np.max(np.abs(shares)) < 1.5
    assert np.mean(shares) == pytest.approx(0.0, abs=0.1)


def test_labellings_are_rows(rng):
    stress, treated = rng.normal(size=(2, 6, 50))
    shares = rescued_share(stress, treated, ERRORS)
    np.testing.assert_allclose(shares, [rescued_share(x, y, ERRORS) for x, y in zip(stress, treated, strict=True)])
