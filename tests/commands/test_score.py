"""What `score` says on the terminal, on sheets as people have them (``shared/cases``)."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.commands.score import _read_columns
from responder_ml.config import load_config
from responder_ml.errors import ExpressionError, SampleSheetError
from responder_ml.train import train


def _run(*arguments: object) -> tuple[str, BaseException | None]:
    result = CliRunner().invoke(app, ["score", *map(str, arguments)], env={"COLUMNS": "200"})
    return result.output, result.exception


@pytest.mark.parametrize("text", ["sample", "=a", "sample=", "sample=a,subject"])
def test_names_of_columns_come_in_pairs(text):
    with pytest.raises(SampleSheetError, match="sample=library,subject=mouse"):
        _read_columns(text)
    assert _read_columns(" sample = a=b , subject=mouse,") == {"sample": "a=b", "subject": "mouse"}


@pytest.fixture(scope="module")
def cases(shared_data) -> Path:
    return shared_data.parent / "cases"


@pytest.fixture(scope="module")
def mapped(cases, tmp_path_factory):
    """A bundle of case 07 trained on half of its mice, so that the other half is new."""
    case, folder = cases / "07-score-sheet-not-mapped", tmp_path_factory.mktemp("mapped")
    sheet = pd.read_csv(case / "samples.tsv", sep="\t", dtype=str)
    halves = sheet["mouse"].isin(sorted(sheet["mouse"].unique())[:10])
    sheet[halves].to_csv(folder / "half.tsv", sep="\t", index=False)
    job = yaml.safe_load((case / "job.yaml").read_text())
    job["cohort"] |= {"expression": str(case / "counts.tsv"), "samples": "half.tsv"}
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    train(load_config(folder / "job.yaml"), folder / "run", folder / "bundle")
    return case, folder / "bundle"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("sheet", "options"),
    [
        ("samples.tsv", []),
        ("samples2.tsv", []),
        ("samples3.tsv", []),
        ("samples2.tsv", ["--columns", "response=outcome,subject=mouse"]),
    ],
)
def test_the_sheet_of_the_job_and_its_relatives_are_understood(sheet, options, mapped):
    case, bundle = mapped
    output, problem = _run(bundle, case / "counts.tsv", "--samples", case / sheet, "--anyway", *options)
    assert problem is None
    assert "20 sample(s) were in training" in output
    assert "Compared with the labels of 6 subjects (3 positive, 3 negative; 12 samples)" in output


@pytest.mark.shared
@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        ("samples5.tsv", "Not compared with labels"),
        ("samples5.tsv", "differ from a class only by case"),
        ("samples4.tsv", "'Responder'"),
        ("samples7.tsv", "scored sample(s) are not in the sheet"),
    ],
)
def test_what_cannot_be_compared_is_said(sheet, words, mapped):
    case, bundle = mapped
    output, problem = _run(bundle, case / "counts.tsv", "--samples", case / sheet, "--anyway")
    assert problem is None
    assert words in output


@pytest.mark.shared
def test_names_of_samples_that_differ_are_shown_side_by_side(mapped):
    case, bundle = mapped
    _, problem = _run(bundle, case / "counts.tsv", "--samples", case / "samples6.tsv", "--anyway")
    assert isinstance(problem, SampleSheetError)
    assert "'m01'" in str(problem)
    assert "'M01'" in str(problem)


@pytest.mark.shared
def test_one_animals_salmon_file_is_one_sample_or_refused(cases, tmp_path):
    case = cases / "35-salmon-quant-file-scored"
    train(load_config(case / "job.yaml"), tmp_path / "run", tmp_path / "bundle")
    output, problem = _run(tmp_path / "bundle", case / "m01.quant.genes.tsv", "--anyway")
    if problem is None:
        assert "1 samples scored" in output
        assert "EffectiveLength" not in output
    else:
        assert isinstance(problem, ExpressionError)
        assert "salmon" in str(problem).lower()
