import re

import pytest

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.features.builders import BUILDERS
from responder_ml.features.signatures import SCORERS
from responder_ml.report.references import WORKS, Bibliography, of_registry


def test_works_are_numbered_as_they_are_cited():
    works = Bibliography()
    assert works.cite("shap") == '<a href="#reference-1">[1]</a>'
    assert "[2]" in works.cite("cox")
    assert "[1]" in works.cite("shap")
    assert works.cited == (WORKS["shap"], WORKS["cox"])


@pytest.mark.parametrize("member", [*BUILDERS, *SCORERS, *CLASSIFIERS], ids=lambda member: member.name)
def test_every_registered_reference_becomes_a_link(member):
    link = of_registry(member.name, member.reference).link
    assert re.fullmatch(
        r'\w+: <a href="https://doi.org/(10\.\S+)" target="_blank" rel="noopener noreferrer">doi:\1</a>', link
    )


def test_a_reference_without_doi_stays_text():
    assert of_registry("x", "JMLR 11:1 <b>").link == "x: JMLR 11:1 &lt;b&gt;"


def test_dois_have_their_form():
    assert all(re.fullmatch(r"10\.\d{4,9}/\S+", work.doi) for work in WORKS.values() if work.doi)
