import numpy as np
import pytest

from responder_ml.errors import ExpressionError
from responder_ml.evaluation.batch_alignment import LEAST_BATCH, BatchAlignment, BatchReference

NAMES = [f"s{index}" for index in range(20)]


def _aligned(reference, table, batches, wanted="log2", units="log2", present=None, depth=0.0):
    names = NAMES[: len(table)]
    blocks = [(names[:7], table[:7]), (names[7:], table[7:])]
    present = np.ones(table.shape[1], dtype=bool) if present is None else present
    batch_of = dict(zip(names, batches, strict=True))
    return BatchAlignment(reference, present, units, batch_of, blocks).align(names, table, wanted, depth)


def test_location_and_scale_by_hand(rng):
    training = np.array([[1.0, 5.0, 4.0], [3.0, 5.0, 6.0]])
    reference = BatchReference.learn(training, "log2")
    np.testing.assert_allclose(reference.location, [2, 5, 5])
    np.testing.assert_allclose(reference.scale, [np.sqrt(2), 0, np.sqrt(2)])
    table = rng.normal(9, 3, size=(8, 3))
    table[:, 2] = 7.0
    aligned = _aligned(reference, table, ["b"] * 8)
    first = 2 + (table[:, 0] - table[:, 0].mean()) / table[:, 0].std(ddof=1) * np.sqrt(2)
    np.testing.assert_allclose(aligned[:, 0], first)
    # A gene that never varied in training, or does not in the batch, is moved and not stretched.
    np.testing.assert_allclose(aligned[:, 1], 5 + table[:, 1] - table[:, 1].mean())
    np.testing.assert_allclose(aligned[:, 2], 5.0)


def test_a_batch_does_not_depend_on_other_batches(rng):
    reference = BatchReference.learn(rng.normal(size=(10, 6)), "log2")
    table = rng.normal(size=(20, 6))
    batches = ["a", "b"] * 10
    before = _aligned(reference, table, batches)
    table[1::2] = table[1::2] * 7 + 100
    after = _aligned(reference, table, batches)
    np.testing.assert_array_equal(before[::2], after[::2])
    alone = BatchAlignment(
        reference, np.ones(6, dtype=bool), "log2", dict.fromkeys(NAMES[::2], "a"), [(NAMES[::2], table[::2])]
    )
    np.testing.assert_allclose(alone.align(NAMES[::2], table[::2], "log2", 0.0), before[::2])
    # Shift and stretch of a whole batch are undone.
    np.testing.assert_allclose(after[1::2], before[1::2])


def test_a_small_batch_is_refused_with_its_size(rng):
    reference = BatchReference.learn(rng.normal(size=(10, 6)), "log2")
    batches = ["large"] * 13 + ["small"] * (LEAST_BATCH - 1)
    with pytest.raises(ExpressionError, match=r"'small' \(7\)"):
        _aligned(reference, rng.normal(size=(20, 6)), batches)


def test_counts_and_tpm_come_back_in_their_units(rng):
    counts = rng.poisson(200, size=(12, 30)).astype(float)
    depth = 5000.0
    reference = BatchReference.learn(counts, "counts")
    present = np.arange(30) < 25
    aligned = _aligned(reference, counts[:, present], ["b"] * 12, "counts", "counts", present, depth)
    log2 = np.log2((aligned + 0.5) / (depth + 1) * 1e6)
    np.testing.assert_allclose(log2.mean(axis=0), reference.location[present])
    np.testing.assert_allclose(log2.std(axis=0, ddof=1), reference.scale[present])
    tpm = BatchReference.learn(counts, "tpm")
    aligned = _aligned(tpm, counts, ["b"] * 12, "tpm", "tpm")
    np.testing.assert_allclose(np.log2(aligned + 1).mean(axis=0), tpm.location)


def test_the_check_sees_every_number(rng):
    reference = BatchReference.learn(rng.normal(8, 1, size=(10, 6)), "log2")
    for name, values in vars(reference).items():
        changed = values.copy()
        changed[0] += 0.01
        assert BatchReference(**{**vars(reference), name: changed}).checksum() != pytest.approx(reference.checksum())
