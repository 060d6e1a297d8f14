import numpy as np
import pytest

from responder_ml.contrasts.groups import founding_groups

CELLS = {
    ("control", "saline", "none"): 5,
    ("resilient", "saline", "none"): 4,
    ("susceptible", "saline", "none"): 3,
    ("susceptible", "ketamine", "responder"): 3,
    ("susceptible", "ketamine", "non_responder"): 3,
    ("susceptible", "imipramine", "responder"): 3,
    ("susceptible", "imipramine", "non_responder"): 4,
}


@pytest.fixture
def study():
    """Groups of one region of the founding study: 25 animals."""
    rows = [cell for cell, size in CELLS.items() for _ in range(size)]
    return founding_groups(*zip(*rows, strict=True))


@pytest.fixture
def noise(rng):
    """Simulated log2 expression without any effect, genes of unequal variance."""
    return 5 + rng.normal(size=(25, 400)) * np.exp(rng.normal(0, 0.4, 400))
