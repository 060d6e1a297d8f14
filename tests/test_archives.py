"""Bundles of every released version load and give the numbers they gave (written by `tests/archives/make.py`)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.bundles.bundle import read_bundle
from responder_ml.bundles.manifest import FORMAT_VERSION
from responder_ml.score import score

ARCHIVES = Path(__file__).parent / "archives"
BUNDLES = sorted(path.parent for path in ARCHIVES.glob("*/*/manifest.json"))


def test_every_version_left_an_archive():
    assert {folder.parent.name for folder in BUNDLES} >= {"0.1.0"}
    assert sum(file.stat().st_size for file in ARCHIVES.rglob("*") if file.is_file()) < 300_000


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_an_archived_bundle_gives_the_numbers_it_gave(folder):
    bundle = read_bundle(folder)
    assert bundle.manifest.format_version <= FORMAT_VERSION
    beside = folder.parent / f"{folder.name}.scores.csv"
    expected = pd.read_csv(beside, keep_default_na=False, na_values=[""])
    scored = score(folder, folder.parent / f"{folder.name}.samples.csv")
    assert scored["sample"].tolist() == expected["sample"].tolist()
    for column in expected:
        if pd.api.types.is_float_dtype(scored[column]):
            np.testing.assert_allclose(scored[column].astype(float), expected[column], rtol=1e-6, atol=1e-9)
        else:
            # A column may be added by a later version, none may be lost or change its words.
            assert scored[column].fillna("").astype(str).tolist() == expected[column].fillna("").astype(str).tolist()
