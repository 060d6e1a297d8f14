import gc
import os
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from responder_ml.errors import WorkerError
from responder_ml.search.workers import Workers


def _threads(unit):
    np.ones((2, 2)) @ np.ones((2, 2))
    return unit, max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


@pytest.mark.parametrize("count", [1, 2])
def test_units_come_back_in_order_from_single_numerical_threads(count):
    before = [library["num_threads"] for library in threadpool_info()]
    answers = list(Workers(count).map(_threads, [3, 1, 2]))
    assert answers == [(3, 1), (1, 1), (2, 1)]
    assert [library["num_threads"] for library in threadpool_info()] == before


def _column(table, unit):
    return float(table[:, unit].sum()), table.flags.writeable, table.flags.f_contiguous


def test_arrays_reach_workers_unchanged_and_cannot_be_written_to():
    table = np.asfortranarray(np.random.default_rng(0).normal(size=(30, 50)))
    answers = list(Workers(2).map(partial(_column, table), range(50)))
    assert answers == [(float(table[:, unit].sum()), False, True) for unit in range(50)]


def _slowly(folder, unit):
    time.sleep(0.002)
    (folder / str(unit)).touch()
    return unit


def test_stopping_early_over_and_over_neither_hangs_nor_computes_units_nobody_waits_for(tmp_path):
    for number in range(60):
        folder = tmp_path / str(number)
        folder.mkdir()
        work = Workers(2).map(partial(_slowly, folder), range(1000))
        assert [next(work), next(work)] == [0, 1]
        work.close()
        assert len(list(folder.iterdir())) < 20


def _die_once(folder, unit):
    if unit == 3 and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(1)
    return unit * unit


def test_the_unit_of_a_dead_process_is_computed_again(tmp_path):
    assert list(Workers(2).map(partial(_die_once, tmp_path), range(8))) == [unit * unit for unit in range(8)]
    assert (tmp_path / "died").exists()


def _die(unit):
    os._exit(1) if unit == 2 else None
    return unit


def test_a_unit_that_kills_every_process_ends_in_a_message():
    with pytest.raises(WorkerError, match="lack of memory"):
        list(Workers(2).map(_die, range(4)))
    assert list(Workers(2).map(_threads, [1, 2])) == [(1, 1), (2, 1)]


def _refuse(unit):
    raise ValueError(f"unit {unit}")


def test_an_error_in_a_unit_is_the_callers():
    with pytest.raises(ValueError, match="unit 0"):
        list(Workers(2).map(_refuse, range(4)))


def _process_id(unit):
    return os.getpid()


def test_one_worker_and_one_unit_need_no_other_process():
    assert set(Workers(1).map(_process_id, range(3))) == {os.getpid()}
    assert list(Workers(2).map(_process_id, [0])) == [os.getpid()]
    assert os.getpid() not in set(Workers(2).map(_process_id, range(3)))
    assert list(Workers(2).map(_process_id, [])) == []


def _collector(unit):
    if unit < 0:
        raise ValueError("negative")
    return gc.get_freeze_count() > 0


def test_the_collector_passes_over_what_was_there_before_a_unit_and_is_left_as_it_was():
    assert list(Workers(1).map(_collector, [1, 2])) == [True, True]
    assert gc.get_freeze_count() == 0
    with pytest.raises(ValueError, match="negative"):
        list(Workers(1).map(_collector, [1, -1]))
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        assert list(Workers(1).map(_collector, [1])) == [True]
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("function", ["int", "double"])
def test_a_script_needs_no_guard_unless_its_own_function_is_run(tmp_path, function):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\nfrom responder_ml.search.workers import Workers\n"
        "def double(unit):\n    return 2 * unit\n"
        "if os.environ.get('STARTED') != str(os.getpid()) and __name__ == '__main__':\n"
        f"    print(list(Workers(2).map({function}, range(3))))\n"
        if function == "double"
        else "from responder_ml.search.workers import Workers\nprint(list(Workers(2).map(int, range(3))))\n"
    )
    answer = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True)
    assert answer.stdout == {"int": "[0, 1, 2]\n", "double": "[0, 2, 4]\n"}[function]
