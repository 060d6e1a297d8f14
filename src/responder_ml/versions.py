"""Versions of this package and of the libraries it rests on, as runs, bundles and caches record them."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

# The CPU build of a library is a package of another name with the same modules.
_CPU_BUILD = {"xgboost": "xgboost-cpu"}

REPORTED = ("responder-ml", "numpy", "scipy", "pandas", "scikit-learn")
"""What a result of several jobs records; that of one job names its classifiers' libraries too."""


def installed_package(library: str) -> str:
    """Return the name under which a library is installed: its own, or that of its CPU build.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        It is not installed under either.
    """
    try:
        version(library)
    except PackageNotFoundError:
        if library not in _CPU_BUILD:
            raise
        return _CPU_BUILD[library]
    return library


def version_of(library: str) -> str:
    """Return a library's version, of whichever build is installed.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        It is not installed.

    Examples
    --------
    >>> version_of("xgboost").split(".")[0] >= "3"
    True
    """
    return version(installed_package(library))


def versions_of(libraries: Sequence[str] = REPORTED) -> dict[str, str]:
    """Return Python's version and those of some libraries by name, as results record them."""
    return {"python": platform.python_version(), **{library: version_of(library) for library in libraries}}
