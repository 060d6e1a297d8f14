import re
from importlib import resources

import pytest
import yaml
from pydantic import ValidationError

from responder_ml.report.guidelines.schema import GuidelineRecord

FOLDER = resources.files("responder_ml.report.guidelines")
FILES = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".yaml"))
ITEM = {"code": "1a", "asks": "data source", "status": "filled", "answer": "{source}"}


def _guideline(**changes):
    return {"name": "DOME", "work": "dome", "about": "For whoever tests a schema.", "items": [{**ITEM, **changes}]}


def test_every_file_is_checked():
    assert FILES == ["dome.yaml", "leakage.yaml", "probast_ai.yaml", "reforms.yaml", "tripod_ai.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_the_schema_allows(name):
    GuidelineRecord.model_validate(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_guideline(answer=""), "at least 6"),
        (_guideline(answer="{weather}"), "no sentence weather"),
        (_guideline(answer="{source} Author: the accession."), "'needs author'"),
        (_guideline(status="needs author"), "does not say for what"),
        (_guideline(status="done"), "Input should be 'filled'"),
        (_guideline(answer="half of a"), "whole sentences"),
        (_guideline(code="first"), "pattern"),
        (_guideline(hint="more"), "Extra inputs"),
        ({**_guideline(), "items": [ITEM, ITEM]}, "more than one item 1a"),
        ({**_guideline(), "items": []}, "at least 1"),
        ({**_guideline(), "work": "ojala"}, "no work 'ojala' with a DOI"),
        ({**_guideline(), "work": "unknown"}, "no work 'unknown'"),
        ({"name": "DOME", "work": "dome", "items": [ITEM]}, "Field required"),
    ],
)
def test_what_nobody_would_answer_is_refused(content, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        GuidelineRecord.model_validate(content)


def test_what_the_author_must_add_stands_beside_what_the_run_says():
    GuidelineRecord.model_validate(_guideline(status="needs author", answer="{source} Author: the accession."))
    GuidelineRecord.model_validate(_guideline(status="needs author", answer="Accession or repository."))
