"""What class sizes allow, through the command: the rows of shared/domain.md 3.1, and a job's own sizes."""

import io
from math import comb

import numpy as np
import pandas as pd
import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.commands.plan import show_plan
from responder_ml.config import load_config
from responder_ml.errors import ContrastError, EndpointError, RunError
from responder_ml.evaluation.power import power
from responder_ml.job_sections import NullConfig
from responder_ml.plan import plan, plan_claims, read_strata, write_plan

# domain.md 3.1: sizes, strata, labellings, smallest p, null sd, AUROC needed, power at a true AUROC of 0.7, 0.8, 0.9.
# The smallest p is twice as large with classes of one size: exchanging them is learnt just as well.
DOMAIN = [
    ((3, 3), None, "20", "0.1", "0.255", "1.00", (0.18, 0.33, 0.56)),
    ((3, 4), None, "35", "0.029", "0.236", "1.00", (0.13, 0.25, 0.49)),
    ((6, 7), None, "1,716", "0.00058", "0.167", "0.81", (0.28, 0.55, 0.87)),
    ((6, 7), "3/3,3/4", "700", "0.0014", "0.167", "0.81", (0.28, 0.55, 0.87)),
    ((10, 10), None, "184,756", "1.1e-05", "0.132", "0.73", (0.44, 0.78, 0.98)),
    ((12, 16), None, f"{comb(28, 12):,}", "3.3e-08", "0.112", "0.69", (0.58, 0.91, 1.0)),
    ((24, 28), None, f"{comb(52, 24):,}", "2.3e-15", "0.081", "0.64", (0.81, 0.99, 1.0)),
]


def _cells(text):
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]


@pytest.mark.parametrize(("sizes", "strata", "labellings", "smallest", "sd", "needed", "at"), DOMAIN)
def test_the_command_reproduces_the_domain_table(tmp_path, sizes, strata, labellings, smallest, sd, needed, at):
    out = tmp_path / "plan.csv"
    arguments = ["plan", "--positive", str(sizes[0]), "--negative", str(sizes[1]), "--out", str(out)]
    result = CliRunner().invoke(app, arguments + (["--strata", strata] if strata else []))
    assert result.exit_code == 0, result.output
    shown = dict(cells for cells in _cells(result.output) if len(cells) == 2)
    assert shown["labellings"] == labellings
    assert shown["smallest attainable p"] == smallest
    assert shown["standard deviation of a chance AUROC"] == sd
    assert shown["AUROC needed for p ≤ 0.05"] == needed
    table = pd.read_csv(out)
    assert table["auroc"].tolist() == [0.7, 0.8, 0.9]
    np.testing.assert_allclose(table["power"], at, atol=0.02)
    assert [shown[f"{auroc:g}"] for auroc in table["auroc"]] == [f"{value:.2f}" for value in table["power"]]
    assert (table[["positive", "negative"]] == sizes).all(axis=None)


@pytest.mark.parametrize(
    ("strata", "is_underpowered"),
    [("3/3", True), ("2/4", True), ("3/4", False), ("3/3,3/4", False), ("1/2,2/1", True)],
)
def test_what_train_would_call_underpowered_is_said(strata, is_underpowered):
    result = CliRunner().invoke(app, ["plan", "--strata", strata])
    # 3/3 has 20 labellings, 2/4 has 15, 1/2 with 2/1 has 9: the smallest p are 0.1, 0.067 and 0.11.
    assert ("Underpowered" in result.output) is is_underpowered


def test_strata_alone_give_the_sizes():
    sizes = plan(strata=read_strata(" 3/3, 3/4")).sizes
    assert (sizes.positive, sizes.negative, sizes.labellings) == (6, 7, 700)


def test_subjects_for_a_target_power_are_the_fewest():
    analysis = plan(target_power=0.8, aurocs=(0.85,))
    (row,) = analysis.rows
    positive, negative = row.needed
    assert positive == negative
    assert row.power is None
    assert (
        power(positive, negative, 0.85, analysis.alpha) >= 0.8 > power(positive - 1, negative - 1, 0.85, analysis.alpha)
    )


def test_subjects_needed_keep_the_ratio_of_the_classes():
    (row,) = plan(10, 20, target_power=0.5, aurocs=(0.8,)).rows
    assert row.needed[1] == 2 * row.needed[0]


def test_level_and_true_auroc_are_the_users():
    analysis = plan(6, 7, aurocs=(0.75,), alpha=0.01)
    assert analysis.sizes.auroc_needed > plan(6, 7).sizes.auroc_needed
    assert [row.auroc for row in analysis.rows] == [0.75]
    assert plan(6, 7).alpha == NullConfig().alpha


def test_an_auroc_out_of_reach_is_said():
    console = io.StringIO()
    show_plan(Console(file=console, width=80), plan(2, 2))
    assert "even 1 is not enough" in console.getvalue()
    assert plan(2, 2).table()["auroc_needed"].isna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "nothing to plan with"),
        ({"positive": 6}, "one class only"),
        ({"positive": 6, "negative": 0}, "at least 1"),
        ({"positive": 6, "negative": 8, "strata": ((3, 3), (3, 4))}, "add up"),
        ({"positive": 6, "negative": 7, "aurocs": (1.0,)}, "below 1"),
        ({"positive": 6, "negative": 7, "target_power": 1.5}, "target power is 1.5"),
        ({"positive": 6, "negative": 7, "alpha": 0.0}, "alpha is 0"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(options, message):
    with pytest.raises(EndpointError, match=message):
        plan(**options)


@pytest.mark.parametrize("text", ["", "3", "3/3/3", "3-3", "a/b", "3/3,", "-1/3"])
def test_strata_that_cannot_be_read_are_refused(text):
    with pytest.raises(EndpointError, match="such as 3/3,3/4"):
        read_strata(text)


def test_a_file_that_cannot_be_written_is_a_message(tmp_path):
    with pytest.raises(RunError, match="could not be written"):
        write_plan(plan(6, 7), tmp_path)


@pytest.fixture
def job(tmp_path):
    def load(**changes):
        content = {
            "name": "pfc",
            "cohort": {
                "source": "simulated",
                "where": {"region": "PFC", "response": ["responder", "non_responder"]},
                "params": {"n_genes": 300},
            },
            "endpoint": {
                "column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"],
            },
            "builders": [{"kind": "genes"}],
            "classifiers": [{"kind": "nearest_centroid"}],
            **changes,
        }  # fmt: skip
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(content))
        return tmp_path / "job.yaml"

    return load


def test_a_job_brings_sizes_strata_and_level(job):
    analysis = plan(job=load_config(job(null={"permutations": 100, "alpha": 0.1})))
    assert (analysis.sizes.positive, analysis.sizes.negative, analysis.sizes.labellings, analysis.alpha) == (
        6,
        7,
        700,
        0.1,
    )
    assert sorted(analysis.sizes.strata) == [(3, 3), (3, 4)]
    assert "100 relabellings" in analysis.notes[0]
    assert "p = 0.0099" in analysis.notes[0]


def test_a_job_with_few_labellings_runs_them_all_and_one_without_null_none(job):
    exact = plan(job=load_config(job(null={"permutations": 700})))
    assert "all labellings" in exact.notes[0]
    assert "p = 0.0014" in exact.notes[0]
    assert "gives no p" in plan(job=load_config(job(null={"permutations": 0}))).notes[0]


def test_a_job_without_strata_counts_all_labellings(job):
    endpoint = {"column": "response", "positive": "responder", "negative": "non_responder"}
    sizes = plan(job=load_config(job(endpoint=endpoint))).sizes
    assert (sizes.labellings, sizes.strata) == (1716, ())


def test_a_job_through_the_command(job):
    result = CliRunner().invoke(app, ["plan", "--config", str(job()), "--power", "0.8", "--auroc", "0.9"])
    assert result.exit_code == 0, result.output
    assert "6 positive and 7 negative subjects in strata of" in result.output
    assert "subjects for power 0.8" in result.output


def test_claims_have_their_power_at_the_groups_own_sizes(tmp_path, job):
    path = job(cohort={"source": "simulated", "params": {"n_genes": 300, "regions": ["PFC", "NAc"]}})
    out = tmp_path / "claims.csv"
    result = CliRunner().invoke(app, ["plan", "--claims", str(path), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "imipramine non_responder 4" in result.output
    table = pd.read_csv(out)
    assert set(table["region"]) == {"PFC", "NAc"}
    assert set(table["claim"]) == {"R2", "R3", "R4", "R5", "R6a", "R6b", "R6c", "R7"}
    assert (table["power_weak"] <= table["power_strong"]).all()
    # 3 v 3 and 3 v 4 relabelled within drugs: 20 x 35 ways.
    assert table.set_index("claim").loc["R4", "smallest_p"].iloc[0] == pytest.approx(1 / 700)


def test_claims_without_control_animals_are_refused(job):
    where = {"response": ["responder", "non_responder"]}
    path = job(cohort={"source": "simulated", "params": {"n_genes": 300}, "where": where})
    with pytest.raises(ContrastError, match="control and susceptible animals"):
        plan_claims(load_config(path))
