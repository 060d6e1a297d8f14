"""The conclusion of a study in words, and rows that JSON can hold."""

import numpy as np
import pandas as pd
import pytest

from responder_ml.studies.summary import json_rows, state_conclusion


def _jobs(*rows):
    return pd.DataFrame(rows, columns=["job", "verdict", "auroc", "corrected_p"])


@pytest.mark.parametrize(
    ("rows", "simulated", "sentence"),
    [
        (
            [("PFC", "evidence", 0.9, 0.02), ("NAc", "evidence", 0.95, 0.004), ("HIP", "confounded", 0.8, 0.03)],
            False,
            "2 of 3 jobs tested together show evidence after correction: NAc (AUROC 0.95, corrected p 0.004); "
            "PFC (AUROC 0.90, corrected p 0.02). The others: 1 confounded with batch or another nuisance.",
        ),
        (
            [("PFC", "evidence", 0.9, 0.02)],
            True,
            "Simulated data: 1 of 1 job tested together shows evidence after correction: PFC (AUROC 0.90, corrected p 0.02).",
        ),
        (
            [("PFC", "no_evidence", 0.6, 0.4), ("NAc", "underpowered", 1.0, 0.2), ("HIP", "refused", np.nan, np.nan)],
            False,
            "None of 2 jobs tested together shows evidence after correction (corrected p <= 0.05). Of them: 1 without evidence, "
            "1 underpowered, 1 refused for too few subjects.",
        ),
    ],
)
def test_the_conclusion_counts_every_job_and_orders_evidence_by_p(rows, simulated, sentence):
    assert state_conclusion(_jobs(*rows), 0.05, simulated) == sentence


def test_json_rows_hold_whole_numbers_ten_digits_and_null():
    table = pd.DataFrame(
        {
            "job": ["NA", "b"],
            "auroc": [1.0, 2 / 3],
            "p_value": [np.nan, 0.25],
            "labellings": pd.Series([10**15, None], dtype=object),
        }
    )
    assert json_rows(table) == [
        {"job": "NA", "auroc": 1, "p_value": None, "labellings": 10**15},
        {"job": "b", "auroc": 0.6666666667, "p_value": 0.25, "labellings": None},
    ]
    assert isinstance(json_rows(table)[0]["auroc"], int)
