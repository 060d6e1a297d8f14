"""Environment variables for MLflow while a call lasts, and no longer, unless the user has given them a value.

Telemetry is off, there are no progress bars and no printed links, and a server that does not answer is given up soon.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# Two tries of four seconds, a second apart: an unreachable server is reported within ten.
FIRST_CONTACT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
}
# A server that has answered may take longer over a file.
TRANSFER = {**FIRST_CONTACT, "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}


def unless_set(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings, each with the user's own value where the environment has one."""
    return {key: os.environ.get(key, value) for key, value in settings.items()}


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables while the block lasts, and restore their values after it."""
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
