"""A small simulated cohort as files, of which a test spoils one thing."""

import numpy as np
import pandas as pd
import pytest

GENES = [f"Gene{index}" for index in range(60)]


class CohortOnDisk:
    """Counts and a sheet of twelve animals; ``sheet`` may be changed before the files are written."""

    def __init__(self, folder):
        rng = np.random.default_rng(5)
        self.folder = folder
        self.samples = [f"S{index:02d}" for index in range(12)]
        self.counts = pd.DataFrame(
            rng.negative_binomial(3, 0.01, (60, 12)), index=pd.Index(GENES, name="gene"), columns=self.samples
        )
        self.sheet = pd.DataFrame(
            {
                "sample_id": self.samples,
                "animal": [f"a{index}" for index in range(12)],
                "response": ["responder", "non_responder"] * 6,
                "drug": ["ketamine", "ketamine", "imipramine", "imipramine"] * 3,
                "cage": [str(index // 3 + 1) for index in range(12)],
                "rin": [f"{7 + index / 10:.1f}" for index in range(12)],
            }
        )

    def write(self):
        """Write both files and return their paths."""
        expression, samples = self.folder / "counts.tsv", self.folder / "samples.csv"
        self.counts.to_csv(expression, sep="\t")
        self.sheet.to_csv(samples, index=False)
        return expression, samples


@pytest.fixture
def cohort(tmp_path):
    return CohortOnDisk(tmp_path)
