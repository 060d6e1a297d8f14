import numpy as np
import pytest
from scipy import sparse

N_GENES = 60


@pytest.fixture
def expression(rng):
    """Simulated log2 expression without ties, 12 samples x 60 genes."""
    return rng.normal(6.0, 2.0, size=(12, N_GENES))


@pytest.fixture
def tied(rng):
    """Simulated values with many ties and a gene that never varies, 12 samples x 60 genes."""
    values = rng.integers(0, 6, size=(12, N_GENES)).astype(float)
    values[:, 3] = 2.0
    return values


@pytest.fixture
def signed(rng):
    """Seven sets as a dense table, genes x sets: one-sided, two-sided, weighted, tiny, and one of only down genes."""
    table = np.zeros((N_GENES, 7))
    for column, (n_up, n_down) in enumerate([(10, 0), (8, 7), (25, 20), (1, 0), (1, 1), (12, 9), (0, 6)]):
        chosen = rng.permutation(N_GENES)[: n_up + n_down]
        table[chosen[:n_up], column] = 1.0
        table[chosen[n_up:], column] = -1.0
    table[:, 5] *= rng.uniform(0.2, 3.0, size=N_GENES)
    return table


@pytest.fixture
def members(signed):
    return sparse.csr_array(signed)
