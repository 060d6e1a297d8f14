"""Small cohorts of several regions, with the signal where a test wants it."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.endpoint import Endpoint, label_cohort

REGIONS = ("PFC", "NAc", "AMY")
ENDPOINT = Endpoint("response", "yes", "no")


@pytest.fixture
def endpoint():
    return ENDPOINT


@pytest.fixture
def region_names():
    return {region: {"region": region} for region in REGIONS}


@pytest.fixture
def make_cohort():
    def make(effects, n_subjects=24, n_genes=30, missing=0.0, seed=1):
        """Return log2 expression; the first gene of a region differs by its effect, in noise of the region's own."""
        rng = np.random.default_rng(seed)
        labels = np.arange(n_subjects) % 2
        parts, rows = [], []
        for region, effect in zip(REGIONS, effects, strict=True):
            values = rng.normal(6.0, 1.0, (n_subjects, n_genes))
            values[:, 0] += effect * labels
            measured = np.flatnonzero(rng.random(n_subjects) >= missing)
            parts.append(values[measured])
            rows += [(f"{region}{i}", f"m{i:02d}", region, "yes" if labels[i] else "no") for i in measured]
        sheet = pd.DataFrame(rows, columns=["sample", "subject", "region", "response"]).set_index("sample", drop=False)
        sheet.index.name = None
        genes = pd.DataFrame(index=[f"g{i}" for i in range(n_genes)])
        return AnnData(np.concatenate(parts), obs=sheet, var=genes, uns={"units": "log2", "simulated": True})

    return make


@pytest.fixture
def make_labelled(make_cohort):
    return lambda *arguments, **options: label_cohort(make_cohort(*arguments, **options), ENDPOINT)
