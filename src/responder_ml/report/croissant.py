"""A cohort described by Croissant 1.0, for catalogues and programs: which files, which columns, and no value of either.

References
----------
MLCommons Croissant format specification 1.0 (2024): https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_SIGNATURE = "Described by responder_ml"
# As in the specification's appendix, whole, since readers compare it.
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_FORMATS = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/tab-separated-values",
    ".tab": "text/tab-separated-values",
    ".gz": "application/gzip",
    ".parquet": "application/x-parquet",
    ".h5ad": "application/x-hdf5",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_UNKNOWN = "application/octet-stream"
_TYPES = {"i": "sc:Integer", "f": "sc:Float", "b": "sc:Boolean"}


@dataclass(frozen=True)
class SheetColumn:
    """A column of the sample sheet: the name this program knows it by, its name in the file, and its kind (numpy's)."""

    canonical: str
    name: str
    kind: str


def render_croissant(
    *,
    name: str,
    description: str,
    units: str,
    expression: Sequence[Path],
    sheet: Path | None,
    columns: Sequence[SheetColumn],
) -> str:
    """Return the description of a cohort as Croissant JSON-LD; of its files it has names, checksums and names of columns alone.

    Parameters
    ----------
    name, description
        Of the data set.
    units
        Of the expression.
    expression
        Its files.
    sheet
        File of the sample sheet; None where it is in the expression's file (h5ad).
    columns
        Columns of the sheet.
    """
    files = [*expression, *([sheet] if sheet is not None and sheet not in expression else [])]
    folder = Path(os.path.commonpath([path.resolve().parent for path in files]))
    ids = {path: f"file-{index + 1}" for index, path in enumerate(files)}
    content = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": name,
        "description": f"{description} {_SIGNATURE}.",
        "isLiveDataset": False,
        "distribution": [_file(path, ids[path], folder) for path in files],
        "recordSet": [
            _samples(ids[sheet or expression[0]], columns),
            *(_expression(index, ids[path], units, path) for index, path in enumerate(expression)),
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def is_croissant(content: bytes) -> bool:
    """Tell whether a file is a description that this program wrote."""
    return content.startswith(b"{") and _CONFORMS_TO.encode() in content and _SIGNATURE.encode() in content


def _file(path: Path, identifier: str, folder: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": identifier,
        "name": path.name,
        "contentUrl": path.resolve().relative_to(folder).as_posix(),
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": _FORMATS.get(path.suffix.lower(), _UNKNOWN),
        "sha256": checksum,
    }


def _samples(file: str, columns: Sequence[SheetColumn]) -> dict[str, Any]:
    fields = []
    for index, column in enumerate(columns):
        # Names of columns may hold anything, identifiers may not; these are unique and readable where names are plain.
        plain = column.canonical if _PLAIN.fullmatch(column.canonical) else f"column-{index + 1}"
        words = "Column" if column.canonical == column.name else f"Known to responder_ml as {column.canonical}: column"
        fields.append(
            {
                "@type": "cr:Field",
                "@id": f"samples/{plain}",
                "name": column.canonical,
                "description": f"{words} {column.name} of the sample sheet.",
                "dataType": _TYPES.get(column.kind, "sc:Text"),
                "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
            }
        )
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "description": "The sample sheet, one record per sample.",
        "key": {"@id": "samples/sample"},
        "field": fields,
    }


def _expression(index: int, file: str, units: str, path: Path) -> dict[str, Any]:
    identifier = "expression" if index == 0 else f"expression-{index + 1}"
    field = {
        "@type": "cr:Field",
        "@id": f"{identifier}/values",
        "name": "values",
        "description": (
            f"Expression of genes in samples as one table, in {units}; its samples are those of samples/sample. The format has "
            "no word for a table of a column per gene, so the field stands for the whole file."
        ),
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": file}, "extract": {"fileProperty": "content"}},
    }
    return {
        "@type": "cr:RecordSet",
        "@id": identifier,
        "name": identifier,
        "description": f"The expression in {path.name}.",
        "field": [field],
    }
