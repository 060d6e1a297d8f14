"""External signatures from Python."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from responder_ml.library.jobs import JobSource, make_job

if TYPE_CHECKING:
    from responder_ml.records.signatures import SignaturesRun
    from responder_ml.signatures_config import SignaturesConfig


def signatures(
    source: JobSource,
    listed: "str | os.PathLike[str] | SignaturesConfig",
    *,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
    relabellings: int | None = None,
    **sections: Any,
) -> "SignaturesRun":
    """Score external signatures, contrast them between the classes, and compare them with the cohort's own changes.

    Parameters
    ----------
    source, progress, **sections
        As for `train`.
    listed
        YAML file that lists the signatures, or its content.
    out
        Folder to write; ``signatures/NAME-DIGEST`` by default.
    relabellings
        Labellings to run at most; the smallest p is one over their number.

    Returns
    -------
    SignaturesRun
        ``result.sentence``, one row for each signature in ``tables["signatures"]``, and every score in ``tables["scores"]``.

    Raises
    ------
    ResponderError
        Anything the user can correct; nothing is left half-written.
    """
    from responder_ml.library.calls import _progress
    from responder_ml.signatures import default_folder
    from responder_ml.signatures import signatures as compare_signatures
    from responder_ml.signatures_config import load_signatures

    job = make_job(source, sections, Path("signatures"))
    manifest = load_signatures(Path(listed)) if isinstance(listed, (str, os.PathLike)) else listed
    folder = default_folder(job, manifest) if out is None else Path(out)
    options = {} if relabellings is None else {"relabellings": relabellings}
    return compare_signatures(job, manifest, folder, progress=_progress(progress), **options)
