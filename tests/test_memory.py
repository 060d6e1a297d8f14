from responder_ml import memory
from responder_ml.memory import free_bytes, memory_note, needed_bytes


def test_needs_grow_with_the_shape_and_the_processes():
    assert needed_bytes(5000, 20_000, 1) == 6 * 5000 * 20_000 * 8 + 6 * 10**8
    assert needed_bytes(5000, 20_000, 4) > needed_bytes(5000, 20_000, 1)


def test_small_cohorts_are_not_spoken_of(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 8 * 10**9)
    assert memory_note(40, 35_000, 2) == ""


def test_what_is_needed_is_said_beside_what_is_free(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 8 * 10**9)
    assert memory_note(5000, 20_000, 1).endswith("need up to 5.4 GB of memory; 8.0 GB are free.")
    monkeypatch.setattr(memory, "free_bytes", lambda: 10**9)
    assert "but only 1.0 GB are free" in memory_note(5000, 20_000, 1)
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    assert memory_note(5000, 20_000, 1).endswith("of memory.")


def test_a_limit_of_this_program_counts(monkeypatch, tmp_path):
    for name, amount in (("most", "1000"), ("used", "400")):
        (tmp_path / name).write_text(f"{amount}\n")
    monkeypatch.setattr(memory, "_CGROUP", (tmp_path / "most", tmp_path / "used"))
    assert free_bytes() == 600
    (tmp_path / "most").write_text("max\n")
    assert free_bytes() is None or free_bytes() > 600
