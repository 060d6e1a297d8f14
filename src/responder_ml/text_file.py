"""Write a small file of results: whole or not at all."""

import os
from pathlib import Path

from responder_ml.exceptions import RunError


def write_text(path: Path, text: str) -> None:
    """Write ``text`` beside ``path`` first, then move it there; missing folders are made.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(text, encoding="utf-8", newline="\n")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as problem:
        raise RunError(f"{path} could not be written: {problem}. Free space or choose another --out.") from problem
