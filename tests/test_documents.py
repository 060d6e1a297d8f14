"""The documents: their scripts run, their links lead somewhere, and what they show is what the commands print."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "notebooks").glob("*.md"))]


def run(arguments, folder):
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**_environment(), "COLUMNS": "200"},
    )
    assert finished.returncode == 0, finished.stderr
    return _one_line(finished.stdout)


def _environment():
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "agg"}


def _one_line(text):
    return " ".join(text.split())


def blocks(path, language=""):
    """Return the fenced blocks of a page in one language."""
    fenced = re.findall(r"^```([^\n]*)\n(.*?)^```$", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return [block for of_language, block in fenced if of_language == language]


def commands(path):
    """Return the words of every command of the program that a page shows in a block."""
    lines = [line for block in blocks(path) for line in block.splitlines()]
    called = [re.match(r"(?:python -m responder_ml|responder-ml) +([^#]*)", line) for line in lines]
    return [shlex.split(match[1]) for match in called if match]


def test_the_script_from_an_anndata_has_ten_lines_and_ends_in_scores(tmp_path):
    script = DOCS / "scripts" / "from_anndata.py"
    assert len(script.read_text().splitlines()) <= 10
    printed = run([script], tmp_path)
    assert printed.startswith("Evidence that expression distinguishes responder from non_responder")
    assert "PFC_mouse01" in printed
    assert (tmp_path / "roc.png").stat().st_size > 1000


def test_the_script_in_a_pipeline_names_genes(tmp_path):
    assert re.search(
        r"\{'genes__max_genes': \d+\} \['Sim\d+' 'Sim\d+'", run([DOCS / "scripts" / "in_a_pipeline.py"], tmp_path)
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_commands_and_their_options_exist(path):
    import typer

    from responder_ml.cli import app

    known = typer.main.get_command(app).commands
    for name, *arguments in commands(path):
        if name.startswith("-"):
            continue
        assert name in known, f"{path.name}: {name}"
        options = {option for parameter in known[name].params for option in parameter.opts}
        shown = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
        assert shown <= {*options, "--help"}, f"{path.name}: {name}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_files_that_pages_name_are_there(path):
    named = re.findall(r"`((?:docs|configs|experiments|benchmarks|models)/[\w./-]+\.\w+)`", path.read_text())
    linked = re.findall(r"\]\(([\w./-]+\.md)\)", path.read_text())
    missing = [name for name in named if not (ROOT / name).is_file() and "NAME" not in name]
    missing += [target for target in linked if not (path.parent / target).is_file()]
    assert not missing


def test_every_page_is_in_the_contents_of_the_site():
    listed = set((DOCS / "index.md").read_text().splitlines())
    assert {path.stem for path in DOCS.glob("*.md")} - listed == {"index"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_yaml_that_shows_a_job_or_signatures_is_one(path):
    import yaml

    from responder_ml.config import JobConfig
    from responder_ml.signatures_config import SignaturesConfig

    for block in blocks(path, "yaml"):
        content = yaml.safe_load(block)
        if isinstance(content, list):
            SignaturesConfig.model_validate({"signatures": content})
            continue
        content = {"null" if key is None else key: value for key, value in content.items()}
        if {"name", "cohort", "endpoint"} <= set(content):
            JobConfig.model_validate(content)


@pytest.mark.documents
def test_readme_shows_what_train_prints(tmp_path):
    shown = next(block for block in blocks(ROOT / "README.md") if "labellings within" in block)
    printed = run(["-m", "responder_ml", "train", "--example", "pfc"], tmp_path)
    for paragraph in re.split(r"\n\n|\[a table of the candidates\]\n", shown):
        assert _one_line(paragraph) in printed


@pytest.mark.documents
def test_the_tutorial_runs_and_its_numbers_are_those_printed(tmp_path):
    tutorial = DOCS / "tutorial.md"
    (tmp_path / "pfc.yaml").write_text(blocks(tutorial, "yaml")[0])
    text = _one_line(tutorial.read_text())
    printed = {}
    for name, *arguments in commands(tutorial):
        printed[name] = run(["-m", "responder_ml", name, *arguments], tmp_path)
    shown = re.search(r"AUROC \S+ against a mean of \S+ under relabelled subjects, p = [\d.]+\d", text)
    assert shown[0] in printed["train"]
    assert (tmp_path / "scores.csv").is_file()
