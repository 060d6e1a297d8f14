import pandas as pd
import pytest

from responder_ml.proposal import sheet_columns

ROWS = 24
NAMES = [f"m{index}" for index in range(ROWS)]


def _sheet(**columns):
    return pd.DataFrame({name: list(map(str, values)) for name, values in columns.items()}, dtype=object)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("AvgSpotLen", "spot"),
        ("avg_spot_len", "spot"),
        ("RIN", "rin"),
        ("pH", "ph"),
        ("M.Stage", "stage"),
        ("age (years)", "age"),
        ("Käfig", "käfig"),
    ],
)
def test_names_are_read_word_by_word(name, word):
    assert word in sheet_columns.words_of(name)


def test_a_word_inside_another_is_none():
    assert not sheet_columns.words_of("storage percentage image") & sheet_columns.NUISANCE


def test_classes_are_columns_of_few_values_with_three_subjects_each():
    sheet = _sheet(
        group=["a", "b"] * 12,
        weight=[20.5 + index / 7 for index in range(ROWS)],
        rare=["a"] * 22 + ["b"] * 2,
        name=NAMES,
        batch=["x", "y"] * 12,
        empty=[""] * ROWS,
        three=["p", "q", "r"] * 8,
    )
    assert sheet_columns.class_columns(sheet, list(sheet.columns), NAMES) == ["group", "three"]


def test_one_division_under_two_names_is_one_candidate_and_words_are_preferred_to_numbers():
    sheet = _sheet(y=[1, 0] * 12, response=[1, 0] * 12, group=["yes", "no"] * 12)
    assert sheet_columns.class_columns(sheet, list(sheet.columns), NAMES) == ["group"]


def test_a_column_that_differs_within_a_subject_is_no_class():
    sheet = _sheet(visit=["before", "after"] * 12, response=["yes"] * 12 + ["no"] * 12)
    subjects = [f"p{index // 2}" for index in range(ROWS)]
    assert sheet_columns.class_columns(sheet, list(sheet.columns), subjects) == ["response"]


def test_subjects_are_named_and_a_property_of_theirs_is_none():
    sheet = _sheet(
        mouse_strain=["bl6", "balb"] * 12, animal_id=["unknown"] * ROWS, patient_key=[f"p{i // 2}" for i in range(ROWS)]
    )
    assert sheet_columns.subject_columns(sheet, list(sheet.columns)) == ["patient_key"]


def test_names_that_repeat_may_be_subjects_but_measurements_and_cages_are_not():
    sheet = _sheet(
        key=[f"k{i // 2}" for i in range(ROWS)],
        rin=[7 + (i // 2) / 10 for i in range(ROWS)],
        cage=[i // 3 for i in range(ROWS)],
        only=NAMES,
    )
    assert sheet_columns.repeated_names(sheet, list(sheet.columns)) == ["key"]


def test_nuisances_vary_and_have_values_that_can_be_held_constant():
    sheet = _sheet(
        batch=["x", "y"] * 12,
        rin=[7 + i / 10 for i in range(ROWS)],
        instrument=["hiseq"] * ROWS,
        run_date=[f"2024-01-{i + 1:02d}" for i in range(ROWS)],
        library_size=range(ROWS),
        diet=["chow", "fat"] * 12,
        cage=[i // 4 for i in range(ROWS)],
    )
    assert sheet_columns.nuisance_columns(sheet, list(sheet.columns), ROWS) == (["batch", "rin", "cage"], ["run_date"])


def test_the_column_called_region_comes_before_other_tissues():
    assert sheet_columns.region_columns(["tissue", "brain_region", "Region", "group"])[0] == "Region"
