"""Files that people bring (``shared/cases``), read as a job, a check, a scorer and a fetch read them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from responder_ml.build import build_cohort, prepare_job
from responder_ml.cohort.expression_source import open_expression
from responder_ml.cohort.geo.expression import read_expression_file
from responder_ml.cohort.geo.series_matrix import Sample
from responder_ml.cohort.read import read_table
from responder_ml.config import load_config
from responder_ml.errors import ExpressionError, GeneNameError
from responder_ml.score import score
from responder_ml.train import train

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def cases(shared_data) -> Path:
    return shared_data.parent / "cases"


def _cohort(job: Path):
    config = load_config(job)
    return build_cohort(config.cohort, config.seed)


def _notes(cohort) -> str:
    return " ".join(message for _, message in cohort.uns.get("reading", ()))


def _as_others_read(path: Path, cohort, units="counts"):
    """Return the genes x samples that the scorer and `fetch` read from the file of a job's cohort."""
    source = open_expression(path, list(cohort.var_names), units=units)
    scored = source.block(np.arange(len(source.samples)), np.arange(len(source.genes)))
    samples = [Sample(f"GSM{index}", {"title": name}, {}) for index, name in enumerate(cohort.obs_names)]
    fetched = read_expression_file(path, samples, units)
    return (list(source.genes), list(source.samples), scored), (
        list(fetched.genes),
        list(cohort.obs_names),
        fetched.values.T,
    )


@pytest.mark.parametrize(
    ("case", "job", "expression", "words"),
    [
        ("00-base", "job.yaml", "counts.tsv", ""),
        ("02-row-numbers-before-gene-column", "job.yaml", "counts.csv", "rows are named by column 'gene'"),
        ("03-htseq-special-rows", "job.yaml", "counts.tsv", "counters of reads without a gene"),
        ("08-featurecounts-as-written", "job.yaml", "counts.txt", "paths and were shortened"),
        (
            "08-featurecounts-as-written",
            "job2.yaml",
            "counts_nocomment.txt",
            "'Chr', 'Start', 'End', 'Strand', 'Length'",
        ),
        ("09-unmapped-genes-named-NA", "job.yaml", "counts.csv", "40 row(s) named 'NA' are no names of genes"),
        ("11-semicolon-decimal-comma", "job.yaml", "expr.csv", "decimal commas"),
        ("11-semicolon-decimal-comma", "j2.yaml", "counts.csv", ""),
        ("11-semicolon-decimal-comma", "j5.yaml", "expr.tsv", "decimal commas"),
    ],
)
def test_a_file_is_read_the_same_way_by_every_flow(cases, case, job, expression, words):
    cohort = _cohort(cases / case / job)
    assert words in _notes(cohort)
    units = str(cohort.uns["units"])
    for genes, samples, values in _as_others_read(cases / case / expression, cohort, units):
        assert genes == list(cohort.var_names)
        assert samples == list(cohort.obs_names)
        np.testing.assert_array_equal(values, cohort.X)
    findings = prepare_job(load_config(cases / case / job)).findings
    assert words in " ".join(finding.message for finding in findings)


def test_counters_leave_the_cohort_as_it_is_without_them(cases):
    folder = cases / "03-htseq-special-rows"
    config = load_config(folder / "job.yaml")
    clean = config.cohort.model_copy(update={"expression": folder / "clean.tsv"})
    with_counters, without = build_cohort(config.cohort, 7), build_cohort(clean, 7)
    np.testing.assert_array_equal(with_counters.X, without.X)


@pytest.mark.parametrize("job", ["job.yaml", "job40.yaml", "job_5.yaml", "job_en.yaml"])
def test_the_label_in_the_matrix_is_refused(cases, job, tmp_path):
    path = cases / "01-label-column-inside-matrix" / job
    with pytest.raises(GeneNameError, match="trained on its own answer"):
        _cohort(path)
    table = load_config(path).cohort.expression
    sheet = tmp_path / "samples.csv"
    sheet.write_text("\n".join(",".join(line.split(",")[:3]) for line in table.read_text().splitlines()))
    config = load_config(path).cohort.model_copy(update={"samples": sheet})
    with pytest.raises(GeneNameError, match="'outcome', 'age'"):
        build_cohort(config, 7)
    with pytest.raises(GeneNameError, match="'outcome', 'age'"):
        open_expression(table, ["Gad1", "Fos"])


def test_row_numbers_are_refused_as_genes_where_the_names_are_lost(cases):
    folder = cases / "02-row-numbers-before-gene-column"
    genes = list(_cohort(folder / "job.yaml").var_names)
    other_order = open_expression(folder / "new_cohort_other_gene_order.csv", genes)
    assert set(other_order.genes) == set(genes)
    for name in ("new_after_doing_as_told.csv", "new_three_genes_fewer.csv"):
        numbers = [str(number) for number in range(1, 400)]
        with pytest.raises(GeneNameError, match="row numbers"):
            open_expression(folder / name, numbers)


def test_a_length_is_never_a_sample(cases):
    folder = cases / "08-featurecounts-as-written"
    genes = list(_cohort(folder / "job.yaml").var_names)
    for name in ("counts.txt", "counts_nocomment.txt", "new_with_length.txt"):
        assert list(open_expression(folder / name, genes).samples) == [f"m{number:02d}" for number in range(1, 17)]
    by_path = _cohort(folder / "job4.yaml")
    assert by_path.obs_names[0] == "/data/bam/m01.sorted.bam"
    np.testing.assert_array_equal(by_path.X, _cohort(folder / "job3.yaml").X)


def test_unmapped_genes_are_not_summed_to_one(cases):
    cohort = _cohort(cases / "09-unmapped-genes-named-NA" / "job2.yaml")
    assert "NA" not in cohort.var_names
    assert cohort.n_vars == 260


def test_the_layer_with_counts_is_pointed_at_and_read(cases):
    folder = cases / "19-h5ad-x-is-log1p"
    for job, words in (
        ("job.yaml", r"X holds no counts.*`cohort\.layer: counts`"),
        ("j2.yaml", r"natural logarithms.*`cohort\.layer: counts` and `units: counts`"),
        ("j3.yaml", r"scaled to z-scores.*layer"),
    ):
        with pytest.raises(ExpressionError, match=words):
            _cohort(folder / job)
    with pytest.raises(ExpressionError, match="natural logarithms"):
        open_expression(folder / "scanpy.h5ad", ["Gad1"], units="log2")
    config = load_config(folder / "job.yaml").cohort.model_copy(update={"layer": "counts"})
    cohort = build_cohort(config, 7)
    np.testing.assert_array_equal(cohort.X, np.rint(cohort.X))
    source = open_expression(folder / "scanpy.h5ad", list(cohort.var_names), layer="counts")
    np.testing.assert_array_equal(source.block(np.arange(cohort.n_obs), np.arange(cohort.n_vars)), cohort.X)


def test_rounded_tpm_are_no_counts(cases):
    with pytest.raises(ExpressionError, match="All 16 libraries hold one million"):
        _cohort(cases / "27-tpm-rounded-as-counts" / "job.yaml")


def test_one_animals_salmon_file_is_one_sample(cases):
    folder = cases / "35-salmon-quant-file-scored"
    genes = list(_cohort(folder / "job.yaml").var_names)
    source = open_expression(folder / "m01.quant.genes.tsv", genes, units="tpm")
    assert list(source.samples) == ["m01"]
    whole = open_expression(folder / "tpm.tsv", genes, units="tpm")
    first = np.array([0])
    np.testing.assert_array_equal(source.block(first, np.arange(len(genes))), whole.block(first, np.arange(len(genes))))


def test_a_model_is_trained_on_featurecounts_own_file_and_scores_its_like(cases, tmp_path):
    folder = cases / "08-featurecounts-as-written"
    config = load_config(folder / "job.yaml")
    train(config, out=tmp_path / "run", bundle=tmp_path / "bundle")
    tables = [score(tmp_path / "bundle", folder / name, anyway=True) for name in ("counts.txt", "new_with_length.txt")]
    assert tables[0]["sample"].tolist() == [f"m{number:02d}" for number in range(1, 17)]
    np.testing.assert_array_equal(tables[0]["probability"], tables[1]["probability"])
    assert any("Length" in note for note in tables[1].attrs["summary"]["reading"])


def _job(tmp_path, cohort, endpoint):
    job = {
        "name": "real",
        "cohort": {"source": "table", **cohort},
        "endpoint": endpoint,
        "builders": [{"kind": "genes"}],
        "classifiers": [{"kind": "nearest_centroid"}],
        "search": {"folds": 4, "repeats": 1, "inner_folds": 2, "trials": 0},
        "null": {"permutations": 19},
        "tracking": {"enabled": False},
        "compute": {"workers": 1},
    }
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    return load_config(tmp_path / "job.yaml")


def test_six_regions_are_read_from_their_raw_tables_and_one_sheet(shared_data, tmp_path):
    folder = shared_data / "gse102556_human_mdd"
    cohort = {
        "samples": str(folder / "samples.tsv"),
        "units": "counts",
        "columns": {"sample": "sample_id", "subject": "donor"},
    }
    files = sorted(str(path) for path in folder.glob("*_counts.tsv.gz"))
    endpoint = {"column": "phenotype", "positive": "MDD", "negative": "CTRL"}
    by_pattern = _job(tmp_path, {**cohort, "expression": str(folder / "*_counts.tsv.gz")}, endpoint)
    by_list = _job(tmp_path, {**cohort, "expression": files}, endpoint)
    one, other = (build_cohort(job.cohort, 7) for job in (by_pattern, by_list))
    assert one.shape == (265, 28395)
    assert one.obs["subject"].nunique() == 48
    np.testing.assert_array_equal(one.X, other.X)
    assert "6 expression files were joined on 28395 genes" in _notes(one)


def test_a_panel_in_a_table_of_all_genes_is_trained_as_it_is(shared_data, tmp_path):
    folder = shared_data / "gse93157_melanoma"
    cohort = {
        "expression": str(folder / "expression_raw.tsv.gz"),
        "samples": str(folder / "samples.tsv"),
        "units": "log2",
    }
    job = _job(tmp_path, cohort, {"column": "response_NR", "positive": "R", "negative": "N"})
    result = train(job, tmp_path / "run", tmp_path / "bundle").result
    assert result.n.genes == 717
    assert any("55552 of 56269 genes have no value" in finding.message for finding in result.audit)


@pytest.mark.parametrize(
    ("name", "units"), [("golub", "log2"), ("golub", "counts"), ("singh", "log2"), ("singh", "tpm")]
)
def test_the_advice_on_negative_intensities_works(shared_data, tmp_path, name, units):
    folder = shared_data / "microarray" / name
    files = {"expression": folder / "expression.tsv.gz", "samples": folder / "samples.tsv"}
    with pytest.raises(ExpressionError, match=r"np\.log2\(np\.maximum\(x, 20\)\)"):
        read_table(files["expression"], files["samples"], units=units)
    table = pd.read_csv(files["expression"], sep="\t", index_col=0)
    np.log2(np.maximum(table, 20)).to_csv(tmp_path / "log2.tsv", sep="\t", index_label="probe")
    assert read_table(tmp_path / "log2.tsv", files["samples"], units="log2").n_vars == len(table)
