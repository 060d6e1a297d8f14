"""Contents drawn by Hypothesis at the doors themselves: what is read, or one of our errors, and never anything else.

``make fuzz`` draws many; the default run a few, always the same.
"""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse
from tests.faults.conftest import JOB
from tests.report.conftest import make_classes_run
from tests.test_score_classes import PAIRS, write_classes
from tests.test_score_classes import _cohort as class_cohort

from responder_ml.bundles.bundle import read_bundle
from responder_ml.bundles.class_bundle import read_class_bundle
from responder_ml.bundles.manifest import MANIFEST, manifest_digest
from responder_ml.cohort.cells import Cells, read_cells
from responder_ml.cohort.grid_files import open_grid
from responder_ml.cohort.h5ad import open_h5ad
from responder_ml.config import load_config
from responder_ml.errors import BundleError, CohortError, ResponderError, RunError
from responder_ml.records import classes as records
from responder_ml.records.classes import ANSWER, CLASSES_FOLDER, ClassesRun
from responder_ml.records.ownership import FILE_LIST
from responder_ml.records.run import TABLES, Run, read_run, write_run
from responder_ml.report.classes import write_classes_page

ARCHIVE = Path(__file__).parents[1] / "archives" / "0.1.0" / "genes-elastic_net"
MANY = os.environ.get("RESPONDER_ML_FUZZ") == "1"
drawn = partial(
    settings,
    deadline=None,
    derandomize=not MANY,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["../..", "\x1b[2J", "[/x]", "1e400", "genes", "auto", "counts"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def _paths(content, prefix=()):
    """Return the way to every value of nested lists and dictionaries."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [prefix, *(path for key, value in items for path in _paths(value, (*prefix, key)))]


def _replaced(content, path, value):
    if not path:
        return value
    changed = content.copy()
    changed[path[0]] = _replaced(content[path[0]], path[1:], value)
    return changed


@drawn(max_examples=600 if MANY else 10)
@given(path=st.sampled_from(_paths(JOB)), value=VALUES)
def test_a_job_with_any_value_in_any_place_is_read_or_refused(path, value, tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(_replaced(JOB, path, value), allow_unicode=True), encoding="utf-8")
    try:
        job = load_config(file)
    except ResponderError as problem:
        assert str(problem)  # noqa: PT017  (either outcome is right)
    else:
        assert (
            load_config(_written(tmp_path / "again.yaml", yaml.safe_dump(job.resolved()))).resolved() == job.resolved()
        )


def _written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


CELLS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.sampled_from(["", "NA", "1,5", "1e5", "-1", "=1+1", '"', '""', "inf", "٣", "\x00", "\r", "#", "!x", "9" * 400]),
    st.text(max_size=6),
)
TABLES_OF_TEXT = st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8)


@drawn(max_examples=1500 if MANY else 40)
@given(
    rows=TABLES_OF_TEXT,
    delimiter=st.sampled_from("\t,; |"),
    suffix=st.sampled_from([".tsv", ".csv", ".txt", ".gct"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "latin-1"]),
    numbers=st.booleans(),
)
def test_a_table_of_any_cells_is_a_rectangle_or_refused(rows, delimiter, suffix, encoding, numbers, tmp_path):
    path = tmp_path / f"table{suffix}"
    path.write_bytes("\n".join(delimiter.join(row) for row in rows).encode(encoding, errors="replace"))
    try:
        cells = read_cells(path, numbers=numbers)
    except CohortError:
        return
    assert isinstance(cells, Cells)
    assert len(cells.columns) == len(cells.header) >= 2
    assert len({len(column) for column in cells.columns}) == 1
    try:
        grid = open_grid(path)
        values = grid.numbers(np.arange(len(grid.rows)), np.arange(len(grid.columns)), genes_in_rows=True)
    except CohortError:
        return
    assert values.shape == (len(grid.rows), len(grid.columns))


PARTS = ["X/data", "X/indices", "X/indptr", "obs/_index", "var/_index", "layers/counts"]
KINDS = st.one_of(
    arrays.integer_dtypes(),
    arrays.unsigned_integer_dtypes(),
    arrays.floating_dtypes(),
    arrays.complex_number_dtypes(),
    arrays.boolean_dtypes(),
    arrays.byte_string_dtypes(min_len=1),
)
ARRAYS = arrays.arrays(dtype=KINDS, shape=arrays.array_shapes(max_dims=3, max_side=6))


@pytest.fixture(scope="module")
def whole_h5ad(tmp_path_factory):
    path = tmp_path_factory.mktemp("h5ad") / "whole.h5ad"
    values = sparse.csr_matrix(np.arange(12.0).reshape(3, 4))
    names = pd.DataFrame(index=list("abc")), pd.DataFrame(index=list("wxyz"))
    AnnData(values, *names, layers={"counts": values.toarray()}).write_h5ad(path)
    return path


@drawn(max_examples=1500 if MANY else 20)
@given(part=st.sampled_from(PARTS), values=ARRAYS, shape=st.lists(st.integers(-3, 2**40), max_size=3))
def test_an_h5ad_file_with_any_array_in_any_place_is_read_or_refused(part, values, shape, whole_h5ad, tmp_path):
    path = tmp_path / "file.h5ad"
    shutil.copy(whole_h5ad, path)
    with h5py.File(path, "r+") as file:
        attributes = dict(file[part].attrs)
        del file[part]
        file[part] = values
        file[part].attrs.update(attributes)
        if shape:
            file["X"].attrs["shape"] = shape
    try:
        data = open_h5ad(path)
    except CohortError:
        return
    assert data.shape == (data.n_obs, data.n_vars)
    assert np.isrealobj(np.asarray(data.X.sum()))


@drawn(max_examples=400 if MANY else 6)
@given(
    name=st.sampled_from(["manifest.json", "model.skops", "reference.npz"]),
    position=st.floats(0, 1, exclude_max=True),
    change=st.binary(max_size=8),
    is_cut=st.booleans(),
)
def test_a_bundle_that_differs_in_any_byte_is_refused(name, position, change, is_cut, tmp_path):
    folder = tmp_path / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ARCHIVE, folder)
    content = (folder / name).read_bytes()
    at = int(position * len(content))
    changed = content[:at] + change + (b"" if is_cut else content[at + len(change) :])
    (folder / name).write_bytes(changed)
    try:
        bundle = read_bundle(folder)
    except BundleError:
        return
    # Of the manifest, which has no checksum, only what means the same, or is shown and never computed with, may differ.
    assert changed == content or name == "manifest.json"
    assert bundle.genes == read_bundle(ARCHIVE).genes


@pytest.fixture(scope="module")
def whole_classes(tmp_path_factory):
    return write_classes(tmp_path_factory.mktemp("classes") / "three", class_cohort())


@drawn(max_examples=800 if MANY else 25)
@given(data=st.data())
def test_a_manifest_of_classes_with_any_value_in_any_place_is_read_or_refused(data, whole_classes):
    """Signed anew, so that its own checksum does not tell."""
    content = json.loads((whole_classes / MANIFEST).read_text())
    changed = _replaced(content, data.draw(st.sampled_from(_paths(content))), data.draw(VALUES))
    if isinstance(changed, dict) and changed.get("sha256") == content["sha256"]:
        changed["sha256"] = manifest_digest(changed)
    (whole_classes / MANIFEST).write_text(json.dumps(changed))
    try:
        bundle = read_class_bundle(whole_classes)
        columns = bundle.worth.columns
    except BundleError:
        return
    finally:
        (whole_classes / MANIFEST).write_text(json.dumps(content))
    assert list(bundle.classes) == content["classes"]
    assert [path.parent for path in bundle.folders.values()] == [whole_classes] * 3
    assert all(isinstance(value, float | str) for value in columns.values())


@drawn(max_examples=400 if MANY else 12)
@given(
    pair=st.sampled_from(PAIRS),
    name=st.sampled_from(["manifest.json", "model.skops", "reference.npz"]),
    position=st.floats(0, 1, exclude_max=True),
    change=st.binary(max_size=8),
    is_cut=st.booleans(),
)
def test_a_pair_of_classes_that_differs_in_any_byte_is_refused(pair, name, position, change, is_cut, whole_classes):
    path = whole_classes / pair / name
    content = path.read_bytes()
    at = int(position * len(content))
    changed = content[:at] + change + (b"" if is_cut else content[at + len(change) :])
    path.write_bytes(changed)
    try:
        bundle = read_class_bundle(whole_classes)
        for folder in bundle.folders.values():
            read_bundle(folder)
    except BundleError:
        return
    finally:
        path.write_bytes(content)
    # Of the manifest only blanks may differ, which mean the same.
    assert changed == content or name == "manifest.json"
    assert bundle == read_class_bundle(whole_classes)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory, make_result):
    folder = tmp_path_factory.mktemp("runs") / "run"
    tables = {name: pd.DataFrame(columns=list(columns)) for name, columns in TABLES.items()}
    result = make_result(name="tiny", headline={}, n={}, endpoint={}, verdict={}, search={}, null=None)
    write_run(Run(result, tables, JOB), folder)
    # As versions wrote it that kept no list, so that no checksum tells.
    (folder / FILE_LIST).unlink()
    return folder


@drawn(max_examples=800 if MANY else 12)
@given(data=st.data())
def test_a_run_with_any_value_in_any_place_is_read_or_refused(data, whole_run, tmp_path):
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole_run, folder)
    content = json.loads((folder / "result.json").read_text())
    changed = _replaced(content, data.draw(st.sampled_from(_paths(content))), data.draw(VALUES))
    (folder / "result.json").write_text(json.dumps(changed))
    try:
        run = read_run(folder)
    except RunError:
        return
    assert run.result.content()["schema_version"] == content["schema_version"]


@pytest.fixture(scope="module")
def whole_training_of_classes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "classes"
    run = make_classes_run(draws=9)
    predictions = CLASSES_FOLDER.table("predictions")
    tables = {**run.tables, "predictions": predictions}
    records.write_classes(ClassesRun(run.result, tables, {"name": "three"}), "<!DOCTYPE html>", folder)
    (folder / FILE_LIST).unlink()
    return folder


@drawn(max_examples=800 if MANY else 20)
@given(data=st.data())
def test_a_training_of_classes_with_any_value_in_any_place_is_shown_or_refused(data, whole_training_of_classes):
    path = whole_training_of_classes / ANSWER
    content = json.loads(path.read_text())
    changed = _replaced(content, data.draw(st.sampled_from(_paths(content))), data.draw(VALUES))
    path.write_text(json.dumps(changed))
    try:
        run = records.read_classes(whole_training_of_classes)
        write_classes_page(run, whole_training_of_classes / "page.html")
    except RunError:
        return
    finally:
        path.write_text(json.dumps(content))
    assert run.result.schema_version == content["schema_version"]
