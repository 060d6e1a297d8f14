"""Addresses of the files of a series in the Gene Expression Omnibus (GEO), and the links of its pages.

The folders are those of GEO's file server: ``geo/series/GSE81nnn/GSE81672/matrix/`` and ``suppl/`` with ``filelist.txt``.
The page of NCBI-generated counts (``geo/download/?acc=GSE81672``) links to files whose names contain the assembly, so
their addresses are read from the page.

References
----------
Clough E et al. (2024) NCBI GEO: archive for gene expression and epigenomics data sets: 23-year update. Nucleic Acids
Res 52:D138. doi:10.1093/nar/gkad965
"""

import os
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from responder_ml.errors import FetchError

ENVIRONMENT = "RESPONDER_ML_GEO"
"""Environment variable with the address of a server to use in place of GEO's two."""
_FILES, _PAGES = "https://ftp.ncbi.nlm.nih.gov", "https://www.ncbi.nlm.nih.gov"
_SERIES = re.compile(r"GSE[1-9]\d{0,8}")


@dataclass(frozen=True)
class Archive:
    """The addresses of one series.

    Attributes
    ----------
    series
        Accession such as ``GSE81672``.
    base
        Address to use in place of GEO's own, or None.
    """

    series: str
    base: str | None = None

    @property
    def folder(self) -> str:
        """The series' folder on the file server, with a slash at its end."""
        group = re.sub(r"\d{1,3}$", "nnn", self.series)
        return f"{self.base or _FILES}/geo/series/{group}/{self.series}/"

    @property
    def matrices(self) -> str:
        """The folder of the series matrix files."""
        return f"{self.folder}matrix/"

    @property
    def supplementary(self) -> str:
        """The folder of the submitters' files."""
        return f"{self.folder}suppl/"

    @property
    def counts_page(self) -> str:
        """The page that links to NCBI-generated counts, if there are any."""
        return f"{self.base or _PAGES}/geo/download/?acc={self.series}"


def archive_of(series: str, base: str | None = None) -> Archive:
    """Return the addresses of a series; ``base`` or the environment names a server to use in place of GEO.

    Raises
    ------
    FetchError
        ``series`` is not the accession of a series.
    """
    accession = series.strip().upper()
    if not _SERIES.fullmatch(accession):
        raise FetchError(f"'{series}' is not a GEO series. Give its accession, such as GSE81672.")
    base = base or os.environ.get(ENVIRONMENT) or None
    return Archive(accession, base.rstrip("/") if base else None)


def links(page: str, address: str) -> list[tuple[str, str]]:
    """Return (file name, address) of every link of an HTML page, each once.

    The name is the ``file`` of a query, or the last part of the path.
    """
    reader = _Links()
    reader.feed(page)
    addresses = {urljoin(address, target): None for target in reader.targets}
    return [(name, link) for link in addresses if (name := _name_of(link))]


def read_file_list(text: str) -> list[str]:
    """Return the series' own files of a ``filelist.txt``: tab-separated, the name in the second column.

    Files of single samples are listed with the ``RAW.tar`` that holds them and have no address of their own.
    """
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return [row[1].strip() for row in rows if len(row) > 1 and row[1].strip().startswith("GSE")]


def file_address(folder: str, name: str) -> str:
    """Return the address of a file in a folder."""
    return folder + quote(name)


def _name_of(link: str) -> str:
    parts = urlsplit(link)
    in_query = parse_qs(parts.query).get("file")
    return in_query[0] if in_query else unquote(parts.path.rsplit("/", 1)[-1])


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.targets += [value for name, value in attrs if name == "href" and value]
