from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_ml.bundles.align_batches import align_batches
from responder_ml.bundles.bundle import read_bundle
from responder_ml.cohort.alignment import match_genes
from responder_ml.errors import BundleError

ARCHIVE = Path(__file__).parents[1] / "archives" / "0.1.0" / "genes-elastic_net"


def test_a_bundle_without_a_reference_for_batches_says_so():
    bundle = read_bundle(ARCHIVE)
    matched = match_genes(bundle.genes, bundle.genes, bundle.genes_of_features())
    with pytest.raises(BundleError, match="Train again"):
        align_batches(
            bundle,
            matched,
            "counts",
            ["a"],
            [(["a"], np.ones((1, 150)))],
            pd.DataFrame({"sample": ["a"], "batch": ["x"]}),
            "batch",
        )
