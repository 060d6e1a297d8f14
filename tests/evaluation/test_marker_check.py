"""Regions and contamination by their marker genes; all data are simulated."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from responder_ml.evaluation.marker_check import SHARE_BEYOND, MarkerCheck

NAC = ["Actn2", "Arg2", "Arpp19", "Bcl11b"]
CORTEX = ["Neurod6", "Nptx1", "Pcsk2"]
BLOOD = ["Hba-a1", "Hbb-bs"]
GENES = [*(f"g{index}" for index in range(200)), *NAC, *CORTEX, *BLOOD, "Dsp"]
BACKGROUND = np.arange(200)
EVERYTHING = np.ones(len(GENES), dtype=bool)
COLUMN = {gene: column for column, gene in enumerate(GENES)}


def _samples(rng, n):
    """Striatum: its markers are strong, those of cortex and blood weak."""
    level = np.concatenate([np.linspace(2, 12, 200), np.full(4, 10.0), np.full(3, 4.0), np.full(2, 3.0), [4.0]])
    return level + rng.normal(0, 0.4, size=(n, len(GENES)))


def _with(values, **levels):
    changed = values.copy()
    for kind, level in levels.items():
        for gene in {"nac": NAC, "cortex": CORTEX, "blood": BLOOD}[kind]:
            changed[:, COLUMN[gene]] = level
    return changed


@pytest.fixture
def training(rng):
    return _samples(rng, 14)


@pytest.fixture
def learnt(training):
    return MarkerCheck.learn(training, GENES, BACKGROUND, 14)


def _kinds(check, values, present=EVERYTHING):
    return [sorted(kind for kind, _ in crossed) for crossed in check.find(values, present)]


def test_a_score_is_the_mean_share_of_genes_that_the_markers_exceed(learnt, rng):
    # One marker of a set (Dsp) is too few to score.
    assert learnt.names.tolist() == ["region_striatum", "region_cortex", "contamination_blood"]
    new = np.round(_samples(rng, 3), 1)
    scores = learnt.score(new, EVERYTHING)
    for row in range(3):
        for column, members in enumerate((NAC, CORTEX, BLOOD)):
            expected = []
            for gene in members:
                level = new[row, COLUMN[gene]]
                below = sum(value < level for value in new[row, :200])
                expected.append((below + sum(value == level for value in new[row, :200]) / 2) / 200)
            assert scores[row, column] == pytest.approx(np.mean(expected))


def test_limits_by_hand(learnt, training):
    scores = learnt.score(training, EVERYTHING)
    low, high = learnt.limits(EVERYTHING)
    # Two limits of each region and one of the contamination share the probability.
    reach = t.ppf(1 - SHARE_BEYOND / 5, 13) * np.sqrt(1 + 1 / 14)
    spread = np.maximum(scores.std(axis=0, ddof=1), 0.02)
    np.testing.assert_allclose(high, scores.mean(axis=0) + reach * spread)
    np.testing.assert_allclose(low[:2], (scores.mean(axis=0) - reach * spread)[:2])
    assert np.isnan(low[2])


def test_another_region_lost_markers_and_blood_are_named(learnt, rng):
    new = _samples(rng, 5)
    assert _kinds(learnt, _with(new, nac=5, cortex=9)) == [["region", "region"]] * 5
    assert _kinds(learnt, _with(new, nac=5)) == [["region"]] * 5
    assert _kinds(learnt, _with(new, blood=11)) == [["contamination"]] * 5
    assert _kinds(learnt, _with(new, blood=0)) == [[]] * 5
    sentence = learnt.find(_with(new, cortex=9), EVERYTHING)[0][0][1]
    assert "region_cortex score" in sentence
    of_blood = learnt.find(_with(new, blood=11), EVERYTHING)[0][0][1]
    assert "contamination_blood (unconfirmed) score" in of_blood
    assert "above" in sentence


def test_further_samples_of_the_training_kind_are_rarely_flagged(rng):
    flagged = []
    for _ in range(20):
        check = MarkerCheck.learn(_samples(rng, 14), GENES, BACKGROUND, 14)
        flagged += _kinds(check, _samples(rng, 200))
    assert np.mean([bool(kinds) for kinds in flagged]) <= 0.015


def test_samples_scored_change_neither_limits_nor_each_other(learnt, rng):
    before = learnt.limits(EVERYTHING)
    new = _samples(rng, 4)
    first = learnt.score(new, EVERYTHING)
    new[2] = 0.0
    again = learnt.score(new, EVERYTHING)
    np.testing.assert_array_equal(first[[0, 1, 3]], again[[0, 1, 3]])
    np.testing.assert_array_equal(before, learnt.limits(EVERYTHING))


def test_any_increasing_change_of_scale_leaves_the_scores(learnt, rng):
    new = _samples(rng, 4)
    np.testing.assert_allclose(learnt.score(2.0**new, EVERYTHING), learnt.score(new, EVERYTHING))


def test_missing_markers_give_no_flag(learnt, rng):
    new = _with(_samples(rng, 3), nac=5, cortex=9)
    present = EVERYTHING.copy()
    present[[COLUMN[gene] for gene in CORTEX[1:]]] = False
    holed = np.where(present, new, np.nan)
    assert _kinds(learnt, holed, present) == [["region"]] * 3
    present[[COLUMN[gene] for gene in NAC[1:]]] = False
    assert _kinds(learnt, np.where(present, new, np.nan), present) == [[]] * 3
    assert _kinds(learnt, np.full_like(new, np.nan), np.zeros(len(GENES), dtype=bool)) == [[]] * 3


def test_without_markers_among_the_genes_there_is_no_check(rng):
    assert MarkerCheck.learn(rng.normal(size=(8, 50)), [f"g{index}" for index in range(50)], np.arange(50), 8) is None


def test_the_checksum_depends_on_every_array(learnt, training):
    typical = training.mean(axis=0)[None]
    expected = learnt.checksum(typical)
    for name, values in vars(learnt).items():
        changed = values.copy()
        if values.dtype.kind == "U":
            changed[0] = "x"
        elif name == "background_genes":
            changed[:100] = COLUMN["Actn2"]
        else:
            changed[-1] = changed[-1] - 1 if values.dtype.kind == "i" else changed[-1] / 2
        doctored = replace(learnt, **{name: changed})
        with np.errstate(all="ignore"):
            assert doctored.checksum(typical) != pytest.approx(expected, rel=1e-6), name
