"""Gene-set tests of a job: the folder, the unit, what is held constant, and what a user reads."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData
from rich.console import Console
from typer.testing import CliRunner

from responder_ml.build import prepare_job
from responder_ml.cli import app
from responder_ml.commands.sets import show_sets
from responder_ml.config import load_config
from responder_ml.errors import ConfigError, ContrastError
from responder_ml.records.sets import PAGE, read_sets
from responder_ml.sets import default_folder, fit_genes, sets

GENES, SET = 240, 20


def _cohort(folder, rng, *, effect=2.0, copies=1, batch_effect=0.0):
    """Write 6 v 7 subjects whose first set is higher in responders, a batch, and a job."""
    responder = np.arange(13) < 6
    batch = np.arange(13) % 2
    values = rng.normal(8.0, 1.0, (13, GENES))
    values[:, :SET] += effect * responder[:, None]
    values[:, SET : 2 * SET] += batch_effect * batch[:, None]
    subject = np.repeat(np.arange(13), copies)
    obs = pd.DataFrame({
        "sample": [f"s{row:02d}" for row in range(len(subject))],
        "subject": [f"m{number:02d}" for number in subject],
        "response": np.where(responder, "responder", "non_responder")[subject],
        "batch": np.where(batch, "b2", "b1")[subject],
    }).set_index("sample")  # fmt: skip
    expression = values[subject] + (rng.normal(0, 0.01, (len(subject), GENES)) if copies > 1 else 0.0)
    names = [f"g{gene:03d}" for gene in range(GENES)]
    AnnData(expression, obs=obs, var=pd.DataFrame(index=names)).write_h5ad(folder / "cohort.h5ad")
    lines = [[f"SET_{number}", "", *names[number * SET : (number + 1) * SET]] for number in range(6)]
    lines.append(["ABSENT", "", "x1", "x2", "x3", "x4", "x5"])
    (folder / "sets.gmt").write_text("".join("\t".join(line) + "\n" for line in lines))
    return folder


def _job(folder, builders=None, **endpoint):
    job = {
        "name": "tiny",
        "cohort": {"source": "h5ad", "expression": str(folder / "cohort.h5ad"), "units": "log2"},
        "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"} | endpoint,
        "builders": builders or [{"kind": "gene_sets", "params": {"path": str(folder / "sets.gmt")}}],
        "classifiers": [{"kind": "nearest_centroid"}],
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    return load_config(folder / "job.yaml")


@pytest.fixture
def job(tmp_path, rng):
    return _job(_cohort(tmp_path, rng))


def test_the_set_that_differs_leads_and_the_folder_reads_back(job, tmp_path):
    run = sets(job, tmp_path / "out", rotations=499)
    first, *others = run.rows
    assert (first.set, first.genes, first.direction, first.p) == ("SET_0", SET, "up", 1 / 500)
    assert first.fdr <= 0.05
    assert first.camera_fdr <= 0.05
    assert all(row.fdr > 0.05 for row in others)
    assert "1 of 6 gene sets differ" in run.result.sentence
    assert "ABSENT" in run.result.dropped
    again = read_sets(tmp_path / "out")
    assert again.result == run.result
    pd.testing.assert_frame_equal(again.tables["sets"], run.tables["sets"], rtol=1e-9)
    page = (tmp_path / "out" / PAGE).read_text()
    assert "SET_0" in page
    assert "ABSENT" in page


def test_equal_seeds_give_equal_bytes_and_files_may_be_named(job, tmp_path):
    for name in ("one", "other"):
        sets(job, tmp_path / name, [tmp_path / "sets.gmt"], rotations=99)
    for file in ("sets.csv", "sets.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_copies_of_samples_are_no_further_subjects(tmp_path, rng):
    labelled = prepare_job(_job(_cohort(tmp_path, rng, copies=4))).labelled
    effects, genes = fit_genes(labelled)
    assert effects.df_residual == 13 - 2
    assert len(genes) == GENES


def test_a_batch_counts_unless_it_is_held_constant_and_the_page_says_so(tmp_path, rng):
    folder = _cohort(tmp_path, rng, effect=0.0, batch_effect=3.0)
    plain = sets(_job(folder, nuisance=["batch"]), tmp_path / "plain", rotations=199)
    assert plain.result.not_adjusted == ("batch",)
    assert "Not held constant: batch" in (tmp_path / "plain" / PAGE).read_text()
    adjusted = sets(_job(folder, adjust=["batch"]), tmp_path / "adjusted", rotations=199)
    assert adjusted.result.adjusted == ("batch",)
    adjusted_model, _ = fit_genes(prepare_job(_job(folder, adjust=["batch"])).labelled)
    plain_model, _ = fit_genes(prepare_job(_job(folder)).labelled)
    assert adjusted_model.df_residual == 13 - 3
    # Held constant, the batch is no part of the variance of its genes.
    of_batch = slice(SET, 2 * SET)
    assert adjusted_model.variance[of_batch].mean() < 2.0 < plain_model.variance[of_batch].mean()


def test_what_cannot_be_tested_is_refused_before_any_work(job, tmp_path):
    for options, message in (({"rotations": 0}, "Give 1 or more"), ({"correlation": 1.0}, "between -1 and 1")):
        with pytest.raises(ConfigError, match=message):
            sets(job, tmp_path / "out", **options)
    with pytest.raises(ConfigError, match="names no gene sets"):
        sets(_job(tmp_path, builders=[{"kind": "genes"}]), tmp_path / "out")
    labelled = prepare_job(job).labelled
    with pytest.raises(ContrastError, match="full rank"):
        fit_genes(replace(labelled, strata=labelled.labels.astype(int)))
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_conclusion_and_where_to_look(job, tmp_path):
    result = CliRunner().invoke(
        app, ["sets", str(tmp_path / "job.yaml"), "--rotations", "199", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    assert "gene sets differ between responder and non_responder" in " ".join(result.output.split())
    assert PAGE in "".join(result.output.split())
    classes = tmp_path / "classes.yaml"
    content = yaml.safe_load((tmp_path / "job.yaml").read_text())
    content["endpoint"] = {"column": "response", "classes": ["responder", "non_responder", "control"]}
    classes.write_text(yaml.safe_dump(content))
    refused = CliRunner().invoke(app, ["sets", str(classes)])
    assert refused.exit_code != 0


def test_names_are_shown_and_never_obeyed(job, tmp_path):
    run = sets(job, tmp_path / "out", rotations=19)
    run.tables["sets"].loc[0, "set"] = "[red]=HYPERLINK(1)[/x]"
    text = io.StringIO()
    show_sets(Console(file=text, width=200), run)
    assert "[red]=HYPERLINK(1)[/x]" in text.getvalue()


def test_blocks_are_in_the_model_once(tmp_path, rng):
    folder = _cohort(tmp_path, rng)
    in_strata, _ = fit_genes(prepare_job(_job(folder, strata=["batch"])).labelled)
    as_blocks, _ = fit_genes(prepare_job(_job(folder, block="batch")).labelled)
    assert as_blocks.df_residual == 13 - 3
    np.testing.assert_allclose(as_blocks.t, in_strata.t)


def test_the_default_folder_names_the_job(job):
    assert default_folder(job).parent.name == "sets"
    assert default_folder(job).name.startswith("tiny-")


def test_too_few_rotations_for_the_number_of_sets_are_said(job, tmp_path):
    text = io.StringIO()
    show_sets(Console(file=text, width=200), sets(job, tmp_path / "out", rotations=99))
    assert "With 99 rotations one set alone cannot reach this rate; it takes --rotations 119." in text.getvalue()
    assert "one set alone cannot reach" in (tmp_path / "out" / PAGE).read_text()
    assert sets(job, tmp_path / "out", rotations=119).rows[0].fdr <= 0.05
