"""The files an expression is spread over: one, several, a folder or a pattern, and the sample that each is named after."""

import re
from collections.abc import Sequence
from glob import has_magic, iglob
from pathlib import Path

from responder_ml.cohort.cells import known_suffix
from responder_ml.errors import CohortError, list_names

# Programs that write a folder for each sample.
_IN_FOLDERS = ("quant.sf", "quant.genes.sf", "abundance.tsv", "abundance.tsv.gz", "ReadsPerGene.out.tab")
_ENDINGS = re.compile(
    r"(?:[._-]?(?:ReadsPerGene|out|tab|counts?|htseq|featureCounts|genes?|isoforms|results|quant|sf|abundance|tsv|txt|csv|gz"
    r"|salmon|kallisto|rsem|star))+$",
    re.IGNORECASE,
)


def list_files(expression: Path | Sequence[Path]) -> list[Path]:
    """Return the files that a path, a folder, a pattern such as ``counts/*.tsv.gz`` or several of these stand for, each once.

    Raises
    ------
    CohortError
        A folder or a pattern holds no file that is read.
    """
    entries = [expression] if isinstance(expression, Path) else list(expression)
    if not entries:
        raise CohortError("No expression file is named. Name a file, a folder, a pattern or a list of these.")
    return list(dict.fromkeys(path for entry in entries for path in _files_of(entry)))


def sample_name_of(path: Path) -> str:
    """Return the sample that a file of one sample is named after: its own name, or its folder's where nothing else is left.

    Examples
    --------
    >>> sample_name_of(Path("star/m01_ReadsPerGene.out.tab")), sample_name_of(Path("salmon/m02/quant.sf"))
    ('m01', 'm02')
    """
    return _ENDINGS.sub("", path.name) or path.resolve().parent.name


def _files_of(entry: Path) -> list[Path]:
    if entry.is_dir():
        paths = sorted(path for path in entry.iterdir() if path.is_file() and _is_read(path))
        paths = paths or sorted(path for name in _IN_FOLDERS for path in entry.glob(f"*/{name}"))
    elif has_magic(str(entry)) and not entry.exists():
        paths = sorted(path for path in map(Path, iglob(str(entry), recursive=True)) if path.is_file())  # noqa: PTH207
    else:
        return [entry]
    if not paths:
        raise CohortError(f"{entry} stands for no file that is read. Check the folder, or the pattern.")
    return paths


def _is_read(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    try:
        known_suffix(path)
    except CohortError:
        return False
    return True


def describe_files(paths: Sequence[Path]) -> str:
    """Return the name of one file, or how many there are and the first of them."""
    return paths[0].name if len(paths) == 1 else f"{len(paths)} files ({list_names([path.name for path in paths], 2)})"
