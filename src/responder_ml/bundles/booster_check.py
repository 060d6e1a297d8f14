"""Check that a booster in xgboost's JSON has the one form that our training writes.

Xgboost trusts its own files: it follows an index out of range, and a wrong type can end the process. A booster from a file is
therefore accepted only if every key, type, length and index is what our training writes: plain trees of numeric splits, parents
before children, two classes or one number. The text holds numbers and names of settings, no code.
"""

import json
import re
from collections.abc import Mapping, Set
from math import isfinite
from typing import Any

from responder_ml.errors import BundleError

_INDICES = ("left_children", "right_children", "parents", "split_indices", "split_type", "default_left")
_NUMBERS = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
_EMPTY = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
_NO_PARENT = 2**31 - 1
_DIGITS = re.compile(r"\d{1,9}")
_SCORE = re.compile(r"\[?-?\d{1,40}(?:\.\d{1,40})?(?:E[+-]?\d{1,2})?\]?")
# Two classes, and graded outcomes.
_OBJECTIVES = tuple(
    {"name": name, "reg_loss_param": {"scale_pos_weight": "1"}} for name in ("binary:logistic", "reg:squarederror")
)
# Written by some versions only.
_NO_CATEGORIES: dict[str, list[int]] = {"enc": [], "feature_segments": [], "sorted_idx": []}


def check_booster(text: str) -> None:
    """Refuse a booster of any other form than ours.

    Raises
    ------
    BundleError
        Names the part that is not as expected.
    ValueError, TypeError, LookupError
        The text is not JSON of that kind.
    """
    booster = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    _keys(booster, "booster", {"learner", "version"})
    _require(_is_integer_list(booster["version"], 3), "version")
    learner = booster["learner"]
    _keys(
        learner,
        "learner",
        {"attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param", "objective"},
    )
    _require(learner["attributes"] == {} and learner["feature_names"] == [], "learner")
    _require(learner["feature_types"] == [], "learner")
    n_features = _check_settings(learner)
    _keys(learner["gradient_booster"], "gradient_booster", {"model", "name"})
    _require(learner["gradient_booster"]["name"] == "gbtree", "gradient_booster")
    _check_forest(learner["gradient_booster"]["model"], n_features)


def _check_settings(learner: Mapping[str, Any]) -> int:
    """Check the booster's settings of its task; return the number of features."""
    objective, params = learner["objective"], learner["learner_model_param"]
    _require(objective in _OBJECTIVES, "objective")
    _keys(
        params,
        "learner_model_param",
        {"base_score", "num_class", "num_feature", "num_target"},
        optional={"boost_from_average"},
    )
    _require(type(params["base_score"]) is str and bool(_SCORE.fullmatch(params["base_score"])), "base_score")
    _require(params["num_class"] == "0" and params["num_target"] == "1", "learner_model_param")
    _require(params.get("boost_from_average", "1") in ("0", "1"), "learner_model_param")
    return _integer(params["num_feature"], "num_feature")


def _check_forest(model: Mapping[str, Any], n_features: int) -> None:
    _keys(model, "model", {"gbtree_model_param", "iteration_indptr", "tree_info", "trees"}, optional={"cats"})
    trees = model["trees"]
    _require(type(trees) is list, "trees")
    count = len(trees)
    _require(model.get("cats", _NO_CATEGORIES) == _NO_CATEGORIES, "cats")
    _require(
        model["gbtree_model_param"] == {"num_parallel_tree": "1", "num_trees": str(count)}
        and _is_integer_list(model["iteration_indptr"], count + 1)
        and model["iteration_indptr"] == list(range(count + 1))
        and _is_integer_list(model["tree_info"], count)
        and not any(model["tree_info"]),
        "model",
    )
    for number, tree in enumerate(trees):
        _check_tree(tree, number, n_features)


def _check_tree(tree: Mapping[str, Any], number: int, n_features: int) -> None:
    _keys(tree, "tree", {"id", "tree_param", *_INDICES, *_NUMBERS, *_EMPTY})
    params = tree["tree_param"]
    _keys(params, "tree_param", {"num_deleted", "num_feature", "num_nodes", "size_leaf_vector"})
    count = _integer(params["num_nodes"], "num_nodes")
    _require(count >= 1 and _integer(params["num_feature"], "num_feature") == n_features, "tree_param")
    _require(params["num_deleted"] == "0" and params["size_leaf_vector"] in ("0", "1"), "tree_param")
    _require(type(tree["id"]) is int and tree["id"] == number, "id")
    for part in _EMPTY:
        _require(tree[part] == [], part)
    for part in _INDICES:
        _require(_is_integer_list(tree[part], count), part)
    for part in _NUMBERS:
        _require(_is_number_list(tree[part], count), part)
    _require(not any(tree["split_type"]) and set(tree["default_left"]) <= {0, 1}, "split_type")
    _require(all(0 <= index < n_features for index in tree["split_indices"]), "split_indices")
    _check_branches(tree["left_children"], tree["right_children"], tree["parents"])


def _check_branches(left_children: list[int], right_children: list[int], parents: list[int]) -> None:
    """Check that every node but the root is the child of exactly one earlier node."""
    expected: dict[int, int] = {0: _NO_PARENT}
    for node, (left_child, right_child) in enumerate(zip(left_children, right_children, strict=True)):
        if left_child == right_child == -1:
            continue
        for child in (left_child, right_child):
            _require(node < child < len(left_children) and child not in expected, "children")
            expected[child] = node
    _require([expected.get(node) for node in range(len(left_children))] == parents, "parents")


def _keys(value: object, what: str, required: Set[str], optional: Set[str] = frozenset()) -> None:
    _require(type(value) is dict and required <= set(value) <= required | optional, what)


def _integer(value: object, what: str) -> int:
    _require(type(value) is str and bool(_DIGITS.fullmatch(str(value))), what)
    return int(str(value))


def _is_integer_list(value: object, length: int) -> bool:
    return isinstance(value, list) and len(value) == length and all(type(number) is int for number in value)


def _is_number_list(value: object, length: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == length
        and all(type(number) in (int, float) and isfinite(number) for number in value)
    )


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise BundleError(f"The trees of the model are not as expected ('{what}'). Use an intact copy of the bundle.")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers of one text may use different ones of two equal keys.
    content = dict(pairs)
    _require(len(content) == len(pairs), "repeated key")
    return content


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number")
