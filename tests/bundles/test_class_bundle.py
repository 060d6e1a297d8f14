"""A bundle of several classes: its manifests fit together or it is refused, and its folder is nobody else's."""

import json
import shutil

import pytest
from tests.test_score_classes import NAMES, PAIRS, _cohort, write_classes

from responder_ml.bundles.bundle import BUNDLE_FOLDER
from responder_ml.bundles.class_bundle import (
    CLASS_BUNDLE_FOLDER,
    check_class_bundle,
    claim_folder,
    is_class_bundle,
    read_class_bundle,
)
from responder_ml.bundles.manifest import MANIFEST, manifest_digest, read_manifest
from responder_ml.errors import BundleError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("classes") / "three", _cohort())


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "three")


def _rewrite(folder, **changes):
    content = {**json.loads((folder / MANIFEST).read_text()), **changes}
    content["sha256"] = manifest_digest(content)
    (folder / MANIFEST).write_text(json.dumps(content))


def test_it_names_its_pairs_and_reads_back(folder):
    bundle = read_class_bundle(folder)
    assert bundle.classes == NAMES
    assert bundle.folders == {(0, 1): folder / PAIRS[0], (0, 2): folder / PAIRS[1], (1, 2): folder / PAIRS[2]}
    assert [pair.sha256 for pair in bundle.manifest.pairs] == [read_manifest(folder / pair).sha256 for pair in PAIRS]
    assert bundle.genes == bundle.pairs[2].genes
    assert bundle.worth.auroc == 0.9
    assert is_class_bundle(folder)
    assert not is_class_bundle(folder / PAIRS[0])
    assert not is_class_bundle(folder / "nothing")


def test_a_pair_of_another_training_is_refused(folder, tmp_path):
    other = write_classes(tmp_path / "other", _cohort(seed=9))
    shutil.rmtree(folder / PAIRS[1])
    shutil.copytree(other / PAIRS[1], folder / PAIRS[1])
    with pytest.raises(BundleError, match=r"not the bundle that .* names"):
        read_class_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ["control", "susceptible", "resilient"]}, "pairs"),
        ({"classes": ["control"]}, "classes"),
        ({"format_version": 5}, "reads up to 4"),
        ({"pairs": []}, "pairs"),
        ({"simulated": "yes"}, "simulated"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder, changes, message):
    _rewrite(folder, **changes)
    with pytest.raises(BundleError, match=message):
        read_class_bundle(folder)


def test_a_pair_is_looked_for_in_the_folder_alone(folder):
    pairs = json.loads((folder / MANIFEST).read_text())["pairs"]
    _rewrite(folder, pairs=[{**pair, "folder": f"../three/{pair['folder']}"} for pair in pairs])
    with pytest.raises(BundleError, match="pairs"):
        read_class_bundle(folder)


def test_edited_missing_and_foreign_files_are_refused(folder):
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, "name": "other"}))
    with pytest.raises(BundleError, match="altered"):
        read_class_bundle(folder)
    (folder / MANIFEST).write_text(json.dumps(content))
    (folder / "extra.pkl").write_bytes(b"")
    with pytest.raises(BundleError, match=r"extra\.pkl"):
        read_class_bundle(folder)
    (folder / "extra.pkl").unlink()
    read_class_bundle(folder)
    (folder / PAIRS[0] / MANIFEST).unlink()
    with pytest.raises(BundleError, match="damaged"):
        read_class_bundle(folder)


def test_text_may_be_beside_it_and_nothing_else_called_so(folder, tmp_path):
    (folder / "card.md").write_text("# A card")
    read_class_bundle(folder)
    (folder / "card.md").unlink()
    (folder / "card.md").symlink_to(tmp_path)
    with pytest.raises(BundleError, match=r"card\.md"):
        read_class_bundle(folder)
    (folder / "card.md").unlink()
    (folder / "card.md").mkdir()
    with pytest.raises(BundleError, match=r"card\.md"):
        read_class_bundle(folder)


def test_a_reader_of_two_classes_is_told_to_take_a_pair(folder):
    with pytest.raises(BundleError, match="of several classes"):
        read_manifest(folder)


def test_the_folder_is_ours_from_before_its_first_pair_on(folder, tmp_path):
    new = tmp_path / "new"
    check_class_bundle(new, PAIRS)
    claim_folder(new)
    check_class_bundle(new, PAIRS)
    BUNDLE_FOLDER.check(new / PAIRS[0])
    check_class_bundle(folder, PAIRS)
    with pytest.raises(BundleError, match="pairs of other classes: 'control-resilient'"):
        check_class_bundle(folder, PAIRS[1:])
    # A bundle of two classes is not written over one of several, nor the other way round.
    with pytest.raises(BundleError, match="not a bundle that"):
        BUNDLE_FOLDER.check(folder)
    with pytest.raises(BundleError, match="not a bundle of several classes"):
        CLASS_BUNDLE_FOLDER.check(folder / PAIRS[0])
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"notes\.txt"):
        check_class_bundle(stranger, PAIRS)
