"""Units are computed once for the same work, and again for any other."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import responder_ml
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.read import keep_rows
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import RunError
from responder_ml.evaluation.procedure import Procedure
from responder_ml.features.builders import BUILDERS
from responder_ml.search import unit_store
from responder_ml.search.candidate import Candidate
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import SearchData
from responder_ml.search.unit_store import UnitStore, code_version, content_hash
from responder_ml.search.workers import Workers

PARAMS = {"genes": {"max_genes": 40}, "pairs": {"n_genes": 20}}


def _logged(folder, scale, unit):
    (folder / f"{unit}.{os.urandom(4).hex()}").touch()
    return float(scale[unit]) * 2


@pytest.fixture
def work(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "units").mkdir()

    class Work:
        log = tmp_path / "log"
        units = tmp_path / "units"

        def run(self, scale, units=range(6), count=1, stop=None):
            workers = Workers(count, UnitStore(self.units))
            results = workers.map(partial(_logged, self.log, scale), units)
            return [next(results) for _ in range(stop)] if stop else list(results)

        def done(self):
            return len(list(self.log.iterdir()))

    return Work()


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_finished_is_found_again(work, count):
    scale = np.arange(6.0)
    assert work.run(scale, stop=2, count=1) == [0, 2]
    assert work.done() == 2
    assert work.run(scale, count=count) == [0, 2, 4, 6, 8, 10]
    assert work.done() == 6
    assert work.run(scale, count=count) == [0, 2, 4, 6, 8, 10]
    assert work.run(scale, units=[5, 0]) == [10, 0]
    assert work.done() == 6


def test_other_data_other_units_and_other_code_are_other_work(work, monkeypatch):
    scale = np.arange(6.0)
    work.run(scale)
    scale[3] = 7.0
    assert work.run(scale)[3] == 14.0
    assert work.done() == 12
    monkeypatch.setattr(unit_store, "code_version", lambda: "another")
    work.run(scale)
    assert work.done() == 18


def test_a_damaged_unit_is_computed_again(work):
    scale = np.arange(6.0)
    work.run(scale)
    first, second, *_ = sorted(work.units.iterdir())
    first.write_bytes(first.read_bytes()[:-3])
    second.write_bytes(b"something else")
    assert work.run(scale) == [0, 2, 4, 6, 8, 10]
    assert work.done() == 8


def test_a_full_disk_is_reported_and_costs_nothing_that_was_finished(work, monkeypatch):
    def full(path, key, result):
        raise OSError(28, "No space left on device")

    scale = np.arange(6.0)
    work.run(scale, stop=2)
    with monkeypatch.context() as patched:
        patched.setattr(unit_store, "write_unit", full)
        with pytest.raises(RunError, match="No space left on device"):
            work.run(scale)
    assert work.run(scale) == [0, 2, 4, 6, 8, 10]
    assert work.done() == 7


@pytest.fixture(scope="module")
def labelled():
    cohort = keep_rows(simulate_cohort(seed=3, n_genes=300, effect=2.0), {"region": "PFC"})
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder", ("drug",)))


@pytest.mark.parametrize("kind", BUILDERS.names())
def test_units_of_every_builder_and_classifier_are_found_again_however_many_were_computed_before(
    kind, labelled, tmp_path
):
    builder = BUILDERS[kind](units="counts", **PARAMS.get(kind, {}))
    # A classifier of every kind with one of the builders will do.
    names = CLASSIFIERS.names() if kind == "genes" else ("nearest_centroid",)
    candidates = [Candidate(kind, builder, CLASSIFIERS[name], {}, name) for name in names]
    labellings = [labelled.labels, 1 - labelled.labels, labelled.labels[::-1].copy()]

    def procedure():
        workers = Workers(1, UnitStore(tmp_path))
        return Procedure(SearchData.of(labelled), candidates, SearchPlan(3, 2, 1, 1), workers)

    first = procedure()
    observed = first.observe(labelled.labels, 1)
    values = list(first.statistics(labellings, repeats=1))
    # Ranking may remember things; that must not make it another procedure.
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    second = procedure()
    np.testing.assert_array_equal(list(second.statistics(labellings, repeats=1)), values)
    again = second.observe(labelled.labels, 1)
    np.testing.assert_array_equal(again.auto.decisions, observed.auto.decisions)
    assert [len(model.columns) for model in again.models] == [len(model.columns) for model in observed.models]
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_changed_file_is_another_version_and_compiled_files_do_not_count(tmp_path, monkeypatch):
    root = Path(responder_ml.__file__).parent
    copy = tmp_path / "responder_ml"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(unit_store, "__file__", str(copy / "search" / "unit_store.py"))
    current = code_version.__wrapped__()
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "cli.cpython-311.pyc.1234").write_bytes(b"half")
    assert code_version.__wrapped__() == current
    (copy / "cli.py").write_text((copy / "cli.py").read_text() + "\n")
    assert code_version.__wrapped__() != current


PROGRAM = """
import numpy as np
from responder_ml.search.unit_store import content_hash
print(content_hash(({"gene", "set"}, {"a": np.arange(3.0)}, "text")))
"""


def test_another_process_gives_the_same():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.strip()
    assert said == content_hash(({"gene", "set"}, {"a": np.arange(3.0)}, "text"))


def test_a_changed_value_type_or_order_is_another_content():
    table = np.arange(6.0).reshape(2, 3)
    changed = table.copy()
    changed[1, 2] = np.nextafter(changed[1, 2], 9.0)
    contents = [table, changed, table.astype(np.float32), table.T, [1, 2], [2, 1], (1, 2), {"a": 1}, {"a": 2}]
    assert len({content_hash(content) for content in contents}) == len(contents)


def test_a_sparse_table_is_what_it_holds_and_not_what_was_asked_of_it():
    table = sparse.csc_array(np.eye(3))
    before = content_hash({"table": table})
    assert table.has_sorted_indices
    assert table.has_canonical_format
    table[:, [1]].toarray()
    assert content_hash({"table": table}) == before
    assert content_hash({"table": table * 2}) != before
    assert content_hash({"table": table.tocsr()}) != before
