import io
import zipfile

import numpy as np
import pytest

from responder_ml.array_archive import open_archive, pack_arrays, unpack_arrays
from responder_ml.errors import BundleError

ARRAYS = {
    "floats": np.linspace(0, 1, 7),
    "whole": np.arange(6).reshape(2, 3),
    "flags": np.array([True, False]),
    "names": np.array(["Actb", "Égr1", "日本"]),
    "single": np.array(3.5),
    "empty": np.empty(0),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "small": np.arange(5, dtype=np.int8),
}


def test_arrays_come_back_as_they_were():
    unpacked = unpack_arrays(pack_arrays(ARRAYS))
    assert list(unpacked) == list(ARRAYS)
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(unpacked[name], values)
        assert unpacked[name].dtype == values.dtype


def test_objects_are_not_written():
    with pytest.raises(BundleError, match="objects"):
        pack_arrays({"objects": np.array([{}], dtype=object)})


def _archive(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _npy(values=None, **options):
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3.0) if values is None else values, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        [("../a.npy", _npy())],
        [("/a.npy", _npy())],
        [("b/a.npy", _npy())],
        [("a.py", b"print(1)")],
        [("a.npy", b"")],
        [("a.npy", b"\x93NUMPY")],
        [("a.npy", b"\x93NUMPY\x02\x00" + _npy()[8:])],
        [("a.npy", _npy() + b"\x00")],
        [("a.npy", _npy()[:-1])],
        [("a.npy", _npy(np.array([{}], dtype=object), allow_pickle=True))],
        [("a.npy", _npy(np.array([(1, 2.0)], dtype=[("x", int), ("y", float)])))],
        [("a.npy", _npy(np.array(["2026-01-02"], dtype="datetime64[D]")))],
        [("a.npy", _npy(np.array([1 + 2j])))],
        [("a.npy", _npy(np.array([b"bytes"])))],
        [("a.npy", _npy().replace(b"(3,)", b"(9,)"))],
        [("a.npy", _npy().replace(b"'<f8'", b"os.x"))],
    ],
)
def test_anything_but_plain_arrays_is_refused(members):
    with pytest.raises(BundleError):
        unpack_arrays(_archive(members))


def test_a_repeated_member_is_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        content = _archive([("a.npy", _npy()), ("a.npy", _npy())])
    with pytest.raises(BundleError):
        unpack_arrays(content)


def test_other_compressions_are_refused():
    with pytest.raises(BundleError, match="compressed"):
        unpack_arrays(_archive([("a.npy", _npy())], zipfile.ZIP_BZIP2))


def test_an_archive_that_would_fill_the_memory_is_refused():
    content = bytearray(_archive([("a.npy", _npy())]))
    # The size that the central directory claims.
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (2**32 - 2).to_bytes(4, "little")
    with pytest.raises(BundleError, match="MiB"):
        unpack_arrays(bytes(content))


def test_named_others_must_be_there_and_nothing_else():
    content = _archive([("a.npy", _npy()), ("schema.json", b"{}")])
    assert open_archive(content, ("schema.json",)).read("schema.json") == b"{}"
    with pytest.raises(BundleError):
        open_archive(content)
    with pytest.raises(BundleError):
        open_archive(content, ("schema.json", "other.json"))
