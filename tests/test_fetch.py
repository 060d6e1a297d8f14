"""A whole fetch against a local server of exactly GEO's layout (simulated files), and the job that reads its result."""

import gzip
import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from responder_ml import cli
from responder_ml.build import build_cohort, prepare_job
from responder_ml.cohort.audit import audit
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.geo.download import Patience
from responder_ml.config import load_config
from responder_ml.errors import ConfigError, FetchError, UnreachableError
from responder_ml.fetch import fetch

SERIES = "GSE81672"
FOLDER = f"/geo/series/GSE81nnn/{SERIES}"
COUNTS = f"{SERIES}_raw_counts_GRCm39_NCBI.tsv.gz"
COUNTS_PATH = f"/geo/download/?type=rnaseq_counts&acc={SERIES}&format=file&file={COUNTS}"
ANNOTATION_PATH = "/geo/download/?format=file&type=rnaseq_counts&file=Mouse.GRCm39.annot.tsv.gz"
CELLS = [
    "control_saline", "resilient_saline", "susceptible_saline", "susceptible_imipramine_responder",
    "susceptible_imipramine_non_responder", "susceptible_ketamine_responder", "susceptible_ketamine_non_responder",
]  # fmt: skip
TITLES = [f"{region}_{cell}" for region in ("PFC", "NAC", "AMY", "HIP") for cell in CELLS for _ in range(3)]
SAMPLES = [f"GSM{2166101 + index}" for index in range(len(TITLES))]
QUICK = Patience(attempts=2, pause=0.01, silence=5.0)


def _matrix(titles, samples, table=""):
    def line(name, cells):
        return "\t".join((name, *(f'"{cell}"' for cell in cells)))

    return gzip.compress(
        "\n".join(
            [
                line("!Series_geo_accession", [SERIES]),
                line("!Sample_title", titles),
                line("!Sample_geo_accession", samples),
                line("!Sample_organism_ch1", ["Mus musculus"] * len(titles)),
                line("!Sample_characteristics_ch1", ["strain: C57BL/6J"] * len(titles)),
                "!series_matrix_table_begin",
                line('"ID_REF"', samples),
                *([table] if table else []),
                "!series_matrix_table_end",
                "",
            ]
        ).encode()
    )


def _page(*names):
    return ("<html><body>" + "".join(f'<a href="{name.replace("&", "&amp;")}">x</a>' for name in names)).encode()


@pytest.fixture
def archive(geo, rng):
    """GEO's layout with NCBI's counts, the submitters' table and a matrix without values."""
    counts = rng.poisson(100, (40, len(SAMPLES)))
    genes = [str(11000 + index) for index in range(40)]
    ncbi = pd.DataFrame(counts, index=genes, columns=SAMPLES).to_csv(sep="\t", index_label="GeneID")
    titles = [f"Sample {index}: {title}" for index, title in enumerate(TITLES, start=1)]
    own = pd.DataFrame(
        counts, index=[f"Gene{index}" for index in range(40)], columns=[title.replace(": ", ".") for title in titles]
    )
    geo.files = {
        f"{FOLDER}/matrix/": _page("../", f"{SERIES}_series_matrix.txt.gz"),
        f"{FOLDER}/matrix/{SERIES}_series_matrix.txt.gz": _matrix(titles, SAMPLES),
        f"{FOLDER}/suppl/": _page(f"{SERIES}_RAW.tar", f"{SERIES}_counts.txt.gz", "filelist.txt"),
        f"{FOLDER}/suppl/filelist.txt": b"#Archive/File\tName\tTime\tSize\tType\n",
        f"{FOLDER}/suppl/{SERIES}_counts.txt.gz": gzip.compress(own.to_csv(sep="\t").encode()),
        f"/geo/download/?acc={SERIES}": _page("/geo/", COUNTS_PATH, ANNOTATION_PATH),
        COUNTS_PATH: gzip.compress(ncbi.encode()),
        ANNOTATION_PATH: gzip.compress(
            ("GeneID\tSymbol\n" + "".join(f"{gene}\tGene{i}\n" for i, gene in enumerate(genes))).encode()
        ),
    }
    geo.counts = counts
    return geo


@pytest.fixture
def get(archive, tmp_path):
    def call(**options):
        options = {"cache": tmp_path / "cache", "archive": archive.address, "patience": QUICK, **options}
        return fetch(options.pop("series", SERIES), options.pop("out", tmp_path / "out"), **options)

    return call


def test_ncbi_counts_come_first_with_sheet_annotation_and_provenance(get, archive, tmp_path):
    fetched = get()
    sheet = pd.read_csv(tmp_path / "out" / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert sheet["sample"].tolist() == SAMPLES
    assert sheet["response"].value_counts().to_dict() == {"": 36, "responder": 24, "non_responder": 24}
    assert sheet["strain"].unique().tolist() == ["C57BL/6J"]
    table = pd.read_csv(tmp_path / "out" / "counts.tsv.gz", sep="\t", index_col=0)
    np.testing.assert_array_equal(table[SAMPLES], archive.counts)
    assert pd.read_csv(tmp_path / "out" / "gene_annotation.tsv.gz", sep="\t").shape == (40, 2)
    written = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert written == fetched.provenance
    assert (written["source"], written["units"], written["gene_ids"]) == ("ncbi", "counts", "entrez")
    assert [file["name"] for file in written["files"]] == [
        f"{SERIES}_series_matrix.txt.gz", COUNTS, "Mouse.GRCm39.annot.tsv.gz",
    ]  # fmt: skip
    assert all(len(file["sha256"]) == 64 and file["url"].startswith(archive.address) for file in written["files"])
    assert any("expects 99 samples, the series has 84" in note for note in written["notes"])


def test_a_second_fetch_requests_nothing_and_writes_the_same(get, archive, tmp_path):
    get()
    former = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    n_requests = len(archive.requests)
    get()
    assert len(archive.requests) == n_requests
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == former


def test_without_ncbi_counts_the_submitters_table_is_taken(get, archive, tmp_path):
    archive.files[f"/geo/download/?acc={SERIES}"] = _page("/geo/")
    fetched = get()
    assert (fetched.provenance["source"], fetched.provenance["gene_ids"]) == ("supplementary", "symbol")
    table = pd.read_csv(tmp_path / "out" / "counts.tsv.gz", sep="\t", index_col=0)
    np.testing.assert_array_equal(table[SAMPLES], archive.counts)
    assert not (tmp_path / "out" / "gene_annotation.tsv.gz").exists()


def test_each_source_can_be_chosen(get, archive):
    assert get(source="supplementary").provenance["source"] == "supplementary"
    with pytest.raises(FetchError, match="usual for RNA-seq"):
        get(source="matrix")
    with pytest.raises(FetchError, match=r"no source 'ftp'. Known: auto, ncbi"):
        get(source="ftp")


def test_several_platforms_are_one_sheet(get, archive):
    del archive.files[f"{FOLDER}/matrix/{SERIES}_series_matrix.txt.gz"]
    names = [f"{SERIES}-GPL{number}_series_matrix.txt.gz" for number in (13112, 17021)]
    archive.files[f"{FOLDER}/matrix/"] = _page(*names)
    titles = [f"Sample {index}: {title}" for index, title in enumerate(TITLES, start=1)]
    for name, part in zip(names, (slice(None, 50), slice(50, None)), strict=True):
        archive.files[f"{FOLDER}/matrix/{name}"] = _matrix(titles[part], SAMPLES[part])
    assert get().provenance["n"]["in_series"] == len(SAMPLES)


def test_a_connection_that_drops_in_the_middle_costs_nothing(get, archive, tmp_path):
    size = len(archive.files[COUNTS_PATH])
    archive.troubles[COUNTS_PATH] = [("drop", size // 2)]
    get()
    assert (COUNTS_PATH, f"bytes={size // 2}-") in archive.requests
    table = pd.read_csv(tmp_path / "out" / "counts.tsv.gz", sep="\t", index_col=0)
    np.testing.assert_array_equal(table[SAMPLES], archive.counts)


@pytest.mark.parametrize(
    ("path", "trouble", "words"),
    [
        (COUNTS_PATH, ("body", b"<html>error</html>"), "web page"),
        (COUNTS_PATH, ("body", gzip.compress(b"GeneID\tGSM1\n" * 99)[:-9]), "cut short"),
        (f"{FOLDER}/matrix/{SERIES}_series_matrix.txt.gz", ("body", b"<!doctype html>"), "web page"),
        (f"{FOLDER}/matrix/{SERIES}_series_matrix.txt.gz", ("status", 404), "has no series matrix.*private"),
    ],
)
def test_a_wrong_file_ends_in_a_message_and_nothing_written(get, archive, tmp_path, path, trouble, words):
    archive.troubles[path] = [trouble]
    with pytest.raises(FetchError, match=words):
        get()
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_a_checksum_of_the_user_or_the_recipe_must_hold(get, archive, tmp_path):
    with pytest.raises(FetchError, match="0000 was expected"):
        get(sha256="0" * 64)
    recipe = tmp_path / "r.yaml"
    recipe.write_text(f"series: {SERIES}\nexpression: {{source: ncbi, sha256: '{'1' * 64}'}}\n")
    with pytest.raises(FetchError, match="1111 was expected"):
        get(recipe=recipe)
    assert not (tmp_path / "out").exists()


def test_without_network_it_says_what_to_fetch_by_hand_and_then_takes_it(get, archive, tmp_path):
    nowhere = {"archive": "http://127.0.0.1:9"}
    with pytest.raises(UnreachableError) as error:
        get(**nowhere)
    folder = tmp_path / "cache" / SERIES
    for word in (str(folder), "_series_matrix.txt.gz", "_raw_counts_*_NCBI.tsv.gz", f"{FOLDER}/suppl/"):
        assert word in str(error.value)
    (folder / f"{SERIES}_series_matrix.txt.gz").write_bytes(
        archive.files[f"{FOLDER}/matrix/{SERIES}_series_matrix.txt.gz"]
    )
    (folder / COUNTS).write_bytes(archive.files[COUNTS_PATH])
    fetched = get(**nowhere)
    assert fetched.provenance["n"]["samples"] == len(SAMPLES)
    assert all(file["url"].startswith("by hand") for file in fetched.provenance["files"])


def test_a_folder_with_other_things_is_not_touched(get, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(FetchError, match="is not a fetched series"):
        get()
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_a_recipe_for_another_series_is_refused(get, tmp_path):
    (tmp_path / "r.yaml").write_text("series: GSE1")
    with pytest.raises(FetchError, match="is for GSE1, not for GSE81672"):
        get(recipe=tmp_path / "r.yaml")


def test_a_job_reads_one_region_and_is_warned_of_several(get, tmp_path):
    get()
    job = {
        "name": "pfc",
        "cohort": {
            "source": "table",
            "expression": "out/counts.tsv.gz",
            "samples": "out/samples.tsv",
            "where": {"region": "PFC"},
        },
        "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"]},
        "builders": [{"kind": "genes"}],
        "classifiers": [{"kind": "nearest_centroid"}],
    }
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    loaded = load_config(tmp_path / "job.yaml")
    endpoint = Endpoint("response", "responder", "non_responder", ("drug",))

    def severity(where):
        config = loaded.cohort.model_copy(update={"where": where})
        findings = audit(label_cohort(build_cohort(config, 7), endpoint))
        return next(finding.severity for finding in findings if finding.code == "RML03")

    assert severity({"region": "PFC"}) == "info"
    assert severity({"region": ["PFC", "NAc"]}) == "warning"


def test_the_command_prints_what_a_job_needs(archive, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["responder-ml", "fetch", "gse81672", "--cache", "c", "--archive", archive.address]
    )
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    out = capsys.readouterr().out
    assert "GSE81672: 84 samples x 40 genes, counts, gene names like entrez, from ncbi." in out
    assert f"expression: {tmp_path}/data/GSE81672/counts.tsv.gz" in out
    assert "must not be treated as independent" in out.replace("\n", " ")
    assert sorted(path.name for path in (tmp_path / "data" / SERIES).iterdir()) == [
        ".responder_ml.json", "counts.tsv.gz", "gene_annotation.tsv.gz", "provenance.json", "samples.tsv",
    ]  # fmt: skip


CONFIGS = sorted((Path(__file__).resolve().parents[1] / "configs").glob("gse81672-*.yaml"))


def test_the_founding_study_has_a_job_for_every_region_and_endpoint():
    assert len(CONFIGS) == 8
    assert all("UNTESTED against the live archive" in path.read_text() for path in CONFIGS)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_its_jobs_fit_what_fetch_writes_and_say_how_to_get_it(path, get, tmp_path):
    (tmp_path / "configs").mkdir()
    job = tmp_path / "configs" / path.name
    job.write_text(path.read_text())
    with pytest.raises(ConfigError, match=f"fetch GSE81672 --out {tmp_path}/data/GSE81672"):
        load_config(job)
    get(out=tmp_path / "data" / SERIES)
    prepared = prepare_job(load_config(job))
    assert prepared.labelled.labels.tolist().count(1) == (6 if "response" in path.stem else 3)


def _tar(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_an_archive_of_one_table_for_each_sample_is_joined(get, archive, tmp_path):
    genes = [f"Gene{index}" for index in range(40)]
    tables = {
        f"{sample}_lib{index}.htseq.txt.gz": gzip.compress(
            "".join(f"{gene}\t{count}\n" for gene, count in zip(genes, archive.counts[:, index], strict=True)).encode()
            + b"__no_feature\t77\n__ambiguous\t5\n"
        )
        for index, sample in enumerate(SAMPLES)
    }
    archive.files[f"{FOLDER}/suppl/{SERIES}_RAW.tar"] = _tar({**tables, "../GSM1_evil.sh": b"x", "notes.pdf": b"%PDF"})
    archive.files[f"{FOLDER}/suppl/"] = _page(f"{SERIES}_RAW.tar", "filelist.txt")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"series": SERIES, "expression": {"source": "supplementary", "units": "counts"}}))
    fetched = get(recipe=recipe)
    table = pd.read_csv(tmp_path / "out" / "counts.tsv.gz", sep="\t", index_col=0)
    np.testing.assert_array_equal(table[SAMPLES], archive.counts)
    assert any("counters of reads without a gene" in note for note in fetched.provenance["notes"])
    assert not list(tmp_path.rglob("*evil*"))


def test_an_archive_without_tables_is_refused_with_what_it_holds(get, archive, tmp_path):
    archive.files[f"{FOLDER}/suppl/{SERIES}_RAW.tar"] = _tar({"GSM1.CEL.gz": b"x"})
    archive.files[f"{FOLDER}/suppl/"] = _page(f"{SERIES}_RAW.tar", "filelist.txt")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"series": SERIES, "expression": {"source": "supplementary", "units": "counts"}}))
    with pytest.raises(FetchError, match=r"holds no table.*'GSM1\.CEL\.gz'"):
        get(recipe=recipe)
