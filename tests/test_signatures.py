"""External signatures in a cohort: what is found, that labels stay out of scores, what is circular, and what a user reads."""

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData
from rich.console import Console
from typer.testing import CliRunner

from responder_ml import signatures as from_python
from responder_ml.build import prepare_job
from responder_ml.cli import app
from responder_ml.commands.signatures import show_signatures
from responder_ml.config import load_config
from responder_ml.errors import ConfigError, FeatureError
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.facts import gene_facts
from responder_ml.features.gene_sets import read_gmt
from responder_ml.records.signatures import PAGE, read_signatures
from responder_ml.report.signatures import render_signatures
from responder_ml.signatures import default_folder, signatures
from responder_ml.signatures_config import load_signatures

GENES, SET = 240, 20
NAMES = [f"g{gene:03d}" for gene in range(GENES)]
ENTRY = {"name": "s", "source": "another laboratory", "licence": "CC0-1.0"}


def _cohort(folder, rng, *, effect=2.0, shuffle=False, copies=1, name="tiny"):
    """Write 6 v 7 subjects whose first ten genes rise and next ten fall in responders, a batch, litters, and a job."""
    responder = np.arange(13) < 6
    values = rng.normal(8.0, 1.0, (13, GENES))
    values[:, : SET // 2] += effect * responder[:, None]
    values[:, SET // 2 : SET] -= effect * responder[:, None]
    values[:, 50] = 3.0
    words = np.where(responder, "responder", "non_responder")
    if shuffle:
        words = rng.permutation(words)
    subject = np.repeat(np.arange(13), copies)
    obs = pd.DataFrame({
        "sample": [f"s{row:02d}" for row in range(len(subject))],
        "subject": [f"m{number:02d}" for number in subject],
        "response": words[subject],
        "batch": np.where(np.arange(13) % 2, "b2", "b1")[subject],
    }).set_index("sample")  # fmt: skip
    AnnData(values[subject], obs=obs, var=pd.DataFrame(index=NAMES)).write_h5ad(folder / "cohort.h5ad")
    return _job(folder, name=name)


def _job(folder, name="tiny", **endpoint):
    job = {
        "name": name,
        "cohort": {"source": "h5ad", "expression": str(folder / "cohort.h5ad"), "units": "log2"},
        "endpoint": {"column": "response", "positive": "responder", "negative": "non_responder"} | endpoint,
        "builders": [{"kind": "genes"}],
        "classifiers": [{"kind": "nearest_centroid"}],
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    return load_config(folder / "job.yaml")


def _listed(folder, *entries, **keys):
    """Write a signature of effects that are true, sets, and the list of them."""
    rows = [f"{gene}\t{2.0 if number < SET // 2 else -1.0}\n" for number, gene in enumerate(NAMES[:SET])]
    (folder / "effects.tsv").write_text("gene\tt\n" + "".join(rows))
    sets = {
        "TRUE_UP": NAMES[: SET // 2],
        "TRUE_DN": NAMES[SET // 2 : SET],
        "NOTHING": NAMES[60:90],
        "ABSENT": ["x1", "x2", "x3", "x4", "x5"],
    }
    (folder / "sets.gmt").write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in sets.items()))
    usual = (
        ENTRY | {"name": "effects", "path": "effects.tsv", "gene": "gene", "effect": "t"},
        ENTRY | {"name": "sets", "path": "sets.gmt"},
    )
    (folder / "signatures.yaml").write_text(yaml.safe_dump({"signatures": list(entries or usual), **keys}))
    return load_signatures(folder / "signatures.yaml")


def _gmt(folder, **sets):
    (folder / "own.gmt").write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in sets.items()))
    return _listed(folder, ENTRY | {"path": "own.gmt"}, min_genes=1, min_coverage=0.0)


def test_a_planted_signature_is_found_and_the_folder_reads_back(tmp_path, rng):
    job, listed = _cohort(tmp_path, rng), _listed(tmp_path)
    run = signatures(job, listed, tmp_path / "out")
    of = {row.signature: row for row in run.rows}
    for name in ("effects", "TRUE"):
        assert of[name].corrected_p <= 0.05
        assert of[name].difference > of[name].low > 0
        assert of[name].auroc > 0.9
        assert of[name].cosine > 0.7 > abs(of[name].cosine_no_effect)
        assert of[name].reversed < 0.1 < of[name].reversed_no_effect
    assert (of["effects"].scorer, of["TRUE"].scorer) == ("ulm", "singscore")
    assert of["effects"].spearman > 0.5
    assert of["TRUE"].spearman is None
    assert of["NOTHING"].corrected_p > 0.05
    assert "ABSENT" in run.result.dropped
    assert "2 of 3 external signatures differ in score" in run.result.sentence
    assert run.result.exact
    source = run.result.sources[0]
    assert (source.source, source.licence, len(source.sha256)) == ("another laboratory", "CC0-1.0", 64)
    again = read_signatures(tmp_path / "out")
    assert again.result == run.result
    assert [row.signature for row in again.rows] == [row.signature for row in run.rows]
    assert all(row.circular is None for row in again.rows)
    assert len(again.tables["scores"]) == 13 * 3
    assert set(again.tables["subjects"]["group"]) == {"responder", "non_responder"}
    page = (tmp_path / "out" / PAGE).read_text()
    assert page.count("no effect") >= 6
    assert "another laboratory" in page


def test_scores_are_those_of_the_builder(tmp_path, rng):
    job, listed = _cohort(tmp_path, rng), _listed(tmp_path)
    table = (
        signatures(job, listed, tmp_path / "out")
        .tables["scores"]
        .pivot(index="sample", columns="signature", values="score")
    )
    labelled = prepare_job(job).labelled
    weighted = "\t".join(f"{gene},{2 if number < SET // 2 else -1}" for number, gene in enumerate(NAMES[:SET]))
    (tmp_path / "effects.gmt").write_text(f"effects\t\t{weighted}\n")
    for file, scorer, names in (("sets.gmt", "singscore", ["TRUE", "NOTHING"]), ("effects.gmt", "ulm", ["effects"])):
        builder = GeneSets(path=str(tmp_path / file), scorer=scorer).fit(
            labelled.expression, labelled.labels, labelled.genes
        )
        of_builder = pd.DataFrame(builder.transform(labelled.expression), columns=builder.names_)
        for name in names:
            np.testing.assert_allclose(table[name], of_builder[f"{scorer}__{name}"], rtol=1e-12)


def test_labels_change_no_score_and_no_coverage(tmp_path, rng):
    runs = []
    for name, shuffle in (("true", False), ("shuffled", True)):
        folder = tmp_path / name
        folder.mkdir()
        own = np.random.default_rng(3)
        runs.append(signatures(_cohort(folder, own, shuffle=shuffle), _listed(folder), folder / "out"))
    pd.testing.assert_frame_equal(runs[0].tables["scores"], runs[1].tables["scores"])
    assert [row.genes for row in sorted(runs[0].rows, key=str)] != []
    assert runs[0].result.dropped == runs[1].result.dropped
    assert runs[0].result.sentence != runs[1].result.sentence


def test_equal_seeds_give_equal_bytes_and_a_sample_alone_scores_alike(tmp_path, rng):
    job, listed = _cohort(tmp_path, rng), _listed(tmp_path)
    for name in ("one", "other"):
        signatures(job, listed, tmp_path / name, relabellings=99)
    for file in ("signatures.csv", "scores.csv", PAGE):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_copies_of_samples_are_no_further_subjects(tmp_path, rng):
    one = signatures(_cohort(tmp_path, np.random.default_rng(3)), _listed(tmp_path), tmp_path / "one")
    four = signatures(_cohort(tmp_path, np.random.default_rng(3), copies=4), _listed(tmp_path), tmp_path / "four")
    assert len(four.tables["subjects"]) == 13
    np.testing.assert_allclose([row.difference for row in four.rows], [row.difference for row in one.rows])


def test_pairs_and_strata_and_covariates_are_held_constant(tmp_path, rng):
    _cohort(tmp_path, rng)
    run = signatures(_job(tmp_path, strata=["batch"]), _listed(tmp_path), tmp_path / "strata")
    assert run.result.adjusted == ("batch",)
    run = signatures(_job(tmp_path, adjust=["batch"]), _listed(tmp_path), tmp_path / "adjusted")
    assert run.result.adjusted == ("batch",)
    plain = signatures(_job(tmp_path, nuisance=["batch"]), _listed(tmp_path), tmp_path / "plain")
    assert plain.result.not_adjusted == ("batch",)
    assert "Not held constant: batch" in (tmp_path / "plain" / PAGE).read_text()


def test_pairs_keep_their_own_expression_and_are_compared_within(tmp_path, rng):
    values = np.repeat(rng.normal(8.0, 3.0, (6, GENES)), 2, axis=0) + rng.normal(0, 0.3, (12, GENES))
    values[::2, : SET // 2] += 1.0
    values[::2, SET // 2 : SET] -= 1.0
    obs = pd.DataFrame({"subject": [f"m{row}" for row in range(12)], "response": ["responder", "non_responder"] * 6,
                        "litter": np.repeat(list("abcdef"), 2)}, index=[f"s{row:02d}" for row in range(12)])  # fmt: skip
    AnnData(values, obs=obs, var=pd.DataFrame(index=NAMES)).write_h5ad(tmp_path / "cohort.h5ad")
    run = signatures(_job(tmp_path, pairs="litter"), _listed(tmp_path), tmp_path / "out")
    (true,) = [row for row in run.rows if row.signature == "TRUE"]
    assert run.result.labellings == "64"
    assert (true.auroc, true.p) == (1.0, 2 / 64)
    # Deviations from a pair's mean would add up to zero.
    scores = run.tables["scores"].query("signature == 'NOTHING'")["score"].to_numpy()
    assert abs(scores[0] + scores[1]) > 1e-6


def test_null_cohorts_give_uniform_p_of_the_whole_flow(tmp_path):
    smallest, raw = [], []
    for number in range(40):
        own = np.random.default_rng(number)
        run = signatures(_cohort(tmp_path, own, effect=0.0), _listed(tmp_path), tmp_path / "out", relabellings=100)
        smallest.append(min(row.corrected_p for row in run.rows))
        raw += [row.p for row in run.rows if row.signature == "NOTHING"]
    assert np.mean(np.array(smallest) <= 0.1) <= 0.1 + 3 * np.sqrt(0.09 / 40)
    assert 0.2 < np.mean(np.array(raw) <= 0.5) < 0.8


def test_a_signature_from_the_same_series_is_circular_and_not_counted(tmp_path, rng):
    job = _cohort(tmp_path, rng, name="gse81672-pfc")
    entry = ENTRY | {"path": "sets.gmt", "only": ["TRUE"]}
    _listed(tmp_path)
    listed = _listed(tmp_path, entry | {"source": "Bagot 2017, GSE81672"})
    run = signatures(job, listed, tmp_path / "out")
    assert "both GSE81672" in run.rows[0].circular
    assert "no evidence" in run.result.sentence.lower()
    assert "1 more may come from these very data" in run.result.sentence
    assert read_signatures(tmp_path / "out").rows[0].circular == run.rows[0].circular
    assert "Circular:" in (tmp_path / "out" / PAGE).read_text()
    assert signatures(job, _listed(tmp_path, entry | {"source": "GSE816"}), tmp_path / "other").rows[0].circular is None


def test_three_against_three_cannot_be_evidence_and_says_so(tmp_path, rng):
    values = rng.normal(8.0, 0.1, (6, GENES))
    values[:3, : SET // 2] += 5.0
    obs = pd.DataFrame({"response": ["responder"] * 3 + ["non_responder"] * 3}, index=[f"s{row}" for row in range(6)])
    obs["subject"] = obs.index
    AnnData(values, obs=obs, var=pd.DataFrame(index=NAMES)).write_h5ad(tmp_path / "cohort.h5ad")
    run = signatures(_job(tmp_path), _listed(tmp_path), tmp_path / "out")
    assert min(row.p for row in run.rows) == run.result.smallest_p == 0.1
    assert "their smallest p is 0.1" in run.result.sentence


def test_odd_signatures_say_what_they_are(tmp_path, rng):
    job = _cohort(tmp_path, rng)
    listed = _gmt(tmp_path, ONE=["g000"], ALL=NAMES, CONSTANT=["g050"], TWIN=["g000"], NAN=["nan", "g001"])
    run = signatures(job, listed, tmp_path / "out")
    of = {row.signature: row for row in run.rows}
    assert of["ALL"].difference is None
    assert of["ALL"].p is None
    assert "the same in every sample" in (tmp_path / "out" / PAGE).read_text()
    assert of["ONE"].p == of["TWIN"].p
    assert of["ONE"].corrected_p < 0.05
    assert of["NAN"].genes == 1
    # The lowest rank in every sample.
    assert (of["CONSTANT"].difference, of["CONSTANT"].cosine) == (None, 0)
    text = io.StringIO()
    show_signatures(Console(file=text, width=200), run)
    assert "CONSTANT" in text.getvalue()


def test_enormous_weights_and_two_signs_of_one_gene(tmp_path, rng):
    job = _cohort(tmp_path, rng)
    _listed(tmp_path)
    rows = "".join(f"{gene}\t{(-1) ** (number >= SET // 2) * 1e300}\n" for number, gene in enumerate(NAMES[:SET]))
    (tmp_path / "large.tsv").write_text(f"gene\tt\n{rows}g100\t5\ng100\t-5\ng101\t1e-300\n")
    listed = _listed(tmp_path, ENTRY | {"path": "large.tsv", "gene": "gene", "effect": "t"})
    (row,) = signatures(job, listed, tmp_path / "out").rows
    assert (row.genes, row.listed) == (SET, SET + 1)
    assert row.corrected_p < 0.01


def test_what_cannot_be_compared_is_refused_and_nothing_is_left(tmp_path, rng):
    job, listed = _cohort(tmp_path, rng), _listed(tmp_path)
    classes = yaml.safe_load((tmp_path / "job.yaml").read_text())
    classes["endpoint"] = {"column": "response", "classes": ["responder", "non_responder", "control"]}
    (tmp_path / "classes.yaml").write_text(yaml.safe_dump(classes))
    with pytest.raises(ConfigError, match="needs two classes"):
        signatures(load_config(tmp_path / "classes.yaml"), listed, tmp_path / "out")
    with pytest.raises(ConfigError, match="Give 2 to 1,000,000"):
        signatures(job, listed, tmp_path / "out", relabellings=1)
    with pytest.raises(ConfigError, match="Give 2 to"):
        signatures(job, listed, tmp_path / "out", relabellings=10**9)
    (tmp_path / "human.gmt").write_text("X\t\tG001\tG002\n")
    with pytest.raises(FeatureError, match="case were ignored"):
        signatures(job, _listed(tmp_path, ENTRY | {"path": "human.gmt"}), tmp_path / "out")
    with pytest.raises(FeatureError, match="Correct `only`"):
        signatures(job, _listed(tmp_path, ENTRY | {"path": "sets.gmt", "only": ["FALSE"]}), tmp_path / "out")
    twice = _listed(tmp_path, ENTRY | {"path": "sets.gmt"}, ENTRY | {"name": "again", "path": "sets.gmt"})
    with pytest.raises(FeatureError, match="Name each differently"):
        signatures(job, twice, tmp_path / "out")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FeatureError, match="no file"):
        signatures(job, _listed(tmp_path, ENTRY | {"path": "pipe"}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_mapping_translates_and_its_digest_is_recorded(tmp_path, rng):
    job = _cohort(tmp_path, rng)
    _listed(tmp_path)
    (tmp_path / "map.tsv").write_text("human\tmouse\n" + "".join(f"H{gene}\t{gene}\n" for gene in NAMES))
    (tmp_path / "human.gmt").write_text("X_UP\t\t" + "\t".join(f"H{gene}" for gene in NAMES[: SET // 2]) + "\n")
    listed = _listed(tmp_path, ENTRY | {"path": "human.gmt", "mapping": "map.tsv"})
    run = signatures(job, listed, tmp_path / "out")
    assert run.rows[0].genes == SET // 2
    assert len(run.result.sources[0].mapping_sha256) == 64


def test_the_command_and_python_say_the_same(tmp_path, rng):
    _cohort(tmp_path, rng)
    listed = _listed(tmp_path)
    arguments = [
        "signatures",
        str(tmp_path / "job.yaml"),
        str(tmp_path / "signatures.yaml"),
        "--out",
        str(tmp_path / "out"),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "external signatures differ in score" in " ".join(result.output.split())
    assert "value with no effect" in " ".join(result.output.split())
    run = from_python(tmp_path / "job.yaml", tmp_path / "signatures.yaml", out=tmp_path / "python")
    assert run.result == read_signatures(tmp_path / "out").result
    job = load_config(tmp_path / "job.yaml")
    assert default_folder(job, listed).parts[0] == "signatures"


def test_names_are_shown_and_never_obeyed(tmp_path, rng):
    run = signatures(_cohort(tmp_path, rng), _listed(tmp_path), tmp_path / "out", relabellings=19)
    run.tables["signatures"].loc[0, "signature"] = "[red]=HYPERLINK(1)[/x]<b>"
    text = io.StringIO()
    show_signatures(Console(file=text, width=200), run)
    assert "[red]=HYPERLINK(1)[/x]" in text.getvalue()
    assert "[/x]&lt;b&gt;" in render_signatures(run)


def test_shipped_lists_are_what_the_facts_say():
    folder = Path(__file__).resolve().parents[1] / "configs" / "signatures"
    for name in ("published", "simulated"):
        for entry in load_signatures(folder / f"{name}.yaml").signatures:
            assert entry.path.is_file()
    facts = gene_facts()
    lines = {one.name: one for one in read_gmt(folder / "desipramine_lines.gmt")}
    for name, words in (("RESPONDER", ", responder"), ("NON_RESPONDER", "non-responder line")):
        rows = facts[facts["role"].str.contains(f"desipramine.*{words}", regex=True)]
        signature = lines[f"DESIPRAMINE_{name}_LINE"]
        assert set(signature.up) == set(rows[rows["direction"] == "up"]["gene"])
        assert set(signature.down) == set(rows[rows["direction"] == "down"]["gene"])
    for file, words in (("nmda_antagonists", "NMDA"), ("non_remission_panel", "non-remission")):
        (one,) = read_gmt(folder / f"{file}.gmt")
        assert set(one.up) == set(facts[facts["role"].str.contains(words)]["gene"])
