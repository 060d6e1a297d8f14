"""Read the files of a list of signatures, record where each came from, and tell which may come from the cohort itself."""

import hashlib
import re
from dataclasses import dataclass, field

from responder_ml.config import JobConfig
from responder_ml.errors import FeatureError, list_names
from responder_ml.features.external_signatures import read_signature_file
from responder_ml.features.gene_map import read_one_to_one, translate
from responder_ml.features.gene_sets import GeneSet
from responder_ml.records.signatures import SourceRecord
from responder_ml.signatures_config import SignatureConfig, SignaturesConfig

_SERIES = re.compile(r"GSE\d+", re.IGNORECASE)
# Keys of an entry that are recorded by themselves.
_RECORDED = ("name", "path", "source", "licence")


@dataclass(frozen=True)
class ListedSignatures:
    """All signatures of a list.

    Attributes
    ----------
    sets
        The signatures, in order.
    entry_of
        Name of each signature's entry.
    sources
        What is recorded of each entry.
    """

    sets: tuple[GeneSet, ...] = field(repr=False)
    entry_of: dict[str, str] = field(repr=False)
    sources: tuple[SourceRecord, ...]


def read_listed(listed: SignaturesConfig) -> ListedSignatures:
    """Read the files of a list.

    Raises
    ------
    FeatureError
        A file cannot be used, a set that is asked for is not in its file, or two signatures have one name.
    """
    sets: list[GeneSet] = []
    entry_of: dict[str, str] = {}
    sources = []
    for entry in listed.signatures:
        of_entry, source = _read_entry(entry)
        for one in of_entry:
            if one.name in entry_of:
                raise FeatureError(
                    f"A signature '{one.name}' is in '{entry_of[one.name]}' and in '{entry.name}'. Name each differently, or "
                    "choose sets with `only`."
                )
            entry_of[one.name] = entry.name
        sets += of_entry
        sources.append(source)
    return ListedSignatures(tuple(sets), entry_of, tuple(sources))


def circular_signatures(job: JobConfig, read: ListedSignatures) -> dict[str, str]:
    """Return why signatures may come from the job's own data, by name: the same GEO series, or the same file."""
    words = f"{job.name} {job.cohort.model_dump(mode='json')}"
    series = {match.upper() for match in _SERIES.findall(words)}
    files = job.cohort.expression if isinstance(job.cohort.expression, tuple) else (job.cohort.expression,)
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path is not None and path.is_file()}
    sources = {source.name: source for source in read.sources}
    reasons = {}
    for name, entry in read.entry_of.items():
        source = sources[entry]
        shared = {match.upper() for match in _SERIES.findall(f"{source.source} {entry} {name}")} & series
        if shared:
            reasons[name] = f"its source and this cohort are both {' and '.join(sorted(shared))}"
        elif source.sha256 in digests:
            reasons[name] = "its file is the cohort's own"
    return reasons


def _read_entry(entry: SignatureConfig) -> tuple[tuple[GeneSet, ...], SourceRecord]:
    file = read_signature_file(entry.path, entry.name, entry.columns, drop_damaged=entry.damaged_names == "drop")
    sets, mapping = file.sets, None
    if entry.only:
        absent = [name for name in entry.only if name not in {one.name for one in sets}]
        if absent:
            names = list_names([one.name for one in sets])
            raise FeatureError(f"{entry.path} has no set {list_names(absent)}; it has {names}. Correct `only`.")
        sets = tuple(one for one in sets if one.name in entry.only)
    if entry.mapping is not None:
        sets = translate(sets, read_one_to_one(entry.mapping))
        mapping = hashlib.sha256(entry.mapping.read_bytes()).hexdigest()
    keys = entry.model_dump(mode="json", exclude_defaults=True)
    record = SourceRecord(
        name=entry.name,
        path=str(entry.path),
        source=entry.source,
        licence=entry.licence,
        sha256=file.sha256,
        mapping_sha256=mapping,
        sets=len(sets),
        settings={key: value for key, value in keys.items() if key not in _RECORDED},
        notes=file.notes,
    )
    return sets, record
