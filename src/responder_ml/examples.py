"""The jobs that come with the package, by name; all are of simulated data and need no other file."""

from pathlib import Path

from responder_ml.errors import ConfigError
from responder_ml.registry import did_you_mean

_PACKAGE = Path(__file__).resolve().parent
# An installed package holds a copy; a checkout of the source has them beside it.
_FOLDERS = (_PACKAGE / "configs", _PACKAGE.parents[1] / "configs")


def example_job(name: str) -> Path:
    """Return the YAML file of an example.

    Parameters
    ----------
    name
        Such as ``pfc``; see `example_names`.

    Raises
    ------
    ConfigError
        There is no example of this name.
    """
    examples = _examples()
    if name not in examples:
        raise ConfigError(f"There is no example '{name}'. {did_you_mean(name, list(examples))}")
    return examples[name]


def example_names() -> list[str]:
    """Return the names of all examples.

    Examples
    --------
    >>> "pfc" in example_names()
    True
    """
    return list(_examples())


def _examples() -> dict[str, Path]:
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
    return {path.stem: path for path in sorted(folder.glob("*.yaml")) if not path.name.startswith("gse")}
