"""A job of matched pairs, end to end: the shared part cancels, the pair is the unit, and no other pair is touched."""

import numpy as np
import pandas as pd
import pytest
import yaml

from responder_ml.build import prepare_job
from responder_ml.config import load_config
from responder_ml.errors import BundleError, ConfigError
from responder_ml.evaluation.conditional import nuisance_of
from responder_ml.evaluation.permutation import run_null
from responder_ml.evaluation.procedure import Procedure
from responder_ml.plan import plan
from responder_ml.score import score
from responder_ml.search.search_data import SearchData
from responder_ml.search.workers import Workers
from responder_ml.selftest import shuffle_genes
from responder_ml.train import train
from responder_ml.transfer import transfer

PAIRS, GENES = 7, 150


def _write(folder, effect=2.0, seed=0, edit=None, **endpoint):
    """Counts before and after in animals that differ much more than the two states do."""
    rng = np.random.default_rng(seed)
    animal, time = np.repeat(np.arange(PAIRS), 2), np.tile(["pre", "post"], PAIRS)
    level = 100.0 * np.exp(rng.normal(0, 0.3, GENES) + rng.normal(0, 1.0, (PAIRS, GENES)))[animal]
    level[time == "post", :10] *= effect
    counts = rng.poisson(level * rng.gamma(20, 1 / 20, (2 * PAIRS, GENES)))
    if edit is not None:
        counts[animal == edit] = rng.poisson(50.0, (2, GENES))
    names = [f"s{index}" for index in range(2 * PAIRS)]
    folder.mkdir(exist_ok=True)
    table = pd.DataFrame(counts.T, index=[f"g{index}" for index in range(GENES)], columns=names)
    table.to_csv(folder / "counts.tsv", sep="\t")
    sheet = {
        "sample": names,
        "animal": [f"m{index}" for index in animal],
        "time": time,
        "rin": rng.normal(8, 0.4, len(names)),
    }
    pd.DataFrame(sheet).to_csv(folder / "samples.tsv", sep="\t", index=False)
    job = {
        "name": "before-after",
        "cohort": {
            "source": "table",
            "expression": "counts.tsv",
            "samples": "samples.tsv",
            "units": "counts",
            "columns": {"sample": "sample", "subject": "animal"},
        },
        "endpoint": {"column": "time", "positive": "post", "negative": "pre", "nuisance": ["rin"], "pairs": "subject"}
        | endpoint,
        "builders": [{"kind": "genes", "params": {"max_genes": 20}}],
        "classifiers": [{"kind": "nearest_centroid"}],
        "compute": {"workers": 1},
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    return load_config(folder / "job.yaml")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    job = _write(folder)
    return job, folder, train(job, folder / "run", folder / "bundle")


def test_the_null_is_every_exchange_within_pairs(trained):
    _, _, run = trained
    null = run.result.null
    assert null.exact
    assert null.labellings == 2**PAIRS
    # All pairs exchanged is learnt just as well, so no p is below two labellings' share.
    assert null.min_attainable_p == pytest.approx(2 / 2**PAIRS)
    assert null.p_value >= null.min_attainable_p
    assert run.result.verdict.level == "evidence"
    assert run.result.endpoint.pairs == "subject"


def test_members_are_held_out_together_and_every_two_pairs_once(trained):
    _, _, run = trained
    table = run.tables["out_of_fold"]
    auto = table[table["candidate"] == "auto"].assign(pair=lambda rows: rows["subject"].str.split().str[0])
    assert (auto.groupby(["repeat", "pair"])["fold"].nunique() == 1).all()
    fold = auto.drop_duplicates(["repeat", "pair"]).pivot(index="pair", columns="repeat", values="fold").to_numpy()
    together = (fold[:, None, :] == fold[None, :, :]).sum(axis=2)
    assert (together[~np.eye(PAIRS, dtype=bool)] == 1).all()


def test_its_bundle_refuses_single_samples(trained):
    _, folder, _ = trained
    with pytest.raises(BundleError, match="cannot score single samples"):
        score(folder / "bundle", folder / "counts.tsv")


def test_it_is_not_transferred(trained):
    with pytest.raises(ConfigError, match="cannot be transferred"):
        transfer(trained[0], by="rin")


def test_plan_counts_exchanges(trained):
    sizes = plan(job=trained[0]).sizes
    assert (sizes.labellings, sizes.attainable_p) == (2**PAIRS, 2 / 2**PAIRS)


def _observe(job, labels=None):
    prepared = prepare_job(job)
    procedure = Procedure(
        SearchData.of(prepared.labelled), prepared.feasible.candidates, prepared.feasible.plan, Workers(1)
    )
    return prepared, procedure, procedure.observe(prepared.labelled.labels if labels is None else labels)


def test_an_edited_pair_changes_no_model_that_holds_it_out(tmp_path):
    prepared, _, one = _observe(_write(tmp_path / "a"))
    _, _, other = _observe(_write(tmp_path / "b", edit=3))
    before, after = one.auto, other.auto
    pair = prepared.labelled.strata
    edited = pair == pair[prepared.labelled.subjects.index("m3 pre")]
    for repeat, fold in enumerate(before.folds):
        others = (fold == fold[edited][0]) & ~edited
        np.testing.assert_array_equal(before.decisions[repeat, others], after.decisions[repeat, others])


def test_pairing_finds_what_the_spread_of_animals_hides(tmp_path):
    p_values = {"paired": [], "unpaired": []}
    for seed in range(6):
        prepared, procedure, observed = _observe(_write(tmp_path / f"{seed}", seed=seed))
        labels = prepared.labelled.labels
        null = run_null(
            procedure.statistics,
            labels,
            prepared.labelled.strata,
            observed.measured(procedure.cells),
            prepared.null_plan,
            "paired",
        )
        p_values["paired"].append(null.p_value)
        job = _write(tmp_path / f"{seed}", seed=seed, pairs=None)
        job = job.model_copy(update={"cohort": job.cohort.model_copy(update={"columns": {"sample": "sample"}})})
        prepared, procedure, observed = _observe(job)
        plan_of_null = prepared.null_plan.__class__(39, 0.05, 1)
        labels = prepared.labelled.labels
        null = run_null(
            procedure.statistics,
            labels,
            prepared.labelled.strata,
            observed.measured(procedure.cells),
            plan_of_null,
            "unpaired",
        )
        p_values["unpaired"].append(null.p_value)
    assert np.mean(np.array(p_values["paired"]) <= 0.05) >= 0.8
    assert np.median(p_values["unpaired"]) > 0.05


def test_noise_of_pairs_keeps_every_pairs_values(rng):
    pairs, expression = np.repeat(np.arange(4), 2), rng.normal(size=(8, 5))
    shuffled = shuffle_genes(expression, rng, pairs)
    for pair in range(4):
        np.testing.assert_array_equal(
            np.sort(shuffled[pairs == pair], axis=0), np.sort(expression[pairs == pair], axis=0)
        )
    assert not np.array_equal(shuffled, expression)


def test_library_sizes_are_those_before_pairs_are_compared(tmp_path):
    labelled = prepare_job(_write(tmp_path)).labelled
    counts = pd.read_csv(tmp_path / "counts.tsv", sep="\t", index_col=0)
    np.testing.assert_array_equal(labelled.library_size, counts.sum().to_numpy())
    assert labelled.cohort.uns["units"] == "log2"
    assert nuisance_of(labelled).names == ("rin", "library size")
