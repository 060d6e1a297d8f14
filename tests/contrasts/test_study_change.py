"""The change of one study: limma's variances, noise that is right under unequal variances, and subjects fitted exactly."""

import numpy as np
import pytest

from responder_ml.contrasts.gene_effects import GeneEffects
from responder_ml.contrasts.study_change import ClassCoefficient, StudyChange
from responder_ml.errors import ContrastError

GENES = 600


def design(n_positive, n_negative, *others):
    classes = np.r_[np.ones(n_positive), np.zeros(n_negative)]
    return np.column_stack([np.ones(len(classes)), *others, classes])


def test_moderated_t_is_that_of_the_gene_set_tests(rng):
    model = design(6, 7, rng.normal(size=13))
    log2 = rng.normal(8.0, np.exp(rng.normal(0, 0.5, GENES)), (13, GENES))
    study, effects = StudyChange.of(log2, model), GeneEffects.of(log2, model)
    np.testing.assert_allclose(study.t, effects.t, rtol=1e-9)
    np.testing.assert_allclose(study.total_df, effects.df_residual + effects.prior_df)


@pytest.mark.parametrize("spread", [1.0, 1.5])
def test_the_square_less_its_noise_is_that_of_the_true_change_whatever_the_variances_of_classes(rng, spread):
    true = 0.5 * rng.normal(size=GENES)
    for size, expected in ((0.0, 0.0), (1.0, 1.0)):
        signals = []
        for _ in range(60):
            noise = rng.normal(size=(13, GENES)) * np.r_[np.full(4, spread), np.ones(9)][:, None]
            study = StudyChange.of(noise + np.outer(np.r_[np.ones(4), np.zeros(9)], size * true), design(4, 9))
            # In units of residual variance: bring it back to the units of the expression.
            scale = np.mean(study.sd**2) if size else 1.0
            signals.append((study.square(study.coefficient) - study.noise(study.coefficient)) * scale)
        error = np.std(signals) / np.sqrt(len(signals))
        assert abs(np.mean(signals) - expected * np.var(true)) < 4 * error + 0.02


def test_shift_and_scale_of_the_data_change_nothing(rng):
    log2 = rng.normal(8.0, 1.0, (13, GENES))
    plain, other = (StudyChange.of(values, design(6, 7)) for values in (log2, 1e6 * log2 + 1e7))
    np.testing.assert_allclose(other.signature, plain.signature, rtol=1e-6)
    np.testing.assert_allclose(other.noise(other.coefficient), plain.noise(plain.coefficient), rtol=1e-6)


def test_a_subject_that_the_model_fits_exactly_takes_its_noise_from_the_others(rng):
    # The class is told by the first stratum alone, in which two subjects are fitted by two coefficients.
    strata = np.array([1, 1, 0, 0, 0, 0])
    model = np.column_stack([strata, 1 - strata, [1, 0, 0, 0, 0, 0]]).astype(float)
    coefficient = ClassCoefficient.of(model)
    assert coefficient.df == 3
    assert coefficient.exact == pytest.approx(2.0)
    study = StudyChange.of(rng.normal(size=(6, GENES)), model)
    assert study.noise(coefficient) == pytest.approx(2.0 * study.noise_of_subject)


def test_a_class_that_cannot_be_told_is_refused_and_so_is_what_cannot_be_compared(rng):
    log2 = rng.normal(size=(13, GENES))
    classes = design(6, 7)[:, 1]
    with pytest.raises(ContrastError, match="cannot be told apart"):
        StudyChange.of(log2, np.column_stack([np.ones(13), classes, classes]))
    assert ClassCoefficient.of(design(6, 7), np.arange(6)) is None
    with pytest.raises(ContrastError, match="finite"):
        StudyChange.of(np.where(log2 > 2, np.nan, log2), design(6, 7))
    with pytest.raises(ContrastError, match="No gene varies within"):
        StudyChange.of(np.outer(classes, log2[0]) + 1.0, design(6, 7))
