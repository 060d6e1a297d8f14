"""One expression under several names, units and formats: the scores are the same, or the file is refused."""

import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData

from responder_ml import cli
from responder_ml.build import prepare_job
from responder_ml.bundles.bundle import read_bundle, write_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.config import load_config
from responder_ml.errors import CohortError, GeneNameError
from responder_ml.features.builders.genes import Genes
from responder_ml.records.digests import data_digest
from responder_ml.score import score
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.train import train

NUMBERS = ["probability", "log_odds", "reference_correlation", "distance"]


def _bundle(table, sheet, endpoint, units, folder):
    cohort = AnnData(table, obs=sheet.assign(subject=sheet.index), uns={"units": units})
    labelled = label_cohort(cohort, endpoint)
    model = PrefixModel(Genes(units=units), CLASSIFIERS["elastic_net"](C=0.01), 50)
    model.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes)
    positive = int(labelled.labels.sum())
    result = {
        "name": folder.name,
        "simulated": False,
        "endpoint": {"units": units},
        "n": {"positive": positive, "negative": len(labelled.labels) - positive},
        "verdict": {"level": "evidence", "sentence": "The verdict."},
        "versions": {},
    }
    write_bundle(pack_bundle(model, labelled, result), folder)
    return folder


def _renamed(table, rng, folder, version=".7"):
    """Return the table under shuffled Ensembl-like names with versions, and write the table that translates them."""
    numbers = rng.permutation(len(table.columns))
    names = [f"ENSMUSG{number:011d}" for number in numbers]
    pairs = pd.DataFrame({"ensembl": names, "name": table.columns})
    pairs.sample(frac=1.0, random_state=1).to_csv(folder / "pairs.tsv", sep="\t", index=False)
    (folder / "genes.yaml").write_text("{map: pairs.tsv, identifier: ensembl, gene: name, versions: cut}")
    renamed = table.set_axis([f"{name}{version}" for name in names], axis=1)
    return renamed[renamed.columns[rng.permutation(len(names))]]


def _assert_same(scores, expected, tolerance=0.0):
    np.testing.assert_allclose(scores[NUMBERS], expected[NUMBERS], rtol=tolerance, atol=tolerance)
    assert scores["predicted"].tolist() == expected["predicted"].tolist()
    assert scores["flags"].tolist() == expected["flags"].tolist()


def _agree_in_every_name_unit_and_format(bundle, counts, sheet, rng, tmp_path, log2_tolerance):
    """Score counts, then the same renamed: as counts, as log2 CPM, as h5ad; return the first scores."""
    counts.T.to_csv(tmp_path / "counts.tsv", sep="\t")
    expected = score(bundle, tmp_path / "counts.tsv", samples=sheet)
    renamed = _renamed(counts, rng, tmp_path)
    genes = {"gene_map": tmp_path / "genes.yaml"}
    renamed.T.to_csv(tmp_path / "renamed.csv.gz")
    _assert_same(score(bundle, tmp_path / "renamed.csv.gz", **genes), expected)
    AnnData(renamed).write_h5ad(tmp_path / "renamed.h5ad")
    _assert_same(score(bundle, tmp_path / "renamed.h5ad", **genes), expected)
    log2 = np.log2((renamed + 0.5).div(renamed.sum(axis=1) + 1, axis=0) * 1e6)
    log2.to_parquet(tmp_path / "log2.parquet")
    _assert_same(score(bundle, tmp_path / "log2.parquet", units="log2", **genes), expected, log2_tolerance)
    AnnData(log2).write_h5ad(tmp_path / "log2.h5ad")
    _assert_same(score(bundle, tmp_path / "log2.h5ad", units="log2", **genes), expected, log2_tolerance)
    return expected


@pytest.fixture(scope="module")
def simulated():
    """Simulated animals of one region with a strong effect: some to train on, others held out."""
    cohort = simulate_cohort(seed=5, n_genes=800, replicates=4, regions=("PFC",))
    treated = cohort[cohort.obs["response"].isin(["responder", "non_responder"])]
    counts = pd.DataFrame(treated.X, index=treated.obs_names, columns=treated.var_names)
    return counts, treated.obs


@pytest.fixture
def bundle(simulated, tmp_path):
    counts, sheet = simulated
    endpoint = Endpoint("response", "responder", "non_responder")
    return _bundle(counts[::2], sheet[::2], endpoint, "counts", tmp_path / "bundle")


def test_simulated_animals_score_the_same_under_any_name_unit_and_format(bundle, simulated, rng, tmp_path):
    counts = simulated[0][1::2]
    # Without zero counts log2 values do not tell the depth, which is then assumed; the real data below have some.
    _agree_in_every_name_unit_and_format(bundle, counts, None, rng, tmp_path, 0.1)


def test_males_score_the_same_by_a_model_of_females_and_are_separated(shared_data, rng, tmp_path):
    data = shared_data / "gse102556_mouse_cvs"
    counts = pd.read_csv(data / "expression_counts.tsv.gz", sep="\t", index_col=0).rename(index=str).T.iloc[:, ::3]
    sheet = pd.read_csv(data / "samples.tsv", sep="\t", dtype=str).set_index("sample_id")
    female, male = (sheet[(sheet["region"] == "NAc") & (sheet["sex"] == sex)] for sex in ("female", "male"))
    endpoint = Endpoint("group", "stress_CVS", "control")
    folder = _bundle(counts.loc[female.index].astype(float), female, endpoint, "counts", tmp_path / "females")
    male.to_csv(tmp_path / "males.csv", index_label="sample_id")
    scores = _agree_in_every_name_unit_and_format(
        folder, counts.loc[male.index], tmp_path / "males.csv", rng, tmp_path, 1e-9
    )
    assert scores.attrs["summary"]["evaluation"]["auroc"] >= 0.75


def test_golubs_test_split_scores_the_same_under_renamed_probes(shared_data, rng, tmp_path):
    data = shared_data / "microarray" / "golub"
    raw = pd.read_csv(data / "expression.tsv.gz", sep="\t", index_col=0)
    sheet = pd.read_csv(data / "samples.tsv", sep="\t", dtype=str).set_index("sample_id")
    log2 = np.log2(np.maximum(raw, 20)).T.rename(index=str).loc[sheet.index]
    is_train = sheet["split"] == "train"
    folder = _bundle(log2[is_train], sheet[is_train], Endpoint("label", "AML", "ALL"), "log2", tmp_path / "golub")
    sheet[~is_train].to_csv(tmp_path / "test.tsv", sep="\t", index_label="sample_id")
    log2[~is_train].T.to_csv(tmp_path / "plain.tsv", sep="\t")
    expected = score(folder, tmp_path / "plain.tsv", samples=tmp_path / "test.tsv")
    assert expected.attrs["summary"]["evaluation"]["auroc"] >= 0.95
    _renamed(log2[~is_train], rng, tmp_path).T.to_csv(tmp_path / "renamed.tsv", sep="\t")
    scores = score(folder, tmp_path / "renamed.tsv", gene_map=tmp_path / "genes.yaml")
    _assert_same(scores, expected)
    assert scores.attrs["summary"]["gene_map"]["share"] == 1.0


def test_a_job_learns_the_same_from_renamed_genes(simulated, rng, tmp_path):
    counts, sheet = simulated
    sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    counts.T.to_csv(tmp_path / "plain.tsv", sep="\t")
    renamed = _renamed(counts, rng, tmp_path)
    # Each second gene in two rows, whose counts add up to what they were.
    half = renamed.iloc[:, ::2] // 3
    split = pd.concat([renamed, half.set_axis([f"{name[:-2]}.8" for name in half.columns], axis=1)], axis=1)
    split.iloc[:, : len(renamed.columns) : 2] -= half.to_numpy()
    order = [f"ENSMUSG{number:011d}" for number in range(len(counts.columns))]
    back = dict(pd.read_csv(tmp_path / "pairs.tsv", sep="\t").to_numpy().tolist())
    column_of = {name: index for index, name in enumerate(counts.columns)}
    order.sort(key=lambda name: column_of[back[name]])
    columns = [column for name in order for column in (f"{name}.7", f"{name}.8") if column in split.columns]
    split[columns].T.to_csv(tmp_path / "renamed.tsv", sep="\t")
    (tmp_path / "job.yaml").write_text(
        yaml.safe_dump(
            {
                "name": "renamed",
                "cohort": {
                    "source": "table",
                    "expression": "renamed.tsv",
                    "samples": "samples.tsv",
                    "genes": {**yaml.safe_load((tmp_path / "genes.yaml").read_text()), "many_to_one": "sum"},
                },
                "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"},
                "builders": [{"kind": "genes"}],
                "classifiers": [{"kind": "nearest_centroid"}],
                "search": {"folds": 2, "repeats": 1, "inner_folds": 2, "trials": 1},
                "null": {"permutations": 3},
                "tracking": {"enabled": False},
                "compute": {"workers": 1},
            }
        )
    )
    job = load_config(tmp_path / "job.yaml")
    plain = job.model_copy(
        update={"cohort": job.cohort.model_copy(update={"expression": tmp_path / "plain.tsv", "genes": None})}
    )
    run = train(job, tmp_path / "run", tmp_path / "bundle-renamed")
    # Equal expression under equal names, subjects and labels: whatever is learnt is equal.
    assert run.result.data_sha256 == data_digest(prepare_job(plain).labelled)
    gene_map = run.result.gene_map
    assert gene_map["of_several_rows"] == len(half.columns)
    assert len(gene_map["sha256"]) == 64
    assert any(finding.code == "RML18" for finding in run.result.audit)
    manifest = read_bundle(tmp_path / "bundle-renamed").manifest
    assert manifest.training["gene_map"] == gene_map
    # Genes and samples are taken in the order of their names, whatever that of the file.
    assert manifest.genes == sorted(counts.columns)


def test_the_command_takes_a_plain_table_of_two_columns(bundle, simulated, rng, tmp_path, monkeypatch, capsys):
    counts = simulated[0][1::2]
    _renamed(counts, rng, tmp_path, version="").T.to_csv(tmp_path / "renamed.tsv", sep="\t")
    arguments = ["score", bundle, tmp_path / "renamed.tsv", "--gene-map", tmp_path / "pairs.tsv"]
    monkeypatch.setattr(sys, "argv", ["responder-ml", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    assert "800 of 800 gene names (100%) were translated by pairs.tsv" in capsys.readouterr().out


def test_human_looking_symbols_are_refused_and_never_matched_by_case(bundle, simulated, tmp_path):
    counts = simulated[0]
    human = counts.rename(columns=str.upper)
    human = human[[name for name in human.columns if name not in set(counts.columns)]]
    human.T.to_csv(tmp_path / "human.tsv", sep="\t")
    with pytest.raises(CohortError, match=r"differ by case only, as symbols of two species do.*orthologs"):
        score(bundle, tmp_path / "human.tsv")


def test_orthologs_come_from_a_table_one_to_one(bundle, simulated, tmp_path):
    counts = simulated[0][1::2]
    human = counts.rename(columns=lambda name: f"HUMAN{name.upper()}")
    human.T.to_csv(tmp_path / "human.tsv", sep="\t")
    pairs = pd.DataFrame({"human": human.columns, "mouse": counts.columns})
    # One gene of the model has two orthologs, one human gene belongs to two of the model's: neither is used.
    pairs.loc[1, "mouse"] = pairs.loc[0, "mouse"]
    pairs = pd.concat([pairs, pd.DataFrame({"human": [human.columns[2]], "mouse": [counts.columns[3]]})])
    pairs.to_csv(tmp_path / "orthologs.csv", index=False)
    (tmp_path / "genes.yaml").write_text("{map: orthologs.csv, relation: orthologs}")
    gene_map = score(bundle, tmp_path / "human.tsv", gene_map=tmp_path / "genes.yaml").attrs["summary"]["gene_map"]
    assert gene_map["genes"] == len(counts.columns) - 4
    assert gene_map["ambiguous"] == 4


def test_a_translation_of_the_wrong_names_says_why(bundle, simulated, rng, tmp_path):
    _renamed(simulated[0][1::2], rng, tmp_path).T.to_csv(tmp_path / "renamed.tsv", sep="\t")
    with pytest.raises(GeneNameError, match="by Ensembl version: set `versions: cut`"):
        score(bundle, tmp_path / "renamed.tsv", gene_map=tmp_path / "pairs.tsv")
