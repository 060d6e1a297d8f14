"""Genes are called out where they were planted, and hardly ever where nothing was."""

import anndata
import numpy as np
import pandas as pd

from responder_ml.classifiers.nearest_centroid import NearestCentroid
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.procedure import Procedure
from responder_ml.explanation.call_out import call_out
from responder_ml.features.builders.genes import Genes
from responder_ml.search.candidate import Candidate
from responder_ml.search.material import Material
from responder_ml.search.nested import Plan
from responder_ml.search.workers import Workers

N, GENES, PLANTED = 24, 300, 8
NULL = NullPlan(permutations=99, repeats=1, stop_after=10, alpha=0.05, seed=4)


def _called(rng, effect):
    group = rng.permutation(np.arange(N) % 2)
    values = rng.normal(size=(N, GENES))
    values[:, :PLANTED] += effect * group[:, None]
    sheet = pd.DataFrame({"subject": [f"s{i}" for i in range(N)], "response": np.where(group, "yes", "no")})
    sheet.index = sheet.index.astype(str)
    cohort = anndata.AnnData(values, obs=sheet, var=pd.DataFrame(index=[f"g{i}" for i in range(GENES)]))
    cohort.uns["units"] = "log2"
    labelled = label_cohort(cohort, Endpoint("response", "yes", "no"))
    candidate = Candidate("genes", Genes(max_genes=30), NearestCentroid)
    procedure = Procedure(Material.of(labelled), [candidate], Plan(4, 2, 2, 1), Workers(1))
    observed = procedure.observe(labelled.labels, 2)
    found = call_out(procedure, observed, labelled, NULL)
    return {gene for gene, support in found.support.items() if support > found.threshold}


def test_planted_genes_fill_the_list(rng):
    """The planted effect is 2 standard deviations in 8 of 300 genes, 12 against 12 subjects."""
    planted = {f"g{index}" for index in range(PLANTED)}
    called = [_called(rng, 2.0) for _ in range(3)]
    everything = [gene for each in called for gene in each]
    assert len(everything) >= 3 * 3
    assert np.mean([gene in planted for gene in everything]) >= 0.8


def test_without_effect_hardly_any_run_calls_a_gene_out(rng):
    runs_with_a_call = sum(bool(_called(rng, 0.0)) for _ in range(12))
    # At 5 % each, three or more of 12 runs happen once in fifty times.
    assert runs_with_a_call <= 2
