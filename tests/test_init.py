"""From two files to a job that `check` accepts, also on real cohorts with the questions they need."""

import pandas as pd
import pytest
import yaml
from anndata import AnnData

from responder_ml.build import prepare_job
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.cohort.write import write_cohort
from responder_ml.config import load_config
from responder_ml.errors import ProposalError
from responder_ml.init import init
from responder_ml.proposal.proposal import Answers

# Folder, expression, answers that the files do not give, questions asked in a terminal, subjects of either class.
REAL = [
    ("classifyr_asthma", "expression_vst.tsv.gz", {}, ["--taken"], (66, 124)),
    ("css_mouse_bla_nac", "expression.tsv.gz", {}, ["--taken"], (16, 8)),
    ("gse102556_human_mdd", "NA_counts.tsv.gz", {}, ["--taken"], (26, 22)),
    ("gse102556_mouse_cvs", "expression_counts.tsv.gz", {"region": "NAc"}, ["--region", "--taken"], (20, 20)),
    ("gse146446_duloxetine", "expression_vst.tsv.gz", {}, ["--taken"], (75, 21)),
    ("gse224705_pathmed", "expression_log2.tsv.gz", {}, ["--taken"], (6, 9)),
    ("gse93157_melanoma", "expression_717.tsv.gz", {"column": "response_NR"}, ["--column", "--taken"], (9, 16)),
    ("gse93157_melanoma", "expression_raw.tsv.gz", {"column": "response_NR"}, ["--column", "--taken"], (9, 16)),
    ("mouse_hippocampus_subfields", "expression_counts.tsv.gz", {"region": "DG", "column": "training"},
     ["--region", "--column", "--taken"], (8, 8)),
    ("microarray/alon", "expression.tsv.gz", {"units": "intensities"}, ["--units", "--taken"], (40, 22)),
    ("microarray/golub", "expression.tsv.gz", {}, ["--taken"], (25, 47)),
    ("microarray/pomeroy", "expression.tsv.gz", {}, ["--taken"], (39, 21)),
    ("microarray/singh", "expression.tsv.gz", {}, ["--taken"], (52, 50)),
    ("microarray/west", "expression_raw.tsv.gz", {}, ["--taken"], (24, 25)),
]  # fmt: skip


@pytest.fixture
def files(tmp_path):
    write_cohort(simulate_cohort(seed=7, n_genes=300), tmp_path)
    return tmp_path / "counts.tsv.gz", tmp_path / "samples.tsv", tmp_path / "job.yaml"


def test_the_simulated_founding_cohort_becomes_its_own_job(files):
    *two, out = files
    init(*two, out, Answers(region="PFC", column="response"))
    job = load_config(out)
    labelled = prepare_job(job).labelled
    assert (len(labelled.subjects), int(labelled.labels.sum())) == (13, 6)
    assert (job.endpoint.strata, "batch" in job.endpoint.nuisance) == (("drug",), True)
    assert job.cohort.tissue_taken == "unknown"


def test_a_file_that_is_there_is_never_touched(files):
    *two, out = files
    out.write_text("mine")
    with pytest.raises(ProposalError, match="not overwritten"):
        init(*two, out, Answers(region="PFC", column="response"))
    assert out.read_text() == "mine"


def test_nothing_is_left_where_a_question_has_no_answer(files):
    *two, out = files
    with pytest.raises(ProposalError, match="--region"):
        init(*two, out)
    assert sorted(path.name for path in out.parent.iterdir() if "yaml" in path.name) == []


def test_paths_start_from_the_job_wherever_it_is_written(files):
    expression, samples, out = files
    init(expression, samples, out.parent / "jobs" / "pfc" / "job.yaml", Answers(region="PFC", column="response"))
    written = out.parent / "jobs" / "pfc" / "job.yaml"
    assert yaml.safe_load(written.read_text())["cohort"]["expression"] == "../../counts.tsv.gz"
    assert load_config(written).cohort.samples.samefile(samples)


@pytest.mark.parametrize("kind", ["two sheets", "h5ad"])
def test_one_file_is_enough_where_it_holds_both(files, kind):
    expression, samples, out = files
    sheet, counts = pd.read_csv(samples, sep="\t"), pd.read_csv(expression, sep="\t", index_col=0)
    if kind == "two sheets":
        one = out.parent / "book.xlsx"
        with pd.ExcelWriter(one) as book:
            counts.to_excel(book, sheet_name="counts")
            sheet.to_excel(book, sheet_name="animals", index=False)
    else:
        one = out.parent / "cohort.h5ad"
        AnnData(counts.T.to_numpy(float), sheet.set_index("sample"), pd.DataFrame(index=counts.index)).write_h5ad(one)
    init(one, out=out, answers=Answers(region="PFC", column="response"))
    labelled = prepare_job(load_config(out)).labelled
    assert (len(labelled.subjects), int(labelled.labels.sum())) == (13, 6)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "expression", "answers", "flags", "sizes"), REAL, ids=[f"{row[0]}/{row[1]}" for row in REAL]
)
def test_real_cohorts_become_jobs_that_check_accepts(shared_data, tmp_path, folder, expression, answers, flags, sizes):
    asked = []

    def ask(question):
        asked.append(question.flag)
        return question.read(answers.get(question.flag.removeprefix("--"), question.default))

    out = tmp_path / "job.yaml"
    init(shared_data / folder / expression, shared_data / folder / "samples.tsv", out, ask=ask)
    labelled = prepare_job(load_config(out)).labelled
    assert asked == flags
    assert (int(labelled.labels.sum()), int((labelled.labels == 0).sum())) == sizes


@pytest.mark.shared
def test_the_trap_of_read_length_is_named_as_a_nuisance(shared_data, tmp_path):
    folder = shared_data / "gse102556_mouse_cvs"
    init(folder / "expression_counts.tsv.gz", folder / "samples.tsv", tmp_path / "job.yaml", Answers(region="PFC"))
    assert "avg_spot_len" in load_config(tmp_path / "job.yaml").endpoint.nuisance


def test_ids_that_are_numbers_are_matched(tmp_path):
    counts = pd.DataFrame(
        [[5, 9, 3, 8, 6, 2, 4, 7]] * 30, columns=range(1, 9), index=[f"g{index}" for index in range(30)]
    )
    counts.to_csv(tmp_path / "counts.csv")
    sheet = pd.DataFrame({"age": range(40, 48), "nr": range(1, 9), "group": ["a", "b"] * 4})
    sheet.to_csv(tmp_path / "samples.csv", index=False)
    init(tmp_path / "counts.csv", tmp_path / "samples.csv", tmp_path / "job.yaml")
    assert load_config(tmp_path / "job.yaml").cohort.columns == {"sample": "nr"}
