import pytest

import responder_ml as rml

ENDPOINT = {"column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"]}


@pytest.fixture(scope="session")
def cohort():
    return rml.simulate(seed=7, effect=2.0, n_genes=400)


@pytest.fixture(scope="session")
def run(cohort, tmp_path_factory):
    """A run on an AnnData of simulated mice."""
    folder = tmp_path_factory.mktemp("library")
    return rml.train(
        cohort,
        endpoint=ENDPOINT,
        where={"region": "PFC"},
        name="pfc",
        classifiers=["nearest_centroid"],
        compute={"workers": 1},
        out=folder / "run",
        bundle=folder / "bundle",
    )
