"""A small simulated study: two classes with a treatment each, and groups outside the endpoint."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from responder_ml.features.builders.context import Context
from responder_ml.statistics.training_sets import TrainingSets

N_GENES = 150


@dataclass(frozen=True)
class Study:
    counts: np.ndarray
    genes: np.ndarray
    context: Context
    sets: TrainingSets


def _counts(rng, mean, log2_shift):
    depth = rng.gamma(9, size=(len(log2_shift), 1)) / 9
    return rng.poisson(mean * 2.0**log2_shift * depth).astype(float)


@pytest.fixture
def study(rng):
    """Sixteen treated animals of the endpoint, thirteen others; genes 0-19 stress, 20-39 resilience, 40-59 response."""
    mean = np.exp(rng.normal(size=N_GENES) + 4)
    inside = pd.DataFrame(
        {
            "subject": [f"t{index}" for index in range(16)],
            "phenotype": "susceptible",
            "drug": ["ketamine", "imipramine"] * 8,
            "response": ["responder"] * 8 + ["non_responder"] * 8,
            "age": np.arange(16) % 5,
        }
    ).sample(frac=1, random_state=3, ignore_index=True)
    outside = pd.DataFrame(
        {
            "subject": [f"o{index}" for index in range(13)],
            "phenotype": ["control"] * 5 + ["resilient"] * 4 + ["susceptible"] * 4,
            "drug": "saline",
            "response": "none",
            "age": 1,
        }
    )
    sheet = pd.concat([inside, outside], ignore_index=True)
    shift = rng.normal(scale=0.3, size=(29, N_GENES))
    shift[:, :20] += np.where(sheet["phenotype"] == "susceptible", 1.0, 0.0)[:, None]
    shift[:, 20:40] += np.where(sheet["phenotype"] == "resilient", 1.0, 0.0)[:, None]
    shift[:, 40:60] += np.where(sheet["response"] == "responder", 1.0, 0.0)[:, None]
    counts = _counts(rng, mean, shift)
    context = Context(inside, "response", "responder", "non_responder", counts[16:], outside)
    labels = np.tile((inside["response"] == "responder").to_numpy(), (6, 1)).astype(np.int8)
    labels[3:] = rng.permutation(labels[0])
    rows = np.ones((6, 16), dtype=bool)
    for row in rows:
        row[rng.choice(16, 4, replace=False)] = False
    return Study(counts[:16], np.array([f"g{index}" for index in range(N_GENES)]), context, TrainingSets(rows, labels))
