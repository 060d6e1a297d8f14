import pytest

from responder_ml.contrasts.groups import Groups, founding_groups
from responder_ml.errors import ContrastError


def test_empty_label_is_no_group():
    groups = Groups.of(["b", "", "a", "b"])
    assert groups.names == ("a", "b")
    assert groups.codes.tolist() == [1, -1, 0, 1]
    assert groups.size("b") == 2
    assert groups.size("c") == 0


def test_unknown_group_is_refused_with_the_nearest():
    with pytest.raises(ContrastError, match="Did you mean 'susceptible'"):
        Groups.of(["susceptible", "control"]).code("susceptable")


def test_groups_of_the_study(study):
    assert {name: study.size(name) for name in study.names} == {
        "control": 5,
        "resilient": 4,
        "susceptible": 3,
        "ketamine responder": 3,
        "ketamine non_responder": 3,
        "imipramine responder": 3,
        "imipramine non_responder": 4,
    }


def test_other_combinations_have_no_group():
    groups = founding_groups(["control", "naive", "susceptible"], ["saline", "saline", "ketamine"], ["none"] * 3)
    assert groups.names == ("control",)
    assert groups.codes.tolist() == [0, -1, -1]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ContrastError, match="found 2, 1 and 2"):
        founding_groups(["control", "control"], ["saline"], ["none", "none"])
