import pytest
import yaml

from responder_ml.proposal.cohort_files import open_files
from responder_ml.proposal.job_text import write_text
from responder_ml.proposal.proposal import Answers
from responder_ml.proposal.propose import propose
from responder_ml.proposal.question import refuse


def _content(cohort, **answers):
    text = write_text(propose(open_files(*cohort.write()), Answers(**answers), refuse), cohort.folder / "job.yaml")
    return text, yaml.safe_load(text)


def test_every_key_has_its_reason_above_it(cohort):
    text, content = _content(cohort)
    lines = text.splitlines()
    for key in (
        "name",
        "expression",
        "units",
        "columns",
        "taken",
        "column",
        "positive",
        "strata",
        "nuisance",
        "builders",
        "seed",
    ):
        above = next(lines[index - 1] for index, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
        assert above.strip().startswith("#"), key
    assert content["cohort"]["expression"] == "counts.tsv"
    assert content["cohort"]["columns"] == {"subject": "animal"}
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("positive", "negative"),
    [("yes", "no"), ("1", "0"), ("null", "~"), ("# a", "b: c"), ("Ja, sehr", "[x]"), ("ä", "感"), ("1e3", "0x1")],
)
def test_values_are_quoted_where_yaml_would_read_them_otherwise(cohort, positive, negative):
    cohort.sheet["response"] = [positive, negative] * 6
    _, content = _content(cohort, column="response", positive=(positive,), negative=(negative,))
    assert (content["endpoint"]["positive"], content["endpoint"]["negative"]) == (positive, negative)


def test_names_of_files_and_columns_may_be_of_any_letters(cohort):
    cohort.folder = cohort.folder / "Mäuse & Ratten: 2"
    cohort.folder.mkdir()
    cohort.sheet = cohort.sheet.rename(columns={"response": "réponse: #2", "animal": "animal, n°"})
    _, content = _content(cohort, column="réponse: #2")
    assert content["endpoint"]["column"] == "réponse: #2"
    assert content["cohort"]["columns"] == {"subject": "animal, n°"}
    assert (cohort.folder / content["cohort"]["samples"]).is_file()
