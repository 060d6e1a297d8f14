"""What decides how a unit of work turns out, beside its input: this package's files and the libraries it computes with."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import responder_ml

_LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "xgboost", "optuna", "shap", "numba", "llvmlite")


@cache
def code_version() -> str:
    """Return a digest of every file of the package and of the versions of Python and the numerical libraries."""
    digest = hashlib.sha256(platform.python_version().encode())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    root = Path(responder_ml.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            digest.update(f"{path.relative_to(root)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
