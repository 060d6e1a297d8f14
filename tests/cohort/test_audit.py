import re
from time import perf_counter

import numpy as np
import pytest

from responder_ml.cohort.audit import CHECKS, audit
from responder_ml.cohort.endpoint import Endpoint, label_cohort
from responder_ml.cohort.read import keep_rows, read_table

ANSWER = ["yes"] * 7 + ["no"] * 7


@pytest.fixture
def counts14(rng):
    """Fourteen plain libraries, alike in depth."""
    return rng.negative_binomial(5, 0.01, size=(14, 400))


def _findings(labelled, code):
    return [finding for finding in audit(labelled) if finding.code == code]


def _only(labelled, code):
    (finding,) = _findings(labelled, code)
    return finding


def test_checks_are_in_the_order_of_their_codes():
    assert [check.__doc__.split(":")[0] for check in CHECKS] == [
        f"RML{number:02d}" for number in range(1, len(CHECKS) + 1)
    ]


def test_a_quiet_cohort_has_nothing_but_information(make_labelled, counts14):
    labelled = make_labelled(
        counts14,
        ANSWER,
        nuisance=("batch",),
        strata=("drug",),
        batch=["a", "b"] * 7,
        drug=["x", "x", "z"] * 4 + ["z"] * 2,
    )
    findings = audit(labelled)
    assert {finding.severity for finding in findings} == {"info"}
    assert [finding.code for finding in findings] == ["RML01", "RML06", "RML07", "RML10"]
    assert findings[2].message == "Subjects per drug, yes and no: x 5 and 3, z 2 and 4."


def test_nothing_is_changed(make_labelled, counts14):
    labelled = make_labelled(counts14, ANSWER, sex=["male"] * 14)
    before, sheet = labelled.cohort.X.copy(), labelled.cohort.obs.copy()
    audit(labelled)
    np.testing.assert_array_equal(labelled.cohort.X, before)
    assert labelled.cohort.obs.equals(sheet)


def test_subjects_and_samples_are_counted(make_labelled, counts14):
    labelled = make_labelled(counts14, ANSWER, subject=["a", "a", "a", "b", "c", "d", "e", *"hijklmn"])
    assert _only(labelled, "RML01").message == "12 subjects: 5 yes (7 samples) and 7 no."
    assert "14 samples come from 12 subjects, up to 3 from one" in _only(labelled, "RML04").message
    assert _only(labelled, "RML02").severity == "warning"


@pytest.mark.parametrize(("positives", "severity"), [(2, "error"), (3, "warning"), (5, "warning"), (6, None)])
def test_a_small_class(make_labelled, counts14, positives, severity):
    labelled = make_labelled(counts14, ["yes"] * positives + ["no"] * (14 - positives))
    findings = _findings(labelled, "RML02")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    assert all("yes" in finding.message for finding in findings)


def test_an_unknown_subject_is_a_warning_where_samples_may_share_one(make_labelled, counts14):
    uns = {"subject_source": "sample"}
    assert _only(make_labelled(counts14, ANSWER, uns=uns), "RML03").severity == "info"
    regions = make_labelled(counts14, ANSWER, uns=uns, region=["PFC", "NAc"] * 7)
    assert _only(regions, "RML03").severity == "warning"
    named = make_labelled(counts14, ANSWER, uns=uns, patient_key=list("aabbccddeeffgg"))
    assert _only(named, "RML03").severity == "warning"
    assert "column patient_key may hold it" in _only(named, "RML03").message
    assert _findings(make_labelled(counts14, ANSWER), "RML03") == []


def test_several_regions_in_one_endpoint(make_labelled, counts14):
    labelled = make_labelled(counts14, ANSWER, region=["PFC"] * 5 + ["NAc"] * 9)
    assert "(NAc 9, PFC 5)" in _only(labelled, "RML05").message
    assert _findings(make_labelled(counts14, ANSWER, region=["PFC"] * 14), "RML05") == []


@pytest.mark.parametrize(
    ("batch", "severity", "words"),
    [
        (["a", "b"] * 7, "info", r"V 0\.14 over 2 values; 0\.28 is expected by chance with 14 subjects"),
        (["a"] * 7 + ["b"] * 7, "warning", r"V 1\.00.*nested in batch: every value has one class"),
        (["a"] * 6 + ["b"] * 8, "warning", r"Values with one class only: a\. A model may learn batch"),
        (["a"] * 14, "info", "one value only"),
    ],
)
def test_batch_against_class(make_labelled, counts14, batch, severity, words):
    finding = _only(make_labelled(counts14, ANSWER, nuisance=("batch",), batch=batch), "RML06")
    assert finding.severity == severity
    assert re.search(words, finding.message)


def test_measurements_go_by_rank_and_repeats_do_not_count_as_evidence(make_labelled, counts14):
    rin = [9.9, 9.8, 9.7, 9.6, 9.5, 9.4, 9.3, 8.1, 8.2, 8.3, 8.4, 8.5, 8.6, np.nan]
    finding = _only(make_labelled(counts14, ANSWER, nuisance=("rin",), rin=rin), "RML06")
    assert finding.severity == "warning"
    assert "rin alone separates the classes with AUROC 1.00" in finding.message
    assert "higher in yes" in finding.message
    repeated = make_labelled(
        counts14, ANSWER, nuisance=("batch",), batch=["a"] * 6 + ["b"] * 8, subject=["p"] * 6 + ["q", "r"] + ["s"] * 6
    )
    assert "with 4 subjects" in _only(repeated, "RML06").message


def test_strata_with_one_class_cannot_be_relabelled(make_labelled, counts14):
    drug = ["k"] * 4 + ["i"] * 3 + ["s"] * 2 + ["i"] * 5
    finding = _only(make_labelled(counts14, ANSWER, strata=("drug",), drug=drug), "RML07")
    assert finding.severity == "warning"
    assert "i 3 and 5, k 4 and 0, s 0 and 2" in finding.message
    assert "In k, s only one class occurs" in finding.message


def test_copies_of_a_sample(make_labelled, counts14):
    counts14[9] = counts14[2]
    finding = _only(make_labelled(counts14, ANSWER), "RML08")
    assert finding.severity == "error"
    assert "'s2', 's9'" in finding.message
    assert _findings(make_labelled(counts14, ANSWER), "RML09") == []


def test_copies_within_a_subject_are_counted_twice_but_leak_nothing(make_labelled, counts14):
    counts14[3] = counts14[2]
    labelled = make_labelled(counts14, ANSWER, subject=list("abccdefghijklm"))
    assert _only(labelled, "RML08").severity == "warning"


def test_near_copies_between_subjects_only(make_labelled, rng, counts14):
    counts14[9] = counts14[2] + rng.integers(0, 3, 400)
    labelled = make_labelled(counts14, ANSWER)
    assert "1 pair(s)" in _only(labelled, "RML09").message
    assert "s2 and s9" in _only(labelled, "RML09").message
    counts14[3] = counts14[2] + rng.integers(0, 3, 400)
    counts14[9] = rng.negative_binomial(5, 0.01, size=400)
    assert _findings(make_labelled(counts14, ANSWER, subject=list("abccdefghijklm")), "RML09") == []


def test_near_copies_are_seen_in_any_units(make_labelled, rng):
    values = rng.normal(6, 2, size=(8, 500))
    values[5] = values[1] + rng.normal(0, 0.01, 500)
    answer = ["yes", "no"] * 4
    assert "s1 and s5" in _only(make_labelled(values, answer, units="log2"), "RML09").message
    assert "s1 and s5" in _only(make_labelled(2**values, answer, units="tpm"), "RML09").message


def test_shallow_libraries_and_depth_that_follows_class(make_labelled, counts14):
    counts14[3] //= 5
    finding = _only(make_labelled(counts14, ANSWER), "RML10")
    assert finding.severity == "warning"
    assert "below a quarter of the median: s3 (" in finding.message
    assert _findings(make_labelled(counts14, ANSWER), "RML11") == []
    counts14[7:] *= 2
    finding = _only(make_labelled(counts14, ANSWER), "RML11")
    assert "Libraries of no are larger: size alone has AUROC 1.00" in finding.message
    assert {"RML10", "RML11"}.isdisjoint(f.code for f in audit(make_labelled(counts14 + 0.5, ANSWER, units="log2")))


def test_tpm_that_do_not_add_up(make_labelled, rng):
    values = rng.dirichlet(np.ones(50), size=14) * 1e6
    assert _findings(make_labelled(values, ANSWER, units="tpm"), "RML13") == []
    values[:3] /= 2
    assert "in 3 of 14 samples they do not" in _only(make_labelled(values, ANSWER, units="tpm"), "RML13").message


@pytest.mark.parametrize(("constant", "severity"), [(10, None), (40, "info"), (250, "warning")])
def test_constant_genes(make_labelled, counts14, constant, severity):
    counts14[:, :constant] = 3
    findings = _findings(make_labelled(counts14, ANSWER), "RML15")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def test_unused_samples_and_simulated_data_are_reported(make_labelled, counts14):
    uns = {"simulated": True, "source": "counts.tsv", "unused_samples": [f"x{i}" for i in range(7)]}
    labelled = make_labelled(counts14, ANSWER, uns=uns)
    assert "'x4' and 2 more" in _only(labelled, "RML16").message
    assert "These data are simulated (counts.tsv)." in _only(labelled, "RML14").message


def test_the_simulated_cohort(simulated):
    endpoint = Endpoint("response", "responder", "non_responder", ("drug",), ("batch", "rin"))
    findings = audit(label_cohort(keep_rows(simulated, {"region": "PFC"}), endpoint))
    assert {finding.severity for finding in findings} == {"info"}
    messages = {finding.code: finding.message for finding in findings}
    assert "simulated (seed 7" in messages["RML14"]
    assert messages["RML12"] == "Sex genes agree with the sheet in all 13 samples."


def test_a_large_cohort_is_audited_in_seconds(make_labelled, rng):
    values = rng.poisson(20, size=(100, 35_000))
    labelled = make_labelled(values, ["yes", "no"] * 50, sex=["male"] * 100)
    start = perf_counter()
    audit(labelled)
    assert perf_counter() - start < 2.0  # 0.2 measured; the wide margin is for shared machines


STRESS = Endpoint("group", "stress_CVS", "control", ("sex",), ("avg_spot_len", "rin"))


@pytest.fixture
def stress(shared_data):
    def read(region):
        folder = shared_data / "gse102556_mouse_cvs"
        cohort = read_table(
            folder / "expression_counts.tsv.gz", folder / "samples.tsv", units="counts", where={"region": region}
        )
        return {
            finding.code: finding for finding in audit(label_cohort(cohort, STRESS)) if "rin" not in finding.message
        }

    return read


@pytest.mark.shared
def test_the_mixed_library_of_a_real_cohort_is_found(stress):
    findings = stress("NAc")
    assert findings["RML12"].severity == "warning"
    assert "in 1 of 40 samples: SRR5956393 (female in the sheet, Xist and Y genes" in findings["RML12"].message
    assert "RML08" not in findings
    assert "RML09" not in findings


@pytest.mark.shared
def test_the_read_length_of_a_real_cohort_is_called_out(stress):
    findings = stress("PFC")
    assert findings["RML06"].severity == "warning"
    assert "avg_spot_len x class: Cramér's V 0.90 over 4 values" in findings["RML06"].message
    assert "SRR5956339 (1.08), SRR5956350 (2.43)" in findings["RML10"].message
    assert findings["RML12"].severity == "info"
