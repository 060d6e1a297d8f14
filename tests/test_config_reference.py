import json
from pathlib import Path

import pytest
import yaml

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.config import JobConfig
from responder_ml.config_reference import configuration_page, job_schema
from responder_ml.study_config import StudyConfig

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("model", [JobConfig, StudyConfig])
def test_every_key_is_described(model):
    schema = model.model_json_schema()
    sections = {model.__name__: schema, **schema["$defs"]}
    silent = [
        f"{section}.{key}"
        for section, content in sections.items()
        for key, described in content.get("properties", {}).items()
        if not described.get("description")
    ]
    assert not silent


def test_the_page_in_the_documents_is_that_of_the_classes():
    assert (ROOT / "docs" / "configuration.md").read_text() == configuration_page(), "run `make schema`"


def test_the_page_names_units_defaults_and_limits():
    page = configuration_page()
    assert "| `alpha` | number (above 0, below 1) | `0.05` |" in page
    assert "### `cohort.genes`" in page
    assert "``" not in page.replace("```", "")


def test_the_schema_in_the_documents_is_that_of_the_classes():
    assert json.loads((ROOT / "docs" / "job.schema.json").read_text()) == job_schema(), "run `make schema`"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_jobs_have_only_keys_and_kinds_of_the_schema(path):
    schema, job = job_schema(), yaml.safe_load(path.read_text())
    assert set(job) <= set(schema["properties"])
    kinds = schema["properties"]["classifiers"]["items"]["anyOf"][0]["enum"]
    assert kinds == CLASSIFIERS.names()
    assert {component["kind"] for component in job.get("classifiers", ())} <= set(kinds)


def test_the_command_prints_the_schema(capsys):
    from responder_ml.commands.list import list_

    list_(schema=True)
    assert json.loads(capsys.readouterr().out) == job_schema()
