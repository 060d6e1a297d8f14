import pytest
from matplotlib.figure import Figure

import responder_ml as rml
from responder_ml.errors import ContrastError
from responder_ml.report.claims import LEVELS

ENDPOINT = {"column": "response", "positive": "responder", "negative": "non_responder"}


@pytest.fixture(scope="module")
def claims(cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims")
    cohort.write_h5ad(folder / "cohort.h5ad")
    job = rml.Job(
        name="claims",
        cohort={"source": "h5ad", "expression": folder / "cohort.h5ad", "where": {"region": "PFC"}},
        endpoint=ENDPOINT,
        builders=["genes"],
        classifiers=["nearest_centroid"],
        claims={"relabellings": 30, "bootstrap": 5},
        compute={"workers": 1},
    )
    return rml.claims(job)


def test_every_claim_has_a_verdict_and_its_statement(claims):
    assert set(claims.verdicts["level"]) <= set(LEVELS)
    assert claims.verdicts["statement"].str.len().min() > 10
    assert repr(claims).startswith("Claims 'claims' on simulated data\n  R1")


def test_reversal_is_drawn_and_a_claim_without_a_figure_refused(claims):
    figure = Figure()
    assert claims.figure("R4", figure) is figure.axes[0]
    with pytest.raises(ContrastError, match="There is one of R4"):
        claims.figure("R1")


def test_its_files_are_those_of_the_command(claims, tmp_path):
    assert claims.write(tmp_path).name == "claims.html"
    assert {path.name for path in tmp_path.iterdir()} >= {"claims.csv", "claims.json", "claims.html"}
