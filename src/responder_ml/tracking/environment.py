"""Environment variables that hold for a while."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def unless_set(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings, each with the user's own value where the environment has one."""
    return {key: os.environ.get(key, value) for key, value in settings.items()}


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set variables while the block lasts, and put back what was there."""
    before = {key: os.environ.get(key) for key in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
