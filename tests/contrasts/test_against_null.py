import numpy as np
import pytest

from responder_ml.contrasts.against_null import compare_with_null


def test_by_hand():
    found = compare_with_null(np.array([[3.0, 1.0], [1.0, 1.0], [3.0 - 1e-12, 1.0], [0.0, 1.0]]))
    assert found.p_value.tolist() == [0.5, 1.0]
    assert found.smallest_p.tolist() == [0.5, 1.0]
    assert found.expected == pytest.approx([1.75, 1.0])
    assert found.observed.tolist() == [3.0, 1.0]


def test_nan_is_refused():
    with pytest.raises(ValueError, match="nan"):
        compare_with_null(np.array([[1.0], [np.nan]]))
