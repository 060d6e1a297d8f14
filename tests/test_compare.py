"""Runs side by side: hand-computed paired tests, what is paired and what is not, and the page."""

import io
import re
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.stats import t as student

from responder_ml.commands.compare import show_comparison
from responder_ml.compare import PAGE, compare, write_comparison
from responder_ml.errors import RunError
from responder_ml.records.ownership import FILE_LIST
from responder_ml.records.run import Run, write_run
from responder_ml.report.leaderboard import render_leaderboard

FOLDS, REPEATS = 3, 2
SUBJECTS = tuple(f"m{index}" for index in range(12))
AUTO = [[0.9, 0.8, 1.0], [0.7, 0.9, 0.8]]
LESS = [[0.6, 0.5, 0.9], [0.5, 0.4, 0.7]]
MUCH = [[0.9, 0.8, 0.9], [0.7, 0.9, 0.8]]


def _out_of_fold(subjects, labels, shift, candidates):
    rows = [
        {"sample": f"{subject}_a", "subject": subject, "label": label, "repeat": repeat,
         "fold": (index + repeat * shift) % FOLDS, "candidate": candidate, "log_odds": 0.1, "probability": 0.52}
        for candidate in candidates
        for repeat in range(REPEATS)
        for index, (subject, label) in enumerate(zip(subjects, labels, strict=True))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _make(
    make_result,
    name="pfc",
    scores=None,
    *,
    subjects=SUBJECTS,
    flip=False,
    shift=1,
    simulated=False,
    null=0.02,
    seed=7,
    level="no_evidence",
):
    scores = {"auto": AUTO, "genes+less": LESS, "genes+much": MUCH} if scores is None else scores
    labels = [int((index % 2 == 0) is not flip) for index in range(len(subjects))]
    folds = [
        {"candidate": candidate, "repeat": repeat, "fold": fold, "auroc": values[repeat][fold], "inner_score": 0.7,
         "weight": 1.0, "n_features": 5, "params": "{}"}
        for candidate, values in scores.items()
        for repeat in range(REPEATS)
        for fold in range(FOLDS)
    ]  # fmt: skip
    candidates = [
        {"name": candidate, "builder": "", "classifier": "", "auroc": float(np.nanmean(values)), "auroc_low": 0.4,
         "auroc_high": 0.95, "balanced_accuracy": 0.7, "mcc": 0.4, "brier": 0.2, "chosen_share": 0.5}
        for candidate, values in scores.items()
    ]  # fmt: skip
    result = {
        "name": name,
        "simulated": simulated,
        "endpoint": {
            "column": "response", "positive": "responder", "negative": "non_responder",
            "where": {"region": "PFC", "response": ["responder", "non_responder"]},
        },
        "n": {"samples": 12, "subjects": 12, "positive": 6, "negative": 6, "genes": 5},
        "null": None if null is None else {"p_value": null},
        "verdict": {"level": level, "sentence": "A sentence."},
        "seed": seed,
        "data_sha256": name,
        "search": {"folds": FOLDS},
    }  # fmt: skip
    tables = {
        "candidates": pd.DataFrame(candidates),
        "folds": pd.DataFrame(folds),
        "out_of_fold": _out_of_fold(subjects, labels, shift, scores),
    }
    return Run(make_result(**result), tables, {"name": name})


@pytest.fixture
def written(tmp_path, make_result):
    def write(folder, *args, **kwargs):
        write_run(_make(make_result, *args, **kwargs), tmp_path / folder)
        return tmp_path / folder

    return write


def _printed(comparison):
    written = io.StringIO()
    show_comparison(Console(width=80, file=written), comparison)
    return written.getvalue()


def _page(comparison):
    return render_leaderboard(comparison.leaderboard, comparison.pairs, comparison.notes, comparison.simulated)


def test_pairs_within_a_run_against_the_formula(written):
    pairs = compare([written("a")]).pairs.set_index(["first", "second"])
    assert list(pairs.index) == [("auto", "genes+less"), ("auto", "genes+much"), ("genes+less", "genes+much")]
    difference = np.ravel(AUTO) - np.ravel(LESS)
    error = sqrt((1 / 6 + 1 / 2) * difference.var(ddof=1))
    row = pairs.loc[("auto", "genes+less")]
    assert row["difference"] == pytest.approx(0.25)
    assert row["t"] == pytest.approx(0.25 / error)
    assert row["p_value"] == pytest.approx(2 * student.sf(0.25 / error, 5))
    half = student.ppf(0.975, 5) * error
    assert (row["low"], row["high"]) == pytest.approx((0.25 - half, 0.25 + half))
    assert row["n_folds"] == 6


def test_holm_covers_every_pair_of_every_run(written):
    pairs = compare([written("a", "pfc"), written("b", "nac", {"auto": LESS, "genes+less": LESS})]).pairs
    # Three within the first run; the second has one candidate, which auto is; and the headlines of the two.
    assert len(pairs) == 4
    order = np.argsort(pairs["p_value"])
    raised = np.minimum(1, np.maximum.accumulate(pairs["p_value"].to_numpy()[order] * [4, 3, 2, 1]))
    np.testing.assert_allclose(pairs["p_holm"].to_numpy()[order], raised)


def test_runs_on_the_same_folds_are_paired_by_their_headlines(written):
    comparison = compare([written("a", "pfc"), written("b", "nac", {"auto": LESS, "genes+less": LESS})])
    across = comparison.pairs[comparison.pairs["first_run"] != comparison.pairs["second_run"]]
    (row,) = across.to_dict("records")
    assert (row["first_run"], row["first"], row["second_run"], row["second"]) == ("pfc", "auto", "nac", "auto")
    assert row["difference"] == pytest.approx(0.25)
    # Three folds: a test set is half its training set; 2 x 3 differences.
    half = student.ppf(0.975, 5) * sqrt((1 / 6 + 1 / 2) * (np.ravel(AUTO) - np.ravel(LESS)).var(ddof=1))
    assert (row["low"], row["high"]) == pytest.approx((0.25 - half, 0.25 + half))
    assert any("names are the same" in note for note in comparison.notes)
    assert not any("Not tested" in note for note in comparison.notes)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"subjects": ("m0", "m1", *(f"x{index}" for index in range(10)))}, r"of 12 and 12, 2 are in both"),
        ({"flip": True}, "other labels"),
        ({"shift": 2}, "folds are not"),
    ],
)
def test_other_runs_are_not_tested_and_the_reason_is_said(written, other, reason):
    comparison = compare([written("a", "pfc"), written("b", "nac", **other)])
    assert (comparison.pairs["first_run"] == comparison.pairs["second_run"]).all()
    (note,) = [note for note in comparison.notes if "Not tested" in note]
    assert "nac against pfc" in note
    assert re.search(reason, note)


def test_groups_of_runs_are_told_apart(written):
    comparison = compare(
        [written("a", "a"), written("b", "b", flip=True), written("c", "c"), written("d", "d", shift=2)]
    )
    across = comparison.pairs[comparison.pairs["first_run"] != comparison.pairs["second_run"]]
    assert across[["first_run", "second_run"]].to_numpy().tolist() == [["a", "c"]]
    assert sum("Not tested" in note for note in comparison.notes) == 2
    assert "a and c; b; d" in comparison.notes[-1]


def test_rows_may_stand_in_any_order(written):
    one, other = written("a", "pfc"), written("b", "nac")
    expected = compare([one, other]).pairs
    for name in ("folds", "out_of_fold"):
        path = other / f"{name}.csv"
        pd.read_csv(path).sample(frac=1, random_state=1).to_csv(path, index=False)
    (other / FILE_LIST).unlink()
    pd.testing.assert_frame_equal(compare([one, other]).pairs, expected)


def test_the_leaderboard_gives_p_and_verdict_to_the_headline_only(written):
    board = compare([written("a")]).leaderboard
    assert board["candidate"].tolist() == ["auto", "genes+much", "genes+less"]
    assert board["auroc"].is_monotonic_decreasing
    auto, *others = board.to_dict("records")
    assert (auto["p_value"], auto["verdict"]) == (0.02, "no_evidence")
    assert all(np.isnan(row["p_value"]) and row["verdict"] == "" for row in others)
    # The rows kept for the two classes are in the question already.
    assert auto["where"] == "region: PFC"
    assert (auto["question"], auto["positive"], auto["negative"]) == ("responder against non_responder", 6, 6)


def test_a_run_without_null_has_no_p(written):
    assert compare([written("a", null=None)]).leaderboard["p_value"].isna().all()


def test_folds_that_all_differ_alike_are_no_proof(written):
    steady = (np.array(AUTO) - 0.1).tolist()
    comparison = compare([written("a", scores={"auto": AUTO, "genes+one": AUTO, "genes+two": steady})])
    row = comparison.pairs.iloc[1]
    assert row["difference"] == pytest.approx(0.1)
    assert np.isnan(row["p_holm"])
    assert "not estimated" in _page(comparison)
    assert "+0.10" in _printed(comparison)


def test_a_fold_with_one_class_is_left_out(written):
    gap = [[float("nan"), 0.5, 0.9], [0.5, 0.4, 0.7]]
    pairs = compare([written("a", scores={"auto": AUTO, "genes+less": gap, "genes+much": MUCH})]).pairs
    assert pairs["n_folds"].tolist() == [5, 6, 5]


def test_runs_are_called_by_what_tells_them_apart(written):
    assert set(compare([written("x/a"), written("x/b")]).leaderboard["run"]) == {"a", "b"}
    same = [written("x/a"), written("y/a")]
    assert set(compare(same).leaderboard["run"]) == {str(folder.resolve()) for folder in same}


def test_one_folder_twice_is_refused(written):
    folder = written("a")
    with pytest.raises(RunError, match="more than once"):
        compare([folder, folder.parent / "." / "a"])


def test_a_run_that_lost_a_table_is_refused(written):
    folder = written("a")
    (folder / "folds.csv").unlink()
    with pytest.raises(RunError, match=r"folds\.csv"):
        compare([folder])


def test_files_hold_what_was_found(written, tmp_path):
    comparison = compare([written("a", "pfc"), written("b", "nac")])
    write_comparison(comparison, tmp_path / "new" / "out")
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == {
        "leaderboard.csv",
        "pairs.csv",
        "seeds.csv",
        PAGE,
        FILE_LIST,
    }
    for name, table in (("leaderboard", comparison.leaderboard), ("pairs", comparison.pairs)):
        read = pd.read_csv(tmp_path / "new" / "out" / f"{name}.csv", keep_default_na=False, na_values=[""])
        assert list(read.columns) == list(table.columns)
        assert len(read) == len(table)
        numbers = table.select_dtypes("number").columns
        np.testing.assert_allclose(read[numbers], table[numbers])


def test_a_page_that_cannot_be_written_is_a_message(written, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(RunError, match="is a file and no folder"):
        write_comparison(compare([written("a")]), tmp_path / "taken")


def test_the_page_needs_nothing_else_and_escapes_names(written):
    comparison = compare(
        [written("a", "pfc", {"auto": AUTO, "g<script>+x": LESS, "$y_1$+z": MUCH}), written("b", "nac")]
    )
    page = _page(comparison)
    assert page.count("<svg") == 1 + 2 + 1
    assert page.count("<script") == 1
    assert not re.search(r"(?:src|href)=\"(?!#|data:,|https://doi\.org/)", page)
    for note in comparison.notes:
        assert note.replace("'", "&#39;") in page


def test_a_page_of_one_candidate_says_that_nothing_was_paired(written):
    comparison = compare([written("a", scores={"auto": AUTO, "genes+much": AUTO})])
    assert comparison.pairs.empty
    assert "No two rows could be compared" in _page(comparison)
    assert "first minus second" not in _printed(comparison)


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_runs_say_so(written, simulated):
    comparison = compare([written("a", "pfc", simulated=simulated), written("b", "nac")])
    assert ("Simulated data" in _page(comparison)) is simulated
    assert ("Simulated data" in _printed(comparison)) is simulated


def test_the_terminal_shows_every_name_whole_at_80_columns(written):
    long = "gene_sets_of_the_literature+nearest_centroid"
    text = _printed(compare([written("a", "pfc[1]", {"auto": AUTO, long: LESS, "b+c": MUCH})]))
    assert "pfc[1]: responder against non_responder, 6 and 6 subjects; region: PFC" in text
    assert "│ pfc[1] │" in text
    # A long name goes on in the next line, cell by cell.
    cells = [line.split("│") for line in text.splitlines() if line.startswith("│")]
    words = "gene sets of the literature + nearest centroid"
    assert words in " ".join(cell[2].strip() for cell in cells if len(cell) == 8)
    assert "…" not in text
    assert "no evidence" in text


def test_one_job_under_several_seeds_is_a_group_whose_turning_verdict_is_told(written, tmp_path):
    seeds = ((1, "evidence", 0.01), (2, "no_evidence", 0.2))
    folders = [written(f"s{seed}", "pfc", seed=seed, level=level, null=p, shift=seed) for seed, level, p in seeds]
    comparison = compare([*folders, written("other", "nac", shift=3)])
    (row,) = comparison.seeds.to_dict("records")
    assert row["runs"] == ("s1", "s2")
    assert (row["p_low"], row["p_high"], row["verdicts"]) == (0.01, 0.2, "evidence (1), no evidence (1)")
    assert "Their verdicts differ: evidence (1), no evidence (1)" in comparison.notes[0]
    # Which seed is better is no question; whether the other job is better remains one.
    assert [note[:30] for note in comparison.notes if "Not tested" in note] == ["Not tested: nac against s1. Th"]
    write_comparison(comparison, tmp_path / "out")
    assert pd.read_csv(tmp_path / "out" / "seeds.csv")["runs"].tolist() == ["s1; s2"]
    assert "Their verdicts differ" in (tmp_path / "out" / PAGE).read_text()
