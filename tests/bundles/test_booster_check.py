import json

import numpy as np
import pytest

from responder_ml.bundles.booster_check import _check_branches, check_booster
from responder_ml.classifiers.xgboost import XGBoost
from responder_ml.errors import BundleError


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(4)
    labels = np.arange(24) % 2
    model = XGBoost(rounds=12, max_depth=3, colsample_bytree=1.0)
    model.fit(rng.normal(size=(24, 6)) + labels[:, None] * [1, 0.5, 0, 0, 0, 0], labels)
    return model.booster_.save_raw("json").decode()


@pytest.fixture
def booster(text):
    return json.loads(text)


def test_what_training_writes_passes(text, booster):
    assert len(booster["learner"]["gradient_booster"]["model"]["trees"]) == 12
    check_booster(text)


@pytest.mark.parametrize("rounds", [1, 200])
def test_any_forest_of_ours_passes(rounds, rng):
    labels = np.array([0, 1, 1] * 10)
    model = XGBoost(rounds=rounds, max_depth=1, learning_rate=0.3).fit(rng.normal(size=(30, 40)), labels)
    check_booster(model.booster_.save_raw("json").decode())


def test_it_holds_numbers_and_names_of_settings_only(booster):
    texts = []

    def walk(value):
        if isinstance(value, dict):
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)
        elif isinstance(value, str):
            texts.append(value)

    walk(booster)
    words = {text for text in texts if any(letter.isalpha() and letter != "E" for letter in text)}
    assert words == {"gbtree", "binary:logistic"}


def _tree(booster):
    return booster["learner"]["gradient_booster"]["model"]["trees"][0]


def _put(*path):
    """Set the last of ``path`` at the place the others lead to, counted from the first tree."""

    def change(booster):
        node = _tree(booster)
        for key in path[:-2]:
            node = node[key]
        node[path[-2]] = path[-1]

    return change


def _put_in(root, *path):
    def change(booster):
        node = booster
        for key in (*root, *path[:-2]):
            node = node[key]
        node[path[-2]] = path[-1]

    return change


MODEL = ("learner", "gradient_booster", "model")
CHANGES = {
    "child beyond the end": _put("left_children", 0, 10_000),
    "child below zero": _put("right_children", 0, -7),
    "child is its own parent": _put("left_children", 0, 0),
    "two parents": lambda booster: _put("right_children", 0, _tree(booster)["left_children"][0])(booster),
    "one child only": _put("left_children", 0, -1),
    "parent unlike the child": _put("parents", 1, 2),
    "feature beyond the end": _put("split_indices", 0, 5_000),
    "feature below zero": _put("split_indices", 0, -1),
    "feature is a fraction": _put("split_indices", 0, 1.5),
    "feature is a truth": _put("split_indices", 0, True),
    "feature is nested": _put("split_indices", 0, [0]),
    "cut is text": _put("split_conditions", 0, "0.5"),
    "cut is infinite": _put("split_conditions", 0, float("inf")),
    "cut is not a number": _put("split_conditions", 0, float("nan")),
    "a cut too few": lambda booster: _tree(booster)["split_conditions"].pop(),
    "a cut too many": lambda booster: _tree(booster)["split_conditions"].append(0.0),
    "categorical split": _put("split_type", 0, 1),
    "default of three ways": _put("default_left", 0, 2),
    "categories": _put("categories", [3]),
    "more nodes than there are": _put("tree_param", "num_nodes", "999999999"),
    "nodes as a number": _put("tree_param", "num_nodes", 3),
    "deleted nodes": _put("tree_param", "num_deleted", "1"),
    "leaf of many values": _put("tree_param", "size_leaf_vector", "40"),
    "another number of features": _put("tree_param", "num_feature", "7"),
    "another id": _put("id", 7),
    "further key": _put("script", "import os"),
    "tree is a list": _put_in(MODEL, "trees", 0, []),
    "trees are a word": _put_in(MODEL, "trees", "none"),
    "a tree too few": lambda booster: booster["learner"]["gradient_booster"]["model"]["trees"].pop(),
    "class of a tree": _put_in(MODEL, "tree_info", 0, 5),
    "trees of a round": _put_in(MODEL, "iteration_indptr", 1, 40),
    "number of trees": _put_in(MODEL, "gbtree_model_param", "num_trees", "13"),
    "category table": _put_in(MODEL, "cats", {"enc": [1], "feature_segments": [], "sorted_idx": []}),
    "fewer features": _put_in(("learner", "learner_model_param"), "num_feature", "1"),
    "base score of words": _put_in(("learner", "learner_model_param"), "base_score", "nan"),
    "many classes": _put_in(("learner", "learner_model_param"), "num_class", "3"),
    "another objective": _put_in(("learner", "objective"), "name", "rank:pairwise"),
    "another booster": _put_in(("learner", "gradient_booster"), "name", "dart"),
    "attributes": _put_in(("learner", "attributes"), "script", "import os"),
    "feature names": _put_in(("learner",), "feature_names", ["a"]),
    "version of words": _put_in((), "version", ["3", "2", "0"]),
    "further part": _put_in((), "script", "import os"),
    "no learner": lambda booster: booster.pop("learner"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_anything_out_of_shape_is_refused(kind, booster):
    CHANGES[kind](booster)
    with pytest.raises((BundleError, ValueError)):
        check_booster(json.dumps(booster))


def test_a_repeated_key_is_refused(text):
    with pytest.raises(BundleError, match="repeated key"):
        check_booster(text[:-1] + ', "learner": {}}')


def test_a_number_beyond_all_numbers_is_refused(booster):
    _put("base_weights", 0, 0.123456789)(booster)
    with pytest.raises(BundleError, match="base_weights"):
        check_booster(json.dumps(booster).replace("0.123456789", "1e999"))


ROOT = 2**31 - 1


@pytest.mark.parametrize(
    ("left", "right", "parents", "sound"),
    [
        ([1, -1, -1], [2, -1, -1], [ROOT, 0, 0], True),
        ([1, 3, -1, -1, -1], [2, 4, -1, -1, -1], [ROOT, 0, 0, 1, 1], True),
        # A circle apart from the root, in which everybody has one parent.
        ([-1, 2, 1, -1, -1], [-1, 3, 4, -1, -1], [ROOT, 2, 1, 1, 2], False),
        # A node nobody leads to.
        ([-1, -1], [-1, -1], [ROOT, 0], False),
        # A child of two.
        ([1, 3, 3, -1], [2, -1, -1, -1], [ROOT, 0, 0, 2], False),
        ([1, 3, 3, -1, -1, -1], [2, 4, 5, -1, -1, -1], [ROOT, 0, 0, 2, 1, 2], False),
    ],
)
def test_a_tree_leads_from_the_root_to_every_node_once(left, right, parents, sound):
    if sound:
        _check_branches(left, right, parents)
    else:
        with pytest.raises(BundleError):
            _check_branches(left, right, parents)
