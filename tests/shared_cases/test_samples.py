"""The cases about samples: who is compared, what a nuisance means, and one unit under two names."""

import json
import sys

import pytest

from responder_ml.build import prepare_job
from responder_ml.cli import main
from responder_ml.config import accepting, load_config
from responder_ml.errors import AuditError, EndpointError
from responder_ml.train import train

pytestmark = pytest.mark.shared


@pytest.fixture
def case(shared_data):
    def load(name, job="job.yaml"):
        return load_config(shared_data.parent / "cases" / name / job)

    return load


def _messages(prepared, code):
    return [finding for finding in prepared.findings if finding.code == code]


def test_labels_of_mixed_case_are_left_out_by_value_with_a_warning(case):
    prepared = prepare_job(case("05-labels-mixed-case"))
    left_out = {exclusion.value: exclusion for exclusion in prepared.labelled.excluded}
    assert set(left_out) == {"", "Non_responder", "RESPONDER", "Responder", "non-responder"}
    assert left_out[""].samples == ("m04",)
    assert left_out["RESPONDER"].like == "responder"
    warnings = [finding.message for finding in _messages(prepared, "RML20") if finding.severity == "warning"]
    assert len(warnings) == 4
    assert any("'Responder', which differs from 'responder' by case: 1 (m01)" in message for message in warnings)
    assert any(
        "'non-responder', which differs from 'non_responder' by case, blanks or punctuation" in m for m in warnings
    )


def test_cages_and_dates_end_alike_as_numbers_and_as_names(case, tmp_path):
    results = {}
    for job in ("job_cage.yaml", "job_cage_name.yaml", "job_run_date.yaml"):
        config = case("24-batch-coded-as-number", job)
        result = train(config, tmp_path / config.name, tmp_path / f"{config.name}-bundle").result
        assert set(result.endpoint.kinds.values()) == {"category"}
        results[job] = (result.verdict.level, result.headline.auroc, result.null.p_value, result.null.conditional)
    assert len({repr(result) for result in results.values()}) == 1
    assert results["job_cage.yaml"][0] != "evidence"


def test_a_cage_that_holds_one_class_cannot_be_told_from_it(case, tmp_path):
    # The job's 99 relabellings leave p open; with as many as it takes, the cage is what cannot be told apart.
    job = case("24-batch-coded-as-number", "job_cage.yaml")
    job = job.model_copy(update={"null": job.null.model_copy(update={"permutations": "auto"})})
    assert train(job, tmp_path / "run", tmp_path / "bundle").result.verdict.level == "not_separable"


def test_what_is_accepted_on_the_command_line_stands_in_the_verdict(shared_data, tmp_path, monkeypatch):
    job = str(shared_data.parent / "cases" / "44-copied-samples-verdict-stands" / "job.yaml")
    folders = ["--out", str(tmp_path / "run"), "--bundle", str(tmp_path / "bundle")]
    for accepted, code in (([], 2), (["--accept", "RML09"], 2), (["--accept", "RML08"], 0)):
        monkeypatch.setattr(sys, "argv", ["responder-ml", "train", job, *accepted, *folders])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code or 0, (tmp_path / "run").exists()) == (code, code == 0)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert "RML08 (accepted)" in result["verdict"]["sentence"]
    assert result["verdict"]["level"] != "evidence"


def test_a_subject_in_two_strata_is_refused(case):
    with pytest.raises(EndpointError, match=r"m01 \(imipramine, ketamine\).*several values of the stratum 'drug'"):
        prepare_job(case("31-subject-with-two-strata-or-batches"))


def test_a_subject_in_two_batches_is_refused(case):
    job = case("31-subject-with-two-strata-or-batches")
    job = job.model_copy(update={"endpoint": job.endpoint.model_copy(update={"strata": ()})})
    with pytest.raises(EndpointError, match=r"m01 \(b1, b3\).*several values of the nuisance 'batch'"):
        prepare_job(job)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("40-subject-written-two-ways", "RML22", "Mouse_m01 and mouse-m01"),
        ("44-copied-samples-verdict-stands", "RML08", "hold exactly the same values"),
    ],
)
def test_one_unit_under_two_names_stops_training_until_it_is_accepted(case, tmp_path, name, code, words):
    job = case(name)
    assert any(words in finding.message for finding in _messages(prepare_job(job), code))
    out, bundle = tmp_path / "run", tmp_path / "bundle"
    with pytest.raises(AuditError, match=rf"(?s){words}.*--accept {code}"):
        train(job, out, bundle)
    assert not bundle.exists()
    train(accepting(job, [code]), out, bundle)
    result = json.loads((out / "result.json").read_text())
    assert result["accepted"] == [code]
    assert code in result["verdict"]["sentence"]


def test_the_two_swapped_pairs_of_human_donors_are_named(shared_data, tmp_path):
    folder = shared_data / "gse102556_human_mdd"
    path = tmp_path / "job.yaml"
    path.write_text(f"""
name: nac
cohort:
  source: table
  expression: {folder / "NA_counts.tsv.gz"}
  samples: {folder / "samples.tsv"}
  columns: {{sample: sample_id, subject: donor, sex: gender}}
  where: {{region: "NA"}}
endpoint: {{column: phenotype, positive: MDD, negative: CTRL}}
builders: [{{kind: genes}}]
classifiers: [{{kind: nearest_centroid}}]
""")
    (finding,) = _messages(prepare_job(load_config(path)), "RML09")
    assert finding.severity == "error"
    assert "SRR5961992 and SRR6443680 cross SRR5961995 and SRR6443679 between D07 and D10" in finding.message
    assert "swapped" in finding.message
