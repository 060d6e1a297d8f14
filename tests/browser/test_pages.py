"""Every page in a real browser, light and dark, at desk and phone width: axe finds nothing, nothing is cut, nothing is fetched."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.test_score_classes import write_classes

from responder_ml.cohort.simulate import simulate_cohort
from responder_ml.evaluation.transfer import TransferRow
from responder_ml.records.meta import CohortRow, MetaResult, MetaRun
from responder_ml.records.pooled import EstimateRow, PooledResult, PooledRow, PooledRun, SharedSubjects
from responder_ml.records.replication import (
    CallPart,
    ModelPart,
    QuantityRow,
    ReplicationResult,
    ReplicationRun,
    SignalPart,
    StudyPart,
)
from responder_ml.records.sets import SetsResult, SetsRun
from responder_ml.records.signatures import SignatureRow, SignaturesResult, SignaturesRun, SourceRecord
from responder_ml.records.study import STUDY_FOLDER, TABLES, Correction, Study, StudyResult
from responder_ml.report.classes import render_classes
from responder_ml.report.graded import render_graded
from responder_ml.report.html import write_report
from responder_ml.report.leaderboard import render_leaderboard
from responder_ml.report.meta import render_meta
from responder_ml.report.pooled import render_pooled
from responder_ml.report.replication import render_replication
from responder_ml.report.sets import render_sets
from responder_ml.report.signatures import render_signatures
from responder_ml.report.study import render_study
from responder_ml.report.transfer import render_transfer
from responder_ml.score_classes import score_classes

pytestmark = [pytest.mark.browser]

HERE = Path(__file__).resolve()
PAGES = (
    "report", "study", "transfer", "compare", "sets", "meta", "signatures", "replication", "pooled", "classes", "five-classes",
    "class-scores", "graded", "compare-graded",
)  # fmt: skip


def _fixtures(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _study():
    of_study = _fixtures(HERE.parents[1] / "report" / "test_study.py")
    regions = ("PFC", "NAc", "AMY", "HIP")
    jobs = [
        of_study.job(region, subset, auroc, corrected, verdict, within_batch_p=0.02)
        for region, auroc, corrected, verdict in zip(
            regions, (1.0, 0.97, 0.61, 0.4), (0.004, 0.01, 0.4, 1.0), ("evidence", "evidence", *["no_evidence"] * 2),
            strict=True,
        )
        for subset in ("both drugs", "ketamine", "imipramine")
    ]  # fmt: skip
    jobs.append(of_study.job("PFC", "none", np.nan, np.nan, "refused", n_positive=2, sentence="There are 2 subjects."))
    tables = {name: STUDY_FOLDER.table(name, []) for name in TABLES} | {"jobs": STUDY_FOLDER.table("jobs", jobs)}
    correction = Correction(method="smallest p", jobs=13, draws=999, alpha=0.05, exact=False, labellings="70", blocks=2)
    result = StudyResult(
        name="where", simulated=True, sentence="Simulated data: 6 of 13 jobs.", correction=correction, seed=7
    )
    return render_study(Study(result, tables, {}))


def _transfer():
    fields = {
        "subjects_train": 13, "subjects_test": 13, "shared_subjects": 12, "auroc_ci_low": 0.4, "auroc_ci_high": 1.0,
        "p_value": 0.03, "p_holm": 0.2, "min_attainable_p": 0.004, "null_mean": 0.5, "relabellings": 499, "coverage": 1.0,
        "note": "subjects in both: trained on folds, without the subjects tested",
    }  # fmt: skip
    names = ("PFC", "NAc", "AMY", "HIP")
    rows = [
        TransferRow(**{**dict.fromkeys(TransferRow.__dataclass_fields__), **fields,
                       "train": train, "test": test, "auroc": 0.5 + 0.1 * (train == test)})
        for train in names for test in names
    ]  # fmt: skip
    return render_transfer("job", "responder from non_responder", "region", rows, ("A note.",), True)


def _comparison():
    rows = [
        {"run": run, "candidate": candidate, "where": "region: PFC", "question": "responder against non_responder",
         "positive": 6, "negative": 7, "auroc": auroc, "auroc_low": 0.4, "auroc_high": 1.0,
         "p_value": 0.01 if candidate == "auto" else np.nan, "verdict": "evidence" if candidate == "auto" else ""}
        for run in ("pfc-response", "nac-response")
        for candidate, auroc in (("auto", 1.0), ("gene_sets+elastic_net", 0.9), ("derived+nearest_centroid", 0.8))
    ]  # fmt: skip
    pairs = pd.DataFrame([
        {"first_run": "pfc-response", "first": "auto", "second_run": "nac-response", "second": "auto",
         "difference": 0.1, "low": -0.1, "high": 0.3, "p_value": 0.2, "p_holm": 0.2, "n_folds": 18}
    ])  # fmt: skip
    return render_leaderboard(pd.DataFrame(rows), pairs, ("A note.",), True)


def _graded_comparison():
    rows = [
        {"run": run, "candidate": candidate, "where": "region: PFC", "question": "order of social_interaction_ratio",
         "subjects": 25, "concordance": value, "concordance_low": 0.5, "concordance_high": 0.95, "spearman": 0.4, "mae": 0.3,
         "p_value": 0.01 if candidate == "auto" else np.nan, "verdict": "evidence" if candidate == "auto" else ""}
        for run in ("pfc-score", "nac-score")
        for candidate, value in (("auto", 0.8), ("gene_sets+elastic_net", 0.75))
    ]  # fmt: skip
    pairs = pd.DataFrame([
        {"first_run": "pfc-score", "first": "auto", "second_run": "nac-score", "second": "auto",
         "difference": 0.1, "low": -0.1, "high": 0.3, "p_value": 0.2, "p_holm": 0.2, "n_folds": 25}
    ])  # fmt: skip
    return render_leaderboard(pd.DataFrame(rows), pairs, ("A note.",), True, "concordance")


def _pooled():
    names = [
        "Gemma_GSE81672_Ketamine_and_Imipramine_Reverse_Transcriptional_Signatures_NACC_treatment_imipramine",
        "short",
    ]
    rows = [
        PooledRow(
            pooled=name, cohorts=3, mean=0.6, low=0.1, high=1.1, p_value=0.02, fdr=0.04, prediction_low=-0.3, prediction_high=1.5,
            tau2=0.1, tau2_low=0.0, tau2_high=2.0, i2=0.4, q=4.0, q_p_value=0.1,
        ).model_dump()
        for name in names
    ]  # fmt: skip
    estimates = [
        EstimateRow(
            pooled=name, cohort=f"cohort of {where}", subjects="6 v 7", observed=0.5, no_effect=0.0, estimate=0.5,
            standard_error=0.4, low=-0.3, high=1.3, weight=0.33, without=0.6, without_low=-0.1, without_high=1.3,
        ).model_dump()
        for name in names
        for where in ("here", "there", "elsewhere, a longer name than most")
    ]  # fmt: skip
    result = PooledResult(
        name="3 cohorts", kind="signatures", simulated=True, fdr=0.05, level="evidence",
        sentence="Simulated data: over 3 cohorts 2 of 2 signatures have a mean other than 0.", notes=("A note.",),
        shared=(SharedSubjects(one="here", other="there", subjects=5, correlation=0.43),),
        not_pooled={"other": "1 of 3 cohorts have an estimate"},
    )  # fmt: skip
    return render_pooled(PooledRun(result, {"pooled": pd.DataFrame(rows), "estimates": pd.DataFrame(estimates)}, {}))


def _signatures():
    name = "Gemma_GSE81672_Ketamine_and_Imipramine_Reverse_Transcriptional_Signatures_of_Susceptibility_NACC_treatment_imipramine"
    rows = [
        SignatureRow(
            signature=f"{name}_{number}" if number < 2 else f"signature {number}", listed_as="Brain.GMT", scorer="ulm", genes=190,
            listed=210, compared=180, difference=1.8 - 0.3 * number, low=0.4 - 0.3 * number, high=3.1 - 0.3 * number,
            standard_error=0.6, auroc=0.9 - 0.05 * number, difference_no_effect=0.01, difference_null_low=-1.1,
            difference_null_high=1.1, p=0.001 * 2**number, corrected_p=min(1.0, 0.01 * 2**number), cosine=0.5 - 0.1 * number,
            cosine_no_effect=0.0, cosine_null_low=-0.4, cosine_null_high=0.4, cosine_p=0.01, cosine_corrected_p=0.04,
            reversed=0.3 + 0.05 * number, reversed_no_effect=0.5, reversed_null_low=0.3, reversed_null_high=0.7, reversed_p=0.02,
            reversed_corrected_p=0.1, circular="its source and this cohort are both GSE81672" if number == 1 else None,
        ).model_dump()
        for number in range(8)
    ]  # fmt: skip
    constant = SignatureRow(signature="constant", listed_as="mine", scorer="singscore", genes=5, listed=5, compared=5)
    source = SourceRecord(
        name="Brain.GMT", path="/data/BrainGMTv2_MouseOrthologs.gmt.txt", source="https://github.com/hagenaue/Brain_GMT @ 7f4aace",
        licence="MIT", sha256="0" * 64, sets=9, notes=("2 gene name(s) were left out: '1-Sep', '2-Sep'.",),
    )  # fmt: skip
    result = SignaturesResult(
        name="pfc-response", simulated=True, positive="responder", negative="non_responder", n_positive=6, n_negative=7,
        genes=14_077, adjusted=("drug", "age"), not_adjusted=("batch",), sources=(source,), min_genes=5, min_coverage=0.5,
        dropped={"SMALL": "2 of 40 genes found, 5 needed"}, labellings="1,716", run=1716, exact=True, smallest_p=0.0006,
        alpha=0.05,
        sentence="Simulated data: 3 of 9 external signatures differ in score between responder and non_responder.",
        data_sha256="0" * 64, seed=7,
    )  # fmt: skip
    return render_signatures(SignaturesRun(result, {"signatures": pd.DataFrame([*rows, constant.model_dump()])}, {}))


def _sets():
    rows = [
        {"set": f"HALLMARK_OXIDATIVE_PHOSPHORYLATION_{number}", "genes": 190 + number, "listed": 200, "direction": "up",
         "mean_z": 2.0 - 0.2 * number, "p": 1e-4 * 2**number, "fdr": min(1.0, 0.002 * 2**number), "mixed_p": 0.01, "mixed_fdr": 0.1,
         "difference": 1.0, "correlation": 0.02, "camera_p": 0.001 * 2**number, "camera_fdr": min(1.0, 0.02 * 2**number)}
        for number in range(12)
    ]  # fmt: skip
    result = SetsResult(
        name="pfc-response", simulated=True, positive="responder", negative="non_responder", n_positive=6, n_negative=7,
        genes=14_077, adjusted=("drug", "age"), not_adjusted=("batch",), files={"configs/sets.gmt": "0" * 64},
        dropped={"SMALL": "2 of 40 genes found, 5 needed"}, rotations=99, needed_rotations=239, fdr=0.05,
        sentence="Simulated data: 5 of 12 gene sets differ between responder and non_responder.", seed=7,
    )  # fmt: skip
    return render_sets(SetsRun(result, {"sets": pd.DataFrame(rows)}, {}))


def _meta():
    rows = [
        CohortRow(
            cohort=f"GSE10258{number}-nucleus-accumbens", positive="stress", negative="control", n_positive=6, n_negative=7,
            auroc=0.6 + 0.1 * number, auroc_low=0.4, auroc_high=0.9, p_value=0.03, verdict="evidence", weight=0.25, without=0.7,
            without_low=0.5, without_high=0.8,
        )
        for number in range(4)
    ]  # fmt: skip
    result = MetaResult(
        name="4 cohorts", simulated=False, auroc=0.7, auroc_low=0.55, auroc_high=0.82, p_value=0.02, prediction_low=0.3,
        prediction_high=0.95, tau2=0.2, tau2_low=0.0, tau2_high=3.0, i2=0.4, q=5.0, q_p_value=0.17, level="evidence",
        sentence="Over 4 cohorts the mean AUROC is 0.70 (95 % interval 0.55 to 0.82, p = 0.02).", notes=("A note.",),
        cohorts=tuple(rows),
    )  # fmt: skip
    return render_meta(MetaRun(result, {}, {}))


def _replication():
    quantities = (
        QuantityRow(quantity="correlation of signatures", observed=0.21, same_changes=0.38, no_effect=0.02, p_value=0.004),
        QuantityRow(
            quantity="correlation of true changes", observed=0.55, low=0.1, high=1.0, same_changes=1.0, no_effect=0.0
        ),
        QuantityRow(quantity="genes called again", observed=61, same_changes=140.2, no_effect=18.9),
        QuantityRow(
            quantity="AUROC of the carried model", observed=0.71, low=0.4, high=0.9, same_changes=0.8, same_low=0.42,
            same_high=0.97, no_effect=0.5, p_value=0.06,
        ),
    )  # fmt: skip
    studies = [
        StudyPart(
            name=name, positive="stress", negative="control", n_positive=6, n_negative=7, genes=14_077, adjusted=("sex",),
            not_adjusted=("batch",),
        )
        for name in ("gse102556-nucleus-accumbens", "gse81672-prefrontal-cortex")
    ]  # fmt: skip
    result = ReplicationResult(
        name="gse102556-nucleus-accumbens in gse81672-prefrontal-cortex", simulated=True, first=studies[0], second=studies[1],
        second_size=(6, 7), shared_subjects=0, genes=13_211, second_signal=0.2,
        signal=SignalPart(p_value=0.003, exact=True, labellings=1716, smallest_p=0.0006, signal=0.14, square=0.45),
        called=CallPart(
            p=0.05, least_change=0.3785, chosen=False, first=812, second=640, observed=61, expected=140.2, by_chance=18.9
        ),
        model=ModelPart(
            auroc=0.8, auroc_low=0.5, auroc_high=0.95, low=0.42, high=0.97, observed=0.71, note="fitted once on all subjects"
        ),
        alpha=0.05, level="replicated", sentence="Simulated data: the second study shows the changes of the first.",
        notes=("A note.",), quantities=quantities, seed=7,
    )  # fmt: skip
    genes = pd.DataFrame({
        "gene": [f"Gene{number}" for number in range(40)], "change_first": np.linspace(-3, 3, 40), "t_first": 3.0,
        "p_first": 0.01, "called_first": True, "change_second": np.linspace(-1, 3, 40), "t_second": 2.0, "p_second": 0.2,
        "called_second": False, "again_if_same": 0.4, "again_by_chance": 0.025,
    })  # fmt: skip
    return render_replication(ReplicationRun(result, {"genes": genes}, {}))


def _write_class_scores(folder):
    """Scores of animals of three classes, some unlike the training samples, compared with their sheet."""
    cohort = simulate_cohort(seed=7, n_genes=300, regions=["PFC"], effect=3.0)
    cohort = cohort[cohort.obs["drug"] == "saline"].copy()
    write_classes(folder / "bundle", cohort)
    new = simulate_cohort(seed=8, n_genes=300, regions=["PFC"], effect=3.0)
    table = pd.DataFrame(np.asarray(new.X).T, index=new.var_names, columns=new.obs_names)
    table.iloc[:, :2] *= np.random.default_rng(0).lognormal(0.0, 2.0, (len(table), 2))
    table.round().to_csv(folder / "new.csv")
    new.obs.to_csv(folder / "sheet.csv", index=False)
    score_classes(
        folder / "bundle", folder / "new.csv", samples=folder / "sheet.csv", report=folder / "class-scores.html"
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    of_report = _fixtures(HERE.parents[1] / "report" / "conftest.py")
    write_report(of_report.make_run(), folder / "report.html")
    for name, html in (
        ("study", _study()),
        ("transfer", _transfer()),
        ("compare", _comparison()),
        ("sets", _sets()),
        ("meta", _meta()),
        ("signatures", _signatures()),
        ("replication", _replication()),
        ("pooled", _pooled()),
        ("graded", render_graded(of_report.make_graded_run(jobs_on_data={"run": 2, "jobs": 3}, block="cage"))),
        ("compare-graded", _graded_comparison()),
        ("classes", render_classes(of_report.make_classes_run())),
        ("five-classes", render_classes(of_report.make_classes_run(**of_report.CLASSES_RUNS["long names"]))),
    ):
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    _write_class_scores(folder)
    return folder


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_everybody_can_use_it_and_nothing_is_cut_or_fetched(chromium, pages, axe, name, width, scheme):
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    wrong, requests = [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    address = (pages / f"{name}.html").as_uri()
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in requests if not url.startswith("data:")] == [address]
    headings = page.locator("nav a").all_inner_texts()
    assert len(headings) == page.locator("main section[id]").count() >= 3
    violations = axe(page)
    page.close()
    assert violations == []
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_no_table_goes_beyond_the_edge_of_a_desk(chromium, pages, name):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto((pages / f"{name}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    beyond = page.evaluate(
        "[...document.querySelectorAll('.wide')].filter(frame => frame.scrollWidth > frame.clientWidth + 1)"
        ".map(frame => frame.querySelector('th').closest('table').innerText.slice(0, 60) + ' ' + frame.scrollWidth)"
    )
    page.close()
    assert beyond == []
