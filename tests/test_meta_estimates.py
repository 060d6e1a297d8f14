"""Meta-analysis of signatures and claims: what is pooled, whose animals are shared, what is refused, and what a user reads."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData, read_h5ad
from tests.report.conftest import make_run
from typer.testing import CliRunner

from responder_ml.cli import app
from responder_ml.config import load_config
from responder_ml.errors import RunError
from responder_ml.meta import kind_of_folders, meta
from responder_ml.meta_estimates import default_folder, meta_estimates, shared_subjects
from responder_ml.records.pooled import PAGE, read_pooled
from responder_ml.records.run import write_run
from responder_ml.records.signatures import read_signatures
from responder_ml.signatures import signatures
from responder_ml.signatures_config import load_signatures
from responder_ml.statistics.random_effects import pool

GENES = [f"g{gene:03d}" for gene in range(200)]
SIZES = {"control": 5, "imipramine": 3, "ketamine": 4}


def _cohort(folder, seed, effect=0.6, sizes=None):
    """Write a cohort of a control group and two drugs whose first genes rise with either."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(list(sizes or SIZES), list((sizes or SIZES).values()))
    values = rng.normal(8, 1, (len(groups), len(GENES)))
    values[:, :10] += effect * (groups != "control")[:, None]
    obs = pd.DataFrame(
        {"subject": [f"m{row}" for row in range(len(groups))], "drug": groups},
        index=[f"s{row}" for row in range(len(groups))],
    )
    folder.mkdir(exist_ok=True)
    AnnData(values, obs=obs, var=pd.DataFrame(index=GENES)).write_h5ad(folder / "cohort.h5ad")
    _sets(folder, GENES[:10])
    return folder


def _sets(folder, true):
    sets = {"TRUE": true, "NOTHING": GENES[50:80]}
    (folder / "sets.gmt").write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in sets.items()))


def _signatures(folder, drug, out, name=None, source="elsewhere", **endpoint):
    job = {
        "name": name or f"{folder.name}-{drug}",
        "cohort": {"source": "h5ad", "expression": str(folder / "cohort.h5ad"), "units": "log2"},
        "endpoint": {"column": "drug", "positive": drug, "negative": "control"} | endpoint,
        "builders": ["genes"],
        "classifiers": ["nearest_centroid"],
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    entry = {"name": "sets", "path": "sets.gmt", "source": source, "licence": "CC0-1.0"}
    (folder / "signatures.yaml").write_text(yaml.safe_dump({"signatures": [entry]}))
    signatures(load_config(folder / "job.yaml"), load_signatures(folder / "signatures.yaml"), out, relabellings=20)
    return out


@pytest.fixture
def folders(tmp_path):
    one, other = _cohort(tmp_path / "one", 1), _cohort(tmp_path / "other", 2)
    return [
        _signatures(one, "imipramine", tmp_path / "a"),
        _signatures(one, "ketamine", tmp_path / "b"),
        _signatures(other, "ketamine", tmp_path / "c"),
    ]


def test_signatures_are_pooled_with_what_two_drugs_share(folders, tmp_path):
    run = meta_estimates(folders, "signatures", tmp_path / "out")
    (shared,) = run.result.shared
    expected = (1 / 5) / np.sqrt((1 / 3 + 1 / 5) * (1 / 4 + 1 / 5))
    assert (shared.one, shared.other, shared.subjects) == ("one-imipramine", "one-ketamine", 5)
    assert shared.correlation == pytest.approx(expected)
    assert any("share 5 subjects" in note for note in run.result.notes)
    assert any("names of subjects in common, and other data" in note for note in run.result.notes)
    rows = [next(row for row in read_signatures(folder).rows if row.signature == "TRUE") for folder in folders]
    correlation = np.eye(3)
    correlation[0, 1] = correlation[1, 0] = expected
    mean = pool(
        np.array([row.difference for row in rows]),
        np.array([row.standard_error for row in rows]) ** 2,
        correlation=correlation,
    )
    pooled = next(row for row in run.rows if row.pooled == "TRUE")
    np.testing.assert_allclose(
        [pooled.mean, pooled.low, pooled.high, pooled.tau2, pooled.p_value],
        [mean.estimate, *mean.interval, mean.tau2, mean.p_value], rtol=1e-6,
    )  # fmt: skip
    assert pooled.mean > 0
    assert {row.pooled for row in run.rows} == {"TRUE", "NOTHING"}
    estimates = [row for row in run.estimates if row.pooled == "TRUE"]
    assert sum(row.weight for row in estimates) == pytest.approx(1)
    np.testing.assert_allclose([row.weight for row in estimates], mean.weights, rtol=1e-6)
    assert estimates[0].without is not None
    assert read_pooled(tmp_path / "out").result == run.result
    page = (tmp_path / "out" / PAGE).read_text()
    assert "share 5 subjects" in page
    assert page.count("no effect (0)") >= 3


def test_independent_cohorts_are_pooled_as_ever(tmp_path):
    folders = [
        _signatures(_cohort(tmp_path / name, seed), "ketamine", tmp_path / f"{name}-out")
        for seed, name in enumerate("abc")
    ]
    run = meta_estimates(folders, "signatures", tmp_path / "out")
    assert run.result.shared == ()
    rows = [next(row for row in read_signatures(folder).rows if row.signature == "NOTHING") for folder in folders]
    mean = pool(np.array([row.difference for row in rows]), np.array([row.standard_error for row in rows]) ** 2)
    pooled = next(row for row in run.rows if row.pooled == "NOTHING")
    assert (pooled.mean, pooled.low) == pytest.approx((mean.estimate, mean.interval[0]), rel=1e-6)


def test_the_same_data_a_circular_signature_and_other_files_are_told_apart(folders, tmp_path):
    again = _signatures(tmp_path / "one", "imipramine", tmp_path / "again", name="again")
    with pytest.raises(RunError, match="of the same data"):
        meta_estimates([folders[0], again], "signatures", tmp_path / "out")
    circular = _signatures(_cohort(tmp_path / "third", 3), "ketamine", tmp_path / "d", name="GSE1", source="GSE1")
    with pytest.raises(RunError, match="circular"):
        meta_estimates([folders[0], circular], "signatures", tmp_path / "out")
    third = meta_estimates([*folders, circular], "signatures", tmp_path / "out")
    assert all(row.cohorts == 3 for row in third.rows)
    assert any("TRUE is not pooled from GSE1" in note for note in third.result.notes)
    _sets(tmp_path / "other", GENES[:9])
    changed = _signatures(tmp_path / "other", "imipramine", tmp_path / "e")
    notes = meta_estimates([folders[0], changed], "signatures", tmp_path / "out").result.notes
    assert any(
        "file of 'TRUE', 'NOTHING' is not the same" in note or "is not the same in all cohorts" in note
        for note in notes
    )


def test_three_contrasts_of_three_groups_follow_from_one_another(tmp_path):
    """Imipramine and ketamine against control, and against one another: the third adds nothing."""
    groups = {name: [f"{name}{number}" for number in range(4)] for name in ("control", "imipramine", "ketamine")}
    pairs = (("imipramine", "control"), ("ketamine", "control"), ("imipramine", "ketamine"))
    members = {
        f"{one}-{other}": dict.fromkeys(groups[one], 1) | dict.fromkeys(groups[other], 0) for one, other in pairs
    }
    correlation, shared = shared_subjects(members)
    np.testing.assert_allclose(correlation, [[1, 0.5, 0.5], [0.5, 1, -0.5], [0.5, -0.5, 1]])
    assert len(shared) == 3
    folder = _cohort(tmp_path / "one", 1, sizes=dict.fromkeys(SIZES, 4))
    outs = [_signatures(folder, drug, tmp_path / drug) for drug in ("imipramine", "ketamine")]
    job = yaml.safe_load((folder / "job.yaml").read_text())
    job["endpoint"] |= {"positive": "imipramine", "negative": "ketamine"}
    (folder / "job.yaml").write_text(yaml.safe_dump(job | {"name": "third"}))
    signatures(
        load_config(folder / "job.yaml"),
        load_signatures(folder / "signatures.yaml"),
        tmp_path / "third",
        relabellings=20,
    )
    with pytest.raises(RunError, match="same animals"):
        meta_estimates([*outs, tmp_path / "third"], "signatures", tmp_path / "out")


def _claims(folder, name, values, seed=1, simulated=False, cohort=None):
    rows = [
        {"claim": claim, "region": "PFC", "drug": "", "arm": "responder", "statistic": statistic, "headline": headline,
         "observed": observed, "expected_no_effect": expected, "low": low, "high": high, "subjects": "control 5; susceptible 3",
         "p_value": 0.1}
        for claim, statistic, headline, observed, expected, low, high in values
    ]  # fmt: skip
    content = {
        "schema_version": 1, "name": name, "simulated": simulated, "seed": seed, "versions": {}, "regions": [], "claims": [],
        "settings": {"cohort": cohort or {"source": "table", "expression": name, "where": {"region": "PFC"}}}, "rows": rows,
        "ranks": [], "notes": [],
    }  # fmt: skip
    folder.mkdir()
    (folder / "claims.json").write_text(json.dumps(content))
    return folder


def _values(shift):
    return (
        ("R2", "stress_change", True, 0.3 + shift, 0.0, 0.1 + shift, 0.5 + shift),
        ("R4", "reversal_share", False, 0.97 + shift, 0.93, 0.8, 1.0),
        ("R4", "deg_count", False, 20.0, 18.0, 0.0, 100.0),
        ("R4", "undone_share", True, 0.5, 0.0, None, None),
        ("R6a", "absent_share", True, 0.5, None, 0.1, 0.9),
    )


def test_cohorts_that_hold_different_things_constant_are_said(tmp_path):
    folders = []
    for seed, constant in enumerate(({}, {"strata": ["half"]})):
        folder = _cohort(tmp_path / f"c{seed}", seed, sizes={"control": 6, "ketamine": 6})
        cohort = read_h5ad(folder / "cohort.h5ad")
        cohort.obs["half"] = ["a", "b"] * 6
        cohort.write_h5ad(folder / "cohort.h5ad")
        folders.append(_signatures(folder, "ketamine", tmp_path / f"out{seed}", **constant))
    notes = meta_estimates(folders, "signatures", tmp_path / "out").result.notes
    assert any("c0-ketamine: nothing; c1-ketamine: half" in note for note in notes)


def test_claims_are_pooled_less_their_value_with_no_effect(tmp_path):
    folders = [_claims(tmp_path / name, name, _values(shift)) for name, shift in (("a", 0.0), ("b", 0.05), ("c", 0.1))]
    run = meta_estimates(folders, "claims", tmp_path / "out")
    (row,) = run.rows
    assert row.pooled == "R2 stress_change, PFC, responder"
    error = 0.4 / (2 * 1.959963984540054)
    assert row.mean == pytest.approx(pool(np.array([0.3, 0.35, 0.4]), np.full(3, error**2)).estimate)
    reasons = run.result.not_pooled
    assert "no interval" in reasons["R4 undone_share, PFC, responder"]
    assert "no value with no effect" in reasons["R6a absent_share, PFC, responder"]
    assert any("do not say which animals" in note for note in run.result.notes)
    reversal = meta_estimates(folders, "claims", tmp_path / "r4", ["R4"])
    (row,) = reversal.rows
    assert row.pooled == "R4 reversal_share, PFC, responder"
    # 97 % look reversed, and 93 % would without any effect.
    assert 0 < row.mean < 0.2
    assert all(one.no_effect == 0.93 for one in reversal.estimates)
    assert read_pooled(tmp_path / "r4").rows[0].mean == pytest.approx(row.mean)


def test_claims_of_the_same_data_damaged_or_without_intervals_are_refused(tmp_path):
    cohort = {"source": "table", "expression": "x", "where": {"region": "NAc"}}
    one, two = (_claims(tmp_path / name, name, _values(0.0), cohort=cohort) for name in ("a", "b"))
    with pytest.raises(RunError, match="of the same data"):
        meta_estimates([one, two], "claims", tmp_path / "out")
    three, four = (_claims(tmp_path / name, name, _values(0.0)[3:]) for name in ("c", "d"))
    with pytest.raises(RunError, match="Nothing can be pooled"):
        meta_estimates([three, four], "claims", tmp_path / "out")
    with pytest.raises(RunError, match="has no claim 'R9'"):
        meta_estimates([one, three], "claims", tmp_path / "out", ["R9"])
    for text in ("", "[]", "{}", '{"schema_version": 1}', '{"schema_version": 1, "rows": [{}], "name": 1}'):
        (one / "claims.json").write_text(text)
        with pytest.raises(RunError, match="claims"):
            meta_estimates([one, three], "claims", tmp_path / "out")
    (one / "claims.json").write_text('{"schema_version": 99}')
    with pytest.raises(RunError, match="Update responder_ml"):
        meta_estimates([one, three], "claims", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_kinds_are_not_mixed(folders, tmp_path):
    claims = _claims(tmp_path / "claims", "claims", _values(0.0))
    with pytest.raises(RunError, match="Different things cannot be pooled"):
        kind_of_folders([folders[0], claims])
    with pytest.raises(RunError, match="belongs to folders of claims"):
        kind_of_folders(folders, ["R4"])
    assert kind_of_folders(folders) == "signatures"
    with pytest.raises(RunError, match="no run and no folder of signatures or claims"):
        kind_of_folders([folders[0], tmp_path / "absent"])
    assert CliRunner().invoke(app, ["meta", str(folders[0]), str(claims)]).exit_code != 0


def test_the_command_pools_signatures(folders, tmp_path):
    printed = CliRunner().invoke(app, ["meta", *map(str, folders), "--out", str(tmp_path / "out")])
    assert printed.exit_code == 0, printed.output
    words = " ".join(printed.output.split())
    assert "Over 3 cohorts" in words
    assert "share 5 subjects" in words
    assert default_folder(folders, "signatures") == default_folder(folders[::-1], "signatures")


def test_runs_that_share_a_control_group_are_weighted_for_it(tmp_path):
    run, folders = make_run(), []
    for name, source in (("imi", "same.h5ad"), ("ket", "same.h5ad"), ("other", "other.h5ad")):
        table = run.tables["out_of_fold"].copy()
        is_positive = table["label"] == 1
        for column in ("sample", "subject"):
            table[column] = table[column].astype(str).where(~is_positive, name + table[column].astype(str))
        result = run.result.model_copy(update={"name": name, "data_sha256": name.ljust(64, "0")})
        config = {**run.config, "cohort": {"source": "h5ad", "expression": source, "where": {"drug": name}}}
        folders.append(tmp_path / name)
        write_run(type(run)(result, {**run.tables, "out_of_fold": table}, config), folders[-1], {})
    result = meta(folders, tmp_path / "out").result
    labels = run.tables["out_of_fold"].drop_duplicates("subject")["label"]
    positive, negative = int(labels.sum()), int((labels == 0).sum())
    (shared,) = result.shared
    assert (shared.one, shared.other, shared.subjects) == ("imi", "ket", negative)
    assert shared.correlation == pytest.approx((1 / negative) / (1 / positive + 1 / negative))
    weights = [row.weight for row in result.cohorts]
    assert weights[2] > weights[0] == pytest.approx(weights[1])
    # The third has names in common and nothing else.
    assert sum("names of subjects in common" in note for note in result.notes) == 2
    apart = meta([folders[0], folders[2]], tmp_path / "apart").result
    assert apart.shared == ()
