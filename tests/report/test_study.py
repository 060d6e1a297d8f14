"""The page of a study: every job is in the map, numbers are the table's, and nothing is fetched from elsewhere."""

import re

import numpy as np
import pandas as pd
import pytest

from responder_ml.records.study import STUDY_FOLDER, TABLES, Correction, FusedRegions, Study, StudyResult
from responder_ml.report.figures.palette import shade, shade_auroc
from responder_ml.report.study import job_map, render_study, transfer_maps


def job(region, subset, auroc, corrected, verdict, **more):
    title = "response" if subset == "all" else f"response, {subset}"
    return {
        "job": f"{region}: {title}",
        "region": region,
        "endpoint": "response",
        "subset": subset,
        "positive": "responder",
        "negative": "non_responder",
        "n_positive": 6,
        "n_negative": 7,
        "auroc": auroc,
        "auroc_low": auroc - 0.1,
        "auroc_high": min(1.0, auroc + 0.1),
        "null_mean": 0.5,
        "p_value": corrected / 3,
        "attainable_p": 0.001,
        "corrected_p": corrected,
        "attainable_corrected_p": 0.004,
        "labellings": 700,
        "verdict": verdict,
        "sentence": f"{verdict} it is.",
        **more,
    }


@pytest.fixture
def jobs():
    return STUDY_FOLDER.table(
        "jobs",
        [
            job("PFC", "both drugs", 0.97, 0.004, "evidence", within_batch_p=0.02),
            job("<HIP>", "both drugs", 0.61, 0.4, "no_evidence"),
            job("PFC", "ketamine", np.nan, np.nan, "refused", n_positive=2, sentence="There are 2 positive subjects."),
        ],
    )


@pytest.fixture
def study(jobs):
    tables = {name: STUDY_FOLDER.table(name, []) for name in TABLES} | {"jobs": jobs}
    result = StudyResult(
        name="where",
        simulated=True,
        sentence="Simulated data: 1 of 2 jobs.",
        correction=Correction(
            method="smallest p", jobs=2, draws=999, alpha=0.05, exact=False, labellings=str(10**15), blocks=2
        ),
        seed=7,
    )
    return Study(result, tables, {})


def test_the_map_has_a_cell_for_every_job_and_marks_where_there_is_none(jobs):
    job_cells = job_map(jobs)
    assert job_cells["columns"] == ["PFC", "<HIP>"]
    assert [row["title"] for row in job_cells["rows"]] == ["response, both drugs", "response, ketamine"]
    (first, second), (refused, nothing) = (row["cells"] for row in job_cells["rows"])
    assert first["swatch"] == shade_auroc(0.97) == shade(0.94)
    assert second["verdict"] == "no_evidence"
    assert refused["swatch"] is None
    assert nothing is None


def test_an_endpoint_without_subsets_is_called_by_its_name():
    job_cells = job_map(STUDY_FOLDER.table("jobs", [job("PFC", "all", 0.7, 0.2, "no_evidence")]))
    assert job_cells["rows"][0]["title"] == "response"


def test_letters_stand_out_from_every_shade():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    for share in np.linspace(-0.2, 1.2, 30):
        fill, ink = (luminance(colour) for colour in (shade(share).fill, shade(share).ink))
        assert (max(fill, ink) + 0.05) / (min(fill, ink) + 0.05) >= 4.5


def test_the_page_holds_sentence_jobs_and_numbers_and_needs_nothing_else(study, jobs):
    page = render_study(study)
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert study.result.sentence in text
    assert "Nothing on this page is a finding" in text
    assert "There are 2 positive subjects." in text
    assert "about 10 to the 15" in text
    assert '<data value="0.004">0.004</data>' in page
    assert "&lt;HIP&gt;" in page
    assert "<HIP>" not in page
    assert page.count('class="called"') == 1
    assert not re.search(r'(src|href)="(?!#|data:|https://doi\.org)', page)
    assert "Does a model transfer" not in page
    assert "predict better than the best one" not in page


def test_transfer_is_a_map_for_each_endpoint_with_gaps_where_it_was_refused(study):
    rows = [
        {"axis": "region", "endpoint": "response", "within": "all", "train": one, "test": other, "auroc": value,
         "p_value": 0.01, "p_holm": np.nan if one == other else 0.03}
        for one, other, value in [("A", "A", 0.9), ("A", "B", 0.8), ("B", "A", np.nan), ("B", "B", 0.7)]
    ]  # fmt: skip
    table = STUDY_FOLDER.table("transfer", rows)
    (transfer_map,) = transfer_maps(table)
    assert transfer_map["columns"] == ["A", "B"]
    assert transfer_map["rows"][0]["cells"][1]["auroc"] == 0.8
    assert transfer_map["rows"][1]["cells"][0]["swatch"] is None
    page = render_study(Study(study.result, {**study.tables, "transfer": table}, {}))
    assert "response: from one region to another" in page
    assert page.count("own p") >= 2


def test_fusion_is_shown_with_the_subjects_that_lack_a_region(study):
    pair = {"endpoint": "response", "subset": "all", "first": "late fusion", "second": "best single region",
            "difference": 0.12, "low": 0.02, "high": 0.22, "p_value": 0.02, "p_holm": 0.04}  # fmt: skip
    fused = FusedRegions(
        endpoint="response",
        subset="all",
        subjects=13,
        missing={"PFC": 0, "HIP": 2},
        weights={"PFC": 0.7, "HIP": 0.3},
        single_auroc=0.8,
    )
    tables = {**study.tables, "fusion": STUDY_FOLDER.table("fusion", [pair])}
    page = render_study(Study(study.result.model_copy(update={"fused": (fused,)}), tables, {}))
    text = " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert "of 13 subjects, 0 lack PFC (weight 0.70), 2 lack HIP (weight 0.30)" in text
    assert "+0.12" in text


def test_tables_have_their_columns_in_order_whatever_rows_bring():
    table = STUDY_FOLDER.table("fusion", [{"high": 1.0, "endpoint": "x", "other": 3}])
    assert list(table.columns) == list(TABLES["fusion"])
    assert pd.isna(table.loc[0, "low"])
