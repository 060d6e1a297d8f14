"""Runs on graded outcomes side by side: numbers by hand, what is paired, and what is not mixed."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.compare import LEADERBOARD, PAGE, SEEDS, compare, write_comparison
from responder_ml.compared_runs import compared, read_compared
from responder_ml.errors import RunError
from responder_ml.evaluation.intervals import corrected_t
from responder_ml.records.graded import GRADED_FOLDER, GradedNull, GradedRecord, GradedRun, write_graded
from responder_ml.records.run import Run, write_run

PART = {"concordance": 0.7, "concordance_ci": (0.5, 0.9), "spearman": 0.4, "r2": None, "mae": 0.3}
SUBJECTS = [f"m{index}" for index in range(6)]
OUTCOME = [1.0, 2.0, 3.0, 1.0, 5.0, 6.0]
FOLDS = [[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1]]
# In the first repeat 2 of 3 pairs and all 3 are in the right order, in the second 1 of 3 and 2 of 3.
GOOD = [[1.0, 3.0, 2.0, 1.0, 2.0, 3.0], [3.0, 1.0, 1.5, 2.0, 2.0, 3.0]]
BAD = [[3.0, 2.0, 1.0, 3.0, 2.0, 1.0], [3.0, 3.0, 2.0, 2.0, 1.0, 1.0]]


def make(name="ratio", predictions=GOOD, seed=7, p=0.02, level="evidence", **changes):
    """Return a run of six subjects whose predictions are given."""
    null = GradedNull(
        statistic="s", p_value=p, p_interval=(p, p), labellings="720", relabellings=99, exact=False, settled=True,
        null_mean=0.5, null_sd=0.1, min_attainable_p=0.01,
    )  # fmt: skip
    content = {
        "name": name, "simulated": True, "units": "log2", "where": {"region": "PFC"},
        "n": {"subjects": 6, "samples": 6, "genes": 3},
        "outcome": {"column": "ratio", "mean": 3.0, "sd": 2.0, "low": 1.0, "high": 6.0, "distinct": 5},
        "headline": PART, "null": null, "alpha": 0.05, "verdict": {"level": level, "sentence": "A sentence."},
        "search": {"folds": 2, "repeats": 2, "inner_folds": 2, "inner_repeats": 1, "trials": 0},
        "data_sha256": "0" * 64, "seed": seed, **changes,
    }  # fmt: skip
    rows = [
        {
            "subject": subject,
            "repeat": repeat,
            "fold": fold,
            "stratum": 0,
            "outcome": outcome,
            "prediction": prediction,
        }
        for repeat in range(2)
        for subject, fold, outcome, prediction in zip(
            SUBJECTS, FOLDS[repeat], OUTCOME, predictions[repeat], strict=True
        )
    ]
    candidates = [
        {"name": candidate, "concordance": value, "concordance_low": 0.5, "concordance_high": 0.9, "spearman": 0.4, "r2": 0.1,
         "mae": 0.3, "chosen_share": share}
        for candidate, value, share in (("auto", 0.7, np.nan), ("genes+ridge", 0.65, 1.0))
    ]  # fmt: skip
    tables = {name: GRADED_FOLDER.table(name) for name in GRADED_FOLDER.tables}
    tables |= {"predictions": pd.DataFrame(rows), "candidates": pd.DataFrame(candidates)}
    config = {"name": name, "endpoint": {"kind": "score"}, "null": {}, "seed": seed}
    return GradedRun(GradedRecord.model_validate(content), tables, config)


@pytest.fixture
def written(tmp_path):
    def write(folder, **changes):
        write_graded(make(**changes), "<!DOCTYPE html>", tmp_path / folder)
        return tmp_path / folder

    return write


def test_the_concordance_of_folds_is_that_of_pairs_counted_by_hand():
    np.testing.assert_allclose(compared(make()).scores["auto"], [2 / 3, 1.0, 1 / 3, 2 / 3])


def test_only_pairs_of_one_stratum_count_and_a_fold_without_any_has_no_number():
    run = make()
    predictions = run.tables["predictions"]
    predictions["stratum"] = predictions["subject"].isin(["m1", "m5"]).astype(int)
    # Left are m0 < m2; m3 < m4; m0 < m2 < m4; m1 < m5 in the second repeat.
    np.testing.assert_allclose(compared(run).scores["auto"], [1.0, 1.0, 1 / 3, 1.0])
    predictions["stratum"] = range(12)
    assert np.isnan(compared(run).scores["auto"]).all()


def test_a_table_of_a_version_without_strata_is_compared_over_all_pairs():
    run = make()
    del run.tables["predictions"]["stratum"]
    np.testing.assert_allclose(compared(run).scores["auto"], [2 / 3, 1.0, 1 / 3, 2 / 3])


def test_runs_are_ranked_and_paired_where_they_share_folds(written, tmp_path):
    worse = written("b", name="bad", predictions=BAD, p=0.6, level="no_evidence")
    comparison = compare([worse, written("a")])
    board = comparison.leaderboard
    assert list(board["run"]) == ["bad", "ratio", "bad", "ratio"]
    assert list(board.columns) == [
        "run", "where", "question", "subjects", "candidate", "concordance", "concordance_low", "concordance_high", "spearman",
        "mae", "p_value", "verdict",
    ]  # fmt: skip
    assert board["question"][0] == "order of ratio"
    (pair,) = comparison.pairs.to_dict("records")
    differences = compared(make(predictions=BAD)).scores["auto"] - compared(make()).scores["auto"]
    expected = corrected_t(differences, 2)
    assert pair["difference"] == pytest.approx(expected.difference)
    assert pair["p_value"] == pytest.approx(expected.p_value)
    write_comparison(comparison, tmp_path / "out")
    page = (tmp_path / "out" / PAGE).read_text()
    assert "Concordance of every run and candidate" in page
    assert "AUROC" not in page
    assert "concordance_low" in (tmp_path / "out" / LEADERBOARD).read_text()


def test_the_order_of_rows_has_no_say(written):
    one, other = written("a"), written("b", name="bad", predictions=BAD)
    expected = compare([one, other]).pairs
    shuffled = make(name="bad", predictions=BAD)
    shuffled.tables["predictions"] = shuffled.tables["predictions"].sample(frac=1, random_state=1)
    write_graded(shuffled, "<!DOCTYPE html>", other)
    pd.testing.assert_frame_equal(compare([one, other]).pairs, expected)


def test_other_outcomes_are_shown_but_not_paired(written, tmp_path):
    other = make(name="weight")
    other.tables["predictions"]["outcome"] += 1.0
    write_graded(other, "<!DOCTYPE html>", tmp_path / "other")
    comparison = compare([written("a"), tmp_path / "other"])
    assert comparison.pairs.empty
    assert any("have other outcomes" in note for note in comparison.notes)


def test_one_job_under_two_seeds_is_a_group(written, tmp_path):
    comparison = compare([written("a"), written("b", seed=8, level="no_evidence", p=0.3)])
    (row,) = comparison.seeds.to_dict("records")
    assert (row["concordance_low"], row["p_high"], row["verdicts_differ"]) == (0.7, 0.3, True)
    assert any(
        note.startswith("One job under several seeds (7; 8)") and "Concordance 0.70" in note
        for note in comparison.notes
    )
    write_comparison(comparison, tmp_path / "out")
    assert "concordance_sd" in (tmp_path / "out" / SEEDS).read_text()


def test_a_graded_run_and_one_of_classes_are_not_mixed(written, make_result, tmp_path):
    write_run(Run(make_result(), {}, {}), tmp_path / "classes")
    for folders in ([written("a"), tmp_path / "classes"], [tmp_path / "classes", written("a")]):
        with pytest.raises(RunError, match=r"predicts a graded outcome and .*classes tells classes apart"):
            compare(folders)


def test_a_run_is_given_once_and_one_without_predictions_is_named(written, tmp_path):
    with pytest.raises(RunError, match="more than once"):
        read_compared([written("a"), tmp_path / "a"])
    empty = make()
    empty.tables["predictions"] = empty.tables["predictions"][:0]
    write_graded(empty, "<!DOCTYPE html>", tmp_path / "empty")
    with pytest.raises(RunError, match=r"has nothing in predictions\.csv"):
        read_compared([tmp_path / "empty"])


def test_the_command_prints_concordances(graded_training):
    outcome = CliRunner().invoke(app, ["compare", str(graded_training.folder)])
    assert outcome.exit_code == 0, outcome.output
    text = " ".join(outcome.output.split())
    assert "order of social_interaction_ratio, 25 subjects; region: PFC" in text
    assert "concordance" in text
    assert "AUROC" not in text
