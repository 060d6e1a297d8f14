import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from responder_ml.cohort.expression_source import open_expression
from responder_ml.cohort.h5ad import H5adGrid
from responder_ml.cohort.read import read_h5ad
from responder_ml.errors import CohortError, ExpressionError

GENES = ["Fos", "Arc", "Egr1", "Junb"]
SAMPLES = ["s1", "s2", "s3"]


@pytest.fixture
def counts(rng):
    return rng.poisson(20, size=(3, 4)).astype(float)


def _file(path, counts, *, log1p=True, x=None, raw=None, layers=None):
    frame = {"obs": pd.DataFrame(index=SAMPLES), "var": pd.DataFrame(index=GENES)}
    data = AnnData(np.log1p(counts) if x is None else x, **frame)
    if raw is not None:
        data.raw = AnnData(raw, **frame)
    for name, layer in (layers or {}).items():
        data.layers[name] = layer
    if log1p:
        data.uns["log1p"] = {} if log1p is True else {"base": log1p}
    data.write_h5ad(path)
    return path


@pytest.mark.parametrize(("where", "layer"), [("layers", "counts"), ("raw", "raw")])
def test_counts_beside_x_are_pointed_at_and_read_by_job_and_scorer(tmp_path, counts, where, layer):
    extra = {"layers": {"counts": counts, "scaled": counts - 20}} if where == "layers" else {"raw": counts}
    path = _file(tmp_path / "t.h5ad", counts, **extra)
    for units, words in (("counts", "X holds no counts"), ("log2", "natural logarithms")):
        message = rf"{words}.*`cohort\.layer: {layer}`"
        with pytest.raises(ExpressionError, match=message):
            read_h5ad(path, units=units)
        with pytest.raises(ExpressionError, match=message):
            open_expression(path, GENES, units=units)
    np.testing.assert_array_equal(read_h5ad(path, units="counts", layer=layer).X, counts)
    block = open_expression(path, GENES, units="counts", layer=layer).block(np.arange(3), np.arange(4))
    np.testing.assert_array_equal(block, counts)


def test_an_unknown_layer_is_refused_with_those_there_are(tmp_path, counts):
    path = _file(tmp_path / "t.h5ad", counts, layers={"counts": counts})
    with pytest.raises(CohortError, match=r"no layer 'Counts'. It has: 'counts'"):
        read_h5ad(path, units="counts", layer="Counts")


def test_logarithms_to_base_2_are_log2_and_a_file_without_counts_says_how_to_convert(tmp_path, counts):
    base_2 = _file(tmp_path / "two.h5ad", counts, x=np.log2(counts + 1), log1p=2)
    assert read_h5ad(base_2, units="log2").shape == (3, 4)
    with pytest.raises(ExpressionError, match=r"Divide the values by 0\.6931"):
        read_h5ad(_file(tmp_path / "e.h5ad", counts), units="log2")


def test_values_that_lie_outside_the_file_are_refused_when_they_are_read(tmp_path):
    """Indices are checked when a file is opened; its values are read later, and their place in it may be damaged, too."""
    path = tmp_path / "damaged.h5ad"
    values = sparse.csr_matrix(np.arange(1.0, 13.0).reshape(4, 3))
    AnnData(values, obs=pd.DataFrame(index=list("abcd")), var=pd.DataFrame(index=list("xyz"))).write_h5ad(path)
    with h5py.File(path) as file:
        address = file["X/data"].id.get_chunk_info(0).byte_offset
    content = path.read_bytes()
    assert content.count(address.to_bytes(8, "little")) == 1
    path.write_bytes(content.replace(address.to_bytes(8, "little"), (10**9).to_bytes(8, "little")))
    grid = H5adGrid(path, "log2")
    with pytest.raises(CohortError, match=r"damaged.h5ad could not be read as .h5ad: .*addr overflow"):
        grid.numbers(np.arange(2), np.arange(3), genes_in_rows=False)
    with pytest.raises(CohortError, match=r"damaged.h5ad could not be read as .h5ad: .*addr overflow"):
        H5adGrid(path, "counts")
