"""The order of rows and genes in the files decides nothing."""

import numpy as np
import pandas as pd
from anndata import AnnData

from responder_ml.build import prepare_job
from responder_ml.config import JobConfig
from responder_ml.evaluation.procedure import Procedure
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers


def _decisions(cohort):
    job = JobConfig(
        name="order",
        cohort={"source": "table", "units": "log2"},
        endpoint={"column": "answer", "positive": "yes", "negative": "no"},
        builders=[{"kind": "genes"}, {"kind": "pairs"}],
        classifiers=[{"kind": "nearest_centroid"}],
        search={"trials": 0},
    )
    prepared = prepare_job(job, cohort)
    search_data, feasible = SearchData.of(prepared.labelled), prepared.feasible
    observed = Procedure(search_data, feasible.candidates, feasible.plan, Workers(1)).observe(prepared.labelled.labels)
    return dict(zip(prepared.labelled.subjects, observed.auto.decisions.mean(axis=0), strict=True))


def test_the_order_of_rows_and_genes_changes_no_decision(rng):
    names = [f"m{number}" for number in range(11)]
    sheet = pd.DataFrame(
        {"sample": names, "subject": names, "answer": ["yes"] * 4 + ["no"] * 7}, index=pd.Index(names, name="sample")
    )
    values = np.round(rng.normal(8.0, 1.0, (11, 40)))
    genes = pd.DataFrame(index=[f"g{number}" for number in range(40)])
    facts = {"units": "log2", "subject_source": "column", "unused_samples": [], "source": "table", "simulated": False}
    cohort = AnnData(values, obs=sheet, var=genes, uns=facts)
    shuffled = cohort[rng.permutation(11), rng.permutation(40)].copy()
    assert _decisions(cohort.copy()) == _decisions(shuffled)
