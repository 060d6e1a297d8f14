"""The files of a series: which ones exist, and the ones a job needs fetched."""

import contextlib
import re
from collections.abc import Iterable

from responder_ml.cohort.geo.archive import Archive, file_address, links, read_file_list
from responder_ml.cohort.geo.download import Downloader, Fetched
from responder_ml.cohort.geo.recipe import ExpressionPart, full_match
from responder_ml.errors import FetchError, NotInArchiveError, UnreachableError, list_names

_MATRIX = re.compile(r"GSE\d+(?:-GPL\d+)?_series_matrix\.txt\.gz")
_NCBI_COUNTS = re.compile(r"GSE\d+_raw_counts_.+_NCBI\.tsv\.gz")
_NCBI_GENES = re.compile(r".+\.annot\.tsv\.gz")
_RAW = re.compile(r"GSE\d+_RAW\.tar")
_TABLE = re.compile(r".+\.(?:(?:txt|tsv|csv|tab|gct|counts?)(?:\.gz)?|xlsx|xls)", re.IGNORECASE)
_COUNTS = re.compile(r"count|raw|expression|matrix|fpkm|rpkm|tpm|cpm", re.IGNORECASE)


class SeriesFiles:
    """The files of one series.

    Parameters
    ----------
    archive
        Addresses of the series.
    downloader
        Fetches into the series' cache; files put there by hand are used, too.
    """

    def __init__(self, archive: Archive, downloader: Downloader) -> None:
        self._archive = archive
        self._downloader = downloader

    def matrices(self) -> list[Fetched]:
        """Return the series matrix of every platform.

        Raises
        ------
        FetchError
            The series does not exist, cannot be reached, or has no series matrix.
        """
        folder, plain = self._archive.matrices, f"{self._archive.series}_series_matrix.txt.gz"
        try:
            names = [name for name in self._names_in(folder, "matrix.html") if _MATRIX.fullmatch(name)] or [plain]
            return [self._downloader.fetch(file_address(folder, name), name) for name in names]
        except UnreachableError as problem:
            by_hand = self._by_hand(_MATRIX)
            if by_hand:
                return by_hand
            raise UnreachableError(f"{problem}\n{self._what_to_do_by_hand()}") from problem
        except NotInArchiveError as problem:
            raise FetchError(
                f"{self._archive.series} has no series matrix: {problem} Check the accession; a series that is still private "
                "has no files."
            ) from problem

    def ncbi_counts(self, sha256: str | None) -> tuple[Fetched, Fetched | None]:
        """Return NCBI-generated counts (Entrez gene ids, a column for each sample) and its gene table if one is linked.

        Raises
        ------
        NotInArchiveError
            NCBI has no counts for this series.
        FetchError
            They cannot be reached, or are damaged.
        """
        address = self._archive.counts_page
        try:
            page = self._downloader.fetch(address, "download.html")
        except UnreachableError as problem:
            counts, genes = self._by_hand(_NCBI_COUNTS), self._by_hand(_NCBI_GENES)
            if counts:
                return counts[0], genes[0] if genes else None
            raise UnreachableError(f"{problem}\n{self._what_to_do_by_hand()}") from problem
        linked = dict(links(page.text(), address))
        counts_names = [name for name in linked if _NCBI_COUNTS.fullmatch(name)]
        if not counts_names:
            raise NotInArchiveError(f"NCBI has generated no counts for {self._archive.series} ({address}).")
        genes_name = next((name for name in linked if _NCBI_GENES.fullmatch(name)), None)
        counts_file = self._downloader.fetch(linked[counts_names[0]], counts_names[0], sha256)
        return counts_file, self._downloader.fetch(linked[genes_name], genes_name) if genes_name else None

    def supplementary(self, part: ExpressionPart) -> Fetched:
        """Return the submitters' own table, or the archive of one table for each sample where there is no other.

        Raises
        ------
        NotInArchiveError
            There is no such table.
        FetchError
            There are several and no recipe says which, or it cannot be fetched.
        """
        folder = self._archive.supplementary
        try:
            names = self._supplementary_names()
        except UnreachableError as problem:
            by_hand = [file for file in self._by_hand(_TABLE) if not _MATRIX.fullmatch(file.path.name)]
            by_hand = [file for file in by_hand if _expression_tables([file.path.name], part)]
            if len(by_hand) == 1:
                return by_hand[0]
            raise UnreachableError(f"{problem}\n{self._what_to_do_by_hand()}") from problem
        tables = _expression_tables(names, part)
        if len(tables) != 1:
            kind = FetchError if tables else NotInArchiveError
            raise kind(
                f"{self._archive.series} has {len(tables)} supplementary tables that could hold its expression; its files: "
                f"{list_names(names, 20) or 'none'}. Name one by a pattern in a recipe: `expression: {{source: supplementary, "
                "file: 'PATTERN', units: counts}}`."
            )
        return self._downloader.fetch(file_address(folder, tables[0]), tables[0], part.sha256)

    def _supplementary_names(self) -> list[str]:
        """Return the names in the folder's page and in its list; not every series has both."""
        folder, names = self._archive.supplementary, []
        with contextlib.suppress(NotInArchiveError):
            names += self._names_in(folder, "suppl.html")
        with contextlib.suppress(NotInArchiveError):
            names += read_file_list(self._downloader.fetch(file_address(folder, "filelist.txt"), "filelist.txt").text())
        return sorted({name for name in names if name.startswith(self._archive.series)})

    def _names_in(self, folder: str, name: str) -> list[str]:
        return [link_name for link_name, _ in links(self._downloader.fetch(folder, name).text(), folder)]

    def _by_hand(self, pattern: re.Pattern[str]) -> list[Fetched]:
        folder = self._downloader.cache
        paths = folder.glob("*") if folder.is_dir() else ()
        return [
            self._downloader.cached(name) for name in sorted(path.name for path in paths) if pattern.fullmatch(name)
        ]

    def _what_to_do_by_hand(self) -> str:
        return (
            f"Without network, put two files into {self._downloader.cache} and run again: the series matrix "
            f"(*_series_matrix.txt.gz) from {self._archive.matrices}, and the counts, either "
            f"{self._archive.series}_raw_counts_*_NCBI.tsv.gz from {self._archive.counts_page} or the submitters' table from "
            f"{self._archive.supplementary}."
        )


def _expression_tables(names: Iterable[str], part: ExpressionPart) -> list[str]:
    """Return the tables that match a recipe's pattern, or those whose names look like expression."""
    tables = [name for name in names if _TABLE.fullmatch(name) and not _NCBI_COUNTS.fullmatch(name)]
    if part.file is not None:
        return [name for name in names if full_match(part.file, name)]
    likely = [name for name in tables if _COUNTS.search(name)]
    return likely or tables or [name for name in names if _RAW.fullmatch(name)]
