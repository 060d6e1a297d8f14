import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.cohort.endpoint import Endpoint, LabelledCohort, label_cohort
from responder_ml.cohort.simulate import simulate_cohort

SAMPLES = ["s1", "s2", "s3", "s4"]
GENES = ["Fos", "Arc", "TRUE", "007", "1234"]


@pytest.fixture
def counts() -> pd.DataFrame:
    """Four samples of five genes whose names a careless reader would change."""
    values = np.arange(20, dtype=float).reshape(4, 5) + 1
    return pd.DataFrame(values, index=SAMPLES, columns=GENES)


@pytest.fixture
def sheet() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample_id": SAMPLES,
            "animal": ["m1", "m1", "m2", "m2"],
            "region": ["PFC", "NAc", "PFC", "NAc"],
            "dose": ["10", "10", "20", "20"],
            "rin": ["8.5", "9.0", "", "7.25"],
        }
    )


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write text to a file of this name, gzipped if the name says so."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def files(write, counts, sheet) -> tuple[Path, Path]:
    """Genes in rows, and the sheet."""
    expression = write("expression.csv", counts.T.to_csv(index_label="gene"))
    return expression, write("samples.csv", sheet.to_csv(index=False))


@pytest.fixture
def make_labelled() -> Callable[..., LabelledCohort]:
    """Build a labelled cohort from values and columns; 'yes' is positive."""

    def make(
        values: np.ndarray,
        answer: Sequence[str],
        *,
        units: str = "counts",
        genes: Sequence[str] | None = None,
        strata: tuple[str, ...] = (),
        nuisance: tuple[str, ...] = (),
        uns: dict | None = None,
        **columns: Sequence,
    ) -> LabelledCohort:
        names = [f"s{index}" for index in range(len(values))]
        obs = pd.DataFrame({"sample": names, "subject": names, "answer": list(answer)} | columns, index=names)
        genes = [f"g{index}" for index in range(values.shape[1])] if genes is None else list(genes)
        cohort = AnnData(
            X=np.asarray(values, dtype=float),
            obs=obs,
            var=pd.DataFrame(index=genes),
            uns={"units": units, "simulated": False, "source": "test", "subject_source": "column"} | (uns or {}),
        )
        return label_cohort(cohort, Endpoint("answer", "yes", "no", strata, nuisance))

    return make


@pytest.fixture(scope="session")
def simulated() -> AnnData:
    return simulate_cohort(seed=7)
