import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from responder_ml.cohort.h5ad import open_h5ad
from responder_ml.cohort.h5ad_check import check_h5ad
from responder_ml.errors import CohortError

VALUES = np.arange(12.0).reshape(3, 4)


@pytest.fixture
def write(tmp_path):
    def write(kind):
        obs, var = pd.DataFrame(index=list("abc")), pd.DataFrame(index=list("wxyz"))
        data = AnnData(kind(VALUES), obs=obs, var=var, layers={"counts": kind(VALUES)})
        data.raw = data.copy()
        data.write_h5ad(tmp_path / "file.h5ad")
        return tmp_path / "file.h5ad"

    return write


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_what_anndata_writes_passes(write, kind):
    path = write(kind)
    check_h5ad(path)
    assert open_h5ad(path).shape == (3, 4)


def _set(part, index, value):
    def damage(file):
        file[part][index] = value

    return damage


def _replace(part, values, **attributes):
    def damage(file):
        kept = dict(file[part].attrs) if part in file else {}
        del file[part]
        file.create_dataset(part, data=values)
        for name, value in {**kept, **attributes}.items():
            file[part].attrs[name] = value

    return damage


def _link(target):
    def damage(file):
        del file["X"]
        file["X"] = target

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_set("X/indices", 2, 1_000_000), "beyond its 4 columns"),
        (_set("X/indices", 0, -5), "beyond its 4 columns"),
        (_set("X/indptr", 1, 10**8), "overlap or lie outside"),
        (_set("X/indptr", 1, -3), "overlap or lie outside"),
        (_set("X/indptr", 0, 2), "begin at 0"),
        (_set("layers/counts/indices", 1, 77), r"layers/counts is damaged"),
        (_set("raw/X/indices", 1, 77), r"raw/X is damaged"),
        (_replace("X/data", np.ones(11, dtype=complex)), "complex128"),
        (_replace("X/data", np.ones(3)), "lengths"),
        (_replace("X/indptr", np.array([0, 11])), "lengths"),
        (_replace("X/indices", np.linspace(0, 3, 11)), "whole numbers"),
        (lambda file: file["X"].attrs.__setitem__("shape", [3, 9]), "names of samples"),
        (lambda file: file["X"].attrs.__setitem__("shape", [-3, 4]), "its shape is"),
        (lambda file: file["X"].attrs.__setitem__("encoding-type", "pickle"), "no matrix that is read"),
        (_link(h5py.ExternalLink("/etc/passwd", "/")), "is a link"),
        (_link(h5py.SoftLink("/X")), "is a link"),
    ],
)
def test_a_sparse_matrix_is_not_believed(write, damage, message):
    path = write(sparse.csr_matrix)
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(CohortError, match=message):
        open_h5ad(path)


@pytest.mark.parametrize(
    "values",
    [
        VALUES.astype(complex),
        np.array([[b"a"] * 4] * 3),
        np.zeros((3, 4), dtype=[("a", "f8"), ("b", "i4")]),
        np.zeros(12),
        np.zeros((3, 5)),
    ],
)
def test_a_dense_matrix_of_another_kind_or_shape_is_refused(write, values):
    path = write(np.asarray)
    with h5py.File(path, "r+") as file:
        _replace("X", values)(file)
    with pytest.raises(CohortError, match=r"X (holds|is)"):
        open_h5ad(path)


def test_a_virtual_matrix_is_refused(write, tmp_path):
    path = write(np.asarray)
    with h5py.File(path, "r+") as file:
        del file["X"]
        layout = h5py.VirtualLayout(shape=(3, 4), dtype="f8")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", shape=(3, 4))
        file.create_virtual_dataset("X", layout)
    with pytest.raises(CohortError, match="in another file"):
        check_h5ad(path)


@pytest.mark.parametrize("part", ["X", "layers/counts", "obs/huge"])
def test_what_was_never_written_takes_no_memory(part, write):
    path = write(np.asarray)
    with h5py.File(path, "r+") as file:
        if part in file:
            del file[part]
        file.create_dataset(part, shape=(10**6, 10**6), dtype="f8", chunks=(1000, 1000))
    with pytest.raises(CohortError, match="far more than a table"):
        check_h5ad(path)


def test_what_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / "file.h5ad").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(CohortError, match="could not be read"):
        check_h5ad(tmp_path / "file.h5ad")
