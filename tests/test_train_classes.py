"""Several classes from a job to one answer: config, runs of the pairs, the record, the page and the screen."""

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from responder_ml.build import build_cohort
from responder_ml.bundles.bundle import read_bundle
from responder_ml.cli import app
from responder_ml.config import read_job
from responder_ml.errors import ConfigError, RunError
from responder_ml.evaluation.class_predictions import PROBABILITY
from responder_ml.evaluation.several_classes import correct_pairs, judge_classes
from responder_ml.records.classes import ANSWER, PAGE, read_classes
from responder_ml.records.run import read_run
from responder_ml.train_classes import label_classes, plan_pairs

NAMES = ("control", "resilient", "susceptible")
JOB = {
    "name": "three",
    "cohort": {
        "source": "simulated",
        "where": {"region": "PFC", "drug": "saline"},
        "params": {"effect": 3.0, "n_genes": 300},
    },
    "endpoint": {"column": "phenotype", "classes": list(NAMES)},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "null": {"permutations": 39},
    "tracking": {"enabled": False},
    "compute": {"workers": 1},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    (folder / "job.yaml").write_text(yaml.safe_dump(JOB))
    arguments = [
        "train",
        str(folder / "job.yaml"),
        "--out",
        str(folder / "runs" / "all"),
        "--bundle",
        str(folder / "models" / "all"),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_every_pair_has_a_run_of_its_own_and_all_have_one_answer(trained):
    folder, printed = trained
    run = read_classes(folder / "runs" / "all")
    assert run.result.classes == {"control": 5, "resilient": 4, "susceptible": 3}
    assert [(row.positive, row.negative) for row in run.result.pairs] == [
        (NAMES[0], NAMES[1]),
        (NAMES[0], NAMES[2]),
        (NAMES[1], NAMES[2]),
    ]
    for row in run.result.pairs:
        own = read_run(folder / "runs" / row.run).result
        assert (own.headline.auroc, own.null.p_value) == (row.auroc, row.p_value)
        assert read_bundle(folder / "models" / "all" / row.run.removeprefix("all-")).worth.auroc == row.auroc
        assert row.corrected_p == max(row.p_value, run.result.null.p_value)
    # The same plan and candidates: the mean over pairs is that of their own runs.
    assert run.result.macro_auroc == pytest.approx(np.mean([row.auroc for row in run.result.pairs]), abs=1e-9)
    assert run.result.sentence.startswith("Simulated data: ")
    assert "control against resilient" in " ".join(printed.split())
    page = (folder / "runs" / "all" / PAGE).read_text()
    assert all(f"../{row.run}/report.html" in page for row in run.result.pairs)


def test_every_subject_has_a_probability_of_every_class(trained):
    folder, _ = trained
    run = read_classes(folder / "runs" / "all")
    table, counted = run.tables["predictions"], run.result.prediction
    assert list(table.columns) == ["subject", "observed", "predicted", *(f"{PROBABILITY}{name}" for name in NAMES)]
    probabilities = table.filter(like=PROBABILITY)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-8)
    assert table["predicted"].tolist() == [NAMES[column] for column in probabilities.to_numpy().argmax(axis=1)]
    assert table["observed"].value_counts().to_dict() == run.result.classes
    assert np.sum(counted.confusion, axis=1).tolist() == [5, 4, 3]
    right = np.diag(counted.confusion) / np.sum(counted.confusion, axis=1)
    assert counted.balanced_accuracy == pytest.approx(right.mean())
    page = " ".join((folder / "runs" / "all" / PAGE).read_text().split())
    assert "predicted susceptible" in page
    assert "not tested" in page


def test_it_is_read_back_and_a_damaged_answer_is_named(trained, tmp_path):
    folder, _ = trained
    run = read_classes(folder / "runs" / "all")
    assert len(run.tables["null"]) == run.result.null.relabellings
    assert run.config["endpoint"]["classes"] == list(NAMES)
    with pytest.raises(RunError, match="none"):
        read_classes(tmp_path / "none")
    assert (folder / "runs" / "all" / ANSWER).exists()


def test_classes_and_their_subjects():
    job = read_job(JOB, "job")
    labelled, classes = label_classes(job, build_cohort(job.cohort, job.seed))
    assert np.bincount(classes).tolist() == [5, 4, 3]
    sheet = labelled.cohort.obs.set_index("subject")
    original = build_cohort(job.cohort, job.seed).obs.set_index("subject")["phenotype"]
    assert [NAMES[code] for code in classes] == original[list(labelled.subjects)].tolist()
    assert len(sheet) == 12


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"classes": ["control", "resilient"]}, "three or more"),
        ({"classes": ["a", "b", "b"]}, "three or more different"),
        ({"kind": "classes"}, "has none"),
        ({"classes": ["a", "b", "c"], "positive": "a"}, "neither positive nor negative"),
        ({"classes": ["a", "b", "c"], "pairs": "litter"}, "none of rule, pairs and block"),
        ({"positive": "a"}, "both needed"),
        ({"kind": "two_classes", "classes": ["a", "b", "c"], "positive": "a", "negative": "b"}, "belong to"),
    ],
)
def test_what_an_endpoint_of_classes_cannot_be(endpoint, message):
    with pytest.raises(ConfigError, match=message):
        read_job({**JOB, "endpoint": {"column": "phenotype", **endpoint}}, "job")


def test_names_of_classes_become_names_of_folders(tmp_path):
    job = read_job({**JOB, "endpoint": {"column": "phenotype", "classes": ["a/b", "c d", "e"]}}, "job")
    assert [pair.out.name for pair in plan_pairs(job, tmp_path / "r", tmp_path / "m")] == [
        "r-a_b-c_d",
        "r-a_b-e",
        "r-c_d-e",
    ]
    assert plan_pairs(job, tmp_path / "r", tmp_path / "m")[0].bundle == tmp_path / "m" / "a_b-c_d"
    alike = read_job({**JOB, "endpoint": {"column": "phenotype", "classes": ["a/b", "a b", "e"]}}, "job")
    with pytest.raises(ConfigError, match="one folder"):
        plan_pairs(alike, tmp_path / "r", tmp_path / "m")


def test_correction_over_pairs():
    assert correct_pairs(0.03, [0.01, 0.04, 0.5]) == [0.03, 0.04, 0.5]
    # Four classes have six pairs: Holm's correction comes first.
    assert correct_pairs(0.001, [0.01, 0.5, 0.5, 0.5, 0.5, 0.5])[0] == pytest.approx(0.06)


def _null(p_value, settled=True):
    from responder_ml.evaluation.permutation import NullResult

    values = np.zeros(200)
    return NullResult(0.0, values, p_value, (0.0, 0.2), False, settled, True, 1000, 0.001, aurocs=values + 0.5)


@pytest.mark.parametrize(
    ("null", "levels", "level", "words"),
    [
        (_null(0.2), {}, "no_evidence", "No evidence that expression tells a, b and c apart"),
        (_null(0.01), {"a and b": "evidence"}, "evidence", "Between: a and b."),
        (
            _null(0.01),
            {"a and b": "confounded", "a and c": "no_evidence"},
            "confounded",
            "a nuisance explains it between a and b",
        ),
        (_null(0.01), {"a and b": "not_separable"}, "not_separable", "nearly the same between a and b"),
        (_null(0.01), {"a and b": "no_evidence"}, "evidence", "No single pair"),
        (_null(0.04, settled=False), {}, "undecided", "Allow more"),
        (None, {}, "not_tested", "Not tested"),
    ],
)
def test_verdicts_on_all_classes(null, levels, level, words):
    classes = np.repeat([0, 1, 2], 4)
    verdict = judge_classes("abc", classes, np.zeros(12), null, 0.7, levels, 0.05)
    assert verdict.level == level
    assert words in verdict.sentence


def test_too_few_subjects_for_any_result():
    verdict = judge_classes("abc", np.array([0, 1, 2]), np.zeros(3), _null(0.01), 0.9, {}, 0.05)
    assert verdict.level == "underpowered"
