"""A manifest is believed only if every key is what it should be, and says which one is not."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from responder_ml.bundles import manifest as module
from responder_ml.bundles.class_bundle import is_class_bundle
from responder_ml.bundles.graded_bundle import is_graded
from responder_ml.bundles.manifest import (
    GRADED_VERSION,
    MANIFEST,
    Manifest,
    describe_features,
    describe_training,
    manifest_digest,
    read_content,
    read_manifest,
)
from responder_ml.errors import BundleError

ARCHIVE = Path(__file__).parents[1] / "archives" / "0.1.0" / "genes-elastic_net"


@pytest.fixture
def folder(tmp_path):
    """Return a folder that holds a manifest alone: no other file is needed to read it."""
    shutil.copy(ARCHIVE / MANIFEST, tmp_path / MANIFEST)
    return tmp_path


def _change(folder, changes, *, sign=True):
    content = json.loads((folder / MANIFEST).read_text()) | changes
    content = {key: value for key, value in content.items() if value is not None}
    if sign:
        content["sha256"] = manifest_digest(content)
    (folder / MANIFEST).write_text(json.dumps(content))


def test_what_is_read_is_what_was_written(folder):
    content = json.loads((folder / MANIFEST).read_text())
    manifest = read_manifest(folder)
    written = manifest.model_dump()
    assert {key: written[key] for key in content} == content
    assert manifest.endpoint.model_extra == {"units": "counts"}
    assert (manifest.coverage.weight, manifest.coverage.genes) == (0.8, 0.5)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"threshold": "0"}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": None, "genes": ["a", 1]}, "genes, threshold"),
        ({"simulated": 1, "name": 3}, "name, simulated"),
        ({"prevalence": 0.0}, "prevalence"),
        ({"prevalence": 1.0}, "prevalence"),
        ({"coverage": {"weight": 1.01, "genes": 0.5}}, "coverage"),
        ({"coverage": {"weight": 0.5, "genes": -0.01}}, "coverage"),
        ({"features": [{"name": "a", "genes": ["a"], "shares": [1.0]}]}, "features"),
        ({"units": "rpkm", "limits": "all"}, "units, limits"),
        ({"endpoint": {"column": "response", "positive": "a", "negative": 2}}, "endpoint"),
        ({"format_version": 0}, "format_version"),
        ({"format_version": True}, "format_version"),
        ({"files": None}, "files"),
        ({"files": {}}, "files"),
    ],
)
def test_every_key_that_is_not_as_expected_is_named(folder, changes, keys):
    _change(folder, changes)
    with pytest.raises(BundleError, match=rf"{MANIFEST} is damaged: missing or not as expected: {keys}\. Use"):
        read_manifest(folder)


def test_a_newer_format_is_refused_by_its_number_whatever_else_it_holds(folder):
    _change(folder, {"format_version": GRADED_VERSION + 1, "genes": 1})
    with pytest.raises(BundleError, match=rf"format version {GRADED_VERSION + 1}, .* up to {GRADED_VERSION}\. Update"):
        read_manifest(folder)


@pytest.mark.parametrize("changes", [{"threshold": 0.5}, {"sha256": None}, {"more": 1}])
def test_a_change_without_a_new_checksum_is_an_alteration(folder, changes):
    _change(folder, changes, sign=False)
    with pytest.raises(BundleError, match="was altered after it was written"):
        read_manifest(folder)


def test_a_file_too_large_for_a_manifest_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST_BYTES", 100)
    with pytest.raises(BundleError, match="larger than any manifest"):
        read_manifest(folder)


def test_every_key_is_described():
    assert all(field.description for field in Manifest.model_fields.values())


@pytest.mark.parametrize(
    ("classifier", "weights"),
    [
        (SimpleNamespace(coef_=np.array([3.0, -1.0])), [0.75, 0.25]),
        (SimpleNamespace(coef_=np.zeros(2)), [0.5, 0.5]),
        (SimpleNamespace(), [0.5, 0.5]),
    ],
)
def test_weights_are_shares_of_absolute_coefficients_and_equal_without_any(classifier, weights):
    genes = {"a": (np.array(["g1", "g2"]), np.array([0.5, -0.5])), "b": (np.array(["g3"]), np.array([1.0]))}
    model = SimpleNamespace(classifier_=classifier, features_=np.array(["a", "b"]), genes_of_features=lambda: genes)
    features = describe_features(model)
    assert [feature.weight for feature in features] == weights
    assert [(feature.name, feature.genes, feature.shares) for feature in features] == [
        ("a", ["g1", "g2"], [0.5, -0.5]),
        ("b", ["g3"], [1.0]),
    ]


def test_only_what_concerns_every_use_of_the_model_is_taken_from_a_result():
    null = {"p_value": 0.03, "permutations": 99, "null_mean": 0.5, "exact": False, "null_sd": 0.1}
    training = describe_training({"n": 3, "null": null, "timings": {}, "seed": 4})
    assert list(training) == ["n", "headline", "null", "verdict", "seed", "data_sha256", "gene_map"]
    assert (training["n"], training["seed"], training["verdict"]) == (3, 4, None)
    assert training["null"] == {"p_value": 0.03, "permutations": 99, "null_mean": 0.5, "exact": False}
    assert describe_training({"null": None})["null"] is None


def test_a_manifest_that_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(BundleError, match="is missing, or no file"):
        read_content(tmp_path)
    assert not is_graded(tmp_path)
    assert not is_class_bundle(tmp_path)
