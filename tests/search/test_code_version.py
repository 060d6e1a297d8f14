import shutil
from pathlib import Path

import responder_ml
from responder_ml.search.code_version import code_version


def test_a_changed_file_is_another_version_and_compiled_files_do_not_count(tmp_path, monkeypatch):
    root = Path(responder_ml.__file__).parent
    copy = tmp_path / "responder_ml"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(responder_ml, "__file__", str(copy / "__init__.py"))
    current = code_version.__wrapped__()
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "cli.cpython-311.pyc.1234").write_bytes(b"half")
    assert code_version.__wrapped__() == current
    (copy / "cli.py").write_text((copy / "cli.py").read_text() + "\n")
    assert code_version.__wrapped__() != current
