"""The claims of a job: one folder, the same numbers in table, record and page, and what a user reads."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from rich.console import Console

from responder_ml.claims import PAGE, RECORD, TABLE, claims, default_folder, write_claims
from responder_ml.commands.claims import show_claims
from responder_ml.config import load_config
from responder_ml.contrasts.founding_claims import CLAIMS
from responder_ml.errors import ConfigError, ContrastError

JOB = {
    "name": "four-regions",
    "cohort": {"source": "simulated", "params": {"n_genes": 300, "effect": 2.0}},
    "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder", "nuisance": ["batch"]},
    "builders": [{"kind": "genes"}],
    "classifiers": [{"kind": "nearest_centroid"}],
    "claims": {"relabellings": 20, "bootstrap": 5, "behaviour": {"post": "si_post"}},
    "compute": {"workers": 1},
}


def _job(folder, **changes):
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(JOB | changes))
    return load_config(path)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return _job(tmp_path_factory.mktemp("claims"))


@pytest.fixture(scope="module")
def record(job):
    return claims(job)


@pytest.fixture(scope="module")
def folder(record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims") / "out"
    write_claims(record, folder)
    return folder


def test_every_claim_is_asked_in_every_region(record):
    assert [verdict.claim for verdict in record.verdicts] == list(CLAIMS)
    assert "not_asked" not in {verdict.level for verdict in record.verdicts}
    table = record.table()
    assert set(table["region"]) == {"", "PFC", "NAc", "AMY", "HIP"}
    counts = table.groupby(["claim", "region"]).size().unstack("region")
    assert (
        counts.loc[["R2", "R3", "R4", "R5", "R6a", "R6b", "R6c", "R7"], ["PFC", "NAc", "AMY", "HIP"]].notna().all(None)
    )
    # Each verdict about expression rests on one line of each region.
    assert (table[table["headline"]].groupby(["claim", "region"]).size() == 1).all()
    assert {rank.region for rank in record.ranks} == {"PFC", "NAc", "AMY", "HIP"}


def test_hippocampus_lost_a_control(record):
    sizes = {region.name: region.groups["control"] for region in record.regions}
    assert sizes == {"PFC": 5, "NAc": 5, "AMY": 5, "HIP": 4}


def test_table_record_and_page_say_the_same(record, folder):
    table = pd.read_csv(folder / TABLE, keep_default_na=False)
    stored = json.loads((folder / RECORD).read_text())
    page = (folder / PAGE).read_text()
    assert len(table) == len(stored["rows"]) == len(record.results)
    assert stored["settings"]["cohort"]["params"] == JOB["cohort"]["params"]
    assert {"python", "numpy", "responder-ml"} <= set(stored["versions"])
    np.testing.assert_allclose(
        table["observed"].astype(float), [line.observed for line in record.results], rtol=0, atol=1e-12
    )
    assert [row["p_value"] for row in stored["rows"]] == [line.p_value for line in record.results]
    for verdict in record.verdicts:
        assert verdict.sentence.replace("`", "") in page.replace("&#39;", "'").replace("&#x27;", "'")
    shown = re.findall(r'<data value="([^"]+)"', page)
    assert {f"{line.observed:.10g}" for line in record.results} <= set(shown)


def test_the_page_needs_nothing_else(folder):
    page = (folder / PAGE).read_text()
    assert not re.search(r'(?:src|href)="(?!#|data:|https://doi\.org/)', page)
    assert "Simulated data." in page
    assert page.count("<svg") == 8 + 2 + 2 + 3 * 4


def test_a_job_of_one_region_gives_that_region_and_says_so(tmp_path, record):
    where = {**JOB["cohort"], "where": {"region": "PFC"}}
    alone = claims(_job(tmp_path, cohort=where))
    assert [region.name for region in alone.regions] == ["PFC"]
    assert alone.ranks == ()
    assert any("keeps one region (PFC)" in note for note in alone.notes)
    assert next(verdict for verdict in alone.verdicts if verdict.claim == "R8").level == "not_asked"
    assert list(alone.results) == [line for line in record.results if line.region in ("", "PFC")]


def test_the_terminal_shows_every_claim_and_both_drugs(record):
    text = io.StringIO()
    show_claims(Console(file=text, width=120), record)
    shown = text.getvalue()
    assert "Simulated data" in shown
    assert all(f"\n{claim} " in shown for claim in CLAIMS)
    assert "with shared" in shown
    assert shown.count("well: p =") == 8
    assert "batch is held constant" in shown


def test_batch_in_the_model_rotates_residuals(tmp_path):
    settings = {**JOB["claims"], "covariates": ["batch"], "preset": "fdr"}
    where = {**JOB["cohort"], "where": {"region": "PFC"}}
    record = claims(_job(tmp_path, claims=settings, cohort=where))
    assert {line.null for line in record.results} == {"rotation", "fisher", "t", "t+rotation"}
    assert not any("Not adjusted" in note or "could not be verified" in note for note in record.notes)


def test_a_behaviour_table_beside_the_job(tmp_path):
    sheet = pd.DataFrame(
        {"subject": ["a", "b", "c"], "drug": ["ketamine", "imipramine", "saline"], "after": [1.2, 0.8, 0.7]}
    )
    sheet.to_csv(tmp_path / "si.csv", index=False)
    settings = {**JOB["claims"], "behaviour": {"path": "si.csv", "post": "after"}}
    where = {**JOB["cohort"], "where": {"region": "PFC"}}
    record = claims(_job(tmp_path, claims=settings, cohort=where))
    shares = {line.drug: line.observed for line in record.results if line.statistic == "response_fraction"}
    assert shares == {"imipramine": 0.0, "ketamine": 1.0}


def test_mistakes_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown key 'claims\.behavior'\. Did you mean 'behaviour'"):
        _job(tmp_path, claims={"behavior": {"post": "si_post"}})
    with pytest.raises(ContrastError, match=r"column\(s\) cage"):
        claims(_job(tmp_path, claims={"covariates": ["cage"]}))


def test_a_region_without_the_groups_is_named(tmp_path):
    cells = {"control/saline/none": 4, "resilient/saline/none": 3}
    cohort = {"source": "simulated", "params": {"n_genes": 300, "regions": ["PFC"], "cells": cells}}
    with pytest.raises(
        ContrastError, match=r"^PFC: The claims need control and susceptible animals .* this region out"
    ):
        claims(_job(tmp_path, cohort=cohort, claims={"relabellings": 20, "bootstrap": 5}))


def test_a_study_of_stress_alone_is_asked_one_claim(tmp_path):
    cells = {"control/saline/none": 5, "susceptible/saline/none": 5}
    cohort = {"source": "simulated", "params": {"n_genes": 300, "effect": 3.0, "regions": ["PFC"], "cells": cells}}
    record = claims(_job(tmp_path, cohort=cohort, claims={"relabellings": 20, "bootstrap": 5}))
    assert {verdict.claim for verdict in record.verdicts if verdict.level != "not_asked"} == {"R2"}
    assert not any("`train`" in note for note in record.notes)
    write_claims(record, tmp_path / "out")


def test_the_folder_is_named_after_what_the_claims_depend_on(job):
    searched = job.model_copy(update={"search": job.search.model_copy(update={"trials": 3})})
    reseeded = job.model_copy(update={"seed": 8})
    assert default_folder(job) == default_folder(searched) != default_folder(reseeded)
    assert default_folder(job).parent.name == "claims"
