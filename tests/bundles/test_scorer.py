"""A sample's numbers are its own, whatever the builder: alone, in a batch of several blocks, in another order."""

from importlib import import_module
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.features.builders import BUILDERS
from responder_ml.features.signatures import SCORERS
from responder_ml.score import score
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.search.search_data import context_of

EVERY = [
    *((name, {"normalisation": "tmm"}) for name in BUILDERS.names()),
    ("genes", {"normalisation": "log_cpm"}),
    *(("gene_sets", {"scorer": name}) for name in SCORERS.names()),
]
SAMPLES = 23


@pytest.fixture(scope="module")
def simulated():
    cohort = simulate_cohort(seed=2, n_genes=400, regions=("PFC",))
    return label_cohort(cohort, Endpoint("response", "responder", "non_responder"))


@pytest.fixture(scope="module")
def samples(simulated):
    """Counts of other depths and other genes high, in whole numbers."""
    rng = np.random.default_rng(4)
    typical = simulated.expression.mean(axis=0)
    depth = rng.lognormal(0, 0.7, size=(SAMPLES, 1))
    counts = rng.poisson(typical * depth * rng.lognormal(0, 0.5, size=(SAMPLES, len(typical)))).astype(float)
    return pd.DataFrame(counts, index=[f"s{row}" for row in range(SAMPLES)], columns=simulated.genes)


@pytest.fixture(scope="module")
def sets(simulated, tmp_path_factory):
    genes = simulated.genes.tolist()
    path = tmp_path_factory.mktemp("sets") / "sets.gmt"
    path.write_text("\n".join(f"SET{first}\t.\t" + "\t".join(genes[first : first + 20]) for first in range(0, 200, 20)))
    return path


def _bundle(labelled, name, options, sets, folder):
    """Write a bundle with two outer models."""
    offered = {"units": "counts", **options, **({"path": str(sets)} if name == "gene_sets" else {})}
    known = signature(BUILDERS[name]).parameters
    builder = BUILDERS[name](**{key: value for key, value in offered.items() if key in known})
    context, everyone = context_of(labelled), np.ones(len(labelled.sample_labels), dtype=bool)
    model, *outer = (
        PrefixModel(builder, CLASSIFIERS["elastic_net"](), 8).fit(
            labelled.expression[rows],
            labelled.sample_labels[rows],
            genes=labelled.genes,
            context=None if context is None else context.take(rows),
        )
        for rows in (everyone, np.arange(len(everyone)) % 3 != 0, np.arange(len(everyone)) % 3 != 1)
    )
    positive = int(labelled.labels.sum())
    result = {
        "name": name,
        "simulated": True,
        "endpoint": {"units": "counts"},
        "n": {"positive": positive, "negative": len(labelled.labels) - positive},
        "verdict": None,
        "versions": {},
    }
    write_bundle(pack_bundle(model, labelled, result, outer_models=outer, least_weight=0.0), folder)


@pytest.mark.parametrize(
    ("name", "options"), EVERY, ids=["-".join((name, *settings.values())) for name, settings in EVERY]
)
def test_alone_in_a_batch_or_in_another_order(name, options, simulated, samples, sets, tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("responder_ml.score"), "_READ", 10)
    monkeypatch.setattr(import_module("responder_ml.score"), "_BLOCK", 4)
    _bundle(simulated, name, options, sets, tmp_path / "bundle")
    order = np.random.default_rng(1).permutation(SAMPLES)
    for table in (samples, samples.drop(columns=samples.columns[[7, 27, 47, 107, *range(360, 400)]])):

        def scores(rows, table=table):
            AnnData(table.iloc[rows]).write_h5ad(tmp_path / "t.h5ad")
            return score(tmp_path / "bundle", tmp_path / "t.h5ad").set_index("sample")

        batch = scores(np.arange(SAMPLES))
        shuffled = scores(order).loc[batch.index]
        alone = pd.concat([scores([row]) for row in (0, 11, SAMPLES - 1)])
        assert batch["probability_low"].notna().all()
        assert batch["log_odds"].nunique() > 1
        for table_scores in (shuffled, alone):
            pd.testing.assert_frame_equal(table_scores, batch.loc[table_scores.index], rtol=1e-12, atol=1e-12)
