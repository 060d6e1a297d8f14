import dataclasses

import numpy as np
import pandas as pd
import pytest

from responder_ml.evaluation.p_values import exact_p, monte_carlo_p
from responder_ml.records.result import NullRecord
from responder_ml.report.cohort import Cohort
from responder_ml.report.html import render_report
from responder_ml.report.methods import Methods
from responder_ml.report.verdict import Baselines, reaching


def _record(p_value, *, exact=False, stopped_early=False, risk=0.001):
    return NullRecord(
        p_value=p_value, p_interval=(0, 1), permutations=40, labellings=None, observed=0.6, null_mean=0.5, null_sd=0.1,
        exact=exact, stopped_early=stopped_early, min_attainable_p=0.01, risk=risk,
    )  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 3, 7])
@pytest.mark.parametrize("stopped_early", [False, True])
def test_the_count_behind_a_monte_carlo_p(rng, count, stopped_early):
    values = np.concatenate([rng.uniform(0, 0.5, 40 - count), rng.uniform(0.7, 1, count)])
    assert reaching(_record(monte_carlo_p(values, 0.6), stopped_early=stopped_early), 40) == count


def test_the_count_behind_a_stopped_p_of_an_earlier_version():
    # Besag and Clifford's p: the twentieth of 50 draws to reach the observed value was the last.
    assert reaching(_record(20 / 50, stopped_early=True, risk=None), 50) == 20


def test_the_count_behind_an_exact_p():
    values = np.array([0.9, 0.1, 0.95, 0.3, 0.9])
    null = _record(exact_p(values, 0.9), exact=True)
    assert reaching(null, 5) == 3


def test_an_undecided_null_says_so(built, typical_run):
    null = typical_run.result.null.model_copy(update={"settled": False, "risk": 0.001, "exact": False})
    undecided = dataclasses.replace(typical_run, result=typical_run.result.model_copy(update={"null": null}))
    html = render_report(undecided)
    assert "do not settle whether p is at most 0.05" in html
    assert "(confidence 99.9 %)" in html


def test_a_null_of_another_statistic_is_drawn_on_its_own_scale_and_named(typical_run):
    draws = typical_run.tables["null"]
    draws = draws.assign(statistic=draws["auroc"] * 8 - 2)
    facts = {
        "observed": 4.321,
        "leading": "genes+elastic_net",
        "statistic": "largest standardised separation",
        "risk": 0.001,
    }
    null = typical_run.result.null.model_copy(update=facts)
    result = typical_run.result.model_copy(update={"null": null})
    html = render_report(dataclasses.replace(typical_run, result=result, tables={**typical_run.tables, "null": draws}))
    assert 'the largest standardised separation: <data value="4.321">4.32</data>, reached by genes+elastic_net' in html
    # The null within batches is that of an earlier version here.
    assert html.count("The observed AUROC of") == 1


def test_no_null_is_a_sentence(built):
    section = built("no_null_run").section("null")
    assert "was not run" in section
    assert "<svg" not in section


def test_both_nulls_are_drawn_with_their_counts(built, typical_run):
    section = built("typical_run").section("null")
    assert section.count("<svg") == 2
    null = typical_run.result.null
    for part in (null, null.conditional):
        assert f"as high or higher: {reaching(part, part.permutations)}<" in section


def test_rivals_are_a_table_beside_the_baselines_with_dashes_where_nothing_was_run(typical_run):
    rivals = pd.DataFrame(
        {
            "name": ["nothing", "batch & run"], "n_columns": [0, 2], "auroc_alone": [np.nan, 0.61], "p_alone": [np.nan, 0.2],
            "auroc_adjusted": [0.83, np.nan], "p_adjusted": [0.005, np.nan],
            "note": [np.nan, "it tells the classes without error"],
        }
    )  # fmt: skip
    content = Baselines().render(dataclasses.replace(typical_run, tables={**typical_run.tables, "rivals": rivals}))
    assert content.count("–</td>") == 4
    assert all(text in content for text in ("0.61", "0.005", "batch &amp; run", "it tells the classes without error"))
    assert "Rival explanations" not in Baselines().render(typical_run)


def test_what_is_held_constant_and_kept_together_is_said(typical_run):
    endpoint = typical_run.result.endpoint.model_copy(update={"adjust": ["age", "sex"], "block": "cage"})
    held = dataclasses.replace(typical_run, result=typical_run.result.model_copy(update={"endpoint": endpoint}))
    unit = endpoint.model_copy(update={"block_is_unit": True})
    of_cages = dataclasses.replace(typical_run, result=typical_run.result.model_copy(update={"endpoint": unit}))
    assert "Held constant within every training set were age, sex" in Methods().render(held)
    assert "one cage were kept together" in Methods().render(held)
    assert "cage, each of which holds one class" in Methods().render(of_cages)
    assert "labels are exchanged within them" in Cohort().render(held)
    assert "it is the unit" in Cohort().render(of_cages)
