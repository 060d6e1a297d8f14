import pytest

from responder_ml.cohort.geo.archive import archive_of, links, read_file_list
from responder_ml.errors import FetchError


@pytest.mark.parametrize(
    ("series", "folder"),
    [("GSE81672", "GSE81nnn/GSE81672"), ("gse102556", "GSE102nnn/GSE102556"), ("GSE999", "GSEnnn/GSE999"), ("GSE1", "GSEnnn/GSE1")],
)  # fmt: skip
def test_folders_are_grouped_by_thousands(series, folder):
    addresses = archive_of(series)
    assert addresses.matrices == f"https://ftp.ncbi.nlm.nih.gov/geo/series/{folder}/matrix/"
    assert addresses.supplementary == f"https://ftp.ncbi.nlm.nih.gov/geo/series/{folder}/suppl/"
    assert addresses.counts_page == f"https://www.ncbi.nlm.nih.gov/geo/download/?acc={series.upper()}"


def test_argument_or_environment_name_another_server(monkeypatch):
    assert archive_of("GSE1", "http://here/").matrices == "http://here/geo/series/GSEnnn/GSE1/matrix/"
    monkeypatch.setenv("RESPONDER_ML_GEO", "http://there")
    assert archive_of("GSE1").counts_page == "http://there/geo/download/?acc=GSE1"
    assert archive_of("GSE1", "http://here").counts_page == "http://here/geo/download/?acc=GSE1"


@pytest.mark.parametrize("wrong", ["", "81672", "GSM2166101", "GSE0", "GSE81672x", "../GSE1", "GDS5000"])
def test_anything_but_a_series_is_refused(wrong):
    with pytest.raises(FetchError, match="such as GSE81672"):
        archive_of(wrong)


def test_links_are_named_by_their_file():
    page = """<html><a href="/geo/series/GSE81nnn/GSE81672/">Parent Directory</a> <a name="top">
    <a href="GSE81672_series_matrix.txt.gz">x</a><a href="GSE81672_series_matrix.txt.gz">again</a>
    <a href="/geo/download/?type=rnaseq_counts&amp;acc=GSE81672&amp;format=file&amp;file=GSE81672_raw_counts_GRCm39_NCBI.tsv.gz">"""
    assert links(page, "https://host/geo/series/GSE81nnn/GSE81672/matrix/") == [
        (
            "GSE81672_series_matrix.txt.gz",
            "https://host/geo/series/GSE81nnn/GSE81672/matrix/GSE81672_series_matrix.txt.gz",
        ),
        (
            "GSE81672_raw_counts_GRCm39_NCBI.tsv.gz",
            "https://host/geo/download/?type=rnaseq_counts&acc=GSE81672&format=file&file=GSE81672_raw_counts_GRCm39_NCBI.tsv.gz",
        ),
    ]


def test_the_file_list_names_the_series_own_files():
    text = (
        "#Archive/File\tName\tTime\tSize\tType\nArchive\tGSE1_RAW.tar\t05/01/2016 10:00:00\t100\tTAR\n"
        "File\tGSM1_a.txt.gz\t05/01/2016 10:00:00\t10\tTXT\nFile\tGSE1_counts.txt.gz\t05/01/2016 10:00:00\t10\tTXT\n"
    )
    assert read_file_list(text) == ["GSE1_RAW.tar", "GSE1_counts.txt.gz"]
