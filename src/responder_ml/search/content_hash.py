"""A digest of what an object holds, the same in every process."""

from typing import Any

from joblib.hashing import NumpyHasher
from scipy import sparse


class _Hasher(NumpyHasher):  # type: ignore[misc]
    """joblib's, but for sparse tables: those remember what was asked of them, which changes nothing they hold."""

    def save(self, obj: Any) -> None:
        if sparse.issparse(obj) and obj.format in ("csr", "csc"):
            obj = (type(obj).__name__, obj.shape, obj.data, obj.indices, obj.indptr)
        super().save(obj)


def content_hash(content: Any) -> str:
    """Return 32 hexadecimal digits that differ where the content does."""
    return str(_Hasher("md5").hash(content))
