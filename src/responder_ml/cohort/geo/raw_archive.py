"""The archive ``GSE..._RAW.tar`` of a series: one file for each sample, of which the tables are unpacked."""

import re
import shutil
import tarfile
from pathlib import Path

from responder_ml.cohort.cells import known_suffix
from responder_ml.errors import CohortError, FetchError, list_names

_SAFE = re.compile(r"GSM\d+[\w.()+-]*")


def unpack_tables(archive: Path, folder: Path) -> list[Path]:
    """Unpack the tables of an archive, one for each sample, and return them by name.

    Only plain files named after a sample's accession are taken, whatever folder the archive puts them in.

    Parameters
    ----------
    archive
        The ``.tar`` file.
    folder
        Where to; made anew.

    Raises
    ------
    FetchError
        The archive is broken, or holds no table, as with raw arrays and single-cell matrices.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        with tarfile.open(archive) as packed:
            members = {Path(member.name).name: member for member in packed if member.isfile()}
            tables = sorted(name for name in members if _SAFE.fullmatch(name) and _is_table(name))
            for name in tables:
                content = packed.extractfile(members[name])
                if content is not None:
                    with content, (folder / name).open("wb") as file:
                        shutil.copyfileobj(content, file)
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise FetchError(f"{archive} cannot be unpacked: {problem}. Delete it and fetch again.") from problem
    if not tables:
        raise FetchError(
            f"{archive.name} holds no table for a sample; its files: {list_names(sorted(members)) or 'none'}. Raw arrays "
            "(.CEL) and single-cell matrices must be processed first; use `--source matrix` where the series matrix has values."
        )
    return [folder / name for name in tables]


def _is_table(name: str) -> bool:
    try:
        return known_suffix(Path(name)) not in (".h5ad", ".parquet")
    except CohortError:
        return False
