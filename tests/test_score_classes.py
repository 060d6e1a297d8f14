"""Scores by a bundle of several classes: coupled from the pairs, sample by sample, with the worth of the verdict on all classes."""

import json
import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from responder_ml.bundles.bundle import write_bundle
from responder_ml.bundles.class_bundle import claim_folder, write_class_bundle
from responder_ml.bundles.pack import pack_bundle
from responder_ml.classifiers import CLASSIFIERS
from responder_ml.cli import app
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.errors import BundleError, RunError, SampleSheetError
from responder_ml.evaluation.class_predictions import PROBABILITY
from responder_ml.features.builders.genes import Genes
from responder_ml.library.model import load_bundle
from responder_ml.score import score
from responder_ml.score_classes import LOG_ODDS, score_classes
from responder_ml.search.prefix_model import PrefixModel
from responder_ml.statistics.pairwise_coupling import couple

NAMES = ("control", "resilient", "susceptible")
PAIRS = [f"{one}-{other}" for one, other in combinations(NAMES, 2)]
EVIDENCE = {"level": "evidence", "sentence": "The verdict on all classes."}
NO_EVIDENCE = {"level": "no_evidence", "sentence": "No evidence."}


def _cohort(seed=7, effect=3.0):
    cohort = simulate_cohort(seed=seed, n_genes=300, regions=["PFC"], effect=effect)
    return cohort[cohort.obs["drug"] == "saline"].copy()


def write_classes(folder, cohort, verdict=EVIDENCE):
    """Write a bundle whose pairs are fitted to all animals of their classes, and have a poor verdict of their own."""
    claim_folder(folder)
    for one, other in combinations(NAMES, 2):
        labelled = label_cohort(cohort, Endpoint("phenotype", one, other))
        model = PrefixModel(Genes(units="counts", max_genes=50), CLASSIFIERS["nearest_centroid"](), 20)
        model.fit(labelled.expression, labelled.sample_labels, genes=labelled.genes)
        result = {
            "name": f"three-{one}-{other}",
            "simulated": True,
            "endpoint": {"units": "counts"},
            "n": {},
            "verdict": NO_EVIDENCE,
            "versions": {},
        }
        write_bundle(pack_bundle(model, labelled, result), folder / f"{one}-{other}")
    training = {
        "n": dict.fromkeys(NAMES, 4),
        "macro_auroc": 0.9,
        "null": {"p_value": 0.01, "null_mean": 0.51},
        "verdict": verdict,
    }
    write_class_bundle(folder, PAIRS, name="three", simulated=True, versions={}, training=training)
    return folder


@pytest.fixture(scope="module")
def cohort():
    return _cohort()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, cohort):
    return write_classes(tmp_path_factory.mktemp("bundle") / "three", cohort)


@pytest.fixture(scope="module")
def others():
    """Animals that the models have not seen."""
    return _cohort(seed=8)


def _write(cohort, path):
    pd.DataFrame(np.asarray(cohort.X).T, index=cohort.var_names, columns=cohort.obs_names).to_csv(path)
    return path


def test_probabilities_are_coupled_from_the_scores_of_every_pair(bundle, others, tmp_path):
    table = score_classes(bundle, _write(others, tmp_path / "new.csv"))
    of_pairs = {
        pair: score(bundle / f"{NAMES[pair[0]]}-{NAMES[pair[1]]}", tmp_path / "new.csv", anyway=True)
        for pair in combinations(range(3), 2)
    }
    expected = couple({pair: own["log_odds"].to_numpy() for pair, own in of_pairs.items()}, 3)
    probabilities = table[[f"{PROBABILITY}{name}" for name in NAMES]].to_numpy()
    np.testing.assert_array_equal(probabilities, expected)
    assert table["predicted"].tolist() == [NAMES[code] for code in expected.argmax(axis=1)]
    assert table["sample"].tolist() == of_pairs[0, 1]["sample"].tolist()
    assert [name for name in table if name.startswith(LOG_ODDS)] == [f"{LOG_ODDS}{pair}" for pair in PAIRS]
    for own in of_pairs.values():
        # A sample is flagged only where all pairs flag it.
        assert not (table["abstain"] & ~own["abstain"]).any()
    assert (table["predicted"].to_numpy() == others.obs["phenotype"].to_numpy()).mean() > 0.6


def test_a_sample_has_the_same_numbers_alone_and_among_others(bundle, others, tmp_path):
    together = score_classes(bundle, _write(others, tmp_path / "new.csv"))
    alone = score_classes(bundle, _write(others[[3]], tmp_path / "one.csv"))
    pd.testing.assert_series_equal(alone.iloc[0], together.iloc[3], check_names=False)


def test_the_verdict_on_all_classes_decides_and_is_in_every_row(bundle, cohort, others, tmp_path):
    new = _write(others, tmp_path / "new.csv")
    table = score_classes(bundle, new)
    assert set(table["verdict"]) == {"evidence"}
    assert table["worth"][0].startswith(
        "Held-out training subjects were told apart (mean AUROC of the pairs of classes 0.90, 0.51 for relabelled subjects, "
        "p = 0.01)"
    )
    without = write_classes(tmp_path / "without", cohort, NO_EVIDENCE)
    with pytest.raises(BundleError, match=r"'no_evidence'.*--anyway"):
        score_classes(without, new)
    assert set(score_classes(without, new, anyway=True)["verdict"]) == {"no_evidence"}


def test_samples_of_the_training_are_recognised_whatever_pair_has_them(bundle, cohort, tmp_path):
    table = score_classes(bundle, _write(cohort, tmp_path / "known.csv"))
    assert table["flags"].str.split("|").map(lambda flags: "training" in flags).all()
    assert table["nearest_training"].tolist() == table["sample"].tolist()
    assert table.attrs["summary"]["training"] == table["sample"].tolist()


def test_labels_are_compared_with_all_classes(bundle, others, tmp_path):
    new, sheet = _write(others, tmp_path / "new.csv"), tmp_path / "sheet.csv"
    others.obs.to_csv(sheet, index=False)
    out = tmp_path / "scores.csv"
    table = score_classes(bundle, new, samples=sheet, out=out)
    summary = json.loads((tmp_path / "scores.summary.json").read_text())
    assert summary == table.attrs["summary"]
    evaluation = summary["evaluation"]
    right = (table["predicted"].to_numpy() == others.obs["phenotype"].to_numpy()).astype(float)
    by_class = pd.Series(right).groupby(others.obs["phenotype"].to_numpy()).mean()
    assert evaluation["balanced_accuracy"] == pytest.approx(by_class.mean())
    assert np.sum(evaluation["confusion"]) == others.n_obs
    of_pairs = [pair["evaluation"]["auroc"] for pair in summary["pairs"]]
    assert evaluation["macro_auroc"] == pytest.approx(np.mean(of_pairs))
    assert pd.read_csv(out).shape == table.shape


def test_a_prior_of_two_classes_is_refused(bundle, others, tmp_path):
    with pytest.raises(BundleError, match="--prior is of two classes"):
        score_classes(bundle, _write(others, tmp_path / "new.csv"), prior=0.5)


def test_the_page_shows_every_probability_and_the_comparison(bundle, others, tmp_path):
    new, sheet, page = _write(others, tmp_path / "new.csv"), tmp_path / "sheet.csv", tmp_path / "page.html"
    others.obs.to_csv(sheet, index=False)
    table = score_classes(bundle, new, report=page)
    # Numbers carry all their digits in a tag, by which a click sorts them.
    text = re.sub(r"</?data[^>]*>", "", " ".join(page.read_text().split()))
    assert "No sample sheet was given" in text
    assert "probability of control, resilient and susceptible, which add up to one" in text
    for row in table.to_dict("records"):
        cells = "".join(f'<td class="n">{row[f"{PROBABILITY}{name}"]:.2f}</td>' for name in NAMES)
        assert f'<th scope="row">{row["sample"]}</th>{cells}<td>{row["predicted"]}</td>' in text
    score_classes(bundle, new, samples=sheet, report=page)
    text = " ".join(page.read_text().split())
    assert "predicted susceptible" in text
    assert "balanced accuracy" in text
    assert "Simulated data" in text


def test_a_table_is_not_written_over_what_is_read_nor_into_the_bundle(bundle, others, tmp_path):
    new = _write(others, tmp_path / "new.csv")
    with pytest.raises(RunError, match="would lie in"):
        score_classes(bundle, new, out=bundle / "scores.csv")
    with pytest.raises(RunError, match="would lie in"):
        score_classes(bundle, new, out=bundle / PAIRS[0] / "scores.csv")
    with pytest.raises(Exception, match="same file"):
        score_classes(bundle, new, out=new)


def test_the_command_and_the_library_tell_a_bundle_of_several_classes(bundle, others, tmp_path):
    new, sheet = _write(others, tmp_path / "new.csv"), tmp_path / "sheet.csv"
    others.obs.to_csv(sheet, index=False)
    arguments = ["score", str(bundle), str(new), "--samples", str(sheet), "--out", str(tmp_path / "scores.csv")]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    printed = " ".join(result.output.split())
    assert all(name in printed for name in (*NAMES, "balanced accuracy", "mean AUROC of the pairs", "Simulated"))
    model = load_bundle(bundle)
    assert model.classes == NAMES
    assert repr(model).startswith("Model 'three': control against resilient against susceptible, 300 genes in counts")
    data = others.copy()
    table = model.score(data)
    assert data.obs[f"score_{PROBABILITY}control"].tolist() == table[f"{PROBABILITY}control"].tolist()
    written = pd.read_csv(tmp_path / "scores.csv")
    np.testing.assert_allclose(written[f"{PROBABILITY}control"], table[f"{PROBABILITY}control"], atol=1e-9)


def test_a_subject_of_two_classes_is_refused(bundle, others, tmp_path):
    new, sheet = _write(others, tmp_path / "new.csv"), tmp_path / "sheet.csv"
    obs = others.obs.copy()
    animals = [obs["subject"][obs["phenotype"] == name].iloc[0] for name in NAMES[:2]]
    obs["subject"] = obs["subject"].astype(str).replace({animals[1]: animals[0]})
    obs.to_csv(sheet, index=False)
    with pytest.raises(SampleSheetError, match="carry"):
        score_classes(bundle, new, samples=sheet)
