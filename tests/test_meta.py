"""Meta-analysis of runs: what is pooled, what is refused, and what a user reads."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from tests.report.conftest import make_run
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.errors import RunError
from responder_ml.meta import default_folder, meta
from responder_ml.records.meta import PAGE, read_meta
from responder_ml.records.run import write_run
from responder_ml.statistics.random_effects import pool

AUROCS = ((0.9, 0.7, 0.98), (0.6, 0.35, 0.8), (0.75, 0.6, 0.86))


def _write(folder, name, auroc, low, high, digest=None, **endpoint):
    run = make_run()
    result = run.result
    result = result.model_copy(
        update={
            "name": name,
            "headline": result.headline.model_copy(update={"auroc": auroc, "auroc_ci": (low, high)}),
            "data_sha256": digest or name.ljust(64, "0"),
            "endpoint": result.endpoint.model_copy(update=endpoint),
        }
    )
    table = run.tables["out_of_fold"].assign(subject=lambda rows: name + rows["subject"].astype(str))
    write_run(replace(run, result=result, tables={**run.tables, "out_of_fold": table}), folder / name, {})
    return folder / name


@pytest.fixture
def folders(tmp_path):
    return [_write(tmp_path, f"c{number}", *values) for number, values in enumerate(AUROCS)]


def test_runs_are_pooled_as_logits_and_the_folder_reads_back(folders, tmp_path):
    run = meta(folders, tmp_path / "out")
    values = logit(np.array(AUROCS))
    expected = pool(values[:, 0], ((values[:, 2] - values[:, 1]) / (2 * 1.959963984540054)) ** 2)
    result = run.result
    np.testing.assert_allclose(
        [result.auroc, result.auroc_low, result.auroc_high], expit([expected.estimate, *expected.interval])
    )
    assert result.auroc_low < result.auroc < result.auroc_high
    assert result.prediction_low <= result.auroc_low
    assert sum(row.weight for row in result.cohorts) == pytest.approx(1)
    without_first = pool(values[1:, 0], ((values[1:, 2] - values[1:, 1]) / (2 * 1.959963984540054)) ** 2)
    assert result.cohorts[0].without == pytest.approx(expit(without_first.estimate))
    assert f"mean AUROC is {result.auroc:.2f}" in result.sentence
    assert read_meta(tmp_path / "out").result == result
    assert result.notes == ()


def test_an_auroc_of_one_is_pooled_and_two_cohorts_have_none_without(tmp_path):
    folders = [_write(tmp_path, "one", 1.0, 0.7, 1.0), _write(tmp_path, "other", 0.8, 0.6, 0.9)]
    result = meta(folders, tmp_path / "out").result
    assert 0.8 < result.auroc < 1.0
    assert result.cohorts[0].without is None
    assert np.isfinite(result.prediction_high)


def test_the_same_data_twice_one_cohort_or_nothing_trained_is_refused(folders, tmp_path):
    with pytest.raises(RunError, match="two folders or more"):
        meta(folders[:1], tmp_path / "out")
    twice = _write(tmp_path, "twice", 0.7, 0.5, 0.8, digest="c0".ljust(64, "0"))
    with pytest.raises(RunError, match="runs on the same data, not two cohorts"):
        meta([*folders, twice], tmp_path / "out")
    with pytest.raises(RunError, match="listed twice"):
        meta([folders[0], folders[0]], tmp_path / "out")
    empty = _write(tmp_path, "empty", None, None, None)
    with pytest.raises(RunError, match="no AUROC with an interval"):
        meta([*folders, empty], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_shared_subjects_and_other_classes_are_said(tmp_path):
    run = make_run()
    for name in ("pfc", "nac"):
        # Samples of two regions have names of their own.
        table = run.tables["out_of_fold"].assign(sample=lambda rows, name=name: name + rows["sample"].astype(str))
        result = run.result.model_copy(update={"name": name, "data_sha256": name.ljust(64, "0")})
        write_run(
            replace(run, result=result, tables={**run.tables, "out_of_fold": table}),
            tmp_path / name,
            {},
        )
    third = _write(tmp_path, "third", 0.7, 0.5, 0.8, positive="resilient")
    result = meta([tmp_path / "pfc", tmp_path / "nac", third], tmp_path / "out").result
    assert any("names of subjects in common" in note for note in result.notes)
    assert any("compare different classes" in note for note in result.notes)
    assert "names of subjects in common" in (tmp_path / "out" / PAGE).read_text()


def test_the_command_prints_the_conclusion(folders, tmp_path):
    printed = CliRunner().invoke(app, ["meta", *map(str, folders), "--out", str(tmp_path / "out")])
    assert printed.exit_code == 0, printed.output
    assert "3 cohorts the mean AUROC is" in " ".join(printed.output.split())
    assert default_folder(folders) == default_folder(folders[::-1])
