"""The house: short files, one tuple per family, nothing heavy and nothing global at import."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.features.builders import BUILDERS
from responder_ml.features.signatures import SCORERS
from responder_ml.regressors import REGRESSORS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "responder_ml"
TESTS = ROOT / "tests"
# Tests of no single module: whole flows, browsers, servers, real data, old bundles, and what all members of a family share.
TESTS_OF_NO_SINGLE_MODULE = (
    "browser/test_claims_page.py",
    "browser/test_score_page.py",
    "browser/test_mlflow_ui.py",
    "browser/test_pages.py",
    "browser/test_report.py",
    "faults/test_dask_lost.py",
    "faults/test_doors.py",
    "faults/test_kill_points.py",
    "faults/test_secrets.py",
    "faults/test_strategies.py",
    "features/signatures/test_peers.py",
    "test_architecture.py",
    "test_archives.py",
    "test_behaviour_endpoint.py",
    "test_documents.py",
    "test_estimator_checks.py",
    "test_interruption.py",
    "test_leakage.py",
    "test_metric_registry.py",
    "test_paired_job.py",
    "test_real_data.py",
    "test_real_gene_sets.py",
    "test_real_regions.py",
    "test_score_gene_names.py",
    "shared_cases/test_files.py",
    "shared_cases/test_samples.py",
    "test_shipped_configs.py",
    "tracking/test_postgres.py",
)
FAMILIES = {
    "responder_ml.classifiers": CLASSIFIERS,
    "responder_ml.features.builders": BUILDERS,
    "responder_ml.features.signatures": SCORERS,
    "responder_ml.regressors": REGRESSORS,
}


def test_no_file_outgrows_one_thing():
    long = {str(path): n for path in SOURCE.rglob("*.py") if (n := len(path.read_text().splitlines())) > 350}
    assert not long


def test_every_test_stands_at_the_mirrored_path_of_a_module():
    """``tests/a/test_b.py`` tests ``a/b.py``; ``tests/a/test_a.py`` tests the registry in ``a/__init__.py``."""
    others = set()
    for path in TESTS.rglob("test_*.py"):
        folder, name = path.parent.relative_to(TESTS), path.stem.removeprefix("test_")
        if not (SOURCE / folder / f"{name}.py").is_file() and folder.name != name:
            others.add(path.relative_to(TESTS).as_posix())
    assert others == set(TESTS_OF_NO_SINGLE_MODULE)


def test_no_sediment():
    banned = {"utils", "helpers", "common", "misc", "core", "manager", "handler"}
    assert not [path for path in SOURCE.rglob("*.py") if path.stem in banned]


@pytest.mark.parametrize("package", FAMILIES)
def test_every_public_member_of_a_family_is_registered_once_and_in_the_readme(package):
    registry = FAMILIES[package]
    members = set()
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if (
                member.__module__ == module.__name__
                and getattr(member, "name", None)
                and not inspect.isabstract(member)
            ):
                members.add(member)
    # One that needs an extra is a member where that is installed.
    assert members - set(registry) <= {member for member in members if member.name in registry.extras}
    assert set(registry) <= members
    assert len({member.name for member in members}) == len(members)
    readme = (ROOT / "README.md").read_text()
    for member in members:
        assert f"`{member.name}`" in readme, member.name
        assert member.summary
        assert member.reference.startswith(("doi:", "arXiv:"))


def test_import_loads_nothing_heavy_and_changes_nothing_global():
    program = """
import logging, sys, warnings
filters, handlers = list(warnings.filters), list(logging.getLogger().handlers)
import responder_ml, responder_ml.cli
heavy = {"mlflow", "shap", "xgboost", "matplotlib", "optuna", "numba", "sklearn", "pandas"} & set(sys.modules)
assert not heavy, heavy
assert list(warnings.filters) == filters and list(logging.getLogger().handlers) == handlers
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# Modules that Windows lacks; macOS has them.
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def test_nothing_is_imported_that_windows_lacks():
    imported = {}
    for path in SOURCE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        tried = {inner for node in nodes if isinstance(node, ast.Try) for inner in node.body}
        for node in set(nodes) - tried:  # which is for those that know what to do without
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            if POSIX_ONLY & {name.partition(".")[0] for name in names}:
                imported[path.name] = names
    assert not imported


def test_without_the_modules_that_windows_lacks_files_are_locked_and_memory_is_read(tmp_path):
    # On Linux the standard library and psutil read their own facts through the other two.
    hidden = f"import sys; sys.modules.update(dict.fromkeys({POSIX_ONLY - {'posix', 'resource'}}))"
    work = f"""
import warnings
from pathlib import Path
from responder_ml.errors import RunError
from responder_ml.memory import free_bytes
from responder_ml.records.file_lock import locked
from responder_ml.search.checkpoints import run_checkpoint
warnings.simplefilter("ignore")  # the library says that it falls back to another kind of lock
folder = Path({str(tmp_path)!r})
with run_checkpoint(folder / "run") as checkpoint, locked(folder / "lock", 1.0, RunError("")):
    checkpoint.unit_store()
    try:
        with locked(folder / "lock", 0.1, RunError("is held")):
            pass
    except RunError as problem:
        print(problem, free_bytes() > 0)
"""
    done = subprocess.run([sys.executable, "-c", f"{hidden}\n{work}"], capture_output=True, text=True, check=True)
    assert done.stdout == "is held True\n"


def test_a_public_function_is_one_whatever_is_imported_first():
    program = """
import importlib, sys
import responder_ml.train, responder_ml.study
import responder_ml as rml
import responder_ml.score, responder_ml.plan
public = [name for name in rml.__all__ if name.islower()]
assert all(type(getattr(rml, name)).__name__ == "function" for name in public), public
assert importlib.import_module("responder_ml.train").default_folders
assert set(rml.__all__) <= set(dir(rml))
assert rml.__version__
try:
    rml.trian
except AttributeError:
    sys.exit(0)
sys.exit(1)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_nothing_is_pickled_but_a_private_cache_that_builds_our_own_classes_only():
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        if path.name == "unit_file.py":
            assert "pickle.load" not in text
            assert "def find_class" in text
        else:
            assert "import pickle" not in text, path
        assert "joblib.dump" not in text, path


def test_no_file_names_a_package_index():
    hosts = ("pypi." + "org", "pythonhosted." + "org")
    for path in (*ROOT.glob("*"), *SOURCE.rglob("*.py"), *(ROOT / "docs").glob("*")):
        if path.is_file():
            text = path.read_text(errors="ignore")
            assert not any(host in text for host in hosts), path
