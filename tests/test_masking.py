import pytest

from responder_ml.errors import RunError
from responder_ml.masking import hide_secrets, without_secrets

SECRET = "hunt:er/sh@7"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ann:{SECRET}@lab.org:5432/runs?sslmode=require",
        "https://hunter77@lab.org/mlflow",
        "databricks://hunter77@host",
        "postgresql://lab/runs?user=ann&password=hunter77&sslmode=require",
        "http://lab/?access_token=hunter77",
        "could not connect with host=lab password=hunter77 dbname=runs",
        "password='hunter77 with a blank'",
        "Authorization: Bearer hunter77.abc",
        "AWS_SECRET_ACCESS_KEY=hunter77",
    ],
)
def test_what_is_secret_is_hidden(text):
    shown = hide_secrets(text)
    assert "***" in shown
    for part in ("hunt", "er/sh", "sh@7", "blank"):
        assert part not in shown


@pytest.mark.parametrize(
    "text",
    [
        "http://lab:5000",
        "sqlite:////home/ann/mlflow.db",
        "tcp://10.0.0.1:8786",
        "Write to ann@lab.org: 3 samples at 12:30",
        "signature = UP, score=0.3; passed=yes",
        "https://ftp.ncbi.nlm.nih.gov/geo/series/GSE81nnn/GSE81672/",
    ],
)
def test_what_is_no_secret_stays(text):
    assert hide_secrets(text) == text


def test_a_library_that_takes_an_address_apart_in_another_way_shows_nothing_either():
    address = f"postgresql://ann:{SECRET}@lab/runs"
    said = 'could not translate host name "sh@7@lab" to address: hunt:er'
    for part in ("hunt", "sh@7"):
        assert part not in hide_secrets(said, address)


def test_a_quoted_password_is_hidden_as_it_is_meant():
    assert "p@ssw0rd" not in hide_secrets("failed for p@ssw0rd", "mysql://ann:p%40ssw0rd@lab/runs")


def test_no_error_has_a_secret():
    assert str(RunError("Nothing at http://ann:hunter@lab.")) == "Nothing at http://ann:***@lab."


def test_settings_are_written_without_secrets():
    settings = {"tracking": {"uri": "http://hunter@lab", "enabled": True}, "compute": {"scheduler": None}, "seed": 7}
    shown = without_secrets(settings)
    assert shown["tracking"] == {"uri": "http://***@lab", "enabled": True}
    assert settings["tracking"]["uri"] == "http://hunter@lab"
    assert without_secrets({"tracking": None}) == {"tracking": None}
