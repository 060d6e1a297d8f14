import hashlib
import io
import json
import pickle
import shutil
import zipfile
from dataclasses import replace
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import skops.io
from anndata import AnnData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from responder_ml.bundles.bundle import Bundle, read_bundle, write_bundle
from responder_ml.bundles.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    MODEL,
    REFERENCE,
    Manifest,
    manifest_digest,
)
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import BundleError
from responder_ml.evaluation.metrics import OutOfFold
from responder_ml.features.builders import BUILDERS
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.features.signatures import SCORERS
from responder_ml.records import files
from responder_ml.records.ownership import FILE_LIST
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import context_of

GENES = [f"Gene{index}" for index in range(120)]
FILES = (MANIFEST, MODEL, REFERENCE)


def _labelled(seed=3, samples=16, subjects=None):
    rng = np.random.default_rng(seed)
    labels = np.arange(samples) % 2
    mean = np.exp(rng.normal(size=len(GENES)) + 4)
    effect = np.where(np.arange(len(GENES)) < 15, 0.8, 0.0) * labels[:, None]
    counts = rng.poisson(mean * np.exp(rng.normal(size=(samples, len(GENES))) * 0.3 + effect)).astype(float)
    names = [f"s{index}" for index in range(samples)]
    sheet = pd.DataFrame(
        {
            "sample": names,
            "subject": names if subjects is None else subjects,
            "response": np.where(labels == 1, "responder", "non_responder"),
        },
        index=names,
    )
    cohort = AnnData(counts, obs=sheet, var=pd.DataFrame(index=GENES), uns={"units": "counts", "simulated": True})
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder"))


def _result(labelled):
    positive = int(labelled.labels.sum())
    return {
        "name": "toy",
        "simulated": True,
        "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "units": "counts"},
        "n": {"positive": positive, "negative": len(labelled.labels) - positive},
        "headline": {"candidate": "auto", "auroc": 0.8},
        "null": {"p_value": 0.03, "permutations": 99, "null_mean": 0.5, "exact": False, "null_sd": 0.1},
        "verdict": {"level": "evidence", "sentence": "A sentence."},
        "versions": {"responder-ml": "0.1.0"},
    }


def _fit(labelled, builder, classifier, length=12):
    return PrefixModel(builder, classifier, length).fit(
        labelled.expression, labelled.sample_labels, genes=labelled.genes, context=context_of(labelled)
    )


def _pack(builder=None, classifier="elastic_net", **options):
    labelled = _labelled()
    model = _fit(labelled, builder or Genes(units="counts"), CLASSIFIERS[classifier]())
    return pack_bundle(model, labelled, _result(labelled), **options), labelled


@pytest.fixture(scope="module")
def packed():
    return _pack(limits=("Mouse only.",))


@pytest.fixture(scope="module")
def intact(packed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "toy"
    write_bundle(packed[0], folder)
    return folder


@pytest.fixture
def copy(intact, tmp_path):
    return Path(shutil.copytree(intact, tmp_path / "copy"))


@pytest.fixture(scope="module")
def simulated():
    cohort = simulate_cohort(seed=2, n_genes=400, regions=("PFC",))
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder"))


@pytest.fixture
def sets(tmp_path):
    path = tmp_path / "sets.gmt"
    path.write_text(
        "\n".join(
            f"SET{number}{side}\tno description\t" + "\t".join(GENES[number * 10 + start : number * 10 + start + 8])
            for number in range(5)
            for side, start in (("_UP", 0), ("_DN", 60))
        )
    )
    return str(path)


def _sign(folder, **changes):
    """Rewrite a manifest with changed keys and every checksum in order, as somebody who knows the format would."""
    manifest = json.loads((folder / MANIFEST).read_text()) | changes
    for name in (MODEL, REFERENCE):
        content = (folder / name).read_bytes()
        if isinstance(manifest["files"].get(name), dict):
            manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest["sha256"] = manifest_digest(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


# Round trip


def _same_numbers(folder, bundle, labelled):
    read = read_bundle(folder)
    np.testing.assert_array_equal(
        read.model.decision_function(labelled.expression), bundle.model.decision_function(labelled.expression)
    )
    return read


@pytest.mark.parametrize("classifier", CLASSIFIERS.names())
def test_every_classifier_gives_the_same_numbers_after_a_round_trip(classifier, tmp_path):
    bundle, labelled = _pack(classifier=classifier)
    write_bundle(bundle, tmp_path / "toy")
    _same_numbers(tmp_path / "toy", bundle, labelled)


@pytest.mark.parametrize("scorer", SCORERS.names())
def test_every_scorer_gives_the_same_numbers_after_a_round_trip(scorer, sets, tmp_path):
    bundle, labelled = _pack(builder=GeneSets(sets, scorer=scorer, units="counts"))
    write_bundle(bundle, tmp_path / "toy")
    # Scoring must not need the file of gene sets again.
    Path(sets).unlink()
    _same_numbers(tmp_path / "toy", bundle, labelled)


@pytest.mark.parametrize("builder", BUILDERS.names())
@pytest.mark.parametrize("normalisation", ["tmm", "log_cpm"])
def test_every_builder_gives_the_same_numbers_after_a_round_trip(builder, normalisation, simulated, tmp_path):
    genes = simulated.genes.tolist()
    table = "\n".join(f"SET{start}\t.\t" + "\t".join(genes[start : start + 20]) for start in range(0, 200, 20))
    (tmp_path / "sets.gmt").write_text(table)
    options = {"units": "counts", "normalisation": normalisation}
    options |= {"path": str(tmp_path / "sets.gmt")} if builder == "gene_sets" else {}
    known = signature(BUILDERS[builder]).parameters
    # Whatever builders exist, on a cohort that has what any of them may ask for.
    chosen = BUILDERS[builder](**{name: value for name, value in options.items() if name in known})
    model = _fit(simulated, chosen, CLASSIFIERS["elastic_net"]())
    bundle = pack_bundle(model, simulated, _result(simulated))
    write_bundle(bundle, tmp_path / "toy")
    _same_numbers(tmp_path / "toy", bundle, simulated)


def test_what_is_known_about_the_model_survives(packed, tmp_path):
    labelled = packed[1]
    rng = np.random.default_rng(0)
    decisions = rng.normal(size=(3, 16))
    held_out = OutOfFold(labelled.labels, decisions, np.zeros((3, 16), dtype=int), np.zeros((3, 16)))
    outer = [
        _fit(_labelled(seed), Genes(units="counts"), CLASSIFIERS["nearest_centroid"](), length)
        for seed, length in ((4, 5), (5, 9))
    ]
    bundle = pack_bundle(
        packed[0].model,
        labelled,
        _result(labelled),
        limits=("Mouse.",),
        threshold=0.25,
        outer_models=outer,
        out_of_fold=held_out,
    )
    write_bundle(bundle, tmp_path / "toy")
    read = read_bundle(tmp_path / "toy")
    assert isinstance(read, Bundle)
    content = json.loads((tmp_path / "toy" / MANIFEST).read_text())
    assert list(content) == list(Manifest.model_fields)
    assert read.manifest.model_dump() == content
    assert read.genes == sorted(GENES)
    assert read.classes == ("responder", "non_responder")
    assert read.units == "counts"
    assert read.manifest.simulated is True
    assert read.manifest.limits == ["Mouse."]
    assert read.manifest.threshold == 0.25
    assert read.manifest.prevalence == 0.5
    assert read.manifest.training["verdict"]["sentence"] == "A sentence."
    assert read.manifest.training["null"] == {"p_value": 0.03, "permutations": 99, "null_mean": 0.5, "exact": False}
    np.testing.assert_array_equal(
        read.calibration_scores.positive, np.sort(decisions.mean(axis=0)[labelled.labels == 1])
    )
    np.testing.assert_array_equal(
        read.calibration_scores.negative, np.sort(decisions.mean(axis=0)[labelled.labels == 0])
    )
    for before, after in zip(outer, read.outer_models, strict=True):
        np.testing.assert_array_equal(
            before.decision_function(labelled.expression), after.decision_function(labelled.expression)
        )
    for name, values in vars(bundle.reference).items():
        np.testing.assert_array_equal(getattr(read.reference, name), values)


def test_the_manifest_names_features_their_genes_and_weights(packed):
    bundle = packed[0]
    features = bundle.manifest.features
    coefficients = np.abs(bundle.model.classifier_.coef_)
    assert [feature.name for feature in features] == bundle.model.features_.tolist()
    assert [feature.genes for feature in features] == [[name] for name in bundle.model.features_]
    np.testing.assert_allclose([feature.weight for feature in features], coefficients / coefficients.sum())


def test_writing_replaces_a_bundle_and_leaves_nothing_beside(packed, tmp_path):
    for _ in range(2):
        write_bundle(packed[0], tmp_path / "toy")
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == sorted([FILE_LIST, *FILES])


def test_writing_spares_a_folder_that_is_not_a_bundle(packed, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="not a bundle"):
        write_bundle(packed[0], tmp_path)
    (tmp_path / "manifest.json").write_text('{"name": "of a web page"}')
    with pytest.raises(BundleError, match="not a bundle"):
        write_bundle(packed[0], tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_bundle_of_a_version_without_lists_of_files_is_replaced(packed, copy):
    (copy / FILE_LIST).unlink(missing_ok=True)
    write_bundle(packed[0], copy)
    assert (copy / FILE_LIST).is_file()


def test_a_failed_write_leaves_the_former_bundle(packed, copy, monkeypatch):
    before = (copy / MANIFEST).read_bytes()

    def full(path, content):
        raise OSError("No space left on device")

    monkeypatch.setattr(files, "write_synced", full)
    with pytest.raises(BundleError, match="No space left"):
        write_bundle(packed[0], copy)
    assert (copy / MANIFEST).read_bytes() == before
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_text_may_stand_beside_the_files(copy):
    (copy / "card.md").write_text("# A card")
    (copy / ".DS_Store").write_bytes(b"\x00")
    assert read_bundle(copy).manifest.name == "toy"


# Damage


def _drop(name):
    return lambda folder: (folder / name).unlink()


def _truncate(name, share):
    def damage(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return damage


def _text(name, text):
    return lambda folder: (folder / name).write_text(text)


def _edited(**changes):
    """Edit without touching the checksum."""

    def damage(folder):
        manifest = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps(manifest | changes))

    return damage


def _forged(**changes):
    return lambda folder: _sign(folder, **changes)


def _without(key):
    def damage(folder):
        manifest = json.loads((folder / MANIFEST).read_text())
        manifest["sha256"] = manifest_digest({name: value for name, value in manifest.items() if name != key})
        del manifest[key]
        (folder / MANIFEST).write_text(json.dumps(manifest))

    return damage


def _model(content):
    def damage(folder):
        (folder / MODEL).write_bytes(content() if callable(content) else content)
        _sign(folder)

    return damage


def _arrays(change):
    def damage(folder):
        with np.load(folder / REFERENCE) as archive:
            arrays = {name: archive[name] for name in archive.files}
        change(arrays)
        np.savez(folder / REFERENCE, **arrays)
        _sign(folder)

    return damage


def _drop_array(name):
    return _arrays(lambda arrays: arrays.pop(name))


def _set_array(name, values):
    return _arrays(lambda arrays: arrays.__setitem__(name, values))


def _rezipped(change, name=MODEL):
    """Unpack an archive, let ``change`` edit its members, pack it again and sign it."""

    def damage(folder):
        with zipfile.ZipFile(folder / name) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        change(members)
        with zipfile.ZipFile(folder / name, "w") as archive:
            for entry, content in members.items():
                archive.writestr(entry, content)
        _sign(folder)

    return damage


def _in_schema(change):
    def edit(members):
        schema = json.loads(members["schema.json"])
        change(schema)
        members["schema.json"] = json.dumps(schema).encode()

    return _rezipped(edit)


def _object_array(members):
    name = next(member for member in members if member.endswith(".npy"))
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    members[name] = buffer.getvalue()


def _root(schema):
    return schema["content"][0]["content"]["content"]


def _long_array(members):
    name = next(member for member in members if member.endswith(".npy"))
    members[name] = members[name] + b"\x00" * 8


def _pickled_npy(members):
    name = next(member for member in members if member.endswith(".npy"))
    members[name] = pickle.dumps([1, 2, 3])


def _symlinked(folder):
    (folder.parent / "elsewhere").write_bytes((folder / MODEL).read_bytes())
    (folder / MODEL).unlink()
    (folder / MODEL).symlink_to(folder.parent / "elsewhere")


def _set(path, value):
    def change(schema):
        node = schema
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value

    return change


def _foreign_node(loader, module, name, **more):
    node = {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 1, **more}
    return _in_schema(lambda schema: _root(schema).__setitem__("classifier_", node))


_EMPTY_LIST = {"__loader__": "ListNode", "__module__": "builtins", "__class__": "list", "content": [], "__id__": 2}


def _json_node(value):
    content = json.dumps(value)
    return {"__loader__": "JsonNode", "__module__": "builtins", "__class__": "str", "content": content, "__id__": 3}


DAMAGES = {
    "no manifest": _drop(MANIFEST),
    "no model": _drop(MODEL),
    "no reference": _drop(REFERENCE),
    "empty manifest": _text(MANIFEST, ""),
    "half a manifest": _truncate(MANIFEST, 0.5),
    "half a model": _truncate(MODEL, 0.5),
    "half a reference": _truncate(REFERENCE, 0.5),
    "model without its end": _truncate(MODEL, 0.99),
    "manifest is a list": _text(MANIFEST, "[1, 2]"),
    "manifest is a number": _text(MANIFEST, "1"),
    "manifest is nested without end": _text(MANIFEST, "[" * 100_000),
    "manifest is not text": lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe\x00"),
    "manifest with NaN": _text(MANIFEST, '{"threshold": NaN}'),
    "edited verdict": _edited(training={"verdict": {"sentence": "It works."}}),
    "edited threshold": _edited(threshold=-5.0),
    "edited gene order": lambda folder: _edited(genes=GENES[::-1])(folder),
    "checksum of another": _edited(sha256="0" * 64),
    "newer format": _forged(format_version=FORMAT_VERSION + 2),
    "format zero": _forged(format_version=0),
    "format as text": _forged(format_version="1"),
    "format as truth": _forged(format_version=True),
    # A bundle of the second format never had covariates.
    **{f"without {key}": _without(key) for key in Manifest.model_fields if key != "covariates"},
    "wrong type of units": _forged(units=3),
    "unknown units": _forged(units="rpkm"),
    "no positive class": _forged(endpoint={"column": "response", "negative": "a"}),
    "coverage above one": _forged(coverage={"weight": 2.0, "genes": 0.5}),
    "coverage as text": _forged(coverage={"weight": "0.8", "genes": 0.5}),
    "prevalence of one": _forged(prevalence=1.0),
    "other genes, signed": _forged(genes=GENES[::-1]),
    "genes as numbers": _forged(genes=list(range(120))),
    "no features, signed": _forged(features=[]),
    "other check value, signed": _forged(check={"log_odds": 100.0}),
    "no check value, signed": _forged(check={}),
    "check value as text, signed": _forged(check={"log_odds": "0"}),
    "path to elsewhere": _forged(files={"../model.skops": {}, REFERENCE: {}}),
    "absolute path": _forged(files={"/etc/passwd": {}, REFERENCE: {}}),
    "files as numbers": _forged(files={MODEL: 1, REFERENCE: 2}),
    "a link for a file": _symlinked,
    "a pickle beside": lambda folder: (folder / "model.pkl").write_bytes(pickle.dumps(1)),
    "a folder beside": lambda folder: (folder / "more").mkdir(),
    "model is a pickle": _model(lambda: pickle.dumps({"a": 1})),
    "model is empty": _model(b""),
    "model is an empty archive": _model(b"PK\x05\x06" + b"\x00" * 18),
    "model of sklearn": _model(lambda: skops.io.dumps([LogisticRegression()])),
    "model is one, not a list": _model(lambda: skops.io.dumps("model")),
    "model is an empty list": _model(lambda: skops.io.dumps([])),
    "schema is not JSON": _rezipped(lambda members: members.__setitem__("schema.json", b"{")),
    "schema nested without end": _rezipped(lambda members: members.__setitem__("schema.json", b"[" * 100_000)),
    "no schema": _rezipped(lambda members: members.pop("schema.json")),
    "member outside": _rezipped(lambda members: members.__setitem__("../../evil.npy", b"")),
    "member of another kind": _rezipped(lambda members: members.__setitem__("run.py", b"print(1)")),
    "array missing": _rezipped(lambda members: members.pop(next(member for member in members if member.endswith(".npy")))),
    "array of objects": _rezipped(_object_array),
    "array longer than its header": _rezipped(_long_array),
    "pickle for an array": _rezipped(_pickled_npy),
    "array of objects in the reference": _rezipped(_object_array, REFERENCE),
    "unknown class of ours": _foreign_node("ObjectNode", "responder_ml.records.run", "Run", content=_EMPTY_LIST),
    "os.system as a class": _foreign_node("ObjectNode", "os", "system", content=_EMPTY_LIST),
    "os.system as a function": _foreign_node("FunctionNode", "os", "system", content=_EMPTY_LIST),
    "os.system as a type": _foreign_node("TypeNode", "os", "system", content=_EMPTY_LIST),
    "a constructor": _foreign_node("ConstructorFromReduceNode", "pathlib", "Path", content=_EMPTY_LIST),
    "a method": _foreign_node("MethodNode", "builtins", "str", content={"func": "upper", "obj": _EMPTY_LIST}),
    "a partial": _foreign_node("PartialNode", "functools", "partial", content=_EMPTY_LIST),
    "a class of sklearn that skops trusts": _foreign_node(
        "ObjectNode", "sklearn.linear_model._logistic", "LogisticRegression", content=_EMPTY_LIST
    ),
    "a class whose state is a list": _foreign_node(
        "ObjectNode", "responder_ml.classifiers.majority", "Majority", content=_EMPTY_LIST
    ),
    "a node of no kind": _foreign_node("NoNode", "builtins", "dict"),
    "newer skops protocol": _in_schema(_set(["protocol"], 99)),
    "protocol of no kind": _in_schema(_set(["protocol"], "2")),
    "a step removed": _in_schema(lambda schema: _root(schema).pop("builder_")),
    "trees instead of a step": _in_schema(
        lambda schema: _root(schema).__setitem__("classifier_", _json_node('{"learner": {}, "version": [1, 1, 1]}'))
    ),
    "reference array missing": _drop_array("typical"),
    "reference array too many": _set_array("surprise", np.ones(3)),
    "typical sample too short": _set_array("typical", np.ones(5)),
    "typical sample of another cohort": _set_array("typical", np.linspace(0, 5000, 120)),
    "typical sample not a number": _set_array("typical", np.full(120, np.nan)),
    **{
        f"{name} {words}": _set_array(name, values)
        for name in ("profile", "profile_genes", "correlations", "axes", "variance", "shrinkage", "distances", "n_subjects")
        for words, values in (("empty", np.empty(0)), ("of words", np.array(["a", "b"])))
    },
    "profile genes outside": _set_array("profile_genes", np.full(120, 10_000)),
    "limits of another cohort": _set_array("distances", np.linspace(100, 200, 16)),
    "held-out decisions of words": _arrays(
        lambda arrays: arrays.update(held_out_positive=np.array(["a"]), held_out_negative=np.array(["b"]))
    ),
    "reference is not an archive": lambda folder: (
        (folder / REFERENCE).write_bytes(b"not a zip"),
        _sign(folder),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_ends_in_a_clear_error(kind, copy):
    DAMAGES[kind](copy)
    with pytest.raises(BundleError) as refusal:
        read_bundle(copy)
    assert len(str(refusal.value)) > 20


ARCHIVE = Path(__file__).parents[1] / "archives" / "0.1.0" / "genes-elastic_net"


def _array_names():
    with zipfile.ZipFile(ARCHIVE / REFERENCE) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


@pytest.mark.parametrize("name", _array_names())
def test_no_array_of_a_full_bundle_can_be_changed_unnoticed(name, tmp_path):
    folder = Path(shutil.copytree(ARCHIVE, tmp_path / "copy"))

    def change(arrays):
        values = arrays[name]
        if name.startswith("held_out"):
            # Only the ranks of a typical sample among these are compared.
            arrays[name] = values - 1000.0 if name.endswith("positive") else values + 1000.0
            return
        # The largest value and no other, since some numbers depend on order and ratios only.
        position = np.unravel_index(np.argmax(values), values.shape)
        values[position] = values[position] + 1 if values.dtype.kind in "iu" else values[position] / 2 - 1

    read_bundle(folder)
    _arrays(change)(folder)
    with pytest.raises(BundleError):
        read_bundle(folder)


def test_a_bundle_goes_by_order_only_if_all_of_its_models_do(packed):
    by_order, by_value = (SimpleNamespace(by_order=order) for order in (True, False))
    assert replace(packed[0], model=by_order, outer_models=(by_order,)).by_order
    assert not replace(packed[0], model=by_order, outer_models=(by_order, by_value)).by_order
    assert not replace(packed[0], model=by_value, outer_models=()).by_order


def test_there_are_at_least_forty_kinds_of_damage():
    assert len(DAMAGES) >= 40


def test_no_folder_and_a_file_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(BundleError, match="no bundle folder"):
            read_bundle(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused(copy, intact, name, position, bit):
    content = bytearray((intact / name).read_bytes())
    content[int(position * len(content))] ^= 1 << bit
    (copy / name).write_bytes(bytes(content))
    try:
        # Blanks between JSON's words say nothing and may differ.
        manifest = read_bundle(copy).manifest
        assert name == MANIFEST
        assert manifest.model_dump() == json.loads((intact / MANIFEST).read_text())
    except BundleError:
        pass
    finally:
        shutil.copy(intact / name, copy / name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), share=st.floats(0, 0.999))
def test_a_truncated_file_is_refused(copy, intact, name, share):
    content = (intact / name).read_bytes()
    (copy / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(BundleError):
        read_bundle(copy)
    shutil.copy(intact / name, copy / name)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from((MODEL, REFERENCE)), position=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_changed_byte_under_a_forged_checksum_raises_nothing_but_our_error(copy, intact, name, position, byte):
    content = bytearray((intact / name).read_bytes())
    content[int(position * len(content))] = byte
    (copy / name).write_bytes(bytes(content))
    _sign(copy)
    try:
        read_bundle(copy)
    except BundleError:
        pass
    finally:
        for file in FILES:
            shutil.copy(intact / file, copy / file)


class _Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("location", ["model file", "array in the model", "array in the reference", "beside"])
def test_a_pickle_does_not_run(location, copy, tmp_path):
    canary = tmp_path / "canary"
    poison = pickle.dumps(_Canary(canary))
    pickle.loads(poison)
    assert canary.exists()
    canary.unlink()

    def array(members):
        buffer = io.BytesIO()
        np.save(buffer, np.array([_Canary(canary)], dtype=object), allow_pickle=True)
        members[next(member for member in members if member.endswith(".npy"))] = buffer.getvalue()

    if location == "model file":
        _model(poison)(copy)
    elif location == "beside":
        (copy / "model.pkl").write_bytes(poison)
    else:
        _rezipped(array, MODEL if location == "array in the model" else REFERENCE)(copy)
    with pytest.raises(BundleError):
        read_bundle(copy)
    assert not canary.exists()
